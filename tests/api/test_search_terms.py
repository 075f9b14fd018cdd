"""What was typed into the search, taken apart as people write it."""

import unicodedata
from typing import Literal

import pytest

from myriorama.api.search_terms import Terms


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_it_is_the_same_however_a_keyboard_composes_its_letters(
    form: Literal["NFC", "NFD"],
) -> None:
    typed = unicodedata.normalize(form, "#Café #हिन्दी @Ada crème")

    terms = Terms.of(typed)

    assert terms == (("cafe", "हिन्दी"), ("ada",), unicodedata.normalize("NFC", "crème"))


def test_what_controls_and_lone_hyphens_say_nothing() -> None:
    assert Terms.of("fox\x00 - owl --\u200b#a\u00adb") == (("a",), (), "fox owl b")
