"""Places in the queue: what each is told of where it stands, and why."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.generation.fair_queue import FairQueue, Rules
from myriorama.api.queue_places import Moment, QueuePlace, places
from myriorama.store.queue_rows import LiveRow, waiting

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ALICE, BOB, MALLORY = (UUID(int=number) for number in (1, 2, 3))
RULES = Rules(quantum_ms=4_000, account_in_flight_max=2)


def row(number: int, who: UUID, state: str = "queued", **more: object) -> LiveRow:
    asked = NOON - timedelta(seconds=100 - number)
    plain = LiveRow(UUID(int=number), who, "plain", 4_000, state, 0, asked, None, None, None)
    if state == "dispatched":
        plain = replace(plain, attempt=1, dispatched_at=NOON - timedelta(seconds=2))
    if state == "running":
        plain = replace(plain, attempt=1, started_at=NOON - timedelta(seconds=1), worker="w1")
    return replace(plain, **more)  # type: ignore[arg-type]  # any of its fields


def moment(rows: Sequence[LiveRow], *, workers: int = 1, exhausted_on: str | None = None) -> Moment:
    return Moment(
        rows=rows,
        turns=FairQueue(RULES).turns(waiting(rows), now_s=NOON.timestamp()),
        paces={"plain": 2.0},
        workers=workers,
        exhausted_on=exhausted_on,
        rules=RULES,
        now=NOON,
    )


def told(rows: Sequence[LiveRow], **more: object) -> dict[int, QueuePlace]:
    found = places(moment(rows, **more))  # type: ignore[arg-type]  # as `moment` has them
    return {id_.int: place for id_, place in found.items()}


def test_each_is_told_its_place_and_why_it_waits() -> None:
    rows = [
        row(10, ALICE, "running"),
        row(11, BOB, "dispatched"),
        row(12, ALICE),
        row(13, ALICE),
        row(14, BOB),
    ]

    found = told(rows)

    assert {n: (place.position, place.reason) for n, place in found.items()} == {
        10: (None, "rendering"),
        11: (None, "handed_out"),
        12: (1, "waiting_for_turn"),
        14: (2, "waiting_for_turn"),
        13: (3, "your_others_first"),
    }


def test_the_estimate_follows_from_what_is_ahead_and_how_long_renders_took() -> None:
    found = told([row(10, ALICE, "running"), row(11, BOB, "dispatched"), row(12, MALLORY)])

    running, handed, queued = (found[number].estimate for number in (10, 11, 12))
    assert running
    assert handed
    assert queued
    # A second of the eight that it takes is over.
    assert (running.start_s, running.done_s) == (0, 7)
    assert (handed.start_s, handed.done_s, handed.ahead_ms) == (7, 15, 3_500)
    assert (queued.start_s, queued.done_s, queued.ahead_ms) == (15, 23, 7_500)
    assert (queued.workers, queued.pace) == (1, 2.0)


def test_twice_as_many_workers_halve_the_wait_and_another_class_doubles_it() -> None:
    rows = [row(10, ALICE, "dispatched"), row(11, ALICE, "dispatched"), row(12, BOB)]
    cameo = row(13, BOB, work_class="cameo")

    two = told(rows, workers=2)[12].estimate
    shared = told([*rows, cameo], workers=2)[12].estimate

    assert two
    assert shared
    assert (two.start_s, shared.start_s) == (8, 16)


def test_the_share_is_the_part_of_all_renders() -> None:
    rows = [row(n, ALICE, "running") for n in (10, 11, 12)]

    found = told([*rows, row(13, BOB, "running"), row(14, BOB), row(15, MALLORY)])

    assert [found[n].share for n in (10, 13, 14, 15)] == [0.75, 0.25, 0.25, 0.0]


def test_who_has_enough_in_work_is_told_so() -> None:
    rows = [row(10, ALICE, "running"), row(11, ALICE, "dispatched"), row(12, ALICE)]

    assert told(rows)[12].reason == "in_flight_cap"


def test_while_the_gpu_budget_is_spent_it_is_told_when_it_resets() -> None:
    found = told([row(10, ALICE, "running"), row(11, BOB)], exhausted_on="2026-11-22")

    queued = found[11]
    assert (queued.reason, queued.resets_at) == (
        "gpu_budget",
        datetime(2026, 11, 23, tzinfo=UTC),
    )
    assert queued.estimate
    assert queued.estimate.start_s > 12 * 3600
    assert (found[10].reason, found[10].resets_at) == ("rendering", None)


@pytest.mark.parametrize(
    ("for_s", "workers", "nobody"), [(60, 0, True), (60, 1, False), (2, 0, False)]
)
def test_nobody_is_promised_anything_when_no_worker_takes_what_is_handed_out(
    for_s: int, workers: int, *, nobody: bool
) -> None:
    handed = row(10, ALICE, "dispatched", dispatched_at=NOON - timedelta(seconds=for_s))

    found = told([handed, row(11, BOB)], workers=workers)

    assert [found[n].reason == "no_worker" for n in (10, 11)] == [nobody, nobody]
    assert [found[n].estimate is None for n in (10, 11)] == [nobody, nobody]
