"""Cameos: whose they are, which were recalled, and who are friends by having lent them."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from ranking.chains import Serials
from ranking.columns import Column

NONE = -1
_FOR_EVER = 2**62


class Cameos:
    """Cameos by serial, in the order in which they were recorded. Only `State` writes to them."""

    def __init__(self) -> None:
        self._serials: dict[bytes, int] = {}
        self._owner: Column[np.int32] = Column(np.int32)
        self._revoked: Column[np.bool_] = Column(np.bool_)
        self._owned: dict[int, list[int]] = {}
        # By cameo: until when (ms) whom its owner lets cast it. A denial ends that.
        self._granted: dict[int, dict[int, int]] = {}
        self._casts: dict[int, set[int]] = {}

    def __len__(self) -> int:
        return len(self._owner)

    @property
    def owner(self) -> NDArray[np.int32]:
        """The account of the person that each cameo is of."""
        return self._owner.rows

    @property
    def revoked(self) -> NDArray[np.bool_]:
        """Whether each was withdrawn for good."""
        return self._revoked.rows

    def serial(self, identity: bytes, /) -> int:
        """Return the serial of a cameo, -1 if it is not known."""
        return self._serials.get(identity, NONE)

    def friends(self, account: int, as_of_ms: int) -> Serials:
        """Return who lets the account cast a cameo, and who may cast one of its own, sorted."""
        lenders = {
            int(self.owner[cameo])
            for cameo in self._casts.get(account, ())
            if not self.revoked[cameo] and self._granted[cameo][account] > as_of_ms
        }
        borrowers = {
            grantee
            for cameo in self._owned.get(account, ())
            if not self.revoked[cameo]
            for grantee, until_ms in self._granted.get(cameo, {}).items()
            if until_ms > as_of_ms
        }
        return np.array(sorted((lenders | borrowers) - {account, NONE}), np.int32)

    def record(self, identity: bytes, owner: int) -> None:
        """Add a cameo, once."""
        if identity in self._serials:
            return
        serial = self._serials[identity] = len(self._owner)
        self._owner.append(owner)
        self._revoked.append(value=False)
        self._owned.setdefault(owner, []).append(serial)

    def grant(self, cameo: int, grantee: int, expires_at: datetime | None) -> None:
        """Let an account cast the cameo until then, or for ever."""
        until_ms = _FOR_EVER if expires_at is None else round(expires_at.timestamp() * 1000)
        self._granted.setdefault(cameo, {})[grantee] = until_ms
        self._casts.setdefault(grantee, set()).add(cameo)

    def withdraw(self, cameo: int, grantee: int) -> None:
        """Let an account cast the cameo no more, unless its audience allows it."""
        self._granted.get(cameo, {}).pop(grantee, None)
        self._casts.get(grantee, set()).discard(cameo)

    def revoke(self, cameo: int) -> None:
        """Let nobody cast the cameo any more."""
        self.revoked[cameo] = True

    def parts(self) -> Sequence[bytes]:
        """Return all that is held, in an order that is always the same."""
        granted = sorted((cameo, sorted(to.items())) for cameo, to in self._granted.items() if to)
        owned = b"".join(self._serials)
        return [owned, self.owner.tobytes(), self.revoked.tobytes(), repr(granted).encode()]
