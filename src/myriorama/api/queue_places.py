"""The place of a generation in the fair queue, as people see it and as the rows have it."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from uuid import UUID

import msgspec

from domain.generation.fair_queue import Rules, Waiting
from myriorama.store.queue_rows import LiveRow, in_flight

Reason = Literal[
    "waiting_for_turn",
    "your_others_first",
    "in_flight_cap",
    "gpu_budget",
    "no_worker",
    "handed_out",
    "rendering",
]

# So long may what was handed out wait for a worker before there seems to be none.
CLAIMED_WITHIN = timedelta(seconds=15)


class Estimate(msgspec.Struct, frozen=True):
    """When it is thought to begin and to be done, in seconds from now, and of what that follows.

    Before it come `ahead_ms` of GPU time of its class, as estimated. `workers` were at work within
    the last two minutes (1, if none was), and share their time among the classes that wait. A
    render of the last hour took `pace` times its estimate (1, if there was none).
    """

    start_s: int
    done_s: int
    ahead_ms: int
    workers: int
    pace: float


class QueuePlace(msgspec.Struct, frozen=True):
    """Where a generation stands, and why it does not go on.

    `position` counts in its class from 1 on, while it waits for its turn. `share` is the part of
    all running renders that is this account's. `reason` is one of: waiting_for_turn (others have
    theirs first), your_others_first (others of yours were asked for before), in_flight_cap (as many
    of yours as may be are in work), gpu_budget (the day's GPU budget is spent; it goes on at
    `resets_at`), no_worker (none has taken anything for a while), handed_out (it is on its way to a
    worker), rendering (one has it).
    """

    position: int | None
    reason: Reason
    share: float
    estimate: Estimate | None
    resets_at: datetime | None


@dataclass(frozen=True)
class Moment:
    """What is known of the queue at one moment: all that is live, and each class in its order."""

    rows: Sequence[LiveRow]
    turns: Mapping[str, Sequence[Waiting]]
    paces: Mapping[str, float]
    workers: int
    exhausted_on: str | None
    rules: Rules
    now: datetime

    @property
    def resets_at(self) -> datetime | None:
        """When the GPU budget is there again, while it is spent."""
        if self.exhausted_on is None:
            return None
        following = date.fromisoformat(self.exhausted_on) + timedelta(days=1)
        return datetime.combine(following, time(), UTC)


def places(moment: Moment) -> Mapping[UUID, QueuePlace]:
    """Return the place of everything that is live."""
    renders = Counter(row.account_id for row in moment.rows if row.state == "running")
    total = renders.total()
    names, reasons = {row.work_class for row in moment.rows}, _Reasons(moment)
    found = dict[UUID, QueuePlace]()
    for name in names:
        line = _Line(moment, name, classes=len(names))
        for row, position, estimate in line.all():
            reason = reasons.of(row, is_first=row.generation_id in line.firsts)
            found[row.generation_id] = QueuePlace(
                position,
                reason,
                round(renders[row.account_id] / total, 3) if total else 0.0,
                None if reason == "no_worker" else estimate,
                moment.resets_at if reason == "gpu_budget" else None,
            )
    return found


class _Reasons:
    """Why each does not go on."""

    def __init__(self, moment: Moment) -> None:
        handed = [row.dispatched_at for row in moment.rows if row.state == "dispatched"]
        longest = max((moment.now - at for at in handed if at), default=timedelta())
        self._nobody = moment.workers == 0 and longest > CLAIMED_WITHIN
        self._is_braked = moment.exhausted_on is not None
        self._in_work = in_flight(moment.rows)
        self._cap = moment.rules.account_in_flight_max

    def of(self, row: LiveRow, *, is_first: bool) -> Reason:
        """Return the reason of one, which may be the first of its account in its class."""
        if row.state == "running":
            return "rendering"
        if row.state == "queued" and self._is_braked:
            return "gpu_budget"
        if self._nobody:
            return "no_worker"
        if row.state == "dispatched":
            return "handed_out"
        if not is_first:
            return "your_others_first"
        is_full = self._in_work.get(row.account_id, 0) >= self._cap
        return "in_flight_cap" if is_full else "waiting_for_turn"


class _Line:
    """One class, from what runs to who comes last."""

    def __init__(self, moment: Moment, name: str, *, classes: int) -> None:
        self._moment = moment
        self._rows = {row.generation_id: row for row in moment.rows if row.work_class == name}
        self._turns = moment.turns.get(name, ())
        self._pace = moment.paces.get(name, 1.0)
        self._at_once = max(1, moment.workers) / classes
        first: dict[UUID, UUID] = {}
        for turn in self._turns:
            first.setdefault(turn.account_id, turn.generation_id)
        self.firsts = frozenset(first.values())

    def all(self) -> Iterator[tuple[LiveRow, int | None, Estimate]]:
        """Yield what runs, what is handed out, and who waits; those two in their order."""
        ahead_ms, own_ms = 0, defaultdict[UUID, int](int)
        going = [row for row in self._rows.values() if row.state == "running"]
        for row in going:
            left_ms = self._left_ms(row)
            yield row, None, self._estimate(0.0, left_ms / 1000 * self._pace, 0)
            ahead_ms += left_ms
            own_ms[row.account_id] += left_ms
        handed = [row for row in self._rows.values() if row.state == "dispatched"]
        line = [(row, None) for row in sorted(handed, key=_handed_out)]
        for row, position in [*line, *self._waiting()]:
            yield row, position, self._expected(row, ahead_ms, own_ms[row.account_id])
            ahead_ms += row.cost_ms
            own_ms[row.account_id] += row.cost_ms

    def _waiting(self) -> Iterator[tuple[LiveRow, int | None]]:
        for position, turn in enumerate(self._turns, start=1):
            yield self._rows[turn.generation_id], position

    def _expected(self, row: LiveRow, ahead_ms: int, own_ms: int) -> Estimate:
        """Return when one begins behind `ahead_ms` of all, `own_ms` of which are its account's."""
        cap = self._moment.rules.account_in_flight_max
        rate = min(self._at_once, cap)
        start_s = max(ahead_ms / self._at_once, own_ms / rate) / 1000 * self._pace
        if self._moment.resets_at is not None and row.state == "queued":
            start_s += max(0.0, (self._moment.resets_at - self._moment.now).total_seconds())
        return self._estimate(start_s, start_s + row.cost_ms / 1000 * self._pace, ahead_ms)

    def _estimate(self, start_s: float, done_s: float, ahead_ms: int) -> Estimate:
        workers = max(1, self._moment.workers)
        return Estimate(round(start_s), round(done_s), ahead_ms, workers, round(self._pace, 3))

    def _left_ms(self, row: LiveRow) -> int:
        """Return what is left of a render, by its estimate: nothing, if it takes longer."""
        since = self._moment.now - (row.started_at or self._moment.now)
        done_ms = since.total_seconds() * 1000 / max(self._pace, 1e-3)
        return max(0, round(row.cost_ms - done_ms))


def _handed_out(row: LiveRow) -> datetime:
    return row.dispatched_at or row.waits_since
