"""What moved a video is told to people, of each feature."""

import pytest

from ranking.features import FEATURES
from ranking.telling import WORDS, told


def test_each_feature_has_words_for_people_and_none_is_told_that_is_no_feature() -> None:
    assert set(WORDS) == {feature.name for feature in FEATURES}
    for feature in FEATURES:
        for by in (0.1, -0.1):
            assert not {"{", "}", "_"} & set(told(feature.name, by))


@pytest.mark.parametrize(
    ("feature", "by", "sentence"),
    [
        ("with_author_likes", 0.2, "It was moved up by how often you liked the author's videos."),
        ("video_ever_likes", -0.2, "It was moved down by how seldom people liked it."),
        ("video_acts_reports", 0.1, "It was moved up by how seldom people reported it."),
        ("author_acts_less", -0.1, "It was moved down by how often people asked for less like the"),
        (
            "near_negatives",
            0.1,
            "It was moved up by how little it is like what you lately skipped.",
        ),
        ("follows", -0.1, "It was moved down by your not following its author."),
        ("viewer_ever_likes", -0.1, "It was moved down by how often you liked videos."),
        ("log_age", -0.1, "It was moved down by its age."),
    ],
)
def test_what_moved_a_video_is_a_sentence_that_says_which_way(
    feature: str, by: float, sentence: str
) -> None:
    assert told(feature, by).startswith(sentence)


def test_a_feature_of_another_release_is_told_by_its_name() -> None:
    assert told("moon_phase", 0.1) == "It was moved up by moon phase."
