"""Whatever part of the house is killed, with -9 and in mid-flight, the rest goes on by itself."""

import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import House, running_house
from tests.people import application_form
from tests.workers.relaying import assert_each_once_in_order, await_relayed, positions

_PATIENCE_S = 90
_TERMINAL = {"completed", "failed", "refused", "cancelled"}


@pytest.fixture(scope="module")
def fragile() -> Iterator[House]:
    """A house of this module's own, in which things are broken."""
    with running_house("--empty") as house:
        yield house


class Resident:
    """A person whose app tries again when the house does not answer for a moment."""

    def __init__(self, house: House, handle: str) -> None:
        self._house = house
        self._api = httpx.Client(base_url=house.url, timeout=30)
        tokens = self.send("POST", "/v1/accounts", application_form(handle, house.invitation()))
        self._api.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    def leave(self) -> None:
        self._api.close()

    def send(self, method: str, url: str, body: object = None) -> Any:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                answer = self._api.request(method, url, json=body)
            except httpx.TransportError:
                assert time.monotonic() < deadline, self._house.logs()
            else:
                if answer.status_code != 503:
                    assert answer.is_success, f"{answer.text}\n{self._house.logs()}"
                    return answer.json() if answer.content else None
                assert time.monotonic() < deadline, self._house.logs()
            time.sleep(0.1)

    def ask(self, *, seconds: int = 2) -> str:
        request = {
            "prompt": "a red ball bounces on the beach",
            "seconds": seconds,
            "orientation": "square",
            "resolution": "480p",
        }
        return str(self.send("POST", "/v1/generations", request)["generation_id"])

    def await_state(self, generation_id: str, wanted: set[str]) -> str:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            mine = self.send("GET", "/v1/generations")["items"]
            state = next((g["state"] for g in mine if g["generation_id"] == generation_id), "")
            if state in wanted:
                return str(state)
            assert time.monotonic() < deadline, f"{mine}\n{self._house.logs()}"
            time.sleep(0.05)  # the list is empty, too, while the read side is behind


@pytest.fixture(scope="module")
def alice(fragile: House) -> Iterator[Resident]:
    resident = Resident(fragile, "alice")
    yield resident
    resident.leave()


def kill(house: House, program: str) -> None:
    pids = house.pids(program)
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)


def test_a_worker_killed_in_mid_render_loses_nothing(fragile: House, alice: Resident) -> None:
    generation_id = alice.ask(seconds=15)
    alice.await_state(generation_id, {"running"} | _TERMINAL)

    kill(fragile, "myriorama work")

    assert alice.await_state(generation_id, _TERMINAL) == "completed"


def test_the_api_killed_while_a_worker_renders_loses_nothing(
    fragile: House, alice: Resident
) -> None:
    generation_id = alice.ask(seconds=15)
    alice.await_state(generation_id, {"running"} | _TERMINAL)

    kill(fragile, "myriorama serve")

    assert alice.await_state(generation_id, _TERMINAL) == "completed"


def test_a_broker_that_comes_back_empty_is_filled_from_the_log(
    fragile: House, alice: Resident
) -> None:
    waiting = [alice.ask() for _ in range(3)]

    kill(fragile, "embedded_kafka")

    assert [alice.await_state(one, _TERMINAL) for one in waiting] == ["completed"] * 3
    assert alice.await_state(alice.ask(), _TERMINAL) == "completed"


def test_postgresql_killed_in_mid_flight_loses_nothing_that_was_acknowledged(
    fragile: House, alice: Resident
) -> None:
    generation_id = alice.ask(seconds=4)

    kill(fragile, "embedded_postgres")

    assert alice.await_state(generation_id, _TERMINAL) == "completed"


@pytest.mark.parametrize("program", ["myriorama project", "myriorama dispatch"])
def test_a_process_of_the_read_side_or_the_queue_goes_on_where_it_was_killed(
    fragile: House, alice: Resident, program: str
) -> None:
    kill(fragile, program)

    assert alice.await_state(alice.ask(), _TERMINAL) == "completed"


def test_after_all_of_it_every_table_is_what_the_logs_say(fragile: House) -> None:
    verdict = fragile.command("verify", "state")

    assert "equal" in verdict
    assert "DIFFERENT" not in verdict


def test_after_all_of_it_the_public_streams_hold_each_event_once(
    fragile: House, alice: Resident
) -> None:
    kill(fragile, "myriorama relay")
    assert alice.await_state(alice.ask(), _TERMINAL) == "completed"
    lines = fragile.command("replay", "--print").splitlines()

    records = await_relayed(fragile.broker, len(lines))

    assert_each_once_in_order(records, max(positions(records)))
