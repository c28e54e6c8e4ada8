"""Settings: who may read and write them, merging, masked secrets, validation."""

from typing import Any

import pytest

from tests.conformance.pair import Pair
from tests.conformance.scenario import Expected, Scenario, Step
from tests.conformance.world import Person, World, auth

PATH = "/api/settings"
WORLD = World(
    collections=(auth("se_users"),),
    people={"user": Person("se_users", "seuser000000001", "seuser@example.com")},
)
S3 = {
    "enabled": True, "bucket": "b", "region": "r", "endpoint": "http://127.0.0.1:9",
    "accessKey": "k", "secret": "s",
}  # fmt: skip


def save(body: Any, who: str = "super", **query: Any) -> Step:
    return Step("PATCH", PATH, who, query, json=body)


READ = Step("GET", PATH, "super")
RULE = {"label": "*:auth", "audience": "", "duration": 3, "maxRequests": 2}


def limits(*rules: Any, **more: Any) -> dict[str, Any]:
    return {"rateLimits": {"enabled": False, "rules": list(rules), **more}}


ROWS = [
    Scenario("a guest reads", Step("GET", PATH), 401),
    Scenario("a user reads", Step("GET", PATH, "user"), 403),
    Scenario("a guest writes", save({}, "guest"), 401),
    Scenario("a user writes", save({}, "user"), 403),
    Scenario("a superuser reads", READ, 200, ignore=("batch",)),
    Scenario("fields", Step("GET", PATH, "super", {"fields": "meta.appName,logs"}), 200),
    Scenario("nothing changes", save({}), 200, ignore=("batch",)),
    Scenario(
        "a part merges", save({"meta": {"appName": "Mouse"}}, fields="meta"), 200,
        after=(Step("GET", PATH, "super", {"fields": "meta"}),),
    ),
    Scenario(
        "two parts merge",
        save(
            {
                "meta": {"appURL": "http://example.com", "hideControls": True},
                "logs": {"maxDays": 7},
            },
            fields="meta,logs",
        ),
        200,
    ),
    Scenario("unknown keys", save({"zzz": 1, "meta": {"zzz": 2}}, fields="meta"), 200),
    Scenario("an empty name", save({"meta": {"appName": ""}}), 400),
    Scenario("a long name", save({"meta": {"appName": "x" * 256}}), 400),
    Scenario("a bad URL", save({"meta": {"appURL": "not a url"}}), 400),
    Scenario("a bad sender", save({"meta": {"senderAddress": "x"}}), 400),
    Scenario("an empty sender", save({"meta": {"senderName": ""}}), 400),
    Scenario("a bad colour", save({"meta": {"accentColor": "red"}}), 400),
    Scenario("a short colour", save({"meta": {"accentColor": "#fff"}}), 400),
    Scenario(
        "a good colour", save({"meta": {"accentColor": "#ffffff"}}, fields="meta.accentColor"), 200,
    ),
    Scenario(
        "several errors",
        save({"meta": {"appName": "", "senderAddress": "x"}, "logs": {"maxDays": -1}}), 400,
    ),
    Scenario("a wrong type", save({"meta": {"appName": 5}}), 400),
    Scenario("a part of a wrong type", save({"meta": "x"}), 400),
    Scenario("logs below zero", save({"logs": {"maxDays": -1}}), 400),
    Scenario("batch without a number", save({"batch": {"enabled": True, "maxRequests": 0}}), 400),
    Scenario("batch without a timeout", save({"batch": {"enabled": True, "timeout": 0}}), 400),
    Scenario("batch below zero", save({"batch": {"maxBodySize": -1}}), 400),
    Scenario("smtp without a host", save({"smtp": {"enabled": True, "host": ""}}), 400),
    Scenario("smtp with a port of zero", save({"smtp": {"enabled": True, "port": 0}}), 400),
    Scenario("smtp with a wrong method", save({"smtp": {"authMethod": "zzz"}}), 400),
    Scenario(
        "smtp without the secret in the answer",
        save({"smtp": {"password": "hidden", "username": "u"}}, fields="smtp"), 200,
        after=(Step("GET", PATH, "super", {"fields": "smtp"}),),
    ),
    Scenario("a local name", save({"smtp": {"localName": "not valid!"}}), 400),
    Scenario("s3 without a bucket", save({"s3": {**S3, "bucket": ""}}), 400),
    Scenario("s3 with nothing", save({"s3": {"enabled": True}}), 400),
    Scenario(
        "s3 turned off keeps what is given", save({"s3": {**S3, "enabled": False}}, fields="s3"),
        200,
    ),
    Scenario("a cron that is none", save({"backups": {"cron": "x"}}), 400),
    Scenario("a cron of macros", save({"backups": {"cron": "@daily"}}, fields="backups.cron"), 200),
    Scenario("a cron", save({"backups": {"cron": "0 0 * * *"}}, fields="backups.cron"), 200),
    Scenario("a cron off again", save({"backups": {"cron": ""}}, fields="backups.cron"), 200),
    Scenario(
        "too few backups to keep", save({"backups": {"cron": "@daily", "cronMaxKeep": 0}}), 400,
    ),
    Scenario("rate limits", save(limits(RULE), fields="rateLimits"), 200),
    Scenario("a rate limit twice", save(limits(RULE, RULE)), 400),
    Scenario(
        "rate limits of two audiences",
        save(
            limits({**RULE, "audience": "@guest"}, {**RULE, "audience": "@auth"}),
            fields="rateLimits",
        ),
        200,
    ),
    Scenario(
        "rate limits of all and of guests", save(limits(RULE, {**RULE, "audience": "@guest"})), 400,
    ),
    Scenario("a rate limit of nobody", save(limits({**RULE, "audience": "zzz"})), 400),
    Scenario("a rate limit without a label", save(limits({**RULE, "label": ""})), 400),
    Scenario("a rate limit with a bad label", save(limits({**RULE, "label": "a b c"})), 400),
    Scenario(
        "a rate limit with a path",
        save(limits({**RULE, "label": "POST /api/x"}), fields="rateLimits.rules"), 200,
    ),
    Scenario("a rate limit of zero seconds", save(limits({**RULE, "duration": 0})), 400),
    Scenario("a rate limit of zero requests", save(limits({**RULE, "maxRequests": 0})), 400),
    Scenario(
        "rate limits on without rules", save({"rateLimits": {"enabled": True, "rules": []}}), 400,
    ),
    Scenario(
        "excluded addresses",
        save(
            {"rateLimits": {"excludedIPs": ["10.0.0.1", "10.0.0.0/8", "::1"]}},
            fields="rateLimits.excludedIPs",
        ),
        200,
    ),
    Scenario("a bad excluded address", save({"rateLimits": {"excludedIPs": ["zzz"]}}), 400),
    Scenario("a bad superuser address", save({"superuserIPs": ["zzz"]}), 400),
    Scenario(
        "the local superuser address",
        save({"superuserIPs": ["127.0.0.1", "127.0.0.0/8"]}, fields="superuserIPs"), 200,
    ),
    Scenario("no superuser address", save({"superuserIPs": []}, fields="superuserIPs"), 200),
    Scenario(
        "a trusted proxy",
        save(
            {"trustedProxy": {"headers": ["X-Real-IP"], "useLeftmostIP": True}},
            fields="trustedProxy",
        ),
        200,
    ),
    Scenario(
        "no trusted proxy",
        save({"trustedProxy": {"headers": [], "useLeftmostIP": False}}, fields="trustedProxy"), 200,
    ),
    Scenario("health for a guest", Step("GET", "/api/health"), 200),
    Scenario("health for a user", Step("GET", "/api/health", "user"), 200),
    Scenario(
        "health for a superuser", Step("GET", "/api/health", "super"), 200,
        differs="health-backup", ours=Expected(200, ('"canBackup":false', '"realIP":"127.0.0.1"')),
    ),
    Scenario("HEAD of health", Step("HEAD", "/api/health"), 200),
]  # fmt: skip


@pytest.mark.parametrize("scenario", ROWS, ids=lambda scenario: scenario.name)
def test_settings_are_the_same(scenario: Scenario, pair: Pair) -> None:
    pair.check(scenario)
