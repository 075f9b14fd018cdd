"""The history checker of the domain log: what clients were told, held to what the log says.

Every check is a pure function from histories and final logs to violations; none means proven for
this history. `tests/crash/test_checker.py` mutates histories and logs, and each must be found.
"""

from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from typing import NamedTuple
from uuid import UUID

from tests.crash.history import (
    Acknowledged,
    Attempted,
    Delivered,
    HeadRead,
    History,
    Refused,
    Repeated,
    SliceRead,
    Subscribed,
    every,
)


class Violation(NamedTuple):
    """A broken promise, and where it shows."""

    rule: str
    where: str


class LogEvent(NamedTuple):
    """An event as the log holds it; `attempt` is which attempt of a client recorded it."""

    position: int
    originator_id: UUID
    version: int
    topic: str
    attempt: str | None
    state: bytes = b"{}"


class StoredCommand(NamedTuple):
    """A command that may be retried, and the positions of its events."""

    command_id: UUID
    first: int
    last: int


class DomainLog(NamedTuple):
    """The domain log when all is over, in position order."""

    events: Sequence[LogEvent]
    commands: Sequence[StoredCommand] = ()


Check = Callable[[Sequence[History], DomainLog], Iterator[Violation]]


def check_domain_log(histories: Sequence[History], log: DomainLog) -> Iterator[Violation]:
    """Yield what the histories and the domain log disagree about, check by check."""
    return chain.from_iterable(check(histories, log) for check in CHECKS)


def positions_are_contiguous(_: Sequence[History], log: DomainLog) -> Iterator[Violation]:
    """Positions count from 1, without a hole and without a double."""
    for expected, event in enumerate(log.events, start=1):
        if event.position != expected:
            yield Violation("the log has a hole", f"{expected} is missing before {event.position}")
            return


def streams_are_contiguous(_: Sequence[History], log: DomainLog) -> Iterator[Violation]:
    """The versions of an aggregate count from 1, in the order of positions."""
    versions: Counter[UUID] = Counter()
    for event in log.events:
        versions[event.originator_id] += 1
        if event.version != versions[event.originator_id]:
            yield Violation(
                "a stream has a hole", f"{event.originator_id} at {event.position}: {event.version}"
            )
            versions[event.originator_id] = event.version


def commands_are_recorded_as_told(
    histories: Sequence[History], log: DomainLog
) -> Iterator[Violation]:
    """What was acknowledged is there, where it was said to be; what was refused is not."""
    recorded = _by_attempt(log)
    answers = _answers(histories)
    attempted: set[str | None] = set()
    for command in every(histories, Attempted):
        attempted.add(command.attempt)
        events = recorded.get(command.attempt, ())
        yield from _recorded_once(command, events)
        match answers.get(command.attempt):
            case Acknowledged(positions=told):
                found = tuple(event.position for event in events)
                if not found:
                    yield Violation("an acknowledged command is lost", f"{command.attempt} {told}")
                elif found != told:
                    yield Violation(
                        "acknowledged at other positions", f"{command.attempt}: {told}, not {found}"
                    )
            case Refused() if events:
                yield Violation("a refused command is recorded", command.attempt)
            case Repeated() if events:
                yield Violation("a repeated command is recorded again", command.attempt)
            case _:
                pass
    for attempt, events in recorded.items():
        if attempt not in attempted:
            yield Violation("recorded what nobody attempted", f"{attempt} at {events[0].position}")


def retries_answer_as_the_first_time(
    histories: Sequence[History], log: DomainLog
) -> Iterator[Violation]:
    """A command with an ID is recorded once, and all its answers name the same positions."""
    recorded, answers = _by_attempt(log), _answers(histories)
    stored = {command.command_id: command for command in log.commands}
    attempts: defaultdict[UUID, list[str]] = defaultdict(list)
    for command in every(histories, Attempted):
        if command.command_id is not None:
            attempts[command.command_id].append(command.attempt)
    for command_id, names in attempts.items():
        positions = [tuple(e.position for e in recorded[n]) for n in names if n in recorded]
        told = {
            answer.positions
            for name in names
            if isinstance(answer := answers.get(name), Acknowledged | Repeated)
        }
        if len(positions) > 1:
            yield Violation("a command is recorded twice", f"{command_id} at {positions}")
        if told - set(positions):
            yield Violation("a retry is answered otherwise", f"{command_id}: {told}, {positions}")
        row = stored.get(command_id)
        known = [(row.first, row.last)] if row else []
        if known != [(p[0], p[-1]) for p in positions[:1]]:
            yield Violation("a command points elsewhere", f"{command_id}: {known}, {positions}")


def positions_follow_time(histories: Sequence[History], _: DomainLog) -> Iterator[Violation]:
    """Who began after another was answered stands behind them, and sees them as read.

    So position order is commit order, and no head ever falls back.
    """
    answers = _answers(histories)
    began: list[tuple[int, int, str]] = []  # when, lowest position of its own, who
    seen: list[tuple[int, int]] = []  # when, position that existed by then
    for command in every(histories, Attempted):
        answer = answers.get(command.attempt)
        if isinstance(answer, Acknowledged) and answer.positions:
            began.append((command.at, answer.positions[0], command.attempt))
            seen.append((answer.at, answer.positions[-1]))
    for history in histories:
        for read in history.lines:
            if isinstance(read, HeadRead) and read.log == "domain":
                began.append((read.began, read.head + 1, f"a read by {history.client}"))
                seen.append((read.at, read.head))
    seen.sort()
    highest, next_seen = 0, 0
    for at, lowest, who in sorted(began):
        while next_seen < len(seen) and seen[next_seen][0] < at:
            highest = max(highest, seen[next_seen][1])
            next_seen += 1
        if lowest <= highest:
            yield Violation("order against time", f"{who}: {lowest} after {highest} was seen")


