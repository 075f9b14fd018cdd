"""Every source: answers whoever asks, whatever there is, and the same each time."""

from uuid import UUID, uuid4

import numpy as np
import pytest

from ranking.deeds import Deeds, Kind
from ranking.policy import DEFAULT
from ranking.policy import SOURCES as NAMES
from ranking.query import resolve
from ranking.sources import SOURCES, Source
from tests.ranking.crowds import Crowd, crowd
from tests.ranking.sources.asking import Tables


def ask(made: Crowd, viewer: UUID, source: Source, limit: int = 30) -> list[int]:
    """Return the serials that a source finds."""
    state = made.state
    query = resolve(made.ask(viewer), state.people, state.videos)
    found: list[int] = source.find(state, query, DEFAULT, limit, Tables()).serials.tolist()
    return found


def test_the_policy_has_a_quota_for_every_source_and_no_two_share_a_bit() -> None:
    assert set(SOURCES) == set(NAMES) == set(DEFAULT.quotas)
    assert len({source.bit for source in SOURCES.values()}) == len(SOURCES)


@pytest.mark.parametrize("name", SOURCES)
def test_an_empty_catalogue_and_an_unknown_viewer_are_answered(name: str) -> None:
    empty, (made, _, _) = Crowd(), crowd(30, authors=3)

    nothing = ask(empty, empty.account("alice"), SOURCES[name])
    stranger = ask(made, uuid4(), SOURCES[name])

    assert nothing == []
    assert set(stranger) <= set(range(30))


@pytest.mark.parametrize("name", SOURCES)
def test_who_saw_a_hundred_thousand_videos_is_shown_none_of_them_again(name: str) -> None:
    made, people, videos = crowd(60, authors=5)
    alice = made.account("alice")
    for author in people:
        made.follow(alice, author)
    seen = videos[:50]
    viewer = made.state.people.serial(alice.bytes)
    count = 100_000
    watched = Deeds.empty(count).of_kind(Kind.WATCH)
    watched.at_ms[:] = made.now_ms
    watched.viewer[:] = viewer
    watched.video[:] = np.resize(made.state.videos.serials([v.bytes for v in seen]), count)
    watched.value[:] = 4000
    made.state.fold(watched)
    made.do(alice, seen[:20], Kind.LIKE)
    made.watch(made.account("bob"), *videos)

    found = ask(made, alice, SOURCES[name])

    assert set(found) <= set(range(50, 60))


@pytest.mark.parametrize("name", SOURCES)
def test_the_same_question_has_the_same_answer(name: str) -> None:
    made, people, videos = crowd(200)
    alice = people[0]
    for author in people[1:20]:
        made.follow(alice, author)
    made.watch(alice, *videos[:30])
    made.do(alice, videos[:10], Kind.LIKE)
    made.watch(people[1], *videos[10:60])

    first, again = (ask(made, alice, SOURCES[name]) for _ in range(2))

    assert first == again
    assert len(first) <= 30
