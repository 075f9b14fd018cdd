"""What belongs to a word, and which words are the same."""

import unicodedata
from typing import Literal

import pytest

from domain.video.hashtags import hashtags
from domain.words import folded
from ranking.steering.words import words

WORDS = ["हिन्दी", "हिमालय", "แมวน้ำ", "தமிழ்", "বাংলা", "မြန်မာ", "ខ្មែរ", "がん", "한국"]


@pytest.mark.parametrize("word", WORDS)
@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_word_of_any_script_is_one_hashtag_and_one_word(
    word: str, form: Literal["NFC", "NFD"]
) -> None:
    typed = unicodedata.normalize(form, word)

    assert hashtags(f"a #{typed}, and more") == (folded(word),)
    assert words(f"a {typed}!") == ["a", folded(word)]


def test_other_words_are_other_hashtags() -> None:
    assert len({folded(word) for word in [*WORDS, "हनद", "かん", "แมวนำ"]}) == len(WORDS) + 3


@pytest.mark.parametrize(
    ("typed", "same"),
    [
        ("CAFE\u0301", "cafe"),
        ("Straße", "strasse"),
        ("Ёлка", "елка"),
        ("Αθήνα", "αθηνα"),
        ("سَلام", "سلام"),
        ("می\u200cکنم", "میکنم"),
    ],
)
def test_accents_and_points_that_people_leave_out_make_no_other_word(typed: str, same: str) -> None:
    assert folded(typed) == folded(same) == same
    assert hashtags(f"#{typed}") == (same,)


def test_a_sign_that_makes_a_picture_of_a_letter_is_of_no_hashtag() -> None:
    assert hashtags("#1\ufe0f\u20e3 #fox\ufe0f #\u093f") == ("fox",)