def nothing_appears_behind_a_head(
    histories: Sequence[History], log: DomainLog
) -> Iterator[Violation]:
    """A reader who saw the head saw all there is up to it, then and for ever."""
    head = log.events[-1].position if log.events else 0
    for read in every(histories, HeadRead):
        if read.log == "domain" and read.head > head:
            yield Violation("the head fell back", f"from {read.head} to {head}")
    places = [event.position for event in log.events]
    for part in every(histories, SliceRead):
        first, last = bisect_left(places, part.after + 1), bisect_left(places, part.upto + 1)
        there = tuple((e.position, e.originator_id, e.version) for e in log.events[first:last])
        if part.events != there:
            different = sorted(set(part.events) ^ set(there)) or "the order"
            yield Violation(
                "a read is not what the log says", f"({part.after}, {part.upto}]: {different}"
            )


def subscribers_see_all_once_in_order(
    histories: Sequence[History], log: DomainLog
) -> Iterator[Violation]:
    """From where it began, a subscription delivers each event of its topics, once, in order."""
    of_topics: dict[tuple[str, ...], list[LogEvent]] = {}
    cursors: dict[str, tuple[list[LogEvent], int]] = {}
    for history in histories:
        for line in history.lines:
            if isinstance(line, Subscribed):
                wanted = of_topics.setdefault(line.topics, _of_topics(log, line.topics))
                start = bisect_left(wanted, line.after + 1, key=_position)
                cursors[line.subscription] = (wanted, start)
            elif isinstance(line, Delivered):
                wanted, cursor = cursors[line.subscription]
                yield from _delivered(line, wanted, cursor)
                cursors[line.subscription] = (
                    wanted,
                    max(cursor, bisect_left(wanted, line.position + 1, key=_position)),
                )


def guards_hold(histories: Sequence[History], log: DomainLog) -> Iterator[Violation]:
    """Where a command stands, every aggregate of its read set was as it had been read."""
    places: defaultdict[UUID, list[int]] = defaultdict(list)
    for event in log.events:
        places[event.originator_id].append(event.position)
    recorded = _by_attempt(log)
    for command in every(histories, Attempted):
        events = recorded.get(command.attempt)
        if not events:
            continue
        for originator_id, version in command.expect.items():
            was = bisect_left(places.get(originator_id, ()), events[0].position)
            if was != version:
                yield Violation(
                    "a guard is violated",
                    f"{command.attempt} at {events[0].position}: {originator_id} was {was}, "
                    f"not {version}",
                )


CHECKS: Sequence[Check] = (
    positions_are_contiguous,
    streams_are_contiguous,
    commands_are_recorded_as_told,
    retries_answer_as_the_first_time,
    positions_follow_time,
    nothing_appears_behind_a_head,
    subscribers_see_all_once_in_order,
    guards_hold,
)


def _recorded_once(command: Attempted, events: Sequence[LogEvent]) -> Iterator[Violation]:
    found = [(event.originator_id, event.version) for event in events]
    if len(found) > len(set(found)) or len(found) > len(command.events):
        yield Violation("an attempt is recorded twice", command.attempt)
    elif found and tuple(found) != command.events:
        yield Violation("a command is torn", f"{command.attempt}: {found} of {command.events}")
    elif any(after.position != before.position + 1 for before, after in pairwise(events)):
        yield Violation("a command is torn", f"{command.attempt} does not stand together")


def _delivered(line: Delivered, wanted: Sequence[LogEvent], cursor: int) -> Iterator[Violation]:
    where = f"{line.subscription} at {line.position}"
    expected = wanted[cursor] if cursor < len(wanted) else None
    if expected is None or line.position < expected.position:
        before = wanted[cursor - 1].position if cursor else 0
        if line.position == before:
            yield Violation("a subscriber got an event twice", where)
        elif line.position < before:
            yield Violation("a subscriber got events out of order", f"{where}, after {before}")
        else:
            yield Violation("a subscriber got what is not in the log", where)
    elif line.position > expected.position:
        yield Violation("a subscriber missed an event", f"{where}: {expected.position}")
    elif (line.originator_id, line.version) != (expected.originator_id, expected.version):
        yield Violation("a subscriber got what is not in the log", where)


def _answers(
    histories: Sequence[History],
) -> Mapping[str, Acknowledged | Refused | Repeated]:
    return {
        line.attempt: line
        for history in histories
        for line in history.lines
        if isinstance(line, Acknowledged | Refused | Repeated)
    }


def _by_attempt(log: DomainLog) -> Mapping[str | None, Sequence[LogEvent]]:
    found: defaultdict[str | None, list[LogEvent]] = defaultdict(list)
    for event in log.events:
        found[event.attempt].append(event)
    return found


def _of_topics(log: DomainLog, topics: Sequence[str]) -> list[LogEvent]:
    return [event for event in log.events if not topics or event.topic in topics]


def _position(event: LogEvent) -> int:
    return event.position
