"""The timeline against what it stands for: all videos, sorted and filtered anew for each page."""

from dataclasses import dataclass, field

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from myriorama.feed.timeline import Timeline

ALICE, BOB, MALLORY = (bytes([number]) * 16 for number in (1, 2, 3))

AUTHORS = [bytes([number]) * 16 for number in range(6)]
END = 2**62

Change = tuple[int, str | None]
CHANGES = st.lists(
    st.tuples(st.integers(1, 60), st.sampled_from(["public", "public", "followers", "link", None])),
    max_size=80,
)
SOME_AUTHORS = st.sets(st.integers(0, len(AUTHORS) - 1))


@dataclass
class Reference:
    """The same by the simplest means."""

    shown: dict[int, str] = field(default_factory=dict[int, str])

    def put(self, position: int, visibility: str | None) -> None:
        self.shown.pop(position, None)
        if visibility in {"public", "followers"}:
            self.shown[position] = str(visibility)

    def newest(self, authors: set[int], visibilities: set[str], before: int) -> list[int]:
        return sorted(
            (
                position
                for position, visibility in self.shown.items()
                if position < before
                and author_of(position) in authors
                and visibility in visibilities
            ),
            reverse=True,
        )


def author_of(position: int) -> int:
    return position * 7 % 5 if position % 3 else position % len(AUTHORS)


def build(changes: list[Change]) -> tuple[Timeline, Reference]:
    timeline, reference = Timeline(), Reference()
    assert [timeline.author(author) for author in AUTHORS] == list(range(len(AUTHORS)))
    for position, visibility in changes:
        reference.put(position, visibility)
        if visibility is None:
            timeline.remove(position)
        else:
            video_id = position.to_bytes(16, "big")
            timeline.put(position, video_id, AUTHORS[author_of(position)], visibility)
    return timeline, reference


@given(CHANGES, SOME_AUTHORS, st.integers(0, 62) | st.just(END), st.integers(1, 12))
def test_the_followed_are_shown_newest_first(
    changes: list[Change], authors: set[int], before: int, limit: int
) -> None:
    timeline, reference = build(changes)

    found = timeline.by_authors(np.array(sorted(authors), np.int64), before=before, limit=limit)

    assert found == reference.newest(authors, {"public", "followers"}, before)[:limit]
    assert timeline.video_ids(found) == [position.to_bytes(16, "big") for position in found]
    assert len(timeline) == len(reference.shown)


@given(CHANGES, SOME_AUTHORS, st.integers(0, 62) | st.just(END), st.integers(1, 12))
def test_all_who_let_everybody_are_shown_but_the_hidden(
    changes: list[Change], hidden: set[int], before: int, limit: int
) -> None:
    timeline, reference = build(changes)
    others = set(range(len(AUTHORS))) - hidden

    found = timeline.latest(hidden, before=before, limit=limit)

    assert found == reference.newest(others, {"public"}, before)[:limit]


@given(CHANGES, CHANGES, SOME_AUTHORS, st.integers(1, 5))
def test_pages_together_are_what_was_there_first_and_is_still_there(
    changes: list[Change], meanwhile: list[Change], authors: set[int], limit: int
) -> None:
    timeline, reference = build(changes)
    circle = np.array(sorted(authors), np.int64)
    first = reference.newest(authors, {"public", "followers"}, END)
    later = iter([*meanwhile, *((100 + n, "public") for n in range(40))])

    seen, before, gone = list[int](), END, set[int]()
    while found := timeline.by_authors(circle, before=before, limit=limit):
        seen += found
        before = found[-1]
        position, visibility = next(later, (200, "public"))
        if position in first and visibility in {"public", "followers"}:
            continue  # it could come back after it went; who scrolls may have passed it
        if position in first:
            gone.add(position)
            timeline.remove(position)
        elif position >= 100:
            video_id = position.to_bytes(16, "big")
            timeline.put(position, video_id, AUTHORS[position % len(AUTHORS)], "public")

    assert len(seen) == len(set(seen))
    assert set(first) - gone <= set(seen) <= set(first)


def test_a_thousand_authors_find_room() -> None:
    timeline = Timeline()

    for number in range(3000):
        timeline.put(number + 1, number.to_bytes(16, "big"), number.to_bytes(16, "big"), "public")

    everyone = np.arange(3000, dtype=np.int64)
    assert timeline.by_authors(everyone, before=END, limit=3) == [3000, 2999, 2998]


def test_a_glance_holds_until_an_author_publishes_or_the_past_changes() -> None:
    timeline = Timeline()
    authors = np.array([timeline.author(ALICE), timeline.author(BOB)], np.int64)
    timeline.put(10, b"a" * 16, ALICE, "public")
    timeline.put(20, b"b" * 16, ALICE, "public")
    first = timeline.glance(authors, limit=5, last=None)

    again = timeline.glance(authors, limit=5, last=first)
    timeline.put(30, b"m" * 16, MALLORY, "public")
    unmoved = timeline.glance(authors, limit=5, last=again)
    timeline.put(15, b"c" * 16, BOB, "followers")
    newer = timeline.glance(authors, limit=5, last=unmoved)
    timeline.put(5, b"d" * 16, ALICE, "public")
    older = timeline.glance(authors, limit=5, last=newer)
    timeline.remove(20)
    fewer = timeline.glance(authors, limit=5, last=older)

    assert first is again is unmoved
    letters = [b"".join(seen.video_ids)[::16] for seen in (first, newer, older, fewer)]
    assert letters == [b"ba", b"bca", b"bcad", b"cad"]
    assert timeline.glance(authors, limit=2, last=fewer).after == 10
    assert timeline.glance(authors, limit=3, last=fewer).after is None
