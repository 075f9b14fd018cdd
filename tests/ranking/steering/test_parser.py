"""What people say of their feed, and what is understood of it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ranking.steering.parser import understand
from ranking.steering.said import NOT_UNDERSTOOD_MAX, RULES_MAX, Said

NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)  # a Wednesday
GOLDEN = Path(__file__).with_name("golden.json")
ACCURACY = 0.97


def told(said: Said) -> list[dict[str, Any]]:
    return [
        {
            "kind": rule.kind,
            "about": rule.about,
            "terms": list(rule.terms),
            "strength": rule.strength,
            "expires_at": _end(rule.expires_at, is_default=rule.is_default_end),
        }
        for rule in said.rules
    ]


def _end(end: datetime | None, *, is_default: bool) -> str | None:
    if is_default:
        return "default"
    return end.strftime("%Y-%m-%dT%H:%M:%SZ") if end else None


def test_nearly_all_of_the_golden_sentences_are_understood_to_the_letter() -> None:
    golden = msgspec.json.decode(GOLDEN.read_bytes(), type=list[dict[str, Any]])

    wrong = [
        entry["say"]
        for entry in golden
        for said in [understand(entry["say"], at=NOON)]
        if sorted(told(said), key=str) != sorted(entry["rules"], key=str)
        or bool(said.not_understood) != entry["left"]
    ]

    assert len(golden) >= 200
    assert 1 - len(wrong) / len(golden) >= ACCURACY, wrong


@given(st.text(max_size=400))
def test_no_text_is_an_error_and_none_has_more_rules_than_may_be(text: str) -> None:
    said = understand(text, at=NOON)

    assert len(said.rules) <= RULES_MAX
    assert len(said.not_understood) <= NOT_UNDERSTOOD_MAX
    assert all(rule.expires_at is None or rule.expires_at > NOON for rule in said.rules)


WORDS = "no less more cats and , . for 3 days until friday not if @ada #fox 12s over the mehr plus"


@given(st.lists(st.sampled_from(WORDS.split(" ")), max_size=60))
def test_words_in_any_order_are_no_error(words: list[str]) -> None:
    said = understand(" ".join(words), at=NOON)

    assert said.rules or said.not_understood or not words
    assert all(1 <= rule.strength <= 100 and all(rule.terms) for rule in said.rules)


@pytest.mark.parametrize("piece", ["less ", "a, ", "the ", ",", "猫", "if ", "@a ", "no a and "])
def test_ten_kilobytes_are_answered(piece: str) -> None:
    text = (piece * 10_000)[:10_000]

    said = understand(text, at=NOON)

    assert said.not_understood
    assert all(len(missed.said) <= 200 for missed in said.not_understood)


def test_days_begin_where_the_one_who_says_it_is() -> None:
    in_auckland = understand("no food today", at=NOON, utc_offset_minutes=13 * 60)
    in_london = understand("no food today", at=NOON)

    assert in_auckland.rules[0].expires_at == datetime(2026, 11, 26, 11, tzinfo=UTC)
    assert in_london.rules[0].expires_at == datetime(2026, 11, 26, tzinfo=UTC)


def test_a_rule_of_which_no_end_was_said_ends_in_thirty_days() -> None:
    (rule,) = understand("more cats", at=NOON).rules

    assert rule.is_default_end
    assert rule.expires_at == NOON + timedelta(days=30)


def test_more_rules_than_a_text_may_have_are_told_and_not_kept() -> None:
    said = understand("more " + ", ".join(f"thing{n}" for n in range(28)), at=NOON)

    assert len(said.rules) == RULES_MAX
    assert {missed.reason for missed in said.not_understood} == {"too_many"}


@pytest.mark.parametrize(
    "text",
    [
        "less of what @ada makes",
        "no clips from the user @ada, please",
        "hide @ada's videos",
        "mehr so wie @ada",
        "moins de ce que @ada publie",
        "más como @ada",
    ],
)
def test_words_that_say_only_whose_videos_are_meant_are_of_no_other_subject(text: str) -> None:
    said = understand(text, at=NOON)

    assert [(rule.about, rule.terms) for rule in said.rules] == [("author", ("ada",))]
    assert not said.not_understood


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("cats", "nothing_asked"),
        ("less", "no_subject"),
        ("don't hide cats", "not_a_wish"),
        ("not no foxes", "not_a_wish"),
        ("no cats until whenever", "time"),
        ("less <b>", "unreadable"),
        ("no politics from @writer1 until tomorrow", "no_subject"),
        ("keine Politik von @writer1", "no_subject"),
        ("no #fox from @bob", "no_subject"),
        ("more remixes by @ada", "no_subject"),
        ("もっと猫", "nothing_asked"),
    ],
)
def test_what_is_not_understood_is_told_with_the_reason(text: str, reason: str) -> None:
    said = understand(text, at=NOON)

    assert not said.rules
    assert [missed.reason for missed in said.not_understood] == [reason]
