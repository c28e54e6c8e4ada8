"""Settings: each case was first put to PATCH /api/settings of PocketBase 0.40.6."""

import copy
from typing import Any

import pytest

from chalicelib.domain import app_settings, app_settings_errors
from chalicelib.errors import ErrorData, field_error

REQUIRED = field_error("validation_required", "Cannot be blank.")
NOT_IN = field_error("validation_in_invalid", "Must be a valid value.")
NOT_A_URL = field_error("validation_is_url", "Must be a valid URL.")
NOT_AN_EMAIL = field_error("validation_is_email", "Must be a valid email address.")
NOT_A_HOST = field_error("validation_is_host", "Must be a valid IP address or DNS name.")
NOT_AN_IP = field_error("validation_invlaid_ip_or_subnet", "Invalid IP or CIDR subnet.")
NO_LABEL = field_error("validation_match_invalid", "Must be in a valid format.")
TOO_LONG = field_error(
    "validation_length_out_of_range",
    "The length must be between 1 and 255.",
    {"min": 1, "max": 255},
)
NOT_SEVEN = field_error(
    "validation_length_invalid", "The length must be exactly 7.", {"min": 7, "max": 7}
)
NO_COLOR = field_error("validation_is_hex_color", "Must be a valid hexadecimal color code.")
S3_REQUIRED = dict.fromkeys(("accessKey", "bucket", "endpoint", "region", "secret"), REQUIRED)
META_REQUIRED = dict.fromkeys(("appName", "appURL", "senderName", "senderAddress"), REQUIRED)
RULE_REQUIRED = dict.fromkeys(("label", "duration", "maxRequests"), REQUIRED)
RULE = {"label": "a", "audience": "", "duration": 1, "maxRequests": 1}


def at_least(threshold: int) -> ErrorData:
    code = "validation_min_greater_equal_than_required"
    return field_error(code, f"Must be no less than {threshold}.", {"threshold": threshold})


def errors_of(patch: dict[str, Any]) -> ErrorData:
    return app_settings_errors.errors(app_settings.merge(app_settings.defaults(), patch))


def rules(*changes: dict[str, Any], **limits: Any) -> dict[str, Any]:
    return {"rateLimits": {"rules": [{**RULE, **change} for change in changes], **limits}}


def test_a_fresh_installation_shows_what_pocketbase_shows() -> None:
    assert app_settings.public(app_settings.defaults()) == {
        "superuserIPs": [],
        "smtp": {
            "enabled": False,
            "port": 587,
            "host": "smtp.example.com",
            "username": "",
            "authMethod": "",
            "tls": False,
            "localName": "",
        },
        "backups": {
            "cron": "",
            "cronMaxKeep": 3,
            "s3": {
                "enabled": False,
                "bucket": "",
                "region": "",
                "endpoint": "",
                "accessKey": "",
                "forcePathStyle": False,
            },
        },
        "s3": {
            "enabled": False,
            "bucket": "",
            "region": "",
            "endpoint": "",
            "accessKey": "",
            "forcePathStyle": False,
        },
        "meta": {
            "accentColor": "#1055c9",
            "appName": "Acme",
            "appURL": "http://localhost:8090",
            "senderName": "Support",
            "senderAddress": "support@example.com",
            "hideControls": False,
        },
        "rateLimits": {
            "rules": [
                {"label": "*:auth", "audience": "", "duration": 3, "maxRequests": 2},
                {"label": "*:create", "audience": "", "duration": 5, "maxRequests": 20},
                {"label": "/api/batch", "audience": "", "duration": 1, "maxRequests": 3},
                {"label": "/api/", "audience": "", "duration": 10, "maxRequests": 300},
            ],
            "excludedIPs": [],
            "enabled": False,
        },
        "trustedProxy": {"headers": [], "useLeftmostIP": False},
        "batch": {"enabled": False, "maxRequests": 50, "timeout": 3, "maxBodySize": 0},
        "logs": {
            "maxDataSize": 0,
            "maxDays": 5,
            "minLevel": 0,
            "logIP": True,
            "logAuthId": False,
        },
    }


def test_the_defaults_may_be_saved() -> None:
    assert errors_of({}) == {}


def test_secrets_are_kept_and_never_shown() -> None:
    secret = {"secret": "s3cret"}
    patch = {"smtp": {"password": "pa55"}, "s3": secret, "backups": {"s3": secret}}
    saved = app_settings.merge(app_settings.defaults(), patch)
    assert "s3cret" not in str(app_settings.public(saved))
    assert "pa55" not in str(app_settings.public(saved))
    again = app_settings.merge(saved, {"smtp": {"host": "x"}, "s3": {"bucket": "b"}})
    assert again["smtp"]["password"] == "pa55"
    assert again["s3"]["secret"] == again["backups"]["s3"]["secret"] == "s3cret"


