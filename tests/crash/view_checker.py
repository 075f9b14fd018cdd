"""The history checker of the view log: every batch once, as its receipt says."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple
from uuid import UUID

from tests.crash.checker import Violation
from tests.crash.history import (
    BatchRefused,
    BatchSent,
    HeadRead,
    History,
    Receipted,
    every,
)

Name = tuple[UUID, UUID, int]
"""Viewer, session and sequence: what an app calls a batch."""


class StoredView(NamedTuple):
    """A view as the log holds it."""

    position: int
    batch: Name
    decision_id: UUID


class StoredBatch(NamedTuple):
    """What the log remembers of a batch, to answer it alike when it is sent again."""

    batch: Name
    digest: str
    accepted: int


class ViewLog(NamedTuple):
    """The view log when all is over, in position order; `positions` are of all that is in it."""

    positions: Sequence[int]
    views: Sequence[StoredView]
    batches: Sequence[StoredBatch]
    floor: int = 0
    """Up to here its days were exported and dropped."""


def check_view_log(histories: Sequence[History], log: ViewLog) -> Iterator[Violation]:
    """Yield what the histories and the view log disagree about."""
    yield from _contiguous(log)
    yield from _batches(histories, log)
    yield from _receipts(histories, log)
    yield from _heads(histories, log)


def _contiguous(log: ViewLog) -> Iterator[Violation]:
    for expected, position in enumerate(log.positions, start=log.floor + 1):
        if position != expected:
            yield Violation("the view log has a hole", f"{expected} is missing before {position}")
            return


def _batches(histories: Sequence[History], log: ViewLog) -> Iterator[Violation]:
    """What is stored under a name is one batch that was sent under it, whole and in its order."""
    sent: defaultdict[Name, list[BatchSent]] = defaultdict(list)
    for batch in every(histories, BatchSent):
        sent[_name(batch)].append(batch)
    stored = _stored(log)
    remembered = {row.batch: row for row in log.batches}
    for name in {*stored, *remembered}:
        row, views = remembered.get(name), stored.get(name, [])
        if row is None:
            yield Violation("views belong to no batch", f"{name}")
            continue
        if len(views) > row.accepted:
            yield Violation("a batch is stored twice", f"{name}: {len(views)} of {row.accepted}")
            continue
        if len(views) < row.accepted:
            yield Violation("a batch is torn", f"{name}: {len(views)} of {row.accepted}")
            continue
        decisions = tuple(view.decision_id for view in views)
        if not any(b.digest == row.digest and b.decisions == decisions for b in sent[name]):
            yield Violation("a batch is stored that nobody sent", f"{name}")


def _receipts(histories: Sequence[History], log: ViewLog) -> Iterator[Violation]:
    """A receipt is true: what it accepted is stored, and `duplicate` is said from the second on."""
    remembered = {row.batch: row for row in log.batches}
    answers = _answers(histories)
    firsts: set[Name] = set()
    sent: defaultdict[Name, list[BatchSent]] = defaultdict(list)
    for batch in every(histories, BatchSent):
        name, row = _name(batch), remembered.get(_name(batch))
        sent[name].append(batch)
        match answers.get(batch.attempt):
            case Receipted(accepted=accepted, duplicate=duplicate):
                if row is None or row.digest != batch.digest:
                    yield Violation("an acknowledged batch is lost", batch.attempt)
                elif row.accepted != accepted:
                    yield Violation(
                        "a false receipt", f"{batch.attempt}: {accepted}, not {row.accepted}"
                    )
                if not duplicate and name in firsts:
                    yield Violation("a batch was new twice", batch.attempt)
                if not duplicate:
                    firsts.add(name)
            case BatchRefused() if row is None or row.digest == batch.digest:
                yield Violation("a batch was refused without cause", batch.attempt)
            case _:
                pass
    yield from _early_duplicates(sent, answers)


def _early_duplicates(
    sent: Mapping[Name, Sequence[BatchSent]], answers: Mapping[str, Receipted | BatchRefused]
) -> Iterator[Violation]:
    """Only who has sent a batch before, or at the same time, is told that it is a duplicate."""
    for batches in sent.values():
        for batch in batches:
            answer = answers.get(batch.attempt)
            if not isinstance(answer, Receipted) or not answer.duplicate:
                continue
            others = (b for b in batches if b is not batch and b.digest == batch.digest)
            if not any(other.at < answer.at for other in others):
                yield Violation("a batch was a duplicate at first", batch.attempt)


def _heads(histories: Sequence[History], log: ViewLog) -> Iterator[Violation]:
    """What a receipt was given for stands below every head that was read afterwards."""
    ends: dict[Name, int] = {view.batch: view.position for view in log.views}
    answers = _answers(histories)
    seen: list[tuple[int, int]] = []
    for batch in every(histories, BatchSent):
        answer = answers.get(batch.attempt)
        if isinstance(answer, Receipted) and _name(batch) in ends:
            seen.append((answer.at, ends[_name(batch)]))
    reads = [read for read in every(histories, HeadRead) if read.log == "views"]
    seen = sorted(seen + [(read.at, read.head) for read in reads])
    times, highest = [at for at, _ in seen], [0]
    for _, position in seen:
        highest.append(max(highest[-1], position))
    final = log.positions[-1] if log.positions else log.floor
    for read in reads:
        below = highest[bisect_left(times, read.began)]
        if read.head < below:
            yield Violation("a stale head of the view log", f"{read.head} after {below} was seen")
        if read.head > final:
            yield Violation("the head of the view log fell back", f"from {read.head} to {final}")


def _stored(log: ViewLog) -> Mapping[Name, Sequence[StoredView]]:
    stored: defaultdict[Name, list[StoredView]] = defaultdict(list)
    for view in log.views:
        stored[view.batch].append(view)
    return stored


def _answers(histories: Sequence[History]) -> Mapping[str, Receipted | BatchRefused]:
    return {
        line.attempt: line
        for history in histories
        for line in history.lines
        if isinstance(line, Receipted | BatchRefused)
    }


def _name(batch: BatchSent) -> Name:
    return batch.viewer_id, batch.session_id, batch.sequence
