"""The pipeline: an answer to every query, without repeats, within the rules, and the same again."""

from collections.abc import Sequence
from typing import get_args
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ranking.candidates import gather
from ranking.decision import Decision, Placed
from ranking.deeds import Deeds
from ranking.deeds import Kind as Deed
from ranking.heuristic import Heuristic
from ranking.pipeline import rank
from ranking.policy import DEFAULT, Policy
from ranking.query import Kind, Query, resolve
from tests.ranking.crowds import Crowd, crowd

ALWAYS_DRAWN = DEFAULT.patched({"exploration": {"share": 1.0}})


def decided(made: Crowd, query: Query, policy: Policy = DEFAULT) -> Decision:
    return rank(made.state, Heuristic(), policy, query)


def shown(decision: Decision) -> list[UUID]:
    return [placed.video for placed in decision.order]


def windows(made: Crowd, order: Sequence[Placed], size: int = 10) -> list[tuple[int, int]]:
    """Return how often an author and a line stand in any `size` places in a row at most."""
    videos = made.state.videos
    serials = videos.serials([placed.video.bytes for placed in order])
    return [
        (
            int(np.bincount(videos.author[serials[at : at + size]]).max()),
            int(np.bincount(videos.line[serials[at : at + size]]).max()),
        )
        for at in range(len(serials))
    ]


def test_a_slate_is_full_and_repeats_nothing() -> None:
    made, people, _ = crowd(300)

    decision = decided(made, made.ask(people[0]))

    assert len(shown(decision)) == len(set(shown(decision))) == 60


def test_nothing_repeats_over_slate_after_slate_until_everything_was_shown() -> None:
    made, people, published = crowd(200, authors=12)
    pending: list[UUID] = []

    for seed in range(6):
        served = tuple(video.bytes for video in pending)
        pending += shown(decided(made, made.ask(people[0], seed=seed, pending=served)))

    own = made.state.videos.author == made.state.people.serial(people[0].bytes)
    assert len(pending) == len(set(pending)) == len(published) - np.count_nonzero(own)


@pytest.mark.parametrize("policy", [DEFAULT, ALWAYS_DRAWN], ids=["ranked", "drawn"])
def test_within_ten_places_there_are_two_of_an_author_and_of_a_line(policy: Policy) -> None:
    made, people, _ = crowd(400)

    for seed in range(5):
        order = decided(made, made.ask(people[seed], seed=seed), policy).order
        assert max(windows(made, order)) <= (2, 2)
        assert max(line for _, line in windows(made, order)) <= 2


def test_the_caps_go_on_from_slate_to_slate() -> None:
    made, people, _ = crowd(400)

    first = decided(made, made.ask(people[0], seed=1)).order
    served = tuple(placed.video.bytes for placed in first)
    second = decided(made, made.ask(people[0], seed=2, pending=served)).order

    seam = [*first[-9:], *second[:9]]
    assert all(author <= 2 and line <= 2 for author, line in windows(made, seam))


def test_the_same_state_policy_and_query_make_the_same_bytes() -> None:
    made, people, _ = crowd(150)
    again, _, _ = crowd(150)
    query = made.ask(people[0])

    bytes_ = decided(made, query).encode()

    assert decided(again, query).encode() == decided(made, query).encode() == bytes_
    assert Decision.decode(bytes_).encode() == bytes_


def test_another_seed_explores_something_else() -> None:
    made, people, _ = crowd(200)

    decisions = [decided(made, made.ask(people[0], seed=seed)) for seed in range(4)]

    explored = {tuple(p.video for p in d.order if p.slot != "rank") for d in decisions}
    assert len(explored) == 4


def test_new_videos_stand_in_the_fourth_and_every_eighth_place_after_it() -> None:
    made, people, _ = crowd(300)

    order = decided(made, made.ask(people[0])).order

    places = [place for place, placed in enumerate(order, 1) if placed.slot == "fresh"]
    assert places == [4, 12, 20, 28, 36, 44, 52, 60]
    for placed in order:
        assert (placed.log_propensity is None) == (placed.slot == "rank")
        assert placed.log_propensity is None or np.exp(placed.log_propensity) >= 0.01 - 1e-6


