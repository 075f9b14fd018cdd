"""The worker is killed with -9 at every stage of its work, and everything still ends once."""

import json
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import httpx
import msgspec
import pytest

from domain.generation.commands import GenerateVideo
from myriorama.store.kafka import Message, Producer
from myriorama.workers.dead_letters import DEAD_LETTERS_TOPIC, DeadLetter
from myriorama.workers.queues import COMMAND_TOPICS
from tests.brokers import everything
from tests.e2e.conftest import House, running_house
from tests.e2e.residents import TERMINAL, Resident, kill

_ALLOWANCE_S = 300


@pytest.fixture(scope="module")
def fragile() -> Iterator[House]:
    """A house of this module's own, whose worker is killed again and again."""
    with running_house(
        "--empty", MYRIORAMA_LEASE_S="3", MYRIORAMA_ALLOWANCE_SECONDS=str(_ALLOWANCE_S)
    ) as house:
        yield house


@pytest.fixture(scope="module")
def alice(fragile: House) -> Iterator[Resident]:
    resident = Resident(fragile, "alice")
    yield resident
    resident.leave()


def claimed(house: House, alice: Resident, generation_id: str) -> None:
    del house
    alice.await_state(generation_id, {"running"} | TERMINAL)


def rendering(house: House, alice: Resident, generation_id: str) -> None:
    _await_stage(house, alice, generation_id, "rendering")


def finishing(house: House, alice: Resident, generation_id: str) -> None:
    _await_stage(house, alice, generation_id, "finishing")


def stored(house: House, alice: Resident, generation_id: str) -> None:
    """Wait until files are stored, of which nobody has been told yet."""
    before = _stored(house)
    _await_stage(house, alice, generation_id, "finishing")
    while _stored(house) == before and alice.see(generation_id)["state"] == "running":
        pass


@pytest.mark.parametrize("stage", [claimed, rendering, finishing, stored])
def test_what_a_worker_killed_at_any_stage_was_doing_is_done_once(
    fragile: House, alice: Resident, stage: Callable[[House, Resident, str], None]
) -> None:
    generation_id = alice.ask(seconds=4)
    stage(fragile, alice, generation_id)

    kill(fragile, "myriorama work")

    assert alice.await_state(generation_id, TERMINAL) == "completed"
    assert _ends(fragile, [generation_id]) == {"generation.completed": 1}


def test_a_worker_killed_amid_five_generations_loses_none(fragile: House, alice: Resident) -> None:
    left_s = alice.seconds_left()
    wishes = [alice.ask() for _ in range(5)]
    _await_stage(fragile, alice, wishes[1], "rendering")

    kill(fragile, "myriorama work")

    assert [alice.await_state(wish, TERMINAL) for wish in wishes] == ["completed"] * 5
    assert _ends(fragile, wishes) == {"generation.completed": 5}
    assert alice.seconds_left() == left_s - 5 * 2


def test_a_worker_whose_renderer_and_encoders_are_killed_makes_it_in_the_next_attempt(
    fragile: House, alice: Resident
) -> None:
    generation_id = alice.ask(seconds=15)
    _await_stage(fragile, alice, generation_id, "rendering")

    for pid in _children(fragile):
        os.kill(pid, signal.SIGKILL)

    assert alice.await_state(generation_id, TERMINAL) == "completed"
    assert _ends(fragile, [generation_id]) == {"generation.completed": 1}


def test_a_command_that_comes_twice_or_too_late_changes_nothing(
    fragile: House, alice: Resident
) -> None:
    cancelled, made = alice.ask(seconds=15), alice.ask()
    left_s = alice.seconds_left()
    alice.send("POST", f"/v1/generations/{cancelled}/cancel")
    producer = Producer(fragile.broker)
    commands = [GenerateVideo(UUID(each), 1, "plain", None) for each in (cancelled, made, made)]
    values = [*map(msgspec.json.encode, commands), b"no command"]

    producer.deliver([Message(COMMAND_TOPICS["plain"], value) for value in values])
    following = alice.ask()

    assert alice.await_state(following, TERMINAL) == "completed"
    assert alice.await_state(made, TERMINAL) == "completed"
    assert alice.await_state(cancelled, TERMINAL) == "cancelled"
    assert _ends(fragile, [cancelled, made]) == {
        "generation.completed": 1,
        "generation.cancelled": 1,
    }
    assert alice.seconds_left() == left_s + 15 - 2
    assert set(_claims(fragile).values()) == {1}
    producer.close()
    letters = [
        msgspec.json.decode(letter.value, type=DeadLetter)
        for letter in everything(fragile.broker, [DEAD_LETTERS_TOPIC])
    ]
    assert [(letter.reason, letter.value) for letter in letters] == [
        ("command_unknown", b"no command")
    ]


def _await_stage(house: House, alice: Resident, generation_id: str, stage: str) -> None:
    """Return when a generation is at this stage, or has ended already."""
    del house
    try:
        for event, content in alice.follow(generation_id):
            if event == "progress" and content.get("stage") == stage:
                return
    except httpx.TransportError:
        alice.await_state(generation_id, TERMINAL)


def _ends(house: House, generations: list[str]) -> Counter[str]:
    """Count how generations ended, by the log."""
    ends = {f"generation.{state}" for state in TERMINAL}
    events = map(json.loads, house.command("replay", "--print").splitlines())
    return Counter(
        event["topic"]
        for event in events
        if event["topic"] in ends and event["aggregate_id"] in generations
    )


def _claims(house: House) -> Counter[tuple[str, int]]:
    """Count how often each attempt was claimed, by what the workers say."""
    log = (house.home / "logs" / "work.log").read_text().splitlines()
    said = [json.loads(line) for line in log if line.startswith("{")]
    return Counter(
        (each["generation"], each["attempt"]) for each in said if each["event"] == "claimed"
    )


def _stored(house: House) -> int:
    return sum(1 for _ in (house.home / "objects" / "videos").glob("*/*"))


def _children(house: House) -> list[int]:
    """Return the processes in which the worker renders and finishes."""
    (worker,) = house.pids("myriorama work")
    found = Path(f"/proc/{worker}/task").glob("*/children")
    return [int(pid) for children in found for pid in children.read_text().split()]
