"""Assembly: unlike videos, within the caps, and what is left to chance as likely as is said."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ranking.draws import betas
from ranking.selection.assembly import Assembled, Chance, Field, Rules, assemble

Floats = NDArray[np.float64]

DRAWS = 20_000


def chi_square(observed: Sequence[float], expected: Sequence[float]) -> float:
    """Return how many standard deviations too far apart they are (Wilson and Hilferty)."""
    found, told = np.array(observed), np.array(expected)
    degrees = len(told) - 1
    statistic = float(np.sum((found - told) ** 2 / told))
    spread = 2 / (9 * degrees)
    return float(((statistic / degrees) ** (1 / 3) - (1 - spread)) / np.sqrt(spread))


def field(
    worth: Sequence[float], *, authors: Sequence[int] | None = None, served: int = 0
) -> Field:
    """Return videos of one author each that are half alike."""
    count = len(worth)
    likeness = np.full((count, count), 0.5)
    np.fill_diagonal(likeness, 1.0)
    kinds = np.array([authors if authors is not None else range(count)], np.int64)
    ranked = np.array(worth, np.float64)
    ranked[:served] = -np.inf
    return Field(likeness, ranked, kinds, np.full(served, 0.9), np.zeros(kinds.shape))


def rules(size: int, **changed: Any) -> Rules:
    """Return rules that forbid nothing."""
    free = Rules(
        size=size,
        window=10,
        caps=np.array([100]),
        limited=np.zeros((0, 0), np.bool_),
        shares=np.zeros(0),
        theta=0.65,
        decays=np.array([0.5]),
        floors=np.array([0.25]),
        promised=np.zeros((0, 0), np.bool_),
        owed=np.zeros(0),
        freed=np.zeros(0, np.int64),
    )
    return free._replace(**changed)


def chance(size: int, **changed: Any) -> Chance:
    """Return nothing that is left to chance."""
    none = Chance(
        seed=np.uint64(1),
        temperature=0.0,
        arms=np.zeros(0, np.int64),
        thetas=np.zeros((1, 0)),
        slots=np.zeros(size, np.bool_),
        floor=0.01,
    )
    return none._replace(**changed)


def drawn(within: Field, by: Rules, how: Chance, times: int = DRAWS) -> list[Assembled]:
    return [assemble(within, by, how._replace(seed=np.uint64(seed))) for seed in range(times)]


@pytest.mark.parametrize(
    ("caps", "share"),
    [(100, 0.0), (1, 0.0), (1, 0.5)],
    ids=["without caps", "under caps", "under caps and a promise"],
)
def test_a_drawn_order_is_as_likely_as_is_logged(caps: int, share: float) -> None:
    videos = field([1.2, 0.4, 0.3, -0.1, -0.8], authors=[0, 0, 1, 2, 3])
    promised = np.array([[False, True, False, True, True]])
    promise = {"promised": promised, "owed": np.array([share]), "freed": np.array([-1])}
    by = rules(3, caps=np.array([caps]), window=2, **promise)

    slates = drawn(videos, by, chance(3, temperature=0.4))

    told = {
        tuple(slate.order.tolist()): float(np.exp(slate.log_propensity.sum())) for slate in slates
    }
    counted = Counter(tuple(slate.order.tolist()) for slate in slates)
    assert abs(sum(told.values()) - 1) < 0.01  # what was never drawn is all but impossible
    often = [order for order, likely in told.items() if likely * DRAWS >= 5]
    observed = [counted[order] for order in often]
    expected = [told[order] * DRAWS for order in often]
    rest = DRAWS - sum(observed)
    assert chi_square([*observed, rest + 1], [*expected, DRAWS - sum(expected) + 1]) < 3.1


def test_the_same_order_is_always_equally_likely() -> None:
    slates = drawn(field([1.2, 0.4, 0.3, -0.1]), rules(4), chance(4, temperature=0.4), 500)

    told: dict[tuple[int, ...], set[float]] = {}
    for slate in slates:
        told.setdefault(tuple(slate.order.tolist()), set()).add(float(slate.log_propensity.sum()))
    assert {len(likelihoods) for likelihoods in told.values()} == {1}


def test_what_is_explored_is_as_likely_as_is_logged_and_never_below_the_floor() -> None:
    arms = np.arange(2, 8)
    thetas = betas(np.linspace(0.5, 9, 6), np.full(6, 30.0), 32, np.uint64(5), 3)
    how = chance(3, arms=arms, thetas=thetas, slots=np.array([False, True, False]))

    slates = drawn(field([3.0, 2.0, *[-np.inf] * 6]), rules(3), how)

    told = {int(slate.order[1]): float(np.exp(slate.log_propensity[1])) for slate in slates}
    counted = Counter(int(slate.order[1]) for slate in slates)
    assert all(slate.is_explored.tolist() == [False, True, False] for slate in slates)
    assert told.keys() == set(arms.tolist())
    assert sum(told.values()) == pytest.approx(1)
    assert min(told.values()) >= 0.01 - 1e-12
    places = sorted(told)
    expected = [told[place] * DRAWS for place in places]
    assert chi_square([counted[place] for place in places], expected) < 3.1


def test_weighing_by_what_is_logged_makes_up_for_what_was_drawn_oftener() -> None:
    """The beliefs are drawn anew for each request, as they are when it is served."""
    arms, alphas = np.arange(1, 6), np.array([0.75, 1.0, 2.0, 4.0, 6.0])
    weights = np.zeros((DRAWS, 6))
    for seed in range(DRAWS):
        thetas = betas(alphas, np.full(5, 49.25), 32, np.uint64(seed), 3)
        how = chance(1, seed=np.uint64(seed), arms=arms, thetas=thetas, slots=np.array([True]))
        slate = assemble(field([1.0, *[-np.inf] * 5]), rules(1), how)
        weights[seed, slate.order[0]] = np.exp(-slate.log_propensity[0])

    mean, error = weights[:, 1:].mean(axis=0), weights[:, 1:].std(axis=0) / np.sqrt(DRAWS)
    assert np.all(np.abs(mean - 1) < 3.5 * error)
    assert weights.max() <= 100


def test_nothing_left_to_chance_has_no_propensity() -> None:
    slate = assemble(field([0.3, 0.2, 0.1]), rules(3), chance(3))

    assert slate.order.tolist() == [0, 1, 2]
    assert np.isnan(slate.log_propensity).all()


def test_of_two_as_good_the_one_unlike_the_first_comes_second() -> None:
    videos = field([1.0, 0.9, 0.9])
    videos.likeness[0, 1] = videos.likeness[1, 0] = 0.99
    videos.likeness[0, 2] = videos.likeness[2, 0] = 0.0

    slate = assemble(videos, rules(3), chance(3))

    assert slate.order.tolist() == [0, 2, 1]


def test_what_was_served_on_the_page_before_counts_as_chosen() -> None:
    videos = field([0.0, 0.5, 0.5], served=1)
    videos.likeness[0, 1] = videos.likeness[1, 0] = 0.95
    videos.likeness[0, 2] = videos.likeness[2, 0] = 0.0

    slate = assemble(videos, rules(2), chance(2))

    assert slate.order.tolist() == [2, 1]


def test_an_author_seen_on_the_page_before_has_half_the_odds() -> None:
    videos = field([0.0, 0.6, 0.5], authors=[4, 4, 5], served=1)
    videos.likeness[:] = np.eye(3)

    slate = assemble(videos, rules(2), chance(2))

    assert slate.order.tolist() == [2, 1]


def test_what_was_shown_of_a_line_earlier_than_is_carried_halves_its_odds_each_time() -> None:
    videos = field([1.0, 0.8, 0.0], authors=[4, 5, 6])
    videos.likeness[:] = np.eye(3)
    videos.before[0, 0] = 1.0

    once = assemble(videos, rules(3), chance(3))
    videos.before[0, 0] = 50.0
    often = assemble(videos, rules(3), chance(3))
    lowest = assemble(videos, rules(3, floors=np.array([0.01])), chance(3))

    assert once.order.tolist() == [1, 0, 2]
    assert often.order.tolist() == [1, 2, 0]
    assert lowest.order.tolist() == [1, 2, 0]


def test_a_limit_holds_for_every_beginning_of_the_slate() -> None:
    worth = np.linspace(2, 0, 40)
    limited = np.zeros((1, 40), np.bool_)
    limited[0, :20] = True
    by = rules(30, limited=limited, shares=np.array([0.2]))

    slate = assemble(field(worth.tolist()), by, chance(30))

    shown = np.cumsum(slate.order < 20)[:25]
    assert np.all(shown <= 0.2 * np.arange(1, 26) + 1e-9)


@pytest.mark.parametrize("temperature", [0.0, 0.3], ids=["not drawn", "drawn"])
def test_a_promise_is_kept_on_every_beginning_of_the_slate(temperature: float) -> None:
    promised = np.arange(40)[None, :] >= 20
    by = rules(30, promised=promised, owed=np.array([0.35]), freed=np.array([-1]))

    slate = assemble(field(np.linspace(9, 0, 40).tolist()), by, chance(30, temperature=temperature))

    shown = np.cumsum(slate.order >= 20)
    assert np.all(shown >= 0.35 * np.arange(1, 31) - 1e-6)
    assert shown[-1] == 11


def test_the_cap_on_what_was_asked_for_does_not_hold_and_all_others_do() -> None:
    videos = field([9.0] * 8 + [0.0] * 6)
    kinds = np.stack([[*range(8), *[20] * 6], [*range(8), 30, 30, 30, 31, 31, 31]]).astype(np.int64)
    videos = videos._replace(kinds=kinds, before=np.zeros(kinds.shape))
    promise = {"promised": np.arange(14)[None, :] >= 8, "owed": np.array([1.0])}
    by = rules(6, caps=np.array([1, 2]), decays=np.ones(2), floors=np.ones(2), **promise)

    freed = assemble(videos, by._replace(freed=np.array([0])), chance(6))
    capped = assemble(videos, by._replace(freed=np.array([-1])), chance(6))

    assert np.sum(freed.order >= 8) == 4
    assert np.sum(capped.order >= 8) == 1


def test_of_two_promises_the_one_that_lacks_most_comes_first_and_both_are_kept() -> None:
    promised = np.stack([np.arange(30) >= 20, (np.arange(30) >= 10) & (np.arange(30) < 20)])
    by = rules(20, promised=promised, owed=np.array([0.25, 0.4]), freed=np.array([-1, -1]))

    order = assemble(field(np.linspace(9, 0, 30).tolist()), by, chance(20)).order

    assert 10 <= order[0] < 20 <= order[1]
    assert np.sum(order >= 20) == 5
    assert np.sum((order >= 10) & (order < 20)) == 8


@st.composite
def crowded(draw: st.DrawFn) -> tuple[Field, Rules, Chance]:
    count = draw(st.integers(1, 40))
    served = draw(st.integers(0, min(5, count - 1)))
    chosen = np.random.default_rng(draw(st.integers(0, 10**6)))
    vectors = chosen.normal(size=(count, 6))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    kinds = chosen.integers(-1, draw(st.integers(1, 12)), (2, count))
    worth = chosen.normal(size=count)
    worth[:served] = -np.inf
    pool = served + np.flatnonzero(chosen.random(count - served) < 0.3)[:20]
    worth[pool[::2]] = -np.inf
    size = draw(st.integers(1, 20))
    slots = chosen.random(size) < 0.3
    decays = {"decays": np.array([0.5, 0.9]), "floors": np.array([0.25, 0.4])}
    by = rules(size, caps=np.array([2, 3]), window=draw(st.integers(1, 10)), **decays)
    how = chance(
        size,
        seed=np.uint64(draw(st.integers(0, 2**63))),
        temperature=draw(st.sampled_from([0.0, 0.3])),
        arms=pool,
        thetas=chosen.random((8, len(pool))),
        slots=slots,
    )
    weights, before = np.full(served, 0.9), chosen.integers(0, 3, kinds.shape).astype(np.float64)
    made = Field(vectors @ vectors.T, worth, kinds, weights, before)
    return made, by._replace(limited=np.zeros((0, count), np.bool_)), how


@settings(max_examples=150, deadline=None)
@given(crowded())
def test_no_slate_repeats_and_caps_give_way_only_where_all_that_is_left_breaks_them(
    made: tuple[Field, Rules, Chance],
) -> None:
    videos, by, how = made
    served = len(videos.weights)

    slate = assemble(videos, by, how)

    order = slate.order.tolist()
    assert len(set(order)) == len(order)
    assert all(place >= served for place in order)
    shown = [*range(served), *order]
    for place in range(served, len(shown)):
        before = shown[max(0, place - by.window + 1) : place]
        left = set(range(served, len(videos.worth))) - set(shown[:place])
        ranked = [video for video in left if videos.worth[video] > -np.inf]

        def fits(video: int, before: list[int] = before) -> bool:
            return all(
                kind[video] < 0 or sum(kind[other] == kind[video] for other in before) < cap
                for kind, cap in zip(videos.kinds, by.caps, strict=True)
            )

        assert fits(shown[place]) or not any(fits(video) for video in ranked)
    likely = slate.log_propensity[~np.isnan(slate.log_propensity)]
    assert np.all(likely <= 1e-12)
    assert np.all(slate.log_propensity[slate.is_explored] >= np.log(how.floor) - 1e-9)
