"""People: every account by a serial number, how accounts relate, and how each steers its feed.

Serials count from 0 in the order in which accounts were opened. All of this acts when a state is
read: who blocks whom now decides, also about what was served before.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ranking.chains import Serials
from ranking.columns import Column, contents
from ranking.identities import Identities
from ranking.steering.rules import Rule

NOBODY = -1
LESS_MARKS_MAX = 100

BANDS = ("13-15", "16-17", "18+")

_NO_ONE: Serials = np.empty(0, np.int32)


class Relations:
    """One way in which accounts relate, seen from both sides."""

    def __init__(self) -> None:
        self._of: dict[int, set[int]] = {}
        self._by: dict[int, set[int]] = {}
        self._sorted: dict[tuple[bool, int], Serials] = {}

    def add(self, account: int, other: int) -> None:
        """Let an account relate to another."""
        self._of.setdefault(account, set()).add(other)
        self._by.setdefault(other, set()).add(account)
        self._forget(account, other)

    def remove(self, account: int, other: int) -> None:
        """Let an account relate to another no more."""
        self._of.get(account, set()).discard(other)
        self._by.get(other, set()).discard(account)
        self._forget(account, other)

    def has(self, account: int, other: int) -> bool:
        """Tell whether an account relates to another."""
        return other in self._of.get(account, ())

    def of(self, account: int) -> Serials:
        """Return to whom an account relates, sorted."""
        return self._side(self._of, account, is_of=True)

    def by(self, account: int) -> Serials:
        """Return who relates to an account, sorted."""
        return self._side(self._by, account, is_of=False)

    def parts(self) -> Sequence[bytes]:
        """Return all that is held, in an order that is always the same."""
        held = [(account, self.of(account)) for account in sorted(self._of)]
        return [b"%d %s" % (account, others.tobytes()) for account, others in held if len(others)]

    def _side(self, side: dict[int, set[int]], account: int, *, is_of: bool) -> Serials:
        found = self._sorted.get((is_of, account))
        if found is None:
            others = side.get(account)
            found = np.array(sorted(others), np.int32) if others else _NO_ONE
            self._sorted[is_of, account] = found
        return found

    def _forget(self, account: int, other: int) -> None:
        self._sorted.pop((True, account), None)
        self._sorted.pop((False, other), None)


class People:
    """Accounts by serial. Only `State` writes to them."""

    def __init__(self) -> None:
        self.follows = Relations()
        self.blocks = Relations()
        self.mutes = Relations()
        self._identities = Identities()
        self._opened_ms: Column[np.int64] = Column(np.int64)
        self._band: Column[np.int8] = Column(np.int8)
        self._personalised: Column[np.bool_] = Column(np.bool_)
        self._forgotten_ms: Column[np.int64] = Column(np.int64)
        self._circle: Column[np.int32] = Column(np.int32, (3,))
        self._rules: dict[int, tuple[Rule, ...]] = {}
        self._less: dict[int, tuple[tuple[int, int], ...]] = {}

    def __len__(self) -> int:
        return len(self._identities)

    @property
    def opened_ms(self) -> NDArray[np.int64]:
        """When each account was opened."""
        return self._opened_ms.rows

    @property
    def band(self) -> NDArray[np.int8]:
        """The age band of each, an index of `BANDS`."""
        return self._band.rows

    @property
    def circle(self) -> NDArray[np.int32]:
        """How many each follows, how many follow it, and how many do both: (accounts, 3)."""
        return self._circle.rows

    @property
    def personalised(self) -> NDArray[np.bool_]:
        """Whether the feed of each may follow what it did."""
        return self._personalised.rows

    @property
    def forgotten_ms(self) -> NDArray[np.int64]:
        """Until when the history of each says nothing of its taste."""
        return self._forgotten_ms.rows

    def serial(self, identity: bytes, /) -> int:
        """Return the serial of an account, -1 if it is not known."""
        return self._identities.serial(identity)

    def serials(self, ids: Sequence[bytes]) -> Serials:
        """Return the serials of accounts, -1 for what is not known."""
        return self._identities.serials(ids)

    def serials_of_packed(self, ids: bytes) -> Serials:
        """Return the same of thousands of IDs, which stand behind one another."""
        return self._identities.serials_of_packed(ids)

    def id_of(self, serial: int) -> bytes:
        """Return the ID of an account, 16 bytes."""
        return self._identities.id_of(serial)

    def shut_out(self, account: int) -> Serials:
        """Return whom an account blocks and who blocks it, sorted."""
        blocked, blocking = self.blocks.of(account), self.blocks.by(account)
        if not len(blocking):
            return blocked
        return np.union1d(blocked, blocking) if len(blocked) else blocking

    def rules(self, account: int) -> tuple[Rule, ...]:
        """Return the steering rules of an account, as they were added."""
        return self._rules.get(account, ())

    def less(self, account: int) -> tuple[tuple[int, int], ...]:
        """Return of which videos an account asked to see less, and when (ms), newest last."""
        return self._less.get(account, ())

    def open(
        self,
        identity: bytes,
        opened_ms: int,
        band: str,
        *,
        brought: tuple[int, int, int] = (0, 0, 0),
    ) -> int:
        """Add an account, once; `brought`: its `circle` where it comes from.

        Returns:
            Its serial.
        """
        serial = self._identities.serial(identity)
        if serial != NOBODY:
            return serial
        serial = self._identities.add(identity)
        self._opened_ms.append(opened_ms)
        # A band that this release does not know is treated as the youngest.
        self._band.append(BANDS.index(band) if band in BANDS else 0)
        self._personalised.append(value=True)
        self._forgotten_ms.append(0)
        self._circle.append(brought)
        return serial

    def follow(self, account: int, other: int) -> None:
        """Let an account follow another."""
        if not self.follows.has(account, other):
            self.follows.add(account, other)
            self._count(account, other, 1)

    def unfollow(self, account: int, other: int) -> None:
        """Let an account follow another no more."""
        if self.follows.has(account, other):
            self.follows.remove(account, other)
            self._count(account, other, -1)

    def set_rules(self, account: int, rules: tuple[Rule, ...]) -> None:
        """Let an account steer by these rules."""
        self._rules[account] = rules

    def set_less(self, account: int, marks: tuple[tuple[int, int], ...]) -> None:
        """Let an account have asked to see less of these videos: the newest of them are kept."""
        self._less[account] = marks[-LESS_MARKS_MAX:]

    def switch(self, account: int, *, personalised: bool) -> None:
        """Let the feed of an account follow what it did, or not."""
        self.personalised[account] = personalised

    def forget(self, account: int, at_ms: int) -> None:
        """Let the history of an account until now say nothing of its taste."""
        self.forgotten_ms[account] = max(int(self.forgotten_ms[account]), at_ms)

    def parts(self) -> Sequence[bytes]:
        """Return all that is held, in an order that is always the same."""
        columns = contents(self)
        rules = [
            b"%d " % account + b"".join(rule.encode() for rule in self._rules[account])
            for account in sorted(self._rules)
        ]
        relations = (self.follows, self.blocks, self.mutes)
        return [
            self._identities.joined(),
            *columns,
            *(part for relation in relations for part in relation.parts()),
            *rules,
            repr(sorted(self._less.items())).encode(),
        ]

    def _count(self, account: int, other: int, more: int) -> None:
        self.circle[account, 0] += more
        self.circle[other, 1] += more
        if self.follows.has(other, account):
            self.circle[account, 2] += more
            self.circle[other, 2] += more
