"""The names of the OAuth2 providers that PocketBase knows, in its order.

Only names live here. The logos that PocketBase ships are marks of their owners; ours is a
neutral badge with the first letter.
"""

from html import escape

DISPLAY_NAMES = {
    "apple": "Apple",
    "google": "Google",
    "microsoft": "Microsoft",
    "yandex": "Yandex",
    "facebook": "Facebook",
    "instagram2": "Instagram",
    "github": "GitHub",
    "gitlab": "GitLab",
    "bitbucket": "Bitbucket",
    "gitee": "Gitee",
    "gitea": "Gitea/Forgejo",
    "discord": "Discord",
    "twitter": "X/Twitter",
    "kakao": "Kakao",
    "vk": "ВКонтакте",
    "linear": "Linear",
    "notion": "Notion",
    "monday": "monday.com",
    "lark": "Lark",
    "box": "Box",
    "spotify": "Spotify",
    "trakt": "Trakt",
    "twitch": "Twitch",
    "patreon": "Patreon",
    "strava": "Strava",
    "wakatime": "WakaTime",
    "livechat": "LiveChat",
    "mailcow": "mailcow",
    "planningcenter": "Planning Center",
    "oidc": "OIDC",
    "oidc2": "OIDC",
    "oidc3": "OIDC",
}


def listed() -> list[dict[str, str]]:
    """Return every provider as `{name, displayName, logo}`."""
    return [
        {"name": name, "displayName": shown, "logo": logo(shown)}
        for name, shown in DISPLAY_NAMES.items()
    ]


def logo(display_name: str) -> str:
    """Return a small SVG text: a disc with the name's first letter."""
    letter = escape(display_name[:1].upper())
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24">'
        '<circle cx="12" cy="12" r="11" fill="#667085"/>'
        '<text x="12" y="16.5" font-family="sans-serif" font-size="13" fill="#fff" '
        f'text-anchor="middle">{letter}</text></svg>'
    )
