import pytest

from chalicelib import config
from chalicelib.config import Settings, settings
from chalicelib.errors import TooLargeError
from chalicelib.web import limits


def limited(monkeypatch: pytest.MonkeyPatch, own_bytes: int, platform_bytes: int) -> None:
    given = Settings(body_limit_bytes=own_bytes, payload_limit_bytes=platform_bytes)
    monkeypatch.setattr(limits, "settings", lambda: given)


@pytest.mark.parametrize(
    ("own_bytes", "platform_bytes", "most"),
    [(100, 0, 100), (100, 50, 50), (50, 100, 50), (100, 100, 100)],
)
def test_the_smaller_limit_holds(
    own_bytes: int, platform_bytes: int, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, own_bytes, platform_bytes)
    assert limits.most_bytes() == most
    limits.check(most)
    with pytest.raises(TooLargeError):
        limits.check(most + 1)


def test_only_the_platforms_limit_names_the_way_around_it(monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, 100, 0)
    assert str(limits.too_large()) == TooLargeError.default_message  # as PocketBase says it
    limited(monkeypatch, 100, 50)
    assert "50 bytes" in str(limits.too_large())
    assert "/api/uploads" in str(limits.too_large())
    limited(monkeypatch, 50, 100)
    assert "/api/uploads" not in str(limits.too_large())


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, 0),
        ({"AWS_LAMBDA_FUNCTION_NAME": "dormouse-api"}, config.LAMBDA_PAYLOAD_BYTES),
        ({"AWS_LAMBDA_FUNCTION_NAME": "x", "DORMOUSE_PAYLOAD_LIMIT_BYTES": "9"}, 9),
        ({"DORMOUSE_PAYLOAD_LIMIT_BYTES": "9"}, 9),
    ],
)
def test_lambda_brings_its_own_limit(
    environment: dict[str, str], expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_LAMBDA_FUNCTION_NAME", "DORMOUSE_PAYLOAD_LIMIT_BYTES"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings.cache_clear()
    try:
        assert settings().payload_limit_bytes == expected
    finally:
        settings.cache_clear()


def test_what_passes_the_limit_fits_a_call_of_lambda() -> None:
    as_base64 = -(-config.LAMBDA_PAYLOAD_BYTES // 3) * 4
    assert as_base64 + 64 * 1024 < 6 * 1024 * 1024  # 64 KB for headers and the rest of the event
    assert Settings().download_limit_bytes * 4 // 3 < 6 * 1024 * 1024
