"""What the top of a feed came to is kept while all holds that it was made of, and no longer."""

import pytest

from myriorama.feed.encoded_cards import EncodedCard
from myriorama.feed.timeline import Glance
from myriorama.feed.tops import Moves, Slate, Top

NOW = 1_800_000_000
GLANCE = Glance([b"one", b"two"], None, (2, 0, b""))
CARDS = [EncodedCard(b"{1", "public", b"alice", NOW + 9), EncodedCard(b"{2", "public", b"bob", NOW)]
CHANGED = EncodedCard(b"{2, changed", "public", b"bob", NOW)
MOVES = Moves(videos=5, cards=7, rulings=3)
TOP = Top.of(Slate([b"one", b"two"], [b"{1", b"{2"], None), GLANCE, CARDS, MOVES)


def test_a_first_page_stands_while_nothing_has_moved() -> None:
    assert TOP.stands(MOVES, limit=2, now=NOW - 1)
    assert not TOP.stands(MOVES, limit=3, now=NOW - 1)
    assert not TOP.stands(MOVES, limit=2, now=NOW)
    for moved in MOVES._fields:
        assert not TOP.stands(MOVES._replace(**{moved: 9}), limit=2, now=NOW - 1)


def test_a_first_page_holds_while_nothing_of_it_has_changed_whatever_else_has_moved() -> None:
    assert TOP.holds(GLANCE, list(CARDS), Moves(6, 8, 3), now=NOW - 1)


@pytest.mark.parametrize(
    ("glance", "cards", "rulings", "now"),
    [
        (Glance([b"one", b"two"], None, (2, 1, b"")), CARDS, 3, NOW - 1),
        (GLANCE, [CARDS[0], CHANGED], 3, NOW - 1),
        (GLANCE, [CARDS[0], None], 3, NOW - 1),
        (GLANCE, CARDS, 4, NOW - 1),
        (GLANCE, CARDS, 3, NOW),
    ],
    ids=["a video came", "a card changed", "a card is read anew", "a label", "a link is stale"],
)
def test_it_is_made_anew_once(
    glance: Glance, cards: list[EncodedCard | None], rulings: int, now: int
) -> None:
    assert not TOP.holds(glance, cards, MOVES._replace(rulings=rulings), now=now)
