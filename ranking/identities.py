"""Identities: the serial numbers of IDs, asked one by one or thousands at once."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ranking.keys import Keys, words

NONE = -1


class Identities:
    """Numbers IDs of 16 bytes from 0 on, in the order in which they are added."""

    def __init__(self) -> None:
        self._serials: dict[bytes, int] = {}
        self._ids: list[bytes] = []
        self._keys = Keys(2)

    def __len__(self) -> int:
        return len(self._ids)

    def add(self, identity: bytes) -> int:
        """Return the serial of an ID that is not there yet."""
        serial = self._serials[identity] = len(self._ids)
        self._ids.append(identity)
        return serial

    def serial(self, identity: bytes) -> int:
        """Return the serial of an ID, -1 if it is not known."""
        return self._serials.get(identity, NONE)

    def serials(self, ids: Sequence[bytes]) -> NDArray[np.int32]:
        """Return the serials of IDs, -1 for what is not known."""
        return np.array([self._serials.get(identity, NONE) for identity in ids], np.int32)

    def serials_of_packed(self, ids: bytes) -> NDArray[np.int32]:
        """Return the same of thousands of IDs, which stand behind one another."""
        added = self._ids[len(self._keys) :]
        if added:
            self._keys.number(words(b"".join(added)))
        return self._keys.find(words(ids))

    def id_of(self, serial: int) -> bytes:
        """Return the ID of a serial."""
        return self._ids[serial]

    def joined(self) -> bytes:
        """Return all IDs behind one another."""
        return b"".join(self._ids)
