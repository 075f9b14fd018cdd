"""What a sandbox reads of the real market by its simulations: nothing."""

from collections.abc import Callable
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg.types.json import Jsonb

from ads.chances import FEATURES
from ads.probability import Probabilities
from myriorama.api.tokens import Scope
from myriorama.feed.ad_chances import read_in_force
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from tests.api.advertised import with_scopes
from tests.api.feed_ads import Advertised
from tests.api.sandboxes import Sandbox, played
from tests.people import Person

# All that is told of an ad, but IDs and times.
TOLD = """
    SELECT d.place, d.price_micros, d.runner_up_micros, d.reserve_micros, d.bid_micros, d.p_view,
           d.p_click, d.p_billed, d.propensity, d.displaced_micros, d.viewer_micros, d.p_reached
    FROM ad_decisions d ORDER BY d.position, d.place
"""


@pytest.fixture
def sandbox(person: Callable[[str], Person], settings: Settings, log: Log) -> Sandbox:
    sandbox = Sandbox(with_scopes(person("alice"), settings, Scope.ADVERTISER), log)
    sandbox.submit()
    return sandbox


def told(connection: psycopg.Connection) -> list[Any]:
    return connection.execute(TOLD).fetchall()


def test_who_bids_in_the_real_market_changes_nothing_of_a_simulation(
    sandbox: Sandbox, log: Log, settings: Settings, pool: Pool
) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        alone = played(sandbox, settings, pool, pages=40, viewers=10)
        before = told(connection)
        Advertised(log, bid_micros=900_000_000).pay_in(settings)

        beside_others = played(sandbox, settings, pool, pages=40, viewers=10)

        assert before
        assert told(connection)[len(before) :] == before
        assert beside_others["outcomes"] == alone["outcomes"]


def test_what_is_learnt_of_real_viewers_changes_nothing_of_a_simulation(
    sandbox: Sandbox, settings: Settings, pool: Pool
) -> None:
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        played(sandbox, settings, pool, pages=40, viewers=10)
        before = told(connection)
        prior = Probabilities.prior()
        view = msgspec.structs.replace(prior.view, intercept=prior.view.intercept - 1.0)
        learnt = msgspec.structs.replace(prior, version=FEATURES, view=view)
        connection.execute(
            "INSERT INTO ad_chances VALUES (clock_ms(), %s, 1, 1, 1, 1, 1)",
            (Jsonb(msgspec.to_builtins(learnt)),),
        )
        assert read_in_force(connection) == learnt
        played(sandbox, settings, pool, pages=40, viewers=10)

        assert before
        assert told(connection)[len(before) :] == before
