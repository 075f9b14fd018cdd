"""A creative: what may be shown as an ad, and how it is reviewed."""

from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.ad_categories import CategoryUnknown
from domain.creative.aggregate import Creative
from domain.creative.errors import (
    CallToActionUnknown,
    CreativeAppealImpossible,
    CreativeFormatInvalid,
    CreativeNotInReview,
    CreativeWithdrawnForGood,
    HeadlineInvalid,
    NoteInvalid,
    ReasonsInvalid,
)
from domain.creative.events import (
    CreativeAppealed,
    CreativeApproved,
    CreativeCapsChanged,
    CreativeChecked,
    CreativeDrafted,
    CreativeEdited,
    CreativeRejected,
    CreativeRenamed,
    CreativeSubmitted,
)
from domain.creative.review import Check
from domain.errors import DomainError
from domain.frequency import FrequencyCap
from tests.advertising import CONTENT, FOOTAGE, NOON, creative

ALICE, MODERATOR = uuid4(), uuid4()
ALLOWED = Check("category", "1", "allow")
DOUBTED = Check("category", "1", "doubt", "restricted_category", "alcohol")
REFUSED = Check("labels", "1", "refuse", "adult", "mature")


def recorded(of: Creative) -> list[type]:
    return [type(event) for event in of.collect_events()]


def state_of(creative: Creative) -> str:
    return creative.state


@pytest.fixture
def draft() -> Creative:
    drafted = creative(uuid4())
    assert recorded(drafted) == [CreativeDrafted]
    return drafted


@pytest.mark.parametrize(
    ("checks", "state", "decided"),
    [
        ([ALLOWED], "approved", [CreativeApproved]),
        ([ALLOWED, DOUBTED], "in_review", []),
        ([DOUBTED, REFUSED], "rejected", [CreativeRejected]),
    ],
)
def test_checks_decide_unless_one_is_in_doubt(
    draft: Creative, checks: list[Check], state: str, decided: list[type]
) -> None:
    draft.submit(checks, by=ALICE, at=NOON)
    draft.submit(checks, by=ALICE, at=NOON)

    assert state_of(draft) == state
    assert recorded(draft) == [CreativeSubmitted, *[CreativeChecked] * len(checks), *decided]


def test_a_person_decides_on_what_is_in_doubt_and_says_why(draft: Creative) -> None:
    draft.submit([DOUBTED], by=ALICE, at=NOON)

    with pytest.raises(ReasonsInvalid):
        draft.reject((), "No.", by=MODERATOR, at=NOON)
    with pytest.raises(ReasonsInvalid):
        draft.reject(("ugly",), "No.", by=MODERATOR, at=NOON)
    with pytest.raises(NoteInvalid):
        draft.approve(" ", by=MODERATOR, at=NOON)
    draft.approve("It is wine for adults.", by=MODERATOR, at=NOON)
    assert state_of(draft) == "approved"

    draft.reject(("deceptive",), "It is no wine.", by=MODERATOR, at=NOON)
    assert state_of(draft) == "rejected"


def test_a_rejection_is_appealed_once(draft: Creative) -> None:
    draft.submit([REFUSED], by=ALICE, at=NOON)
    with pytest.raises(CreativeNotInReview):
        draft.approve("Fine.", by=MODERATOR, at=NOON)
    for _ in range(2):
        draft.appeal("It is a statue.", by=ALICE, at=NOON)
    assert (draft.state, draft.is_appealed) == ("in_review", True)
    draft.reject(("adult",), "It is not.", by=MODERATOR, at=NOON)

    with pytest.raises(CreativeAppealImpossible):
        draft.appeal("It is.", by=ALICE, at=NOON)
    assert recorded(draft).count(CreativeAppealed) == 1


def test_a_new_landing_page_is_reviewed_anew_and_a_new_name_is_not(draft: Creative) -> None:
    draft.submit([ALLOWED], by=ALICE, at=NOON)
    draft.collect_events()
    moved = replace(CONTENT, landing_url="https://other.example.com/")
    caps = (FrequencyCap(1, 60),)

    assert not draft.edit(name="A fox", content=CONTENT, caps=caps, by=ALICE, at=NOON)
    assert state_of(draft) == "approved"
    assert draft.edit(name="A fox", content=moved, caps=caps, by=ALICE, at=NOON)
    assert state_of(draft) == "draft"
    assert recorded(draft) == [CreativeRenamed, CreativeCapsChanged, CreativeEdited]


def test_what_is_withdrawn_stays_so(draft: Creative) -> None:
    draft.withdraw(by=ALICE, at=NOON)

    with pytest.raises(CreativeWithdrawnForGood):
        draft.submit([ALLOWED], by=ALICE, at=NOON)
    with pytest.raises(CreativeWithdrawnForGood):
        draft.edit(name="Fox", content=CONTENT, caps=(), by=ALICE, at=NOON)
    with pytest.raises(CreativeNotInReview):
        draft.approve("Fine.", by=MODERATOR, at=NOON)


@pytest.mark.parametrize(
    ("differing", "refusal"),
    [
        ({"footage": replace(FOOTAGE, width=832, height=480)}, CreativeFormatInvalid),
        ({"footage": replace(FOOTAGE, width=720, height=720)}, CreativeFormatInvalid),
        ({"footage": replace(FOOTAGE, duration_ms=60_001)}, CreativeFormatInvalid),
        ({"footage": replace(FOOTAGE, duration_ms=999)}, CreativeFormatInvalid),
        ({"footage": replace(FOOTAGE, height=0)}, CreativeFormatInvalid),
        ({"call_to_action": "obey"}, CallToActionUnknown),
        ({"headline": "two\nlines"}, HeadlineInvalid),
        ({"headline": "x" * 81}, HeadlineInvalid),
        ({"category": "guns"}, CategoryUnknown),
    ],
)
def test_what_cannot_be_an_ad_is_refused(
    differing: dict[str, Any], refusal: type[DomainError]
) -> None:
    with pytest.raises(refusal):
        creative(uuid4(), replace(CONTENT, **differing))
