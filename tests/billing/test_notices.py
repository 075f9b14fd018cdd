"""Notices of the books: a budget that is low, and a day that is over, each told once."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from domain.ad_webhook.aggregate import AdWebhook
from myriorama.store.log import Log
from myriorama.workers.notices import Notices
from projections.ad_webhooks import AdWebhooks
from projections.advertisers import Advertisers
from tests.advertising import NOON, advertiser
from tests.billing.worlds import Market, granted
from tests.folding import fold

BERLIN = ZoneInfo("Europe/Berlin")


def told(market: Market, kind: str) -> list[Any]:
    Notices.read_books(market.connection)
    query = "SELECT body FROM ad_notices WHERE type = %s"
    return [json.loads(body) for (body,) in market.connection.execute(query, (kind,))]


def opened(market: Market, log: Log) -> None:
    """Have the market's advertiser with a webhook, in a log and on the read side."""
    fox = advertiser(market.line_id)
    hook = AdWebhook.open(
        market.campaign_id,
        advertiser_id=fox.id,
        url="https://shop.example.com/hooks",
        inside=(),
        by=market.line_id,
        at=NOON,
    )
    log.save(fox, hook)
    fold(market.pool, Advertisers(), AdWebhooks())
    market.advertiser_id = fox.id


def test_a_budget_of_which_four_fifths_are_spent_is_told_once(market: Market, log: Log) -> None:
    opened(market, log)
    market.connection.execute("DELETE FROM budgeted_lines")
    market.fund(line=10_000)
    before = list[Any]()
    for _ in range(8):
        before += told(market, "budget.low")
        lease = granted(market.grant(1_000, least=1_000))
        market.report([market.token(lease, 1_000)])
        market.settle()

    (low,) = told(market, "budget.low")
    again = told(market, "budget.low")

    assert before == []
    assert again == [low]
    assert low["data"]["line_item_id"] == str(market.line_id)
    assert low["data"]["spent_micros"] == 8_000


def test_yesterday_is_reported_once_it_is_over(market: Market, log: Log) -> None:
    opened(market, log)
    market.connection.execute("DELETE FROM budgeted_lines")
    # A day before by the calendar, which is not always 24 hours.
    yesterday = (datetime.now(UTC) - timedelta(hours=1)).astimezone(BERLIN) - timedelta(days=1)
    market.now_ms = round(yesterday.timestamp() * 1000)
    market.zone = BERLIN.key
    market.fund()
    market.report([market.token(granted(market.grant(10_000)), 1_000)])
    market.settle()

    (ready,) = told(market, "report.ready")
    again = told(market, "report.ready")

    assert again == [ready]
    assert ready["data"]["url"].startswith(f"/v1/advertisers/{market.advertiser_id}/reports?")
