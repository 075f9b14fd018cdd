"""What ads know of videos: their words, and whether an ad may stand beside them."""

from uuid import UUID

import pytest

from myriorama.feed.ad_slots import slot_of
from myriorama.feed.label_rules import LabelRules

VIDEO, ALICE = UUID(int=1), UUID(int=2)
RULES = LabelRules(
    {"political": "allow", "mature": "interstitial"}, {"political": "allow", "mature": "drop"}
)


@pytest.mark.parametrize(
    ("labels", "safety"),
    [
        ([], "safe"),
        (["political"], "limited"),
        (["mature"], "unsafe"),
        (["political", "mature"], "unsafe"),
        (["of a newer release"], "unsafe"),
    ],
)
def test_what_moderators_say_decides_what_may_stand_beside(labels: list[str], safety: str) -> None:
    assert slot_of(VIDEO, ALICE, labels, "", "", rules=RULES).safety == safety


def test_words_are_compared_without_case_and_accents() -> None:
    slot = slot_of(VIDEO, ALICE, [], "A plane CRASH at the Café", "#Travel", rules=RULES)

    assert {"plane", "crash", "cafe", "travel", "plane crash"} <= slot.keywords
    assert slot.category == "travel"


def test_what_is_sensitive_names_the_category_first() -> None:
    slot = slot_of(VIDEO, ALICE, [], "food and alcohol", "", rules=RULES)

    assert slot.category == "alcohol"
