"""What moved a video is told to people, of each feature."""

from ranking.features import FEATURES
from ranking.telling import WORDS, told


def test_each_feature_has_words_for_people_and_none_is_told_that_is_no_feature() -> None:
    assert set(WORDS) == {feature.name for feature in FEATURES}
    assert not [words for words in WORDS.values() if {"{", "}", "_"} & set(words)]


def test_what_moved_a_video_is_a_sentence_that_says_which_way() -> None:
    liked, skipped = told("with_author_likes", 0.2), told("video_days_quick_skips", -0.1)

    assert liked == "It was moved up by how often you liked the author's videos."
    assert skipped == ("It was moved down by how often people skipped it at once in the last days.")


def test_a_feature_of_another_release_is_told_by_its_name() -> None:
    assert told("moon_phase", 0.1) == "It was moved up by moon phase."
