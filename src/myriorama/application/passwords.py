"""Passwords, hashed with argon2id (RFC 9106)."""

from functools import cached_property

from argon2 import Parameters, PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from domain.account.errors import PasswordTooWeak
from myriorama.store.front import aside

_CHARACTERS_MIN, _CHARACTERS_MAX = 10, 200


class Passwords:
    """Hashes and verifies; takes some tens of milliseconds and 64 MiB on purpose, in a thread."""

    def __init__(self, profile: Parameters = RFC_9106_LOW_MEMORY) -> None:
        self._hasher = PasswordHasher.from_parameters(profile)

    def hash(self, password: str) -> str:
        """Return the encoded hash.

        Raises:
            PasswordTooWeak: too short, too long, or one character over and over.
        """
        if not _CHARACTERS_MIN <= len(password) <= _CHARACTERS_MAX or len(set(password)) == 1:
            raise PasswordTooWeak("A password has 10 to 200 characters, and not all the same.")
        return aside(self._hasher.hash, password)

    def verify(self, password_hash: str | None, password: str) -> bool:
        """Tell whether the password is right; None stands for an account that is not there."""
        return aside(self._verify, password_hash, password)

    def _verify(self, password_hash: str | None, password: str) -> bool:
        nobody = self._nobody  # whoever signs in first waits for it, there or not
        try:
            right = self._hasher.verify(password_hash or nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return right and password_hash is not None

    @cached_property
    def _nobody(self) -> str:
        """Verified when there is no account, so that the time taken tells nothing."""
        return self._hasher.hash("nobody has this password")
