"""What an account says of its feed, and what of that is recorded."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest

from domain.steering.aggregate import RULES_MAX, Steering, Wish
from domain.steering.errors import (
    SteeringRuleInvalid,
    SteeringRuleNotFound,
    TooManySteeringRules,
)
from domain.steering.events import (
    HistoryForgotten,
    LessAsked,
    LessTakenBack,
    PersonalisationSwitched,
    RuleAdded,
    RuleChanged,
    RuleRemoved,
    SteeringBegun,
    SteeringReset,
)

ALICE, FOX = uuid4(), uuid4()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def wish(
    term: str, kind: str = "limit", *, strength: int = 50, ends: datetime | None = None
) -> Wish:
    return Wish(uuid4(), kind, "topic", (term,), None, strength, ends, f"{kind} {term}")


def said(steering: Steering) -> list[type]:
    return [type(event) for event in steering.collect_events()]


@pytest.fixture
def steering() -> Steering:
    steering = Steering.start(ALICE, at=NOON)
    assert said(steering) == [SteeringBegun]
    return steering


def test_the_same_again_is_the_same_rule_and_records_nothing(steering: Steering) -> None:
    (first,) = steering.add([wish("food")], at=NOON)

    (again,) = steering.add([wish("food")], at=NOON)

    assert again == first
    assert said(steering) == [RuleAdded]


def test_the_same_wish_more_strongly_changes_the_rule(steering: Steering) -> None:
    (first,) = steering.add([wish("food")], at=NOON)

    (again,) = steering.add([wish("food", strength=90)], at=NOON)

    assert again == first
    assert said(steering) == [RuleAdded, RuleChanged]
    assert steering.strength_of(first) == 90


def test_the_opposite_of_the_same_subject_takes_the_place_of_the_rule(steering: Steering) -> None:
    steering.add([wish("food")], at=NOON)

    (more,) = steering.add([wish("food", "boost")], at=NOON)

    assert said(steering) == [RuleAdded, RuleRemoved, RuleAdded]
    assert steering.live(NOON) == [more]


def test_a_rule_that_has_ended_is_there_no_more(steering: Steering) -> None:
    (rule,) = steering.add([wish("food", ends=NOON + DAY)], at=NOON)

    assert steering.live(NOON) == [rule]
    assert steering.live(NOON + DAY) == []
    with pytest.raises(SteeringRuleNotFound):
        steering.change(rule, strength=10, expires_at=None, at=NOON + DAY)


@pytest.mark.parametrize(
    ("strength", "ends"), [(0, None), (101, None), (50, NOON), (50, NOON - DAY)]
)
def test_what_cannot_be_is_refused_and_records_nothing(
    steering: Steering, strength: int, ends: datetime | None
) -> None:
    wrong = wish("food", strength=strength, ends=ends)

    with pytest.raises(SteeringRuleInvalid):
        steering.add([wish("cats"), wrong], at=NOON)

    assert said(steering) == []


def test_a_feed_has_so_many_rules_and_ended_ones_do_not_count(steering: Steering) -> None:
    many = [wish(f"thing {n}", ends=NOON + DAY) for n in range(RULES_MAX)]
    steering.add(many, at=NOON)

    with pytest.raises(TooManySteeringRules):
        steering.add([wish("one more")], at=NOON)

    later = Steering.start(ALICE, at=NOON)
    later.add(many, at=NOON)
    assert len(later.add([wish("one more")], at=NOON + DAY)) == 1


def test_everything_can_be_taken_back_and_again_records_nothing(steering: Steering) -> None:
    (rule, other) = steering.add([wish("food"), wish("cats")], at=NOON)
    for _ in range(2):
        steering.remove(rule, at=NOON)
        steering.ask_less(FOX, at=NOON)
    for _ in range(2):
        steering.take_less_back(FOX, at=NOON)
        steering.reset(at=NOON)
        steering.remove(other, at=NOON)
        steering.remove(UUID(int=1), at=NOON)

    assert said(steering) == [
        RuleAdded,
        RuleAdded,
        RuleRemoved,
        LessAsked,
        LessTakenBack,
        SteeringReset,
    ]
    assert steering.live(NOON) == []


def test_personalisation_is_switched_and_history_forgotten(steering: Steering) -> None:
    for _ in range(2):
        steering.switch_personalisation(personalised=False, at=NOON)
    steering.forget_history(at=NOON)

    assert said(steering) == [PersonalisationSwitched, HistoryForgotten]
    assert not steering.personalised
