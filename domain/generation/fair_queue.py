"""The fair queue: whose generation is next, by deficit round robin over estimated GPU time.

Each class of work is a queue of its own, and in it each account waits in its own order. A round
gives every account that waits `quantum_ms` of GPU time; what it does not use of it, because its
next one costs more, is its deficit and adds to the next round. The rounds are not walked: the time
that an account has used, counted from the round in which it began to wait, divided by the quantum,
is the round in which it has its next turn. So all that has to be known of the past is what was
released and when, and a queue that is built of that decides as the one that released it did.

The dispatcher decides by it, the status of a generation tells by it, and `bench queue` measures it.
"""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from heapq import heapify, heappop, heappush
from typing import NamedTuple
from uuid import UUID

Seconds = float
"""On any clock that does not go back, the same for all that a queue is told."""


class Rules(NamedTuple):
    """The dials. A queue that is built anew decides the same by the same rules alone."""

    quantum_ms: int = 10_000
    """What an account may use in a round."""
    age_s_max: Seconds = 600.0
    """Who has been first of its account for so long is served before all who have not."""
    account_in_flight_max: int = 4
    """How many of one account may be in work at once, over all classes."""


class Waiting(NamedTuple):
    """A generation that waits. With an `attempt` it has had its turn, and needs no other."""

    generation_id: UUID
    account_id: UUID
    work_class: str
    cost_ms: int
    requested_s: Seconds
    attempt: int = 0


class Release(NamedTuple):
    """What has had its turn. A further attempt is not charged again, and so is none."""

    account_id: UUID
    work_class: str
    cost_ms: int
    requested_s: Seconds
    released_s: Seconds