def test_merging_leaves_what_it_was_given_alone() -> None:
    current = app_settings.defaults()
    before = copy.deepcopy(current)
    merged = app_settings.merge(current, {"rateLimits": {"excludedIPs": ["::1"]}})
    merged["rateLimits"]["rules"].clear()
    merged["meta"]["appName"] = "x"
    app_settings.public(current)["smtp"]["host"] = "y"
    assert current == before
    assert app_settings.defaults() == before


@pytest.mark.parametrize(
    ("patch", "path", "expected"),
    [
        ({"meta": {"appName": "B"}}, ("meta", "appName"), "B"),
        ({"meta": {"appName": "B"}}, ("meta", "senderName"), "Support"),
        ({"META": {"AppName": "B"}}, ("meta", "appName"), "B"),
        ({"unknown": 1, "meta": {"unknown": 1}}, ("meta", "appName"), "Acme"),
        ({"meta": {"hideControls": None}}, ("meta", "hideControls"), False),
        ({"smtp": None}, ("smtp", "port"), 0),  # null empties, it does not reset
        ({"logs": None}, ("logs", "logIP"), False),
        ({"superuserIPs": None}, ("superuserIPs",), []),
        ({"trustedProxy": {"headers": [None]}}, ("trustedProxy", "headers"), [""]),
        (
            {"rateLimits": {"rules": [{"label": "a"}, None]}},  # lists are replaced whole
            ("rateLimits", "rules"),
            [
                {"label": "a", "audience": "", "duration": 0, "maxRequests": 0},
                {"label": "", "audience": "", "duration": 0, "maxRequests": 0},
            ],
        ),
    ],
)
def test_merge(patch: dict[str, Any], path: tuple[str, ...], expected: Any) -> None:
    value: Any = app_settings.merge(app_settings.defaults(), patch)
    for name in path:
        value = value[name]
    assert value == expected


@pytest.mark.parametrize(
    "patch",
    [
        {"meta": 5},
        {"meta": []},
        {"meta": {"appName": 5}},
        {"meta": {"hideControls": "x"}},
        {"smtp": {"port": "25"}},
        {"smtp": {"port": 2.5}},
        {"smtp": {"port": True}},
        {"smtp": {"tls": 1}},
        {"batch": {"maxRequests": 10**30}},
        {"superuserIPs": "x"},
        {"superuserIPs": [1]},
        {"rateLimits": {"rules": {}}},
        {"rateLimits": {"rules": ["x"]}},
        {"rateLimits": {"rules": [[]]}},
        {"rateLimits": {"rules": [{"duration": "1"}]}},
        {"rateLimits": {"rules": [{"label": "a", "Label": "b"}]}},
        {"smtp": {"host": "a"}, "SMTP": {}},
    ],
)
def test_a_value_of_another_type_cannot_be_merged(patch: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"type|twice|expected"):
        app_settings.merge(app_settings.defaults(), patch)


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        (
            {"meta": None},
            META_REQUIRED,
        ),
        ({"meta": {"appName": ""}}, {"appName": REQUIRED}),
        ({"meta": {"appName": " "}}, None),
        ({"meta": {"appName": "a" * 255}}, None),
        ({"meta": {"appName": "a" * 256}}, {"appName": TOO_LONG}),
        ({"meta": {"appName": "é" * 128}}, {"appName": TOO_LONG}),  # bytes, not characters
        ({"meta": {"senderName": "a" * 256}}, {"senderName": TOO_LONG}),
        ({"meta": {"senderAddress": "a@b"}}, {"senderAddress": NOT_AN_EMAIL}),
        ({"meta": {"senderAddress": "A <a@b.co>"}}, {"senderAddress": NOT_AN_EMAIL}),
        ({"meta": {"appURL": "x"}}, {"appURL": NOT_A_URL}),
        ({"meta": {"appURL": "example.com"}}, None),
        ({"meta": {"appURL": "localhost:8090"}}, None),
        ({"meta": {"appURL": "mailto:x"}}, {"appURL": NOT_A_URL}),
        ({"meta": {"accentColor": ""}}, None),
        ({"meta": {"accentColor": "#fff"}}, {"accentColor": NOT_SEVEN}),
        ({"meta": {"accentColor": "#1055C9"}}, None),
        ({"meta": {"accentColor": "#12345é"}}, {"accentColor": NOT_SEVEN}),
        ({"meta": {"accentColor": "zzzzzzz"}}, {"accentColor": NO_COLOR}),
    ],
)
def test_meta(patch: dict[str, Any], expected: ErrorData | None) -> None:
    assert errors_of(patch) == ({"meta": expected} if expected else {})


