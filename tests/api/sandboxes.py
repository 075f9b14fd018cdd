"""A sandbox, for tests: opened, topped up and advertising over HTTP, and played to its end."""

import threading
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg

from myriorama.bootstrap.settlement import create_settler, create_simulator
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.postgres import AdvisoryLock, Pool
from myriorama.workers.elected import Elected
from tests.api.feed_ads import until
from tests.drafts import draft
from tests.people import Person

FORM = {
    "name": "Fox and Sons",
    "website": "shop.example.com",
    "category": "toys",
    "zone": "Europe/Berlin",
    "currency": "EUR",
    "sandbox": True,
}
STARTED = "2026-11-01T12:00:00Z"

# All that was reported is settled, and all that was settled is booked.
SETTLED = """
    SELECT (SELECT coalesce(max(position), 0) FROM ad_events)
           = (SELECT position FROM settled_reports WHERE consumer = 'settlement')
       AND NOT EXISTS (SELECT FROM waiting_reports)
       AND (SELECT coalesce(sum(micros), 0) FROM charges)
           = (SELECT coalesce(sum(spent_micros), 0) FROM wallets)
"""


class Sandbox:
    """What a developer tries the API with: a sandbox, one line in it, one creative."""

    def __init__(
        self, who: Person, log: Log, *, cameo_ids: Sequence[UUID] = (), **differing: Any
    ) -> None:
        self.who = who
        self.url = made(who, "/v1/advertisers", FORM)
        self.advertiser_id = UUID(self.url.rpartition("/")[2])
        self.top_up(100_000_000)
        campaign = {"name": "Spring", "objective": "visits", "starts_at": STARTED}
        self.campaign = made(who, f"{self.url}/campaigns", campaign)
        sketch = {
            "name": "Fox",
            "source": {
                "kind": "generation",
                "id": str(draft(log, who.account_id, cameo_ids=cameo_ids)),
            },
            "landing_url": "https://shop.example.com/spring",
            "call_to_action": "shop_now",
            "category": "health",
        }
        self.creative = made(who, f"{self.url}/creatives", sketch)
        bid = {
            "name": "Everybody",
            "kind": "cpm",
            "bid_micros": 20_000_000,
            "lifetime_budget_micros": 50_000_000,
            "starts_at": STARTED,
            "pacing": "asap",
            "creative_ids": [self.creative.rpartition("/")[2]],
            **differing,
        }
        self.line = made(who, f"{self.campaign}/line-items", bid)

    def submit(self) -> None:
        """Have the creative reviewed, and the line shown."""
        for url in (self.creative, self.line):
            answer = self.who.post(f"{url}/submit")
            assert answer.status_code == 200, answer.text

    def top_up(self, micros: int) -> Any:
        answer = self.who.post(
            f"{self.url}/billing/sandbox-top-ups", json={"amount_micros": micros}
        )
        assert answer.status_code == 201, answer.text
        return answer.json()

    def simulate(self, **wanted: int) -> str:
        """Start a simulation; return its URL."""
        return made(self.who, f"{self.url}/simulations", {"minutes": 0, "seed": 7, **wanted})

    def read(self, url: str, **asked: Any) -> Any:
        answer = self.who.get(url if url.startswith("/") else f"{self.url}/{url}", params=asked)
        assert answer.status_code == 200, answer.text
        return answer.json()


def made(who: Person, url: str, body: Any) -> str:
    answer = who.post(url, json=body)
    assert answer.status_code == 201, answer.text
    location: str = answer.headers["location"]
    return location


@contextmanager
def playing(settings: Settings, pool: Pool) -> Generator[None]:
    """Settle, keep budgets and simulate, as `settle` and `pace` do."""
    simulator = create_simulator(settings, pool).work
    programs = (
        create_settler(settings),
        Elected(settings.database_url, AdvisoryLock.SIMULATIONS, "simulator", simulator),
    )
    threads = [threading.Thread(target=program.run) for program in programs]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for program in programs:
            program.stop()
        for thread in threads:
            thread.join(timeout=60)


def played(sandbox: Sandbox, settings: Settings, pool: Pool, **wanted: int) -> Any:
    """Play a simulation until all of it is settled and booked; return it as it is then."""
    with playing(settings, pool):
        url = sandbox.simulate(**wanted)
        until(lambda: sandbox.read(url)["state"] == "completed")
        with psycopg.connect(settings.database_url, autocommit=True) as connection:
            until(lambda: connection.execute(SETTLED).fetchone() == (True,))
    return sandbox.read(url)
