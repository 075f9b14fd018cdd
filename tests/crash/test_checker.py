"""The history checkers themselves: a faultless world passes, and every fault is found and named."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest

from tests.crash.checker import Violation, check_domain_log
from tests.crash.consent_checker import generations_start_only_with_consent
from tests.crash.history import (
    Acknowledged,
    Attempted,
    BatchSent,
    Consumed,
    Delivered,
    Diary,
    HeadRead,
    Line,
    Receipted,
    Refused,
    Repeated,
    SliceRead,
    Unanswered,
    read_histories,
)
from tests.crash.relay_checker import check_relayed
from tests.crash.view_checker import check_view_log
from tests.crash.worlds import CAMEO, World, world

SEEDS = range(5)


def violations(broken: World) -> list[Violation]:
    positions = [event.position for event in broken.events]
    return [
        *check_domain_log(broken.histories, broken.log),
        *generations_start_only_with_consent(broken.histories, broken.log),
        *check_view_log(broken.histories, broken.view_log),
        *check_relayed(broken.histories, {"events": positions}, last_broker=2),
    ]


def edit(world: World, client: str, kind: type[Line], nth: int, **changes: Any) -> None:
    """Change one line of a history."""
    at = world.find(client, kind, nth)
    world.lines[client][at] = msgspec.structs.replace(world.lines[client][at], **changes)


def drop(world: World, client: str, kind: type[Line], nth: int) -> None:
    del world.lines[client][world.find(client, kind, nth)]


def swap(world: World, client: str, kind: type[Line], nth: int) -> None:
    """Swap the nth line of a kind with the next of the kind."""
    lines, one, two = (
        world.lines[client],
        world.find(client, kind, nth),
        world.find(client, kind, nth + 1),
    )
    lines[one], lines[two] = lines[two], lines[one]


def lose_events(world: World, *positions: int) -> None:
    """Take events out, as a log would that lost them before it gave their positions to others."""
    kept = [event for event in world.events if event.position not in positions]
    world.events[:] = [event._replace(position=n) for n, event in enumerate(kept, start=1)]


def lose_the_last_event(world: World) -> None:
    world.events.pop()


def leave_a_hole(world: World) -> None:
    del world.events[7]


def give_a_position_twice(world: World) -> None:
    world.events[8] = world.events[8]._replace(position=8)


def skip_a_version(world: World) -> None:
    of_cameo = [n for n, event in enumerate(world.events) if event.originator_id == CAMEO]
    world.events[of_cameo[-1]] = world.events[of_cameo[-1]]._replace(version=9)


def swap_two_events(world: World) -> None:
    one, two = world.events[5], world.events[6]
    world.events[5], world.events[6] = (
        two._replace(position=one.position),
        one._replace(position=two.position),
    )


def record_an_attempt_twice(world: World) -> None:
    again = world.events[4]
    world.events.append(again._replace(position=len(world.events) + 1))


def record_what_was_refused(world: World) -> None:
    at = world.find("carol", Refused)
    refused = world.lines["carol"][at]
    assert isinstance(refused, Refused)
    world.events[6] = world.events[6]._replace(attempt=refused.attempt)


def record_a_retry_again(world: World) -> None:
    at = world.find("bob", Repeated)
    repeated = world.lines["bob"][at]
    assert isinstance(repeated, Repeated)
    world.events.append(
        world.events[-1]._replace(
            position=len(world.events) + 1,
            originator_id=UUID(int=99),
            version=1,
            attempt=repeated.attempt,
        )
    )


def tear_a_command(world: World) -> None:
    torn = next(e for e in world.events if e.originator_id == UUID(int=81))
    lose_events(world, torn.position)


def put_another_between_a_command(world: World) -> None:
    at = next(n for n, e in enumerate(world.events) if e.originator_id == UUID(int=81))
    second, third = world.events[at], world.events[at + 1]
    world.events[at] = third._replace(position=second.position)
    world.events[at + 1] = second._replace(position=third.position)


def record_for_nobody(world: World) -> None:
    world.events[9] = world.events[9]._replace(attempt=None)


def revoke_before_the_generation(world: World) -> None:
    """Let the denial slip in before the generation that was decided without it."""
    generation, denial = world.events[2], world.events[3]
    world.events[2] = denial._replace(position=3)
    world.events[3] = generation._replace(position=4)


def relay_twice(world: World) -> None:
    lines = world.lines["consumer"]
    lines.append(lines[-1])


def store_a_view_twice(world: World) -> None:
    world.positions.append(len(world.positions) + 1)
    world.views.append(world.views[0]._replace(position=world.positions[-1]))


def lose_a_batch(world: World) -> None:
    lost = world.batches.pop()
    world.views[:] = [view for view in world.views if view.batch != lost.batch]
    world.positions[:] = range(1, len(world.views) + 1)


def forget_a_batch(world: World) -> None:
    world.batches.pop()


def lose_a_view(world: World) -> None:
    world.views.pop()
    world.positions.pop()


def swap_views(world: World) -> None:
    one, two = world.views[0], world.views[1]
    world.views[0] = two._replace(position=one.position)
    world.views[1] = one._replace(position=two.position)


def leave_a_hole_in_the_views(world: World) -> None:
    world.positions[2:] = [position + 1 for position in world.positions[2:]]


FAULTS: list[tuple[str, Callable[[World], None]]] = [
    ("an acknowledged command is lost", lose_the_last_event),
    ("the log has a hole", leave_a_hole),
    ("the log has a hole", give_a_position_twice),
    ("a stream has a hole", skip_a_version),
    ("acknowledged at other positions", swap_two_events),
    ("a read is not what the log says", swap_two_events),
    ("a subscriber got what is not in the log", swap_two_events),
    ("an attempt is recorded twice", record_an_attempt_twice),
    ("a refused command is recorded", record_what_was_refused),
    ("a repeated command is recorded again", record_a_retry_again),
    ("a command is recorded twice", record_a_retry_again),
    ("a command is torn", tear_a_command),
    ("a command is torn", put_another_between_a_command),
    ("recorded what nobody attempted", record_for_nobody),
    ("acknowledged at other positions", lambda w: lose_events(w, 6)),
    ("the head fell back", lose_the_last_event),
    ("a guard is violated", revoke_before_the_generation),
    ("a generation started without consent", revoke_before_the_generation),
    (
        "a retry is answered otherwise",
        lambda w: edit(w, "bob", Repeated, 0, positions=(1, 2)),
    ),
    ("a command points elsewhere", lambda w: w.commands.clear()),
    (
        "a command points elsewhere",
        lambda w: w.commands.__setitem__(0, w.commands[0]._replace(last=1)),
    ),
    (
        "order against time",
        lambda w: edit(w, "carol", Attempted, 2, at=10**6),
    ),
    ("order against time", lambda w: edit(w, "reader", HeadRead, 2, head=2)),
    ("order against time", lambda w: edit(w, "reader", HeadRead, 0, at=1, head=10)),
    ("a read is not what the log says", lambda w: edit(w, "reader", SliceRead, 1, events=())),
    (
        "a read is not what the log says",
        lambda w: edit(w, "reader", SliceRead, 1, events=_reversed(w)),
    ),
    ("a subscriber missed an event", lambda w: drop(w, "follower", Delivered, 4)),
    ("a subscriber missed an event", lambda w: drop(w, "follower", Delivered, -5)),
    ("a subscriber got an event twice", lambda w: _double(w, "follower", 4)),
    ("a subscriber got events out of order", lambda w: swap(w, "follower", Delivered, 4)),
    (
        "a subscriber got what is not in the log",
        lambda w: edit(w, "follower", Delivered, 4, version=77),
    ),
    ("an acknowledged batch is lost", lose_a_batch),
    ("views belong to no batch", forget_a_batch),
    ("a batch is torn", lose_a_view),
    ("a batch is stored twice", store_a_view_twice),
    ("a batch is stored that nobody sent", swap_views),
    ("the view log has a hole", leave_a_hole_in_the_views),
    ("a false receipt", lambda w: edit(w, "watcher", Receipted, 0, accepted=9)),
    ("a batch was new twice", lambda w: edit(w, "watcher", Receipted, 2, duplicate=False)),
    (
        "a batch was a duplicate at first",
        lambda w: edit(w, "watcher", Receipted, 0, duplicate=True),
    ),
    (
        "a batch was refused without cause",
        lambda w: edit(w, "watcher", BatchSent, -1, digest="2"),
    ),
    ("a stale head of the view log", lambda w: edit(w, "reader", HeadRead, -1, head=1)),
    ("the head of the view log fell back", lose_a_view),
    ("relayed twice", relay_twice),
    ("relayed out of order", lambda w: swap(w, "consumer", Consumed, 8)),
    (
        "relayed what does not belong there",
        lambda w: edit(w, "consumer", Consumed, 2, positions=(3, 999)),
    ),
    ("not relayed", lambda w: drop(w, "consumer", Consumed, 8)),
    ("not relayed", lambda w: drop(w, "consumer", Consumed, -1)),
]


def _reversed(world: World) -> tuple[tuple[int, UUID, int], ...]:
    read = world.lines["reader"][world.find("reader", SliceRead, 1)]
    assert isinstance(read, SliceRead)
    return tuple(reversed(read.events))


def _double(world: World, client: str, nth: int) -> None:
    at = world.find(client, Delivered, nth)
    world.lines[client].insert(at, world.lines[client][at])


@pytest.mark.parametrize("seed", SEEDS)
def test_a_faultless_world_violates_nothing(seed: int) -> None:
    assert violations(world(seed)) == []


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    ("rule", "commit"), FAULTS, ids=[f"{n}-{rule}" for n, (rule, _) in enumerate(FAULTS)]
)
def test_every_fault_is_found_and_named(
    rule: str, commit: Callable[[World], None], seed: int
) -> None:
    broken = world(seed)

    commit(broken)

    assert rule in {violation.rule for violation in violations(broken)}


def test_an_unanswered_command_may_be_recorded_or_not() -> None:
    recorded, lost = world(0), world(0)
    unanswered = lost.lines["bob"][lost.find("bob", Unanswered)]
    assert isinstance(unanswered, Unanswered)
    last = max(event.position for event in lost.events if event.attempt == unanswered.attempt)

    lost.lines = {"bob": [lost.lines["bob"][lost.find("bob", Unanswered) - 1], unanswered]}
    lost.events[:] = []
    lost.commands.clear()

    assert last
    assert violations(recorded) == []
    assert list(check_domain_log(lost.histories, lost.log)) == []


def test_a_guard_that_held_when_it_was_checked_is_not_blamed_for_what_came_later() -> None:
    later = world(0)

    later.events.append(
        later.events[3]._replace(position=len(later.events) + 1, version=4, attempt="alice:last")
    )
    later.lines["alice"].append(Attempted(10**6, "alice:last", ((CAMEO, 4),), {}))

    assert list(check_domain_log(later.histories, later.log)) == []


def test_a_history_is_read_as_it_was_written_but_for_a_torn_last_line(tmp_path: Path) -> None:
    diary = Diary(tmp_path, "alice")
    attempted = Attempted(1, diary.next_attempt(), ((CAMEO, 1),), {CAMEO: 3})
    diary.note(attempted)
    diary.note(Acknowledged(2, attempted.attempt, (1,)))
    diary.close()
    with (tmp_path / "alice.history").open("ab") as file:
        file.write(b'{"what":"attempted","at":3')

    (history,) = read_histories(tmp_path)

    assert history.client == "alice"
    assert history.lines == [attempted, Acknowledged(2, "alice:1", (1,))]


def test_every_rule_that_a_checker_knows_has_a_fault_that_shows_it() -> None:
    checkers = (path for path in Path(__file__).parent.glob("*checker.py"))
    sources = [path.read_text() for path in checkers if path.name != Path(__file__).name]
    known = {rule for text in sources for rule in re.findall(r'Violation\(\s*"([^"]+)"', text)}

    assert len(known) > 20
    assert known - {rule for rule, _ in FAULTS} == set()
