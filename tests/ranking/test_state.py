"""The state of the ranking: the same whatever the cut, and what is known in it."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ranking.deeds import Deeds, Surface
from ranking.features import FEATURES, INDEX
from ranking.signals import Signal
from ranking.state import State
from tests.ranking.worlds import (
    NOON_MS,
    Report,
    World,
    drawn,
    followed,
    granted,
    liked,
    new_state,
    opened,
    published,
    recorded_cameo,
)

ALICE, BOB, MALLORY = 0, 1, 2
DAY_S = 86_400


def a_world() -> World:
    world = World()
    for person in (ALICE, BOB, MALLORY):
        world.happened(opened(person))
    for number in range(4):
        world.happened(published(number, BOB))
    return world


def folded_in_windows(world: World, cuts: st.DataObject) -> State:
    """Fold both logs in windows that are drawn, the domain log before the views that need it."""
    state = new_state()
    domain, views = 0, 0
    while (domain, views) != (len(world.domain), len(world.views)):
        upto = cuts.draw(st.integers(views, len(world.views)))
        needed = max([domain, *world.needs[:upto]])
        head = cuts.draw(st.integers(needed, len(world.domain)))
        state.fold_domain(world.domain[domain:head], upto=head)
        state.fold_views(world.columns(views, upto), upto=upto)
        if (head, upto) == (domain, views):
            head, upto = len(world.domain), len(world.views)
            state.fold_domain(world.domain[domain:], upto=head)
            state.fold_views(world.columns(views, upto), upto=upto)
        domain, views = head, upto
    return state


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**32), records=st.integers(1, 120), cuts=st.data())
def test_the_same_logs_give_the_same_state_in_whatever_windows_they_are_folded(
    seed: int, records: int, cuts: st.DataObject
) -> None:
    world = drawn(seed, records=records)
    whole = world.state()

    state = folded_in_windows(world, cuts)

    assert state.version == whole.version
    assert state.digest() == whole.digest()
    candidates = np.arange(len(whole.videos), dtype=np.int32)
    as_of_ms = NOON_MS + 3 * DAY_S * 1000
    for viewer in range(-1, len(whole.people)):
        expected = whole.read(viewer, candidates, as_of_ms)
        assert state.read(viewer, candidates, as_of_ms).tobytes() == expected.tobytes()


def test_what_is_folded_again_changes_nothing() -> None:
    world = a_world()
    world.happened(liked(ALICE, 0))
    state = world.state()
    before = state.digest()

    state.fold_domain(world.domain)

    assert state.digest() == before


def test_reports_on_one_showing_count_as_one_watch_of_all_that_was_watched() -> None:
    world = a_world()
    world.reported(Report(0, ALICE, 7, videos=[0, 1]))
    for watched_ms in (500, 4000, 2000, 11_000):
        world.reported(Report(10, ALICE, 7, 0, watched_ms))

    state = world.state()

    count = {signal: int(state.counts.video.total(signal)[0]) for signal in Signal}
    assert count[Signal.WATCHES] == 1
    assert count[Signal.LONG_WATCHES] == 1
    assert count[Signal.COMPLETIONS] == 1
    assert count[Signal.QUICK_SKIPS] == 0
    assert count[Signal.WATCH_PERMILLE] == 1100
    watched = state.histories.watched(ALICE)
    assert watched.permille.tolist() == [1100]
    assert watched.surface.tolist() == [Surface.FOR_YOU]


def test_watching_the_same_video_on_another_page_counts_again() -> None:
    world = a_world()
    world.reported(Report(0, ALICE, 7, 0, 300))
    world.reported(Report(5, ALICE, 8, 0, 300))

    state = world.state()

    assert state.counts.video.total(Signal.WATCHES)[0] == 2
    assert state.counts.video.total(Signal.QUICK_SKIPS)[0] == 2


def test_a_report_days_later_starts_a_showing_anew() -> None:
    world = a_world()
    world.reported(Report(0, ALICE, 7, 0, 9000))
    world.reported(Report(3 * DAY_S, ALICE, 7, 0, 9000))

    assert world.state().counts.video.total(Signal.WATCHES)[0] == 2


def test_a_report_on_the_next_day_goes_on_with_its_showing() -> None:
    world = a_world()
    world.reported(Report(0, ALICE, 7, videos=[0], feed="following"))
    world.reported(Report(DAY_S // 2 - 60, ALICE, 7, 0, 4000))
    world.reported(Report(DAY_S // 2 + 60, ALICE, 7, 0, 9900))

    state = world.state()

    assert state.counts.video.total(Signal.WATCHES)[0] == 1
    assert state.counts.video.total(Signal.COMPLETIONS)[0] == 1
    assert state.histories.watched(ALICE).surface.tolist() == [Surface.FOLLOWING]


def test_what_is_known_of_videos_and_people_is_in_the_features() -> None:
    world = a_world()
    world.happened(followed(ALICE, BOB))
    world.happened(followed(BOB, ALICE))
    world.happened(recorded_cameo(0, MALLORY))
    world.happened(granted(0, ALICE))
    world.happened(published(9, MALLORY, cameo_ids=(recorded_cameo(0, MALLORY).originator_id,)))
    state = world.state()

    rows = state.read(ALICE, np.array([0, 4], np.int32), NOON_MS + 1000)

    of_bob, of_mallory = rows[0], rows[1]
    assert of_bob[INDEX["follows"]] == 1
    assert of_bob[INDEX["followed"]] == 1
    assert of_bob[INDEX["cameo_friend"]] == 0
    assert of_mallory[INDEX["follows"]] == 0
    assert of_mallory[INDEX["cameo_friend"]] == 1
    assert of_mallory[INDEX["friend_in_cameo"]] == 1
    assert of_mallory[INDEX["cameos"]] == 1
    assert np.isclose(of_bob[INDEX["log_duration"]], np.log(10))


def test_rates_lean_on_what_is_known_more_broadly() -> None:
    world = a_world()
    for step in range(30):
        world.reported(Report(step, ALICE, 100 + step, 0, 10_000))
        world.reported(Report(step, ALICE, 200 + step, 1, 100))
    state = world.state()

    rows = state.read(BOB, np.array([0, 1, 2], np.int32), NOON_MS + 60_000)

    loved, skipped, unknown = rows[:, INDEX["video_days_long_watches"]]
    assert loved > 0.8
    assert skipped < 0.2
    assert np.isclose(unknown, rows[2, INDEX["duration_ever_long_watches"]])


def test_of_nobody_nothing_is_known() -> None:
    world = drawn(1, records=200)
    state = world.state()
    candidates = np.arange(len(state.videos), dtype=np.int32)

    of_nobody = state.read(-1, candidates, NOON_MS + 10**9)
    of_a_newcomer = new_state().read(-1, np.empty(0, np.int32), NOON_MS)

    personal = [INDEX[f.name] for f in FEATURES if f.name.startswith(("with_", "viewer_"))]
    assert np.isfinite(of_nobody).all()
    assert (np.ptp(of_nobody[:, personal], axis=0) == 0).any()
    assert (of_nobody[:, INDEX["follows"]] == 0).all()
    assert of_a_newcomer.shape == (0, len(FEATURES))
    assert state.read(0, candidates, NOON_MS).shape == (len(candidates), len(FEATURES))


def test_what_was_served_is_not_shown_for_hours_and_what_was_watched_for_a_month() -> None:
    world = a_world()
    world.reported(Report(0, ALICE, 7, videos=[0, 1]))
    world.reported(Report(0, ALICE, 7, 0, 3000))
    histories = world.state().histories
    videos = np.array([0, 1, 2], np.int32)

    def seen(after_s: int) -> list[bool]:
        return [bool(each) for each in histories.seen(ALICE, videos, NOON_MS + after_s * 1000)]

    assert seen(60) == [True, True, False]
    assert seen(6 * 3600 + 1) == [True, False, False]
    assert seen(30 * DAY_S + 1) == [False, False, False]
    assert histories.seen(BOB, videos, NOON_MS).tolist() == [False, False, False]


def test_deeds_and_candidates_that_the_state_does_not_know_are_refused() -> None:
    state = a_world().state()
    deeds = Deeds.empty(1)
    deeds.video[:] = 4

    with pytest.raises(IndexError):
        state.fold(deeds)
    with pytest.raises(IndexError):
        state.read(ALICE, np.array([4], np.int32), NOON_MS)
    with pytest.raises(IndexError):
        state.read(ALICE, np.array([-1], np.int32), NOON_MS)


def test_a_view_of_somebody_or_something_unknown_changes_what_is_known_of_the_rest() -> None:
    world = a_world()
    world.reported(Report(0, 77, 7, videos=[0, 99]))
    world.reported(Report(1, 77, 7, 0, 10_000))
    world.reported(Report(1, ALICE, 8, 99, 10_000))

    state = world.state()

    assert state.counts.video.total(Signal.WATCHES)[0] == 1
    assert state.counts.viewer.total(Signal.WATCHES)[ALICE] == 1
    assert not len(state.histories.watched(ALICE).video)