def test_what_was_shown_as_often_as_is_guaranteed_is_not_new_any_more() -> None:
    made, people, published = crowd(120)
    policy = DEFAULT.patched({"exploration": {"guarantee": 5, "creator_guarantee": 0}})
    for viewer in people[1:7]:
        made.do(viewer, published[:100])

    order = decided(made, made.ask(people[0]), policy).order

    explored = {placed.video for placed in order if placed.slot == "fresh"}
    assert explored
    assert explored <= set(published[100:])


def test_a_drawn_slate_says_how_likely_every_place_was() -> None:
    made, people, _ = crowd(200)

    decision = decided(made, made.ask(people[0]), ALWAYS_DRAWN)

    assert decision.is_drawn
    assert all(placed.log_propensity is not None for placed in decision.order)


def test_about_as_many_slates_are_drawn_as_the_policy_says() -> None:
    made, people, _ = crowd(40)
    policy = DEFAULT.patched({"exploration": {"share": 0.2}})

    drawn = sum(decided(made, made.ask(people[0], seed=n), policy).is_drawn for n in range(300))

    assert 40 < drawn < 82


def test_three_features_say_what_moved_a_video() -> None:
    made, people, _ = crowd(100)
    made.follow(people[0], people[1])

    decision = decided(made, made.ask(people[0]))

    assert all(len(placed.moved_by) == 3 for placed in decision.order)
    of_friends = [placed for placed in decision.order if "following" in placed.sources]
    assert of_friends
    for placed in of_friends:
        moved_by = dict(placed.moved_by)
        assert moved_by["follows"] > 0


def test_the_popular_feed_knows_nothing_of_who_looks_but_what_must_not_be_shown() -> None:
    made, people, published = crowd(150)
    made.follow(people[0], people[1])
    made.do(people[0], published[:40], Deed.LIKE)
    made.try_out('[{"name": "a"}, {"name": "b", "policy": {"weights": {"remix": 40}}}]')
    visitors = [made.account("visitor one"), made.account("visitor two")]
    one, two = (decided(made, made.ask(visitor, "popular")) for visitor in visitors)

    blocked = people[3]
    made.block(people[0], blocked)
    mine = decided(made, made.ask(people[0], "popular"))

    assert shown(one) == shown(two)
    assert one.arms == {}
    authors = made.state.videos.author[made.state.videos.serials([v.bytes for v in shown(mine)])]
    assert made.state.people.serial(blocked.bytes) not in authors


def test_the_arms_of_the_experiments_are_logged_and_change_the_policy() -> None:
    made, people, _ = crowd(60)
    experiment = made.try_out(
        '[{"name": "a", "policy": {"size": 7}}, {"name": "b", "policy": {"size": 9}}]'
    )

    decisions = [decided(made, made.ask(viewer)) for viewer in people]

    assert {len(d.order): d.arms for d in decisions} == {
        7: {str(experiment): "a"},
        9: {str(experiment): "b"},
    }
    assert all(d.size == len(d.order) for d in decisions)


def test_an_empty_catalogue_has_an_empty_slate() -> None:
    made = Crowd()
    alice = made.account("alice")

    decision = decided(made, made.ask(alice))

    assert decision.order == []
    assert Decision.decode(decision.encode()) == decision


def test_somebody_of_whom_nothing_is_known_is_shown_something() -> None:
    made, _, _ = crowd(80)

    decision = decided(made, made.ask(UUID(int=77)))

    assert len(decision.order) == 60


def test_a_single_video_is_shown() -> None:
    made = Crowd()
    alice, bob = made.account("alice"), made.account("bob")
    video = made.publish(bob)

    assert shown(decided(made, made.ask(alice))) == [video]


