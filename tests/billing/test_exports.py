"""Exports: complete, chained from one to the next, kept as they were, and equal to the budgets."""

import json
from io import BytesIO
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from myriorama.billing.exports import NO_HEAD, Export, Exports, NothingToExport
from myriorama.billing.recompute_bill import main
from myriorama.billing.spending import spending_of
from myriorama.store.log import Log
from myriorama.store.objects import FolderObjects
from projections.advertisers import Advertisers
from projections.campaigns import Campaigns
from projections.line_items import LineItems
from tests.billing.histories import History
from tests.billing.worlds import Market
from tests.folding import fold

MARGIN_MS = 50


@pytest.fixture
def objects(tmp_path: Path) -> FolderObjects:
    return FolderObjects(tmp_path)


def of(market: Market, objects: FolderObjects) -> Exports:
    fold(market.pool, Advertisers(), Campaigns(), LineItems())
    return Exports(market.pool, objects)


def net_of(market: Market, campaign_id: UUID) -> int:
    (budget,) = spending_of(market.connection, "campaign", campaign_id)
    return budget.spent_micros


def read(objects: FolderObjects, *made: Export) -> bytes:
    return b"".join(objects.read(each.object_key) for each in made)


def records(file: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.splitlines()]


def passed(market: Market) -> None:
    """Wait until the clock of the database shows a later millisecond."""
    market.connection.execute("SELECT pg_sleep(%s)", (MARGIN_MS / 1000,))


@pytest.mark.parametrize("seed", [1, 2])
def test_the_bill_of_an_export_is_what_its_campaign_has_spent(
    market: Market, log: Log, objects: FolderObjects, seed: int
) -> None:
    history = History(market, log, seed).play()
    exports = of(market, objects)
    passed(market)

    made = [exports.make(campaign_id) for campaign_id in history.campaigns]

    assert [each.net_micros for each in made] == [
        net_of(market, campaign_id) for campaign_id in history.campaigns
    ]
    for each in made:
        file = read(objects, each)
        main(BytesIO(file), each.head)
        assert each.bytes == len(file)
        assert each.lines == file.count(b"\n")
        assert b"viewer" not in file.replace(b'"viewer_volume"', b"")


def test_a_later_export_begins_with_the_head_of_the_earlier_one(
    market: Market, log: Log, objects: FolderObjects, capsys: pytest.CaptureFixture[str]
) -> None:
    history = History(market, log, seed=3).play(hours=24)
    exports, campaign_id = of(market, objects), history.campaigns[0]
    passed(market)
    first = exports.make(campaign_id)
    history.play(hours=24)
    passed(market)

    second = exports.make(campaign_id)

    assert (first.previous, second.previous) == (NO_HEAD, first.head)
    main(BytesIO(read(objects, first, second)), second.head)
    assert f"head {second.head}" in capsys.readouterr().out
    main(BytesIO(read(objects, second)), second.head)
    assert first.net_micros + second.net_micros == net_of(market, campaign_id)


def test_an_export_is_made_once_until_there_is_something_new(
    market: Market, log: Log, objects: FolderObjects
) -> None:
    history = History(market, log, seed=4).play(hours=12)
    exports = of(market, objects)
    passed(market)

    first, second = (exports.make(history.campaigns[0]) for _ in range(2))

    assert first == second


def test_a_settled_batch_is_named_as_the_ledger_names_it(
    market: Market, log: Log, objects: FolderObjects
) -> None:
    history = History(market, log, seed=5).play(hours=12)
    exports = of(market, objects)
    passed(market)

    told = records(read(objects, exports.make(history.campaigns[0])))

    sources = {line["source"] for line in told if line["type"] == "settled"}
    recorded = market.connection.execute(
        "SELECT 'event:' || originator_id || ':' || originator_version FROM events "
        "WHERE topic = 'spend.settled'"
    ).fetchall()
    assert sources
    assert sources <= {key for (key,) in recorded}


def test_nothing_is_exported_of_a_campaign_of_which_nothing_was_reported(
    market: Market, objects: FolderObjects
) -> None:
    with pytest.raises(NothingToExport):
        of(market, objects).make(uuid4())
