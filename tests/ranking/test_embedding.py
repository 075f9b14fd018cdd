"""Prompt vectors say what a text is about, the same to the last bit wherever and however read."""

import json
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.embedding import TOPICS, WIDTH, PromptVectors, VectorsUnreadable, shipped_folder

VECTORS = PromptVectors.load()
PROMPTS = [
    "a red fox runs through the snow, claymation",
    "a politician gives a speech in parliament",
    "a chef slices salmon for sushi",
    "an astronaut drifts past Saturn",
    "a football team celebrates a goal",
]


@pytest.mark.parametrize(
    ("wish", "nearest"),
    [
        ("wild animals", 0),
        ("election news", 1),
        ("food", 2),
        ("outer space", 3),
        ("soccer", 4),
    ],
)
def test_what_is_about_the_same_is_near(wish: str, nearest: int) -> None:
    cosines = VECTORS.embed(PROMPTS) @ VECTORS.embed([wish])[0]

    assert int(cosines.argmax()) == nearest


def test_the_same_text_has_the_same_vector_to_the_bit_on_any_machine() -> None:
    """The digest is of another run: a machine that rounds otherwise would not come to it."""
    vectors = VECTORS.embed(PROMPTS)

    assert sha256(vectors.astype("<f4").tobytes()).hexdigest() == (
        "533b629513d70f3c45b8b855d17485f86e1b5d40aa596368546c5b0d4acca0ab"
    )
    assert VECTORS.topics(vectors).tolist() == [203, 251, 154, 149, 239]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text(max_size=60), max_size=6))
def test_a_text_is_read_the_same_alone_and_among_others(texts: list[str]) -> None:
    together = VECTORS.embed(texts)

    assert together.shape == (len(texts), WIDTH)
    assert together.dtype == np.float32
    for text, row in zip(texts, together, strict=True):
        assert (VECTORS.embed([text])[0] == row).all()
        assert not row.any() or np.linalg.norm(row) == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("text", ["", "🙂🙂", "!!! ... ---", "\x00\x01", "\ud800"])
def test_what_says_nothing_understood_has_no_direction_and_topic_0(text: str) -> None:
    vectors = VECTORS.embed([text])

    assert not vectors.any()
    assert VECTORS.topics(vectors).tolist() == [0]


def test_of_a_long_text_the_beginning_counts() -> None:
    long = "a fox jumps over a brook. " * 4000

    assert VECTORS.embed([long])[0] @ VECTORS.embed(["a fox jumps"])[0] > 0.5


def test_topics_are_of_what_is_about_the_same() -> None:
    cats = VECTORS.embed(["a kitten sleeping", "a cat sleeping on a sofa"])
    others = VECTORS.embed(["a president giving a speech", "sushi in Tokyo"])

    topics = VECTORS.topics(np.concatenate([cats, others]))

    assert topics.dtype == np.int32
    assert topics[0] == topics[1]
    assert len(set(topics.tolist())) == 3
    assert ((topics > 0) & (topics < TOPICS)).all()


def test_the_card_tells_what_was_measured() -> None:
    figures = json.loads((shipped_folder() / "figures.json").read_text())
    card = (shipped_folder() / "CARD.md").read_text()

    for name in ("spearman", "shared", "found"):
        assert f"**{figures[name]:.3f}".replace("0.", ".", 1) in card


def test_its_files_are_small_enough_for_any_repository() -> None:
    assert max(path.stat().st_size for path in shipped_folder().iterdir()) < 3_000_000


def test_a_folder_without_vectors_is_refused(tmp_path: Path) -> None:
    with pytest.raises(VectorsUnreadable, match="No prompt vectors"):
        PromptVectors.load(tmp_path)
