"""Passwords: whoever steals what is kept of one pays memory and time for every guess."""

from argon2 import extract_parameters
from argon2.profiles import CHEAPEST, RFC_9106_LOW_MEMORY

from myriorama.application.passwords import Passwords

PASSWORD = "correct horse battery"  # noqa: S105 - of the tests alone


def test_what_is_kept_of_a_password_costs_what_the_rfc_asks_for() -> None:
    kept = Passwords().hash(PASSWORD)

    assert extract_parameters(kept) == RFC_9106_LOW_MEMORY
    assert Passwords().verify(kept, PASSWORD)


def test_a_password_fits_its_own_account_and_never_one_that_is_not_there() -> None:
    passwords = Passwords(CHEAPEST)
    kept = passwords.hash(PASSWORD)

    assert passwords.verify(kept, PASSWORD)
    assert not passwords.verify(kept, "another horse battery")
    assert not passwords.verify("no hash at all", PASSWORD)
    assert not passwords.verify(None, PASSWORD)
    assert not passwords.verify(None, "nobody has this password")