class FairQueue:
    """All classes of work. Feed it every release in order, its own ones too."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._classes: dict[str, Rounds] = defaultdict(lambda: Rounds(rules))

    def released(self, release: Release) -> None:
        """Take note that one has had its turn."""
        self._classes[release.work_class].released(release)

    def forget(self, before_s: Seconds) -> None:
        """Forget who has had no turn since: nothing that waits may have been asked for before."""
        for rounds in self._classes.values():
            rounds.forget(before_s)

    def admitted(
        self,
        waiting: Iterable[Waiting],
        *,
        in_flight: Mapping[UUID, int],
        credits_free: Mapping[str, int],
        now_s: Seconds,
    ) -> Sequence[Waiting]:
        """Return those whose turn it is, in order, and no more of a class than it has credits.

        Args:
            waiting: all that wait, in any order.
            in_flight: how many of each account are in work.
            credits_free: how many of each class may be released.
            now_s: the time.
        """
        taken = defaultdict[UUID, int](int, in_flight)
        free = dict(credits_free)
        lines = {name: self._line(name, part, now_s) for name, part in _by_class(waiting).items()}
        admitted = list[Waiting]()

        def has_room(account_id: UUID) -> bool:
            return taken[account_id] < self._rules.account_in_flight_max

        while True:
            heads = [
                (head.since, name)
                for name, line in lines.items()
                if free.get(name, 0) > 0 and (head := line.head(has_room)) is not None
            ]
            if not heads:
                return admitted
            # The class whose head has waited longest: so none of an account's own classes takes
            # all that the account may have in work.
            _, name = min(heads)
            one = lines[name].take()
            free[name] -= 1
            taken[one.account_id] += 1
            admitted.append(one)

    def turns(
        self, waiting: Iterable[Waiting], *, now_s: Seconds
    ) -> Mapping[str, Sequence[Waiting]]:
        """Return for each class all that wait in the order of their turns, if nobody else comes.

        What an account may have in work is not regarded: who stands behind those of an account
        that is held up by it comes sooner than it says here, never later.
        """
        found = dict[str, Sequence[Waiting]]()
        for name, part in _by_class(waiting).items():
            line = self._line(name, part, now_s)
            found[name] = [line.take() for _ in part]
        return found

    def _line(self, name: str, waiting: Sequence[Waiting], now_s: Seconds) -> "Line":
        return Line(self._classes[name], waiting, now_s)


class Turn(NamedTuple):
    """Where the first of an account stands; the smallest comes first."""

    rank: int
    round: int
    since: "_Since"
    generation_id: UUID
    upto_ms: int
    account_id: UUID


class _Since(NamedTuple):
    """Since when one is the first of its account; what begins to wait comes before what goes on."""

    at_s: Seconds
    release: int = 0


class _Used(NamedTuple):
    upto_ms: int
    released: _Since


_AGAIN, _AGED, _IN_TURN = range(3)


class Rounds:
    """The rounds of one class, folded from its releases."""

    def __init__(self, rules: Rules) -> None:
        self._quantum_ms = rules.quantum_ms
        self._age_s_max = rules.age_s_max
        self._used: dict[UUID, _Used] = {}
        # When which round began; a stretch of the past is enough (`forget`).
        self._begun_s: list[Seconds] = []
        self._rounds: list[int] = []
        self._releases = 0

    @property
    def present(self) -> int:
        """The last round in which somebody had a turn; 0 before the first."""
        return self._rounds[-1] if self._rounds else 0

    def released(self, release: Release) -> None:
        turn = self.turn(
            Waiting(UUID(int=0), *release[:4]), present=self.present, now_s=release.released_s
        )
        self._releases += 1
        since = _Since(release.released_s, self._releases)
        self._used[release.account_id] = _Used(turn.upto_ms, since)
        if turn.rank == _IN_TURN and turn.round > self.present:
            self._begun_s.append(release.released_s)
            self._rounds.append(turn.round)

    def turn(self, first: Waiting, *, present: int, now_s: Seconds) -> Turn:
        """Return where the first of an account stands when the `present` round is under way."""
        used = self._used.get(first.account_id)
        if used is not None and used.released.at_s >= first.requested_s:
            # It was waiting when the one before it was released: the account goes on.
            start_ms, since = used.upto_ms, used.released
        else:
            # The account begins to wait: with the round behind the one that is under way.
            base_ms = self._round_at(first.requested_s) * self._quantum_ms
            start_ms = max(base_ms, used.upto_ms if used else 0)
            since = _Since(first.requested_s)
        return self.placed(first, start_ms, since, present=present, now_s=now_s)

    def placed(
        self,
        first: Waiting,
        start_ms: int,
        since: "_Since",
        *,
        present: int,
        now_s: Seconds,
    ) -> Turn:
        """Return where it stands, of an account that has used `start_ms` and waits `since`."""
        if first.attempt:
            return Turn(_AGAIN, 0, since, first.generation_id, start_ms, first.account_id)
        # Nobody saves up rounds in which others were served because it had enough in work.
        upto_ms = max(start_ms + first.cost_ms, (present - 1) * self._quantum_ms + 1)
        round_ = -(-upto_ms // self._quantum_ms)
        is_old = now_s - since.at_s >= self._age_s_max
        rank, key = (_AGED, 0) if is_old else (_IN_TURN, round_)
        return Turn(rank, key, since, first.generation_id, upto_ms, first.account_id)

    def forget(self, before_s: Seconds) -> None:
        kept = {id_: used for id_, used in self._used.items() if used.released.at_s >= before_s}
        self._used = kept
        past = bisect_left(self._begun_s, before_s) - 1
        if past > 0:
            del self._begun_s[:past], self._rounds[:past]

    def _round_at(self, at_s: Seconds) -> int:
        index = bisect_left(self._begun_s, at_s)
        return self._rounds[index - 1] if index else 0


class Line:
    """Those who wait in one class, taken one after the other as if nobody else came."""

    def __init__(self, rounds: Rounds, waiting: Iterable[Waiting], now_s: Seconds) -> None:
        self._rounds = rounds
        self._now_s = now_s
        self._present = rounds.present
        self._taken = 0
        self._accounts: dict[UUID, deque[Waiting]] = defaultdict(deque)
        for one in sorted(waiting, key=_own_order):
            self._accounts[one.account_id].append(one)
        self._turns = [
            rounds.turn(own[0], present=self._present, now_s=now_s)
            for own in self._accounts.values()
        ]
        heapify(self._turns)

    def head(self, has_room: Callable[[UUID], bool]) -> Turn | None:
        """Return who is next; accounts without room leave the line for good."""
        while self._turns and not has_room(self._turns[0].account_id):
            heappop(self._turns)
        return self._turns[0] if self._turns else None

    def take(self) -> Waiting:
        """Take who is next out of the line. There has to be one."""
        turn = heappop(self._turns)
        own = self._accounts[turn.account_id]
        taken = own.popleft()
        if turn.rank == _IN_TURN:
            self._present = max(self._present, turn.round)
        if own:
            heappush(self._turns, self._following(turn, own[0]))
        return taken

    def _following(self, taken: Turn, first: Waiting) -> Turn:
        """Return where an account's next one stands, as if this one had been released now."""
        if taken.rank == _AGAIN:
            return self._rounds.turn(first, present=self._present, now_s=self._now_s)
        self._taken += 1  # so that it stands behind all who wait since before
        return self._rounds.placed(
            first,
            taken.upto_ms,
            _Since(self._now_s + self._taken),
            present=self._present,
            now_s=self._now_s,
        )


def _own_order(one: Waiting) -> tuple[bool, Seconds, UUID]:
    """An account's own come in the order in which they were asked for, what was begun first."""
    return (not one.attempt, one.requested_s, one.generation_id)


def _by_class(waiting: Iterable[Waiting]) -> Mapping[str, list[Waiting]]:
    found = defaultdict[str, list[Waiting]](list)
    for one in waiting:
        found[one.work_class].append(one)
    return found