@pytest.mark.parametrize(
    ("smtp", "expected"),
    [
        ({"enabled": True, "host": "", "port": 0}, {"host": REQUIRED, "port": REQUIRED}),
        ({"enabled": False, "host": "", "port": 0}, None),
        ({"port": -1}, {"port": at_least(0)}),
        ({"port": 65536}, None),
        ({"host": "bad host"}, {"host": NOT_A_HOST}),  # checked while switched off too
        ({"host": "a" * 64}, {"host": NOT_A_HOST}),
        ({"host": "a" * 63}, None),
        ({"host": "a_b.c"}, None),
        ({"host": "a."}, None),
        ({"host": "-a"}, {"host": NOT_A_HOST}),
        ({"host": "a..b"}, {"host": NOT_A_HOST}),
        ({"host": "é.com"}, {"host": NOT_A_HOST}),
        ({"host": "256.1.1.1"}, None),  # no address, but a name
        ({"host": "::1"}, None),
        ({"host": "::1%lo"}, {"host": NOT_A_HOST}),
        ({"host": "[::1]"}, {"host": NOT_A_HOST}),
        ({"host": "10.0.0.0/8"}, {"host": NOT_A_HOST}),
        ({"host": "x:25"}, {"host": NOT_A_HOST}),
        ({"authMethod": "LOGIN"}, None),
        ({"authMethod": "login"}, {"authMethod": NOT_IN}),
        ({"localName": "a b"}, {"localName": NOT_A_HOST}),
        ({"localName": "ok.example"}, None),
    ],
)
def test_smtp(smtp: dict[str, Any], expected: ErrorData | None) -> None:
    assert errors_of({"smtp": smtp}) == ({"smtp": expected} if expected else {})


@pytest.mark.parametrize(
    ("s3", "expected"),
    [
        ({"enabled": True}, S3_REQUIRED),
        ({"enabled": False, "endpoint": "bad end"}, {"endpoint": NOT_A_URL}),
        ({"enabled": True, "endpoint": "bad end"}, {**S3_REQUIRED, "endpoint": NOT_A_URL}),
        ({"endpoint": "localhost"}, {"endpoint": NOT_A_URL}),
        ({"endpoint": "s3.x.com:99/p"}, None),
    ],
)
def test_s3_wherever_it_stands(s3: dict[str, Any], expected: ErrorData | None) -> None:
    assert errors_of({"s3": s3}) == ({"s3": expected} if expected else {})
    nested = {"backups": {"s3": expected}} if expected else {}
    assert errors_of({"backups": {"s3": s3}}) == nested


@pytest.mark.parametrize(
    ("patch", "expected"),
    [
        ({"backups": {"cron": "@daily", "cronMaxKeep": 0}}, {"backups": {"cronMaxKeep": REQUIRED}}),
        ({"backups": {"cronMaxKeep": 0}}, {}),  # needed only beside a cron
        ({"backups": {"cronMaxKeep": -1}}, {"backups": {"cronMaxKeep": at_least(1)}}),
        ({"batch": {"enabled": True, "maxRequests": 0}}, {"batch": {"maxRequests": REQUIRED}}),
        ({"batch": {"enabled": True, "timeout": 0}}, {"batch": {"timeout": REQUIRED}}),
        ({"batch": {"maxRequests": 0, "timeout": 0}}, {}),
        (
            {"batch": {"maxRequests": -5, "timeout": -5, "maxBodySize": -5}},
            {"batch": dict.fromkeys(("maxRequests", "timeout", "maxBodySize"), at_least(0))},
        ),
        ({"logs": {"maxDays": -1}}, {"logs": {"maxDays": at_least(0)}}),
        ({"logs": {"maxDataSize": -1}}, {"logs": {"maxDataSize": at_least(0)}}),
        ({"logs": {"minLevel": -100}}, {}),
        ({"trustedProxy": {"headers": ["a b", ""]}}, {}),  # PocketBase checks nothing there
    ],
)
def test_backups_batch_and_logs(patch: dict[str, Any], expected: ErrorData) -> None:
    assert errors_of(patch) == expected


def test_a_bad_cron_says_why() -> None:
    error = errors_of({"backups": {"cron": "0 0 * * 7"}})["backups"]["cron"]
    assert error["code"] == "validation_invalid_cron"
    assert error["message"] == (
        "Invalid segment value - must be between the min and max of the segment."
    )


