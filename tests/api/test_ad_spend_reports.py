"""Reports over HTTP: pages whose totals are the ledger's, files of all rows, and nobody else's."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from uuid import uuid4

import polars as pl
import psycopg
import pytest
from httpx import Response

from myriorama.api.tokens import Scope
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from tests.api.advertised import with_scopes
from tests.billing.histories import History
from tests.billing.worlds import Market
from tests.people import Person

DAYS = {"first_day": "2026-10-23", "last_day": "2026-10-28"}
EVERYTHING = ["day", "campaign", "line", "kind", "creative", "surface", "place"]


@dataclass
class Reader:
    """Somebody who advertised for some days, and reads what came of it."""

    who: Person
    url: str

    def read(self, by: list[str], **asked: Any) -> Response:
        return self.who.get(f"{self.url}/reports", params={**DAYS, "by": by, **asked})

    def report(self, by: list[str], **asked: Any) -> Any:
        answer = self.read(by, **asked)
        assert answer.status_code == 200, answer.text
        return answer.json()


@pytest.fixture
def alice(person: Callable[[str], Person], settings: Settings, log: Log, pool: Pool) -> Reader:
    who = with_scopes(person("alice"), settings, Scope.ADVERTISER)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        history = History(Market(pool, connection), log, seed=1, owner_id=who.account_id).play()
    return Reader(who, f"/v1/advertisers/{history.advertiser_id}")


def test_a_report_is_read_in_pages_that_add_up_to_what_the_wallet_has_spent(
    alice: Reader,
) -> None:
    items: list[Any] = []
    page = alice.report(EVERYTHING, limit=7)
    items += page["items"]

    while page["next_cursor"]:
        page = alice.report(EVERYTHING, limit=7, cursor=page["next_cursor"])
        items += page["items"]

    assert sum(item["net_micros"] for item in items) == page["totals"]["net_micros"] > 0
    assert sum(item["click"]["net"] for item in items) == page["totals"]["click"]["net"] > 0
    assert page["zone"], page["currency"] == ("Europe/Berlin", "USD")
    assert len({tuple(str(item[each]) for each in item) for item in items}) == len(items)
    wallet = alice.who.get(f"{alice.url}/billing/balance").json()
    assert wallet["spent_micros"] - wallet["credited_micros"] == page["totals"]["net_micros"]


def test_a_report_by_nothing_is_one_row_and_says_what_part_was_seen(alice: Reader) -> None:
    report = alice.report([])

    (row,) = report["items"]
    assert row["viewability"] == report["totals"]["viewability"]
    assert 0 < row["viewability"] < 1
    assert row["viewable"]["net"] == row["viewable"]["gross"] - row["viewable"]["invalid"]


@pytest.mark.parametrize("by_header", [True, False])
@pytest.mark.parametrize(
    ("kind", "media_type", "reader"),
    [
        ("csv", "text/csv", pl.read_csv),
        ("parquet", "application/vnd.apache.parquet", pl.read_parquet),
    ],
)
def test_a_report_is_a_file_where_one_is_asked_for(
    alice: Reader,
    kind: str,
    media_type: str,
    reader: Callable[[BytesIO], pl.DataFrame],
    *,
    by_header: bool,
) -> None:
    expected = alice.report(["day", "line"])
    asked = {**DAYS, "by": ["day", "line"]} | ({} if by_header else {"format": kind})
    headers = {"Accept": media_type} if by_header else {}

    answer = alice.who.get(f"{alice.url}/reports", params=asked, headers=headers)

    assert answer.headers["content-type"].startswith(media_type)
    table = reader(BytesIO(answer.content))
    assert table["net_micros"].sum() == expected["totals"]["net_micros"]


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2026-10-02", "2026-10-01"),
        ("2025-01-01", "2026-10-01"),
        ("0001-01-01", "9999-12-31"),
    ],
)
def test_days_that_are_no_range_are_refused(alice: Reader, first: str, last: str) -> None:
    refused = alice.read([], first_day=first, last_day=last)

    assert (refused.status_code, refused.json()["code"]) == (422, "report_range_invalid")


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_at_the_end_of_time_has_an_empty_report(alice: Reader, day: str) -> None:
    assert alice.report(["day"], first_day=day, last_day=day)["items"] == []


def test_a_cursor_is_of_the_report_that_gave_it(alice: Reader) -> None:
    cursor = alice.report(EVERYTHING, limit=1)["next_cursor"]

    refused = alice.read(["day"], limit=1, cursor=cursor)

    assert (refused.status_code, refused.json()["code"]) == (422, "cursor_invalid")


def test_a_report_is_not_there_for_strangers(
    alice: Reader, person: Callable[[str], Person], settings: Settings
) -> None:
    mallory = with_scopes(person("mallory"), settings, Scope.ADVERTISER)

    there = mallory.get(f"{alice.url}/reports")
    nowhere = mallory.get(f"/v1/advertisers/{uuid4()}/reports")

    assert there.status_code == nowhere.status_code == 404
    assert there.json()["code"] == nowhere.json()["code"] == "advertiser_not_found"