def test_who_has_seen_a_hundred_thousand_is_shown_what_is_left() -> None:
    made, people, published = crowd(60)
    viewer = made.state.people.serial(people[0].bytes)
    deeds = Deeds.empty(100_000)
    deeds.at_ms[:] = made.now_ms
    deeds.viewer[:] = viewer
    deeds.video[:] = np.arange(100_000) % 50
    made.state.fold(deeds)

    order = shown(decided(made, made.ask(people[0])))

    own = made.state.videos.author == viewer
    assert set(order) == {published[place] for place in range(50, 60) if not own[place]}


def test_where_sources_find_too_little_the_catalogue_is_gone_through() -> None:
    made, people, _ = crowd(200)
    none = DEFAULT.patched({"quotas": dict.fromkeys(DEFAULT.quotas, 0)})

    state = made.state
    query = resolve(made.ask(people[0]), state.people, state.videos)
    found = gather(state, Heuristic(), none, query, enough=120)

    assert len(found.serials) >= 120
    assert len(decided(made, made.ask(people[0]), none).order) == 60


EDGES = [
    {"diversity": {"theta": 1, "carried": 100, "carry_decay": 0}},
    {"diversity": {"carried": 100, "carry_decay": 1e-200}},
    {"exploration": {"share": 1, "alpha": 1e-6, "beta": 1e-6, "temperature": 1e-6}},
    {"exploration": {"alpha": 1e-6, "beta": 1000, "guarantee": 100_000, "pool": 64, "floor": 0}},
    {"size": 20, "limits": {"candidates": 20, "second": 20}, "diversity": {"pool": 20}},
    {"author_decay": {"factor": 1e-300, "floor": 1e-300}, "diversity": {"theta": 0}},
    {"line_decay": {"factor": 1e-300, "floor": 1e-300}, "diversity": {"line_memory_h": 720}},
    {"topic_decay": {"factor": 1, "floor": 1}, "diversity": {"line_memory_h": 0}},
]


@pytest.mark.parametrize("patch", EDGES)
def test_a_policy_at_its_bounds_ranks_too(patch: dict[str, object]) -> None:
    made, people, published = crowd(100)
    policy = DEFAULT.patched(patch)
    deeds = Deeds.empty(40)
    deeds.at_ms[:] = made.now_ms - 1
    deeds.viewer[:] = made.state.people.serial(people[0].bytes)
    deeds.video[:] = np.arange(40)
    deeds.kind[:] = Deed.LIKE
    made.state.fold(deeds)
    served = tuple(video.bytes for video in published[:30])

    query = made.ask(people[0], size=policy.size, pending=served)
    order = shown(decided(made, query, policy))

    assert len(order) == len(set(order)) >= min(policy.size, 40)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_whatever_is_hidden_from_a_viewer_is_never_shown(data: st.DataObject) -> None:
    made, people, published = crowd(70, authors=8)
    viewer = people[0]
    hidden: set[UUID] = set()
    for video in data.draw(st.lists(st.sampled_from(published), max_size=12), "deleted"):
        if video not in hidden:
            made.delete(video)
            hidden.add(video)
    for video in data.draw(st.lists(st.sampled_from(published), max_size=8), "labelled"):
        made.label(video, "spam")
        hidden.add(video)
    for author in data.draw(st.lists(st.sampled_from(people[1:]), max_size=2), "blocked"):
        made.block(viewer, author) if data.draw(st.booleans()) else made.mute(viewer, author)
        serial = made.state.people.serial(author.bytes)
        hidden |= {published[place] for place in np.flatnonzero(made.state.videos.author == serial)}
    seen = data.draw(st.lists(st.sampled_from(published), max_size=20), "seen")
    made.do(viewer, seen)
    policy = data.draw(st.sampled_from([DEFAULT, ALWAYS_DRAWN]))
    kind: Kind = data.draw(st.sampled_from(get_args(Kind)))

    decision = decided(made, made.ask(viewer, kind, seed=data.draw(st.integers(0, 2**63))), policy)

    order = shown(decision)
    assert len(set(order)) == len(order)
    assert not set(order) & (hidden | set(seen))
    assert (
        decision.encode()
        == decided(made, made.ask(viewer, kind, seed=decision.seed), policy).encode()
    )
