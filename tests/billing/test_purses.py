"""Purses: what a server holds; a decision takes from it at once, or does without."""

from collections.abc import Callable
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
import pytest

from ads.holds import Holds
from myriorama.billing.leases import Lease
from myriorama.billing.purses import Purses

LINE, OTHER = UUID(int=1), UUID(int=2)


@dataclass
class Lessor:
    """Grants out of one number, and remembers what it was asked and given back."""

    micros: int = 1_000_000
    is_away: bool = False
    asked: list[int] = field(default_factory=list[int])
    given: dict[int, Lease] = field(default_factory=dict[int, Lease])
    back: dict[int, int] = field(default_factory=dict[int, int])

    def grant(self, line_id: UUID, *, wanted_micros: int, least_micros: int) -> Lease | None:
        if self.is_away:
            raise psycopg.OperationalError
        self.asked.append(wanted_micros)
        size = min(self.micros, wanted_micros)
        if size < least_micros:
            return None
        self.micros -= size
        lease = Lease(len(self.given) + 1, line_id, 739_943, size, 5_000, 1_000_000)
        self.given[lease.lease_id] = lease
        return lease

    def give_back(self, lease_id: int, *, issued_micros: int) -> None:
        if self.is_away:
            raise psycopg.OperationalError
        self.back[lease_id] = issued_micros


class Clock:
    now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lessor() -> Lessor:
    return Lessor()


@pytest.fixture
def purses(lessor: Lessor, clock: Clock) -> Purses:
    return Purses(lessor, clock_s=clock)


def fetched(purses: Purses, micros: int = 100, *, probability: float = 1.0) -> int:
    """Ask, let what is missing be fetched, and ask again."""
    purses.hold(LINE, micros, probability=probability)
    purses.tend()
    lease_id = purses.hold(LINE, micros, probability=probability)
    assert lease_id is not None
    return lease_id


def held(hold: Callable[[], int | None]) -> int:
    """Return how often there was something to hold."""
    times = 0
    while hold() is not None:
        times += 1
    return times


def test_the_first_page_does_without_and_the_next_finds_what_was_fetched(purses: Purses) -> None:
    first = purses.hold(LINE, 100)
    purses.tend()

    assert first is None
    assert purses.hold(LINE, 100) == 1
    assert purses.hold(OTHER, 100) is None


def test_no_more_is_held_than_was_granted(purses: Purses, lessor: Lessor) -> None:
    lessor.micros = 1_050
    fetched(purses)

    assert 1 + held(lambda: purses.hold(LINE, 100)) == 10
    assert purses.hold(LINE, 50) == 1
    assert purses.hold(LINE, 1) is None


def test_a_lease_is_spent_no_more_when_it_has_ended_and_the_rest_is_given_back(
    purses: Purses, lessor: Lessor, clock: Clock
) -> None:
    lease_id = fetched(purses)

    clock.now_s = 5.0
    late = purses.hold(LINE, 100)
    purses.tend()

    assert late is None
    assert lessor.back == {lease_id: 100}


def test_the_terms_of_a_lease_are_known_to_who_held_just_before_its_end(
    purses: Purses, clock: Clock
) -> None:
    lease_id = fetched(purses)
    clock.now_s = 6.0
    purses.tend()

    assert purses.terms(lease_id).tokens_until_ms == 1_000_000


def test_more_is_fetched_before_a_lease_ends_and_more_of_it_when_it_goes_fast(
    purses: Purses, lessor: Lessor
) -> None:
    fetched(purses)

    for _ in range(3):
        held(lambda: purses.hold(LINE, 100))
        purses.tend()

    assert lessor.asked == [1_600, 3_200, 6_400, 12_800]


def test_what_is_exhausted_is_not_asked_for_at_every_page(
    purses: Purses, lessor: Lessor, clock: Clock
) -> None:
    lessor.micros = 0

    for step in range(100):
        clock.now_s = step / 100
        purses.hold(LINE, 100)
        purses.tend()

    assert 2 <= len(lessor.asked) <= 5


