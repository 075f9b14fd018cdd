"""Pseudonyms: the numbers by which tokens of ads name viewers, which only this house can make."""

from hashlib import blake2b


class Pseudonyms:
    """Makes the pseudonyms of viewers, under one key."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, viewer_id: bytes) -> int:
        """Return the number that stands for an account; for the same one it is the same."""
        return int.from_bytes(blake2b(viewer_id, key=self._key, digest_size=8).digest())
