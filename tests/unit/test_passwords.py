"""Passwords: hashes of PocketBase and ours, and equal work whatever the answer."""

import bcrypt
import pytest

from chalicelib import passwords

# Written by PocketBase 0.40.6 for a user's password.
POCKETBASE_HASH = "$2a$10$OYoJ9MXtDJyMYRHNWkAhbOwSmikV0JKg/xUf0bU2ddWc2gFSX5esm"
CHEAP = 4


def test_a_hash_that_pocketbase_wrote_is_accepted() -> None:
    assert passwords.matches("12345678", POCKETBASE_HASH)
    assert not passwords.matches("12345679", POCKETBASE_HASH)


@pytest.mark.parametrize(("cost", "prefix"), [(0, "$2a$10$"), (CHEAP, "$2a$04$"), (1, "$2a$04$")])
def test_our_hash_has_pocketbases_format_and_the_fields_cost(cost: int, prefix: str) -> None:
    stored = passwords.hash_text("correct horse", cost)
    assert stored.startswith(prefix)
    assert len(stored) == 60
    assert passwords.matches("correct horse", stored)


def test_the_same_password_is_never_hashed_alike_twice() -> None:
    assert passwords.hash_text("12345678", CHEAP) != passwords.hash_text("12345678", CHEAP)


@pytest.mark.parametrize("prefix", ["2a", "2b", "2y"])
def test_the_other_spellings_of_bcrypt_are_read(prefix: str) -> None:
    stored = "$" + prefix + passwords.hash_text("12345678", CHEAP)[3:]
    assert passwords.matches("12345678", stored)


@pytest.mark.parametrize(
    ("set_to", "given", "same"),
    [
        ("é" * 36, "é" * 36, True),  # 72 bytes
        ("é" * 36, "é" * 36 + "x", True),  # bcrypt sees no more than 72
        ("a" * 71, "a" * 72, False),
        ("a\0b", "a\0b", True),
        ("a\0b", "a\0c", False),  # a NUL does not end it
        ("a\0b", "a", False),
        ("", "", True),
        ("é", "e\u0301", False),  # no normalisation
    ],
)
def test_every_byte_up_to_the_72nd_counts(set_to: str, given: str, same: bool) -> None:
    assert passwords.matches(given, passwords.hash_text(set_to, CHEAP)) is same


@pytest.mark.parametrize("plain", ["a" * 73, "é" * 37])
def test_a_password_over_72_bytes_is_refused_when_set(plain: str) -> None:
    with pytest.raises(ValueError, match="72"):
        passwords.hash_text(plain, CHEAP)


def test_a_lone_surrogate_raises_nothing() -> None:
    assert passwords.matches("\ud800abc", passwords.hash_text("\ud800abc", CHEAP))


class Effort(list[int]):
    """The bcrypt rounds spent, one number per call."""


@pytest.fixture
def effort(monkeypatch: pytest.MonkeyPatch) -> Effort:
    spent = Effort()
    check = bcrypt.checkpw

    def counted(plain: bytes, stored: bytes) -> bool:
        answer = check(plain, stored)  # raises before the work for what is no hash
        spent.append(2 ** int(stored.split(b"$")[2]))
        return answer

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    return spent


@pytest.mark.parametrize(
    "stored",
    [None, "", "not a hash", "$2a$04$short", "$2a$99$" + "a" * 53, "\0", "é", "$2a$04$" + "!" * 53],
)
def test_no_account_costs_as_much_as_a_wrong_password(stored: str | None, effort: Effort) -> None:
    assert not passwords.matches("wrong", passwords.hash_text("right", 5), 5)
    assert not passwords.matches("wrong", stored, 5)
    assert effort == [2**5, 2**5]


def test_the_default_cost_is_pocketbases(effort: Effort) -> None:
    passwords.matches("wrong", None)
    passwords.matches("wrong", POCKETBASE_HASH)
    assert effort == [2**10, 2**10]


def test_no_password_fits_the_made_up_hash() -> None:
    for guess in ("", "dormouse", "12345678"):
        assert not passwords.matches(guess, None, CHEAP)
