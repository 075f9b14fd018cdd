"""The fair queue: nobody starves, nothing idles, and shares are equal to within a round."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.generation.fair_queue import FairQueue, Release, Rules, Waiting

ALICE, BOB, MALLORY = (UUID(int=number) for number in (1, 2, 3))
RULES = Rules(quantum_ms=10_000, age_s_max=600.0, account_in_flight_max=1_000)

# Who asks, how long after the one before, and what it costs.
requests = st.lists(
    st.tuples(st.integers(1, 6), st.floats(0, 60), st.integers(1, 40_000)), min_size=1, max_size=60
)


def asked(rows: Iterable[tuple[int, float, int]], work_class: str = "plain") -> list[Waiting]:
    """Return what arrives, in order."""
    at_s, arrivals = 0.0, list[Waiting]()
    for number, (who, later_s, cost_ms) in enumerate(rows):
        at_s += later_s
        arrivals.append(Waiting(UUID(int=number), UUID(int=who), work_class, cost_ms, at_s))
    return arrivals


def served(
    arrivals: Sequence[Waiting], rules: Rules = RULES
) -> Iterator[tuple[Waiting, float, list[Waiting]]]:
    """Let one GPU serve them; yield each with when it began, and who waited besides."""
    queue, waiting, coming = FairQueue(rules), list[Waiting](), list(arrivals)
    now_s = 0.0
    while waiting or coming:
        if not waiting:
            now_s = max(now_s, coming[0].requested_s)
        while coming and coming[0].requested_s <= now_s:
            waiting.append(coming.pop(0))
        [one] = queue.admitted(waiting, in_flight={}, credits_free={"plain": 1}, now_s=now_s)
        waiting.remove(one)
        queue.released(Release(*one[1:5], released_s=now_s))
        yield one, now_s, waiting
        now_s += one.cost_ms / 1000


def jobs(who: UUID, count: int, cost_ms: int, at_s: float = 0.0) -> list[Waiting]:
    first = who.int * 10_000
    return [
        Waiting(UUID(int=first + number), who, "plain", cost_ms, at_s) for number in range(count)
    ]


def test_who_asks_for_one_is_not_behind_all_of_who_asks_for_many() -> None:
    arrivals = [*jobs(ALICE, 50, 4_000), *jobs(BOB, 1, 4_000, at_s=1.0)]

    order = [one.account_id for one, _, _ in served(arrivals)]

    assert order.index(BOB) <= 3
    assert Counter(order) == {ALICE: 50, BOB: 1}


def test_who_asks_for_what_costs_more_has_fewer_turns_and_as_much_time() -> None:
    arrivals = [*jobs(ALICE, 40, 20_000), *jobs(BOB, 160, 5_000)]

    used = Counter[UUID]()
    for one, _, _ in list(served(arrivals))[:100]:
        used[one.account_id] += one.cost_ms

    assert abs(used[ALICE] - used[BOB]) <= RULES.quantum_ms + 20_000


@given(costs=st.lists(st.lists(st.integers(1, 40_000), min_size=30, max_size=30), min_size=2))
@settings(max_examples=40, deadline=None)
def test_shares_of_those_who_wait_differ_by_less_than_a_quantum_and_one_job(
    costs: list[list[int]],
) -> None:
    arrivals = [
        Waiting(UUID(int=who * 100 + number), UUID(int=who), "plain", cost_ms, 0.0)
        for who, own in enumerate(costs)
        for number, cost_ms in enumerate(own)
    ]
    patient = RULES._replace(age_s_max=float("inf"))

    used = Counter[UUID]({UUID(int=who): 0 for who in range(len(costs))})
    for one, _, waiting in served(arrivals, patient):
        used[one.account_id] += one.cost_ms
        if len({each.account_id for each in waiting}) < len(costs):
            break
        assert max(used.values()) - min(used.values()) < RULES.quantum_ms + 40_000


@given(rows=requests)
@settings(max_examples=60, deadline=None)
def test_everything_is_served_once_each_account_in_its_own_order_and_the_gpu_never_idles(
    rows: list[tuple[int, float, int]],
) -> None:
    arrivals = asked(rows)

    order = list(served(arrivals))

    own = defaultdict[UUID, list[UUID]](list)
    for one, _, _ in order:
        own[one.account_id].append(one.generation_id)
    assert all(ids == sorted(ids) for ids in own.values())
    assert {one for one, _, _ in order} == set(arrivals)
    # `served` takes exactly one whenever one waits: were none admitted, it could not unpack it.
    assert len(order) == len(arrivals)


@given(rows=requests, age_s_max=st.floats(0, 120))
@settings(max_examples=60, deadline=None)
def test_nobody_starves_who_is_old_waits_for_one_of_each_other_account_at_most(
    rows: list[tuple[int, float, int]], age_s_max: float
) -> None:
    rules = RULES._replace(age_s_max=age_s_max)
    overtaken = defaultdict[UUID, Counter[UUID]](Counter)
    released_s = dict[UUID, float]()

    for one, now_s, waiting in served(asked(rows), rules):
        firsts = dict[UUID, Waiting]()
        for each in waiting:
            firsts.setdefault(each.account_id, each)
        for account_id, first in firsts.items():
            since_s = max(first.requested_s, released_s.get(account_id, 0.0))
            if account_id != one.account_id and now_s - since_s >= age_s_max:
                overtaken[first.generation_id][one.account_id] += 1
        released_s[one.account_id] = now_s

    assert all(times == 1 for by in overtaken.values() for times in by.values())


def test_who_comes_ever_anew_does_not_keep_out_who_waits() -> None:
    heavy = jobs(ALICE, 10, 4_000)
    ever_new = asked((who, 4.0, 4_000) for who in range(10, 60))

    order = [one.account_id for one, _, _ in served(sorted([*heavy, *ever_new], key=arrival))]

    assert [order[:24].count(ALICE), order.index(UUID(int=59)) > 50] == [10, True]


def arrival(one: Waiting) -> float:
    return one.requested_s


@given(rows=requests, cut=st.integers(0, 60))
@settings(max_examples=60, deadline=None)
def test_a_queue_that_is_built_anew_decides_as_the_one_before_did(
    rows: list[tuple[int, float, int]], cut: int
) -> None:
    lived, releases = FairQueue(RULES), list[Release]()
    for one, now_s, waiting in served(asked(rows)):
        releases.append(Release(*one[1:5], released_s=now_s))
        lived.released(releases[-1])
        anew = FairQueue(RULES)
        for release in releases:
            anew.released(release)
        anew.forget(-1.0)
        if len(releases) > cut:
            assert anew.turns(waiting, now_s=now_s) == lived.turns(waiting, now_s=now_s)
            shuffled = list(reversed(waiting))
            assert anew.turns(shuffled, now_s=now_s) == lived.turns(waiting, now_s=now_s)
            break


@given(rows=requests)
@settings(max_examples=40, deadline=None)
def test_turns_tell_in_what_order_they_are_served(rows: list[tuple[int, float, int]]) -> None:
    waiting = [one._replace(requested_s=0.0) for one in asked(rows)]
    patient = RULES._replace(age_s_max=float("inf"))

    told = FairQueue(patient).turns(waiting, now_s=0.0)["plain"]
    order = [one for one, _, _ in served(waiting, patient)]

    assert order == list(told)


def test_who_has_enough_in_work_lets_others_by_and_saves_no_turns_up() -> None:
    queue = FairQueue(RULES._replace(account_in_flight_max=1))
    waiting = [*jobs(ALICE, 9, 4_000), *jobs(BOB, 9, 4_000)]

    first = queue.admitted(waiting, in_flight={ALICE: 1}, credits_free={"plain": 9}, now_s=1.0)
    none = queue.admitted(
        waiting, in_flight={ALICE: 1, BOB: 1}, credits_free={"plain": 9}, now_s=1.0
    )

    assert [one.account_id for one in first] == [BOB]
    assert none == []


def test_who_was_held_up_by_the_cap_has_no_time_to_make_up_for() -> None:
    queue = FairQueue(RULES)
    for number in range(50):  # rounds in which Alice, who waits since long, had enough in work
        queue.released(Release(BOB, "plain", 10_000, 0.0, 1.0 + number))
    waiting = [*jobs(ALICE, 20, 4_000), *jobs(BOB, 20, 4_000)]
    queue.released(Release(ALICE, "plain", 4_000, 0.0, 60.0))

    told = [one.account_id for one in queue.turns(waiting, now_s=61.0)["plain"]]

    assert told[:8].count(BOB) >= 2


def test_a_class_has_a_window_of_its_own_and_no_credit_releases_nothing() -> None:
    queue = FairQueue(RULES)
    plain = jobs(ALICE, 3, 4_000)
    hires = [one._replace(work_class="hires", generation_id=UUID(int=7)) for one in plain[:1]]

    both = queue.admitted(
        [*plain, *hires], in_flight={}, credits_free={"plain": 2, "hires": 1}, now_s=0.0
    )
    none = queue.admitted([*plain, *hires], in_flight={}, credits_free={"plain": 0}, now_s=0.0)

    assert Counter(one.work_class for one in both) == {"plain": 2, "hires": 1}
    assert none == []


def test_what_an_account_may_have_in_work_goes_to_the_class_that_waits_longest() -> None:
    queue = FairQueue(RULES._replace(account_in_flight_max=1))
    plain = jobs(ALICE, 5, 4_000)
    cameo = Waiting(UUID(int=7), ALICE, "cameo", 9_000, 0.5)
    queue.released(Release(ALICE, "plain", 4_000, 0.0, released_s=10.0))

    [one] = queue.admitted(
        [*plain, cameo], in_flight={}, credits_free={"plain": 4, "cameo": 4}, now_s=20.0
    )

    assert one == cameo


def test_what_was_begun_and_lost_comes_first_and_is_not_charged_again() -> None:
    queue = FairQueue(RULES)
    again = Waiting(UUID(int=99), MALLORY, "plain", 40_000, 5.0, attempt=1)
    waiting = [*jobs(ALICE, 2, 4_000), again, *jobs(MALLORY, 1, 4_000, at_s=6.0)]

    told = [one.generation_id for one in queue.turns(waiting, now_s=7.0)["plain"]]

    assert told[0] == again.generation_id
    assert told.index(UUID(int=MALLORY.int * 10_000)) <= 3