@pytest.mark.parametrize(
    ("addresses", "expected"),
    [
        (["127.0.0.1", "127.0.0.0/8", "::1", "::1/64", "1.2.3.4/0", "::ffff:1.2.3.4"], {}),
        (["127.0.0.1", "127.0.0.1"], {}),
        (["fe80::1%eth0"], {}),
        (["x", "::1", "y"], {"0": NOT_AN_IP, "2": NOT_AN_IP}),
        ([""], {"0": REQUIRED}),
        (["127.0.0.1/99"], {"0": NOT_AN_IP}),
        (["127.0.0.1/255.0.0.0"], {"0": NOT_AN_IP}),  # Python reads a netmask, Go does not
        (["127.0.0.1/08"], {"0": NOT_AN_IP}),
        ([" 127.0.0.1"], {"0": NOT_AN_IP}),
        (["010.0.0.1"], {"0": NOT_AN_IP}),
    ],
)
def test_addresses(addresses: list[str], expected: ErrorData) -> None:
    assert errors_of({"superuserIPs": addresses}) == (
        {"superuserIPs": expected} if expected else {}
    )
    nested = {"rateLimits": {"excludedIPs": expected}} if expected else {}
    assert errors_of({"rateLimits": {"excludedIPs": addresses}}) == nested


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            {"label": "", "duration": 0, "maxRequests": 0},
            RULE_REQUIRED,
        ),
        (
            {"duration": -1, "maxRequests": -1},
            {"duration": at_least(1), "maxRequests": at_least(1)},
        ),
        ({"audience": "x"}, {"audience": NOT_IN}),
        ({"audience": "@guest"}, None),
        ({"audience": "@auth"}, None),
    ],
)
def test_a_rate_limit_rule(change: dict[str, Any], expected: ErrorData | None) -> None:
    found = {"rateLimits": {"rules": {"0": expected}}} if expected else {}
    assert errors_of(rules(change)) == found


GOOD_LABELS = [
    *["/", "/a", "/a/", "/a-b", "/a_b", "/A/B-c", "*:auth", "users:auth", "_a:b", "*:a_1", "a"],
    *("GET /a", "get /", "XX /a", "A_b /x", "/" + "a" * 600),
]
BAD_LABELS = [
    *[
        "GET/a",
        "a:b:c",
        "*:",
        ":x",
        "A-B",
        "a.b",
        "/a.b",
        "/a:b",
        "/a?x",
        "/a/{c}",
        "/ä",
        "é",
        "*",
        "a*",
        "@x",
        "x/y",
        "a-b:c",
        "*:a-b",
    ],
    *("GET  /a", "GET POST /a", "A-b /x", "a b", "/a b", "/a/ ", "users:x y", "/a\n"),
]


@pytest.mark.parametrize("label", GOOD_LABELS)
def test_a_good_label(label: str) -> None:
    assert errors_of(rules({"label": label})) == {}


@pytest.mark.parametrize("label", BAD_LABELS)
def test_a_bad_label(label: str) -> None:
    found = errors_of(rules({"label": label}))["rateLimits"]["rules"]
    assert found == {"0": {"label": NO_LABEL}}


@pytest.mark.parametrize(
    ("changes", "position"),
    [
        ([{}, {}], "1"),
        ([{}, {}, {}], "1"),  # only the first is told
        ([{}, {"audience": "@guest"}], "1"),
        ([{"audience": "@guest"}, {}], "1"),
        ([{"audience": "@guest"}, {"audience": "@guest"}], "1"),
        ([{"audience": "@guest"}, {"audience": "@auth"}], None),
        ([{"audience": "@guest"}, {"audience": "@auth"}, {}], "2"),
        ([{}, {"label": "A"}], None),
        ([{"label": "GET /a"}, {"label": "/a"}], None),
    ],
)
def test_rules_with_one_label_and_audience_conflict(
    changes: list[dict[str, Any]], position: str | None
) -> None:
    conflict = {
        "label": field_error(
            "validation_conflicting_rate_limit_rule",
            "Rate limit rule configuration with label a already exists or conflicts with"
            " another rule.",
            {"label": "a"},
        )
    }
    expected = {"rateLimits": {"rules": {position: conflict}}} if position else {}
    assert errors_of(rules(*changes)) == expected


def test_a_conflict_is_told_only_when_every_rule_is_well_formed() -> None:
    assert errors_of(rules({}, {}, {"duration": 0})) == {
        "rateLimits": {"rules": {"2": {"duration": REQUIRED}}}
    }


def test_rate_limits_that_are_on_need_rules() -> None:
    assert errors_of(rules(enabled=True)) == {"rateLimits": {"rules": REQUIRED}}
    assert errors_of(rules(enabled=False)) == {}


def test_every_part_tells_its_errors_at_once() -> None:
    patch = {**rules({}, {}, excludedIPs=["x"]), "meta": {"appName": ""}, "superuserIPs": ["x"]}
    found = errors_of(patch)
    assert set(found) == {"rateLimits", "meta", "superuserIPs"}
    assert set(found["rateLimits"]) == {"rules", "excludedIPs"}
