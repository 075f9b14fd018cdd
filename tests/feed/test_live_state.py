"""The live state: what was recorded is known to the ranking soon, and folded once."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from uuid import uuid4

import pytest

from myriorama.application.followings import Followings
from myriorama.feed.live_state import LiveState
from myriorama.store.event_source import EventSource
from myriorama.store.log import Log
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import Pool
from myriorama.store.state_stretches import Positions, StateStretches
from myriorama.store.view_columns import ViewColumnSource
from ranking.embedding import PromptVectors
from ranking.state import State
from tests.publishing import publish
from tests.viewing import append, batch, served

LATE_S = 20.0
VECTORS = PromptVectors.load()


def empty() -> State:
    return State(VECTORS.embed, VECTORS.topics)


def nothing(_: State) -> None:
    """Do nothing with what was folded."""


@pytest.fixture
def stretches(pool: Pool, tmp_path: Path) -> StateStretches:
    views = ViewColumnSource(pool, FolderObjects(tmp_path / "objects"))
    return StateStretches(EventSource(pool), views, State.TOPICS)


@contextmanager
def following(
    url: str, stretches: StateStretches, folded: Callable[[State], None] = nothing
) -> Generator[LiveState[State]]:
    with LiveState(url, stretches, empty, folded=folded) as live:
        yield live


def test_what_is_published_and_served_is_in_the_state_soon(
    database_url: str, stretches: StateStretches, log: Log
) -> None:
    alice, bob = uuid4(), uuid4()
    first = publish(log, alice)
    with following(database_url, stretches) as live:
        assert live.reached(stretches.heads(), timeout_s=LATE_S)

        second = publish(log, alice)
        page = served(1, viewer_id=bob)._replace(video_ids=[second.id.bytes])
        append(database_url, [], [page])

        assert live.reached(stretches.heads(), timeout_s=LATE_S)
        with live.held() as state:
            assert state is not None
            assert [state.videos.serial(v.id.bytes) for v in (first, second)] == [0, 1]
            assert live.version == stretches.heads() == state.version


def test_a_state_folded_live_is_the_one_that_is_folded_anew(
    database_url: str, stretches: StateStretches, log: Log
) -> None:
    people = [uuid4() for _ in range(3)]
    followings = Followings(log)
    with following(database_url, stretches) as live:
        for n in range(12):
            video = publish(log, people[n % 3], f"Clay bird number {n}")
            page = served(0, viewer_id=people[(n + 1) % 3])._replace(video_ids=[video.id.bytes])
            append(database_url, [batch(n, viewer_id=people[n % 3])], [page])
            if n % 4 == 0:
                assert live.reached(stretches.heads(), timeout_s=LATE_S)
        assert live.reached(stretches.heads(), timeout_s=LATE_S)
        with live.held() as state:
            assert state is not None
            folded_live = state.digest()
    assert followings is not None

    anew = empty()
    for fold in stretches.between(Positions(0, 0), stretches.heads(), window=7):
        fold(anew)

    assert anew.digest() == folded_live


def test_while_it_is_loading_nobody_is_given_a_state(
    database_url: str, stretches: StateStretches, log: Log
) -> None:
    publish(log, uuid4())
    begun, go_on = Event(), Event()

    def wait(_: State) -> None:
        begun.set()
        assert go_on.wait(LATE_S)

    with following(database_url, stretches, wait) as live:
        assert begun.wait(LATE_S)
        with live.read() as state, live.read_if_free() as at_once:
            assert (state, at_once, live.standing) == (None, None, "loading")
        go_on.set()

        assert live.reached(stretches.heads(), timeout_s=LATE_S)
        assert live.standing == "ready"
        with live.read_if_free() as state:
            assert state is not None


def test_pages_are_looked_at_while_a_slate_is_decided_and_nothing_is_folded_meanwhile(
    database_url: str, stretches: StateStretches, log: Log
) -> None:
    publish(log, uuid4())
    with following(database_url, stretches) as live:
        assert live.reached(stretches.heads(), timeout_s=LATE_S)

        with live.read() as deciding, live.read_if_free() as looking:
            assert deciding is not None
            assert deciding is looking
            publish(log, uuid4())
            assert not live.reached(stretches.heads(), timeout_s=0.3)
            with live.read_if_free() as while_it_waits_to_fold:
                assert while_it_waits_to_fold is deciding
        assert live.reached(stretches.heads(), timeout_s=LATE_S)

        with live.held() as state, live.read_if_free() as not_while_it_is_written:
            assert state is not None
            assert not_while_it_is_written is None


def test_a_fold_that_fails_is_begun_anew(
    database_url: str, stretches: StateStretches, log: Log
) -> None:
    publish(log, uuid4())
    failing = Event()

    class Failing(State):
        def fold_domain(self, *args: object, **kwargs: object) -> None:
            if failing.is_set():
                failing.clear()
                raise RuntimeError("a fold of the tests")
            super().fold_domain(*args, **kwargs)  # type: ignore[arg-type]  # as they came

    with LiveState(
        database_url,
        stretches,
        lambda: Failing(VECTORS.embed, VECTORS.topics),
        folded=nothing,
    ) as live:
        assert live.reached(stretches.heads(), timeout_s=LATE_S)
        failing.set()

        publish(log, uuid4())

        assert live.reached(stretches.heads(), timeout_s=LATE_S)
        with live.held() as state:
            assert state is not None
            assert len(state.videos) == 2
