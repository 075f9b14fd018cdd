"""The simulator: whoever dies in the middle, what was stored counts once, and the rest follows."""

from collections.abc import Callable, Iterator

import psycopg
import pytest
from psycopg.rows import TupleRow

from myriorama.api.tokens import Scope
from myriorama.billing.simulated_pages import PlayedPage, keep, under_way
from myriorama.billing.spending import drift_micros
from myriorama.bootstrap.settlement import create_simulator
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from tests.api.advertised import with_scopes
from tests.api.feed_ads import until
from tests.api.sandboxes import SETTLED, Sandbox, playing
from tests.people import Person

PAGES = "SELECT count(*), count(DISTINCT decision_id) FROM slates WHERE feed = 'sandbox'"
DONE = "SELECT pages_done, ads, reports, state FROM ad_simulations"
SHOWN = "SELECT count(*), count(DISTINCT ad_decision_id) FROM ad_decisions"
WAITING = "SELECT count(*) FROM simulated_reports"


@pytest.fixture
def sandbox(person: Callable[[str], Person], settings: Settings, log: Log) -> Sandbox:
    sandbox = Sandbox(with_scopes(person("alice"), settings, Scope.ADVERTISER), log)
    sandbox.submit()
    return sandbox


@pytest.fixture
def connection(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield connection


def done(connection: psycopg.Connection) -> TupleRow:
    row = connection.execute(DONE).fetchone()
    assert row is not None
    return row


def test_whoever_takes_over_goes_on_behind_what_was_stored(
    sandbox: Sandbox, settings: Settings, pool: Pool, connection: psycopg.Connection
) -> None:
    sandbox.simulate(pages=50, viewers=8)
    killed = create_simulator(settings, pool)
    with playing(settings, pool):
        until(lambda: done(connection)[0] > 0)
    killed.step(connection)  # has played pages, and given nothing back

    with playing(settings, pool):
        until(lambda: done(connection)[3] == "completed")
        until(lambda: connection.execute(SETTLED).fetchone() == (True,))

    pages, ads, reports, _ = done(connection)
    assert pages == 50
    assert connection.execute(PAGES).fetchone() == (50, 50)
    assert connection.execute(SHOWN).fetchone() == (ads, ads)
    assert connection.execute("SELECT count(*) FROM ad_events").fetchone() == (reports,)
    assert connection.execute(WAITING).fetchone() == (0,)
    assert drift_micros(connection) == 0


def test_of_two_who_believe_that_they_play_one_does(
    sandbox: Sandbox, connection: psycopg.Connection
) -> None:
    sandbox.simulate(pages=50, viewers=8)
    connection.execute("UPDATE ad_simulations SET state = 'running', started_at = now()")
    (simulation,) = under_way(connection)
    page = PlayedPage(simulation.simulation_id, simulation.advertiser_id, "sold", 0, None, ())

    assert keep(connection, simulation, [page])
    assert not keep(connection, simulation, [page])
    assert done(connection) == (1, 0, 0, "running")


def test_of_what_was_stopped_nothing_is_reported_any_more(
    sandbox: Sandbox, settings: Settings, pool: Pool, connection: psycopg.Connection
) -> None:
    with playing(settings, pool):
        url = sandbox.simulate(pages=400, viewers=8)
        until(lambda: sandbox.read(url)["reports"] > 0)

        assert sandbox.who.delete(url).status_code == 204

        until(lambda: connection.execute(WAITING).fetchone() == (0,))
    stopped = sandbox.read(url)
    assert stopped["state"] == "stopped"
    assert connection.execute("SELECT count(*) FROM ad_events").fetchone() == (stopped["reports"],)
