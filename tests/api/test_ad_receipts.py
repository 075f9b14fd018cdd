"""Receipts over HTTP: what each ad cost, and why, so that its price can be summed up again."""

import math
from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from ads.price import price_micros
from myriorama.api.tokens import Scope
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from tests.api.advertised import with_scopes
from tests.billing.histories import History
from tests.billing.worlds import Market
from tests.people import Person

# What was reported too soon, and then truly.
TWICE = """
    SELECT c.decision_id, max(c.micros) FROM charges c
    JOIN ad_decisions d ON d.ad_decision_id = c.decision_id
    WHERE c.beacon = CASE d.kind WHEN 'cpm' THEN 1 WHEN 'cpv' THEN 5 ELSE 8 END
    GROUP BY 1 HAVING count(*) > 1 AND max(c.micros) > 0
"""
PRICED = """
    UPDATE ad_decisions SET displaced_micros = 310.25, viewer_micros = 204.5, p_reached = 0.8,
                            price_micros = %s
    WHERE ad_decision_id = %s
"""


class Advertiser:
    """Alice, who advertised for some days."""

    def __init__(self, who: Person, history: History, url: str) -> None:
        self.who, self.history = who, history
        self.url = f"/v1/advertisers/{history.advertiser_id}/decisions"
        self._database_url = url

    def receipt(self, decision_id: Any) -> Any:
        answer = self.who.get(f"{self.url}/{decision_id}")
        assert answer.status_code == 200, answer.text
        return answer.json()

    def execute(self, query: Any, *params: Any) -> list[Any]:
        with psycopg.connect(self._database_url, autocommit=True) as connection:
            cursor = connection.execute(query, params)
            return cursor.fetchall() if cursor.description else []


@pytest.fixture
def alice(person: Callable[[str], Person], settings: Settings, log: Log, pool: Pool) -> Advertiser:
    who = with_scopes(person("alice"), settings, Scope.ADVERTISER)
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        history = History(Market(pool, connection), log, seed=1, owner_id=who.account_id).play()
    return Advertiser(who, history, settings.database_url)


def test_a_report_that_came_too_soon_does_not_hide_what_the_true_one_cost(
    alice: Advertiser,
) -> None:
    twice = alice.execute(TWICE)

    receipts = {micros: alice.receipt(decision_id) for decision_id, micros in twice}

    assert receipts
    for micros, receipt in receipts.items():
        assert receipt["charged_micros"] == micros
        assert receipt["outcome"] in {"charged", "credited"}
        assert any(report["mark"] for report in receipt["reports"])


def test_the_decisions_of_a_line_item_are_its_own(alice: Advertiser) -> None:
    everything = alice.who.get(alice.url, params={"limit": 100}).json()["items"]
    line_id = str(alice.history.lines[0].id)

    listed = alice.who.get(alice.url, params={"limit": 100, "line_item_id": line_id}).json()

    own = [each for each in everything if each["line_item_id"] == line_id]
    assert 0 < len(own) < len(everything)
    assert listed["items"][: len(own)] == own
    assert {each["line_item_id"] for each in listed["items"]} == {line_id}


def test_a_receipt_tells_what_its_price_is_made_of(alice: Advertiser) -> None:
    decision_id = alice.who.get(alice.url).json()["items"][0]["ad_decision_id"]
    price = price_micros(310.25, 204.5, 0.8 * 0.5, 500, 10**6)
    old = alice.receipt(decision_id)
    alice.execute(PRICED, price, decision_id)

    receipt = alice.receipt(decision_id)

    taken = receipt["displaced_micros"] + receipt["viewer_micros"]
    chance = receipt["p_reached"] * receipt["p_billed"]
    assert math.floor(receipt["reserve_micros"] + taken / chance) == receipt["price_micros"] == 1786
    assert "310.250 micros of other ads and 204.500 of the viewer" in receipt["price_words"]
    page = alice.who.get(
        f"/web/advertise/{alice.history.advertiser_id}/decisions/{receipt['ad_decision_id']}"
    ).text
    assert receipt["price_words"] in page
    assert "The viewer loses by it" in page
    assert (old["displaced_micros"], old["viewer_micros"], old["p_reached"]) == (None, None, None)
    assert "not on record" in old["price_words"]