def test_servers_go_on_with_what_they_hold_while_postgresql_is_away(
    purses: Purses, lessor: Lessor, clock: Clock
) -> None:
    lease_id = fetched(purses)
    lessor.is_away = True

    clock.now_s = 4.9
    assert purses.hold(LINE, 100) == lease_id
    clock.now_s = 5.0
    with pytest.raises(psycopg.OperationalError):
        purses.tend()
    assert purses.hold(LINE, 100) is None

    lessor.is_away = False
    purses.tend()
    assert lessor.back == {lease_id: 200}
    assert purses.hold(LINE, 100) == 2


def test_a_line_that_nobody_asks_for_any_more_is_forgotten(
    purses: Purses, lessor: Lessor, clock: Clock
) -> None:
    fetched(purses, 1_000)
    purses.hold(OTHER, 1_000)

    for clock.now_s in (5.0, 60.0, 200.0):
        purses.tend()

    for line in (LINE, OTHER):
        assert purses.hold(line, 100) is None
        purses.tend()
        assert lessor.asked[-1] == 1_600  # by its price now, as of a line that was never heard of


def test_a_line_that_is_asked_for_again_and_again_is_remembered(
    purses: Purses, lessor: Lessor, clock: Clock
) -> None:
    fetched(purses, 1_000)

    for second in range(1, 200):
        clock.now_s = float(second)
        purses.hold(LINE, 100)
        purses.tend()

    assert lessor.asked[-1] >= 16_000


def test_all_leases_that_end_at_once_are_given_back(
    purses: Purses, lessor: Lessor, clock: Clock
) -> None:
    for number in range(120):
        purses.hold(UUID(int=number), 100)
    purses.tend()

    clock.now_s = 5.0
    purses.tend()

    assert len(lessor.back) == 120


def test_clicks_hold_what_is_expected_of_them_and_a_margin(purses: Purses, lessor: Lessor) -> None:
    lessor.micros = 10_000
    fetched(purses, 1_000, probability=0.01)

    shown = 1 + held(lambda: purses.hold(LINE, 1_000, probability=0.01))

    # 10,000 micros pay ten clicks: the expected ones of so many, and three standard deviations.
    expected, deviation = shown * 0.01, (shown * 0.01 * 0.99) ** 0.5
    assert 9.9 < expected + 3 * deviation < 10.1


def test_no_less_is_held_than_one_click(purses: Purses, lessor: Lessor) -> None:
    lease_id = fetched(purses, 1_000, probability=0.000_001)
    purses.hold(LINE, 500, probability=1.0)

    purses.close()

    assert lessor.back == {lease_id: 1_000}


def test_what_is_left_is_given_back_when_the_server_stops(purses: Purses, lessor: Lessor) -> None:
    lease_id = fetched(purses)

    purses.close()

    assert lessor.back == {lease_id: 100}
    assert purses.hold(LINE, 100) is None


def test_the_rows_of_an_index_hold_for_its_lines(purses: Purses) -> None:
    fetched(purses)
    rows: Holds = purses.of([OTHER, LINE])

    assert rows.hold(0, 100, 0) is None
    assert rows.hold(1, 100, 0, 0.5) == 1


def test_what_was_refused_is_unfunded_until_there_is_a_lease_for_it(purses: Purses) -> None:
    before: Holds = purses.of([OTHER, LINE])
    none = before.unfunded().tolist()
    fetched(purses)
    after: Holds = purses.of([LINE, OTHER])

    assert none == [0, 1]
    assert after.unfunded().tolist() == [1]
    assert after.hold(1, 100, 0) is None
    purses.tend()
    assert after.unfunded().tolist() == []
    while after.hold(0, 100, 0) is not None:
        pass
    assert after.unfunded().tolist() == [0]


def test_a_thread_of_its_own_fetches(lessor: Lessor) -> None:
    with Purses(lessor) as purses:
        while purses.hold(LINE, 100) is None:
            pass

    assert lessor.back[1] == 100
