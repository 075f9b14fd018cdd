"""How a day was paced, over HTTP: by half hours of the advertiser's days, to the micro."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from itertools import accumulate
from typing import Any, LiteralString

import psycopg
import pytest
from httpx import Response

from myriorama.api.tokens import Scope
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from tests.api.advertised import with_scopes
from tests.api.feed_ads import until
from tests.billing.histories import History
from tests.billing.worlds import Market
from tests.people import Person

LONG, SHORT = date(2026, 10, 25), date(2026, 3, 29)  # clocks in Berlin go back, and forward
PACED = "INSERT INTO pacing_days VALUES (%s, %s, 'front', 96000, %s, %s)"
SPENT = "SELECT day, sum(micros)::bigint FROM charges WHERE line_id = %s GROUP BY day"


class House:
    """Where Alice has advertised in Berlin, for some days around the one of 25 hours."""

    def __init__(self, alice: Person, url: str, line_item_id: str) -> None:
        self.alice, self.line_item_id = alice, line_item_id
        self._url = url

    def ask(self, **asked: Any) -> Response:
        return self.alice.get(f"/v1/line-items/{self.line_item_id}/pacing", params=asked)

    def read(self, day: date) -> Any:
        answer = self.ask(day=day.isoformat())
        assert answer.status_code == 200, answer.text
        return answer.json()

    def execute(self, query: LiteralString, *params: Any) -> list[Any]:
        with psycopg.connect(self._url, autocommit=True) as connection:
            cursor = connection.execute(query, params)
            return cursor.fetchall() if cursor.description else []

    def spent(self) -> dict[date, int]:
        rows = self.execute(SPENT, self.line_item_id)
        return {date.fromordinal(day): micros for day, micros in rows}


@pytest.fixture
def house(person: Callable[[str], Person], settings: Settings, log: Log, pool: Pool) -> House:
    alice = with_scopes(person("alice"), settings, Scope.ADVERTISER)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        history = History(Market(pool, connection), log, seed=1, owner_id=alice.account_id).play()
    house = House(alice, settings.database_url, str(history.lines[0].id))
    until(lambda: house.ask().status_code == 200)
    return house


def test_what_a_day_has_spent_is_told_by_half_hours_to_the_micro(house: House) -> None:
    spent = house.spent()

    days = {day: house.read(day) for day in spent}

    assert sum(micros > 0 for micros in spent.values()) >= 3
    assert any(half["spent_micros"] for half in days[LONG]["half_hours"][1:-1])
    for day, paced in days.items():
        halves = paced["half_hours"]
        by_half = [half["spent_micros"] for half in halves]
        assert sum(by_half) == paced["spent_micros"] == spent[day]
        assert [half["spent_total_micros"] for half in halves] == list(accumulate(by_half))


def test_a_day_has_the_half_hours_that_its_clock_passes(house: House) -> None:
    days = [house.read(day) for day in (LONG, SHORT, date(2026, 10, 24))]

    times = [[each["begins_at"] for each in paced["half_hours"]] for paced in days]
    ends = [[each["ends_at"] for each in paced["half_hours"]] for paced in days]
    assert [(len(set(each)), each[0]) for each in times] == [
        (50, "2026-10-24T22:00:00Z"),
        (46, "2026-03-28T23:00:00Z"),
        (48, "2026-10-23T22:00:00Z"),
    ]
    assert [each[1:] for each in times] == [each[:-1] for each in ends]
    assert {paced["zone"] for paced in days} == {"Europe/Berlin"}


def test_the_plan_of_a_day_stands_beside_what_was_spent(house: House) -> None:
    planned: list[int | None] = [None] * 4 + [n * 1000 for n in range(47)]
    multipliers: list[float | None] = [None] * 4 + [0.5] * 46
    house.execute(PACED, house.line_item_id, LONG.toordinal(), planned, multipliers)

    paced = house.read(LONG)

    halves = paced["half_hours"]
    assert (paced["pacing"], paced["budget_micros"]) == ("front", 96_000)
    assert [each["plan_total_micros"] for each in halves] == planned[1:]
    assert [each["plan_micros"] for each in halves] == [None] * 4 + [1000] * 46
    assert [each["multiplier"] for each in halves] == multipliers


def test_a_day_without_a_plan_tells_what_was_spent_alone(house: House) -> None:
    paced = house.read(LONG)

    assert {each["plan_micros"] for each in paced["half_hours"]} == {None}
    assert {each["plan_total_micros"] for each in paced["half_hours"]} == {None}
    assert (paced["pacing"], paced["multiplier"]) == ("even", 1.0)
    assert paced["spent_micros"] > 0


def test_a_day_to_come_has_spent_nothing(house: House) -> None:
    paced = house.read(datetime.now(UTC).date() + timedelta(days=30))

    assert paced["spent_micros"] == 0
    assert {each["spent_total_micros"] for each in paced["half_hours"]} == {0}


def test_without_a_day_it_is_today_in_the_advertiser_s_zone(house: House) -> None:
    paced = house.ask().json()

    now = datetime.now(UTC)
    first, last = paced["half_hours"][0]["begins_at"], paced["half_hours"][-1]["ends_at"]
    assert datetime.fromisoformat(first) <= now <= datetime.fromisoformat(last)


def test_a_day_beyond_all_flights_and_what_is_none_are_refused(house: House) -> None:
    beyond = [house.ask(day=day) for day in ("0001-01-01", "9999-12-31", "1999-12-31")]
    none = [house.ask(day=day) for day in ("2026-02-30", "yesterday")]

    assert [(each.status_code, each.json()["code"]) for each in beyond] == [
        (422, "pacing_day_invalid")
    ] * 3
    assert [each.status_code for each in none] == [400, 400]


def test_to_others_there_is_no_such_line_item(
    house: House, person: Callable[[str], Person], settings: Settings
) -> None:
    mallory = with_scopes(person("mallory"), settings, Scope.ADVERTISER)

    refused = mallory.get(f"/v1/line-items/{house.line_item_id}/pacing?day=0001-01-01")

    assert (refused.status_code, refused.json()["code"]) == (404, "line_item_not_found")
