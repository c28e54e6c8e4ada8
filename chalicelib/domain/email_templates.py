"""The e-mail templates that an auth collection starts with.

The placeholders are PocketBase's: {APP_NAME} and {APP_URL} everywhere, {TOKEN} in links,
{OTP} in a one-time password, {ALERT_INFO} in a login alert. The words are our own.
"""

Template = dict[str, str]

_CLOSING = "<p>\n  Best regards,<br/>\n  {APP_NAME}\n</p>"


def _template(subject: str, *paragraphs: str) -> Template:
    body = "\n".join(f"<p>{text}</p>" for text in ("Hi,", *paragraphs))
    return {"subject": subject, "body": f"{body}\n{_CLOSING}"}


def _button(page: str, label: str) -> str:
    url = "{APP_URL}/_/#/auth/" + page + "/{TOKEN}"
    return f'\n  <a class="btn" href="{url}" target="_blank" rel="noopener">{label}</a>\n'


def auth_alert() -> Template:
    return _template(
        "New sign-in to your {APP_NAME} account",
        "Your {APP_NAME} account was used from a place we have not seen before:",
        "<em>{ALERT_INFO}</em>",
        "<strong>Was it not you? Change your {APP_NAME} password now: that signs out everyone "
        "else.</strong>",
        "If it was you, there is nothing to do.",
    )


def otp() -> Template:
    return _template(
        "Your {APP_NAME} sign-in code",
        "Your one-time code is <strong>{OTP}</strong>",
        "<i>If you did not ask for a code, you can delete this message.</i>",
    )


def verification() -> Template:
    return _template(
        "Please confirm your e-mail address for {APP_NAME}",
        "Welcome to {APP_NAME}. Please confirm that this address is yours.",
        _button("confirm-verification", "Confirm address"),
        "<i>If you did not sign up, you can delete this message.</i>",
    )


def password_reset() -> Template:
    return _template(
        "Choose a new {APP_NAME} password",
        "Follow the button to choose a new password.",
        _button("confirm-password-reset", "Choose password"),
        "<i>If you did not ask for this, your password stays as it is.</i>",
    )


def email_change() -> Template:
    return _template(
        "Please confirm your new e-mail address for {APP_NAME}",
        "Follow the button to use this address from now on.",
        _button("confirm-email-change", "Confirm new address"),
        "<i>If you did not ask for this, your address stays as it is.</i>",
    )
