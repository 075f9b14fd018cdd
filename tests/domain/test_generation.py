"""A generation: what it may be asked for, and how it waits, runs and ends."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.errors import DomainError
from domain.generation.aggregate import ATTEMPTS_MAX, RUN_MAX, Generation
from domain.generation.errors import (
    AttemptStale,
    CameosInvalid,
    DraftNotFound,
    GenerationEnded,
    GenerationNotFound,
    GenerationNotWaiting,
    LengthInvalid,
    PromptInvalid,
    SeedInvalid,
)
from domain.generation.events import (
    AttemptFailed,
    GenerationCancelled,
    GenerationCompleted,
    GenerationFailed,
    GenerationStarted,
    LeaseExpired,
    LeaseExtended,
)
from domain.generation.models import ModelCannot
from domain.generation.shapes import SIZES
from tests.domain.generations import (
    ALICE,
    LEASE,
    MALLORY,
    NOON,
    OTHER_VIDEO,
    VIDEO,
    completed,
    dispatched,
    recorded,
    requested,
    running,
)


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"prompt": ""}, PromptInvalid),
        ({"prompt": "   "}, PromptInvalid),
        ({"prompt": "x" * 2001}, PromptInvalid),
        ({"prompt": "a fox\x1b[2J"}, PromptInvalid),
        ({"prompt": "half \ud800"}, PromptInvalid),
        ({"seconds": 1}, LengthInvalid),
        ({"seconds": 16}, LengthInvalid),
        ({"orientation": "round"}, ModelCannot),
        ({"resolution": "4k"}, ModelCannot),
        ({"seed": -1}, SeedInvalid),
        ({"seed": 2**63}, SeedInvalid),
        ({"cameo_ids": (ALICE, ALICE)}, CameosInvalid),
        ({"cameo_ids": tuple(uuid4() for _ in range(5))}, CameosInvalid),
    ],
)
def test_what_cannot_be_rendered_cannot_be_asked_for(
    wish: dict[str, Any], error: type[DomainError]
) -> None:
    with pytest.raises(error):
        requested(**wish)


@pytest.mark.parametrize(
    ("wish", "work_class"),
    [
        ({}, "plain"),
        ({"seconds": 8}, "plain"),
        ({"resolution": "720p"}, "hires"),
        ({"resolution": "720p", "seconds": 9}, "long"),
        ({"resolution": "720p", "seconds": 9, "cameo_ids": (ALICE,)}, "cameo"),
    ],
)
def test_the_costliest_trait_decides_the_queue(wish: dict[str, Any], work_class: str) -> None:
    (event,) = requested(**wish).collect_events()

    assert vars(event)["work_class"] == work_class


def test_every_size_fits_the_grid_of_video_models() -> None:
    assert all(side % 32 == 0 for size in SIZES.values() for side in size)


def test_a_claimed_attempt_is_one_workers() -> None:
    generation = dispatched()
    generation.claim("w1", 1, lease=LEASE, at=NOON)
    generation.collect_events()

    generation.claim("w1", 1, lease=LEASE, at=NOON)

    assert recorded(generation) == []
    with pytest.raises(GenerationNotWaiting):
        generation.claim("w2", 1, lease=LEASE, at=NOON)


def test_a_command_of_another_attempt_claims_nothing() -> None:
    generation = dispatched()

    with pytest.raises(AttemptStale):
        generation.claim("w1", 2, lease=LEASE, at=NOON)

    assert generation.state == "dispatched"


def test_what_waits_in_no_queue_cannot_be_claimed() -> None:
    with pytest.raises(GenerationNotWaiting):
        requested().claim("w1", 0, lease=LEASE, at=NOON)


def test_a_heartbeat_is_recorded_only_in_the_second_half_of_a_lease() -> None:
    generation = running()

    early = generation.extend(1, lease=LEASE, at=NOON + LEASE / 3)
    nothing = recorded(generation)
    late = generation.extend(1, lease=LEASE, at=NOON + LEASE * 2 / 3)

    assert (early, late) == (True, True)
    assert nothing == []
    assert recorded(generation) == [LeaseExtended]
    assert generation.lease_expires_at == NOON + LEASE * 2 / 3 + LEASE


def test_a_worker_that_beats_for_ever_loses_its_work_all_the_same() -> None:
    generation = running()
    now = NOON
    while generation.state == "running" and now < NOON + RUN_MAX * 2:
        generation.extend(1, lease=LEASE, at=now)
        now += LEASE / 4
        generation.expire(at=now)

    assert generation.state == "queued"
    assert now <= NOON + RUN_MAX + LEASE


def test_a_silent_worker_loses_its_work_when_its_lease_is_over_and_no_sooner() -> None:
    generation = running()

    generation.expire(at=NOON + LEASE - timedelta(milliseconds=1))
    before = recorded(generation)
    generation.expire(at=NOON + LEASE)

    assert before == []
    assert recorded(generation) == [LeaseExpired]
    with pytest.raises(AttemptStale):
        generation.complete(1, VIDEO, at=NOON + LEASE)
    with pytest.raises(AttemptStale):
        generation.extend(1, lease=LEASE, at=NOON + LEASE)


def test_it_fails_when_its_last_worker_falls_silent() -> None:
    generation = running()
    for attempt in range(1, ATTEMPTS_MAX):
        generation.expire(at=NOON + LEASE)
        generation.dispatch(at=NOON)
        generation.claim("w2", attempt + 1, lease=LEASE, at=NOON)
    generation.collect_events()

    generation.expire(at=NOON + LEASE)

    assert recorded(generation) == [LeaseExpired, GenerationFailed]
    assert generation.state == "failed"


def test_a_failed_attempt_is_followed_by_another_until_there_are_no_more() -> None:
    generation = running()

    generation.fail(1, reason="renderer_crashed", detail="", at=NOON)
    first = recorded(generation)
    generation.dispatch(at=NOON)
    generation.claim("w2", 2, lease=LEASE, at=NOON)
    generation.collect_events()
    generation.fail(2, reason="renderer_crashed", detail="", at=NOON)

    assert first == [AttemptFailed]
    assert recorded(generation) == [GenerationFailed]


def test_a_delivery_that_is_repeated_records_nothing_and_another_is_refused() -> None:
    generation = running()
    generation.complete(1, VIDEO, at=NOON)
    first = recorded(generation)

    generation.complete(1, VIDEO, at=NOON)

    assert first == [GenerationCompleted]
    assert recorded(generation) == []
    with pytest.raises(GenerationEnded):
        generation.complete(1, OTHER_VIDEO, at=NOON)


@pytest.mark.parametrize("stage", [requested, dispatched, running])
def test_its_owner_cancels_it_at_any_stage(stage: Callable[[], Generation]) -> None:
    generation = stage()
    generation.collect_events()

    generation.cancel(by=ALICE, at=NOON)
    generation.cancel(by=ALICE, at=NOON)

    assert recorded(generation) == [GenerationCancelled]
    with pytest.raises(GenerationEnded):
        generation.claim("w1", 1, lease=LEASE, at=NOON)


def test_a_cancelled_render_is_told_to_stop_and_what_it_delivers_is_refused() -> None:
    generation = running()
    generation.cancel(by=ALICE, at=NOON)

    assert generation.extend(1, lease=LEASE, at=NOON) is False
    with pytest.raises(GenerationEnded):
        generation.complete(1, VIDEO, at=NOON)


def test_a_refused_render_is_told_to_stop() -> None:
    generation = running()
    generation.refuse(reason="consent_withdrawn", detail="", at=NOON)

    assert generation.extend(1, lease=LEASE, at=NOON) is False


def test_nobody_else_knows_of_it() -> None:
    with pytest.raises(GenerationNotFound):
        requested().cancel(by=MALLORY, at=NOON)
    with pytest.raises(DraftNotFound):
        completed().require_draft(by=MALLORY)
    with pytest.raises(DraftNotFound):
        completed().discard(by=MALLORY, at=NOON)


@pytest.mark.parametrize("stage", [requested, dispatched, running])
def test_what_is_not_finished_is_no_draft(stage: Callable[[], Generation]) -> None:
    with pytest.raises(DraftNotFound):
        stage().require_draft(by=ALICE)


def test_a_discarded_draft_is_none_any_more() -> None:
    generation = completed()
    generation.collect_events()

    generation.discard(by=ALICE, at=NOON)
    generation.discard(by=ALICE, at=NOON)

    assert len(recorded(generation)) == 1
    with pytest.raises(DraftNotFound):
        generation.require_draft(by=ALICE)


def test_what_has_ended_stays_as_it_ended() -> None:
    generation = completed()
    generation.collect_events()

    generation.dispatch(at=NOON)
    generation.expire(at=NOON + LEASE * 10)

    assert recorded(generation) == []
    commands: list[Callable[[], None]] = [
        lambda: generation.cancel(by=ALICE, at=NOON),
        lambda: generation.refuse(reason="consent_withdrawn", detail="", at=NOON),
        lambda: generation.fail(1, reason="late", detail="", at=NOON),
        lambda: generation.claim("w2", 1, lease=LEASE, at=NOON),
    ]
    for command in commands:
        with pytest.raises((GenerationEnded, AttemptStale)):
            command()
    assert generation.state == "completed"


def test_a_started_generation_tells_its_lease() -> None:
    generation = dispatched()
    generation.collect_events()

    generation.claim("w1", 1, lease=LEASE, at=NOON)

    (event,) = generation.collect_events()
    assert isinstance(event, GenerationStarted)
    assert event.lease_expires_at == NOON + LEASE
    assert isinstance(generation.id, UUID)
