"""A generation that is screened, refused and appealed."""

from dataclasses import replace

import pytest

from domain.generation.errors import (
    AppealImpossible,
    AppealNotOpen,
    DraftNotFound,
    GenerationNotFound,
    OwnAppeal,
    StatementInvalid,
)
from domain.generation.events import (
    AppealDecided,
    GenerationAppealed,
    GenerationCompleted,
    GenerationRefused,
    GenerationScreened,
)
from domain.generation.recipe import Shot
from tests.domain.generations import (
    ALICE,
    ALLOWED,
    LEASE,
    MALLORY,
    MODERATOR,
    NOON,
    NUDE,
    VIDEO,
    completed,
    frames_refused,
    prompt_refused,
    recorded,
    requested,
)


def test_a_generation_tells_what_it_is_estimated_to_take() -> None:
    shots = (Shot("a heron wades", 2, 1), Shot("it flies off", 4, 2))

    events = [
        requested(resolution="720p").collect_events()[0],
        requested(shots=shots, seconds=6, rerolls=0, remake_of=ALICE).collect_events()[0],
    ]

    assert [vars(event)["estimate_ms"] for event in events] == [1200, 200]


def test_a_prompt_that_every_check_allows_waits() -> None:
    generation = requested()
    generation.collect_events()

    generation.screen([ALLOWED], at=NOON)

    assert recorded(generation) == [GenerationScreened]
    assert generation.state == "queued"


def test_a_prompt_that_one_check_refuses_is_made_by_nobody_and_takes_no_seconds() -> None:
    generation = prompt_refused()

    generation.dispatch(at=NOON)

    assert recorded(generation)[1:] == [GenerationScreened, GenerationScreened, GenerationRefused]
    assert (generation.state, generation.keeps_seconds) == ("refused", False)


def test_a_video_that_a_check_refuses_is_a_draft_at_no_moment_and_keeps_its_seconds() -> None:
    generation = frames_refused()

    assert recorded(generation) == [GenerationScreened, GenerationRefused, GenerationCompleted]
    assert (generation.state, generation.keeps_seconds) == ("refused", True)
    with pytest.raises(DraftNotFound):
        generation.require_draft(by=ALICE)
    generation.complete(1, replace(VIDEO, verdicts=(NUDE,)), at=NOON)
    assert recorded(generation) == []


def test_an_overturned_refusal_lets_the_video_out_and_gives_its_seconds_back() -> None:
    generation = frames_refused()
    generation.collect_events()

    generation.appeal("It is a statue.", by=ALICE, at=NOON)
    generation.appeal("It is a statue!", by=ALICE, at=NOON)
    generation.decide_appeal(by=MODERATOR, overturned=True, note="It is.", at=NOON)
    generation.decide_appeal(by=MODERATOR, overturned=True, note="It is.", at=NOON)

    assert recorded(generation) == [GenerationAppealed, AppealDecided]
    assert generation.require_draft(by=ALICE).sha256 == VIDEO.sha256
    assert not generation.keeps_seconds


def test_an_overturned_prompt_waits_to_be_made_after_all() -> None:
    generation = prompt_refused()
    generation.appeal("It shoots a basketball.", by=ALICE, at=NOON)

    generation.decide_appeal(by=MODERATOR, overturned=True, note="Sport.", at=NOON)
    generation.dispatch(at=NOON)
    generation.claim("w1", 1, lease=LEASE, at=NOON)
    generation.complete(1, VIDEO, at=NOON)

    assert generation.state == "completed"


def test_a_refusal_that_stands_is_not_appealed_again() -> None:
    generation = prompt_refused()
    generation.appeal("It shoots a basketball.", by=ALICE, at=NOON)
    generation.decide_appeal(by=MODERATOR, overturned=False, note="It does not.", at=NOON)

    with pytest.raises(AppealImpossible):
        generation.appeal("It does.", by=ALICE, at=NOON)
    with pytest.raises(AppealNotOpen):
        generation.decide_appeal(by=MODERATOR, overturned=True, note="Oh.", at=NOON)

    assert generation.state == "refused"


def test_only_what_a_check_refused_is_appealed_and_by_its_owner() -> None:
    withdrawn = requested()
    withdrawn.refuse(reason="consent_withdrawn", detail="", at=NOON)

    for generation in (withdrawn, requested(), completed()):
        with pytest.raises(AppealImpossible):
            generation.appeal("But why?", by=ALICE, at=NOON)
    with pytest.raises(GenerationNotFound):
        prompt_refused().appeal("But why?", by=MALLORY, at=NOON)


def test_nobody_decides_on_their_own_appeal() -> None:
    generation = prompt_refused()
    generation.appeal("It shoots a basketball.", by=ALICE, at=NOON)

    with pytest.raises(OwnAppeal):
        generation.decide_appeal(by=ALICE, overturned=True, note="Sport.", at=NOON)


@pytest.mark.parametrize("statement", ["", "  ", "x" * 1001, "a\x07b"])
def test_a_statement_can_be_read(statement: str) -> None:
    with pytest.raises(StatementInvalid):
        prompt_refused().appeal(statement, by=ALICE, at=NOON)
