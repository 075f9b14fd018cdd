"""From a wish to a draft, through everything that is between them: Kafka, a gate, a renderer.

API, dispatcher, projector, broker and worker are as in production, the API and the workers in
processes of their own.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import msgspec
import psycopg
import pytest
from openai import OpenAI, UnprocessableEntityError
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from domain.generation.commands import GenerateVideo
from myriorama.bootstrap.programs import create_projector
from myriorama.processes import invite
from myriorama.settings import Settings, WorkerSettings, variable
from myriorama.store.embedded_kafka import EmbeddedKafka, start_kafka
from myriorama.store.kafka import Message, Producer
from myriorama.store.objects import open_objects
from myriorama.workers.dead_letters import DEAD_LETTERS_TOPIC, DeadLetter
from myriorama.workers.queues import COMMAND_TOPICS
from tests.brokers import everything
from tests.conftest import TEMPLATE
from tests.people import application_form
from tests.studio.foreign_media import photo, two_colours

PATIENCE_S = 180.0
QUICK = {"prompt": "a red ball bounces", "seconds": 2, "orientation": "square"}
SLOW = {**QUICK, "seconds": 15, "resolution": "720p"}
TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
ENDS = {"completed", "failed", "refused", "cancelled"}


@dataclass
class Studio:
    """What is between a wish and a draft."""

    settings: Settings
    broker: EmbeddedKafka
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])

    def start_worker(self) -> subprocess.Popen[bytes]:
        # The API knows a model whose weights this worker was not told of.
        worker = run("work", replace(self.settings, model=""), WorkerSettings)
        self.workers.append(worker)
        return worker

    def restart_broker_empty(self) -> None:
        port = int(self.broker.bootstrap.rpartition(":")[2])
        self.broker.process.kill()
        self.broker.process.wait()
        self.broker = start_kafka(port)


class Client:
    """A person's app."""

    def __init__(self, studio: Studio, handle: str) -> None:
        self._api = httpx.Client(base_url=studio.settings.public_url, timeout=30)
        form = application_form(handle, invite(studio.settings, at=datetime.now(UTC)))
        tokens = self._api.post("/v1/accounts", json=form).raise_for_status().json()
        self.access_token: str = tokens["access_token"]
        self._api.headers["Authorization"] = f"Bearer {self.access_token}"

    def close(self) -> None:
        self._api.close()

    def ask(self, wish: dict[str, Any], traceparent: str = "") -> str:
        headers = {"traceparent": traceparent} if traceparent else {}
        answer = self._api.post("/v1/generations", json=wish, headers=headers)
        answer.raise_for_status()
        generation_id: str = answer.json()["generation_id"]
        return generation_id

    def see(self, generation_id: str) -> dict[str, Any]:
        answer = self._api.get(f"/v1/generations/{generation_id}").raise_for_status()
        seen: dict[str, Any] = answer.json()
        return seen

    def cancel(self, generation_id: str) -> None:
        self._api.post(f"/v1/generations/{generation_id}/cancel").raise_for_status()

    def seconds_left(self) -> int:
        seconds: int = self._api.get("/v1/allowance").json()["remaining_seconds"]
        return seconds

    def follow(self, generation_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the server-sent events until the stream ends."""
        url = f"/v1/generations/{generation_id}/events"
        with self._api.stream("GET", url, timeout=PATIENCE_S) as stream:
            stream.raise_for_status()
            event = ""
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield event, json.loads(line.removeprefix("data: "))


@pytest.fixture(scope="module")
def studio(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Studio]:
    """A studio with one worker, for all tests of this module."""
    home = tmp_path_factory.mktemp("studio")
    broker = start_kafka()
    address = f"127.0.0.1:{free_port()}"
    with own_database(postgres) as database_url:
        settings = settings_of(home, database_url, broker.bootstrap, address)
        studio = Studio(settings, broker)
        api = run("serve", settings, Settings)
        dispatcher = run("dispatch", settings, Settings)
        projector = create_projector(settings)
        projecting = threading.Thread(target=projector.run)
        projecting.start()
        try:
            await_(lambda: answers(settings.public_url), "the API")
            studio.start_worker()
            yield studio
        finally:
            for process in (*studio.workers, dispatcher, api):
                process.terminate()
            for process in (*studio.workers, dispatcher, api):
                process.wait(timeout=PATIENCE_S)
            projector.stop()
            projecting.join(timeout=PATIENCE_S)
            studio.broker.process.kill()
            studio.broker.stop()


@pytest.fixture
def alice(studio: Studio) -> Iterator[Client]:
    alice = Client(studio, f"alice_{uuid4().hex[:8]}")
    yield alice
    alice.close()


def test_a_wish_is_rendered_while_its_owner_watches(studio: Studio, alice: Client) -> None:
    wish = alice.ask(QUICK, traceparent=f"00-{TRACE}-00f067aa0ba902b7-01")

    told = list(alice.follow(wish))

    states = [content["state"] for event, content in told if event == "state"]
    progress = [content for event, content in told if event == "progress"]
    previews = [content["url"] for event, content in told if event == "preview"]
    made = alice.see(wish)
    assert states[0] in {"queued", "dispatched", "running"}
    assert states[-1] == "completed"
    assert progress
    assert all(p["attempt"] == 1 and 0 <= p["done"] <= p["total"] for p in progress)
    assert any(p.get("stage") == "rendering" for p in progress)
    assert previews
    assert all(f"/media/previews/{wish}-" in url for url in previews)
    assert (made["renderer"], made["duration_ms"]) == ("procedural-1", 2000)
    key = made["video_url"].removeprefix("/media/").partition("?")[0]
    assert open_objects(studio.settings.objects).read(key, 4, 8) == b"ftyp"
    assert traces_of(studio, wish) == {TRACE}


def test_a_command_that_comes_twice_is_done_once(studio: Studio, alice: Client) -> None:
    wish = alice.ask(QUICK)
    command = GenerateVideo(msgspec.convert(wish, type(uuid4())), 1, "plain", None)
    message = Message(COMMAND_TOPICS["plain"], msgspec.json.encode(command))
    producer = Producer(studio.settings.kafka)
    producer.deliver([message, message])
    await_state(alice, wish, {"completed"})

    producer.deliver([message, Message(COMMAND_TOPICS["plain"], b"no command")])
    following = alice.ask(QUICK)

    await_state(alice, following, {"completed"})
    producer.close()
    assert events_of(studio, wish).count("generation.started") == 1
    assert events_of(studio, wish).count("generation.completed") == 1


def test_a_render_stops_when_it_is_cancelled_and_the_worker_goes_on(alice: Client) -> None:
    unwanted = alice.ask(SLOW)
    await_state(alice, unwanted, {"running"})

    alice.cancel(unwanted)
    wanted = alice.ask(QUICK)

    await_state(alice, wanted, {"completed"})
    assert alice.see(unwanted)["state"] == "cancelled"
    assert alice.seconds_left() == 300 - 2


def test_what_a_killed_worker_had_begun_another_one_ends(studio: Studio, alice: Client) -> None:
    wish = alice.ask({**QUICK, "seconds": 6})
    await_state(alice, wish, {"running"})
    worker = studio.workers.pop()

    worker.kill()
    worker.wait()
    studio.start_worker()

    made = await_state(alice, wish, {"completed"})
    assert made["attempt"] == 2
    assert "generation.lease_expired" in events_of(studio, wish)


@pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")
def test_the_client_of_openai_works_with_another_base_url(
    studio: Studio, alice: Client, tmp_path: Path
) -> None:
    client = OpenAI(base_url=f"{studio.settings.public_url}/v1", api_key=alice.access_token)
    size: Any = "640x640"
    seconds: Any = "2"
    picture = photo(tmp_path / "ball.jpg", two_colours(64, 64))

    # `Any`: deprecated since their own service ended, which is why ours answers its clients.
    videos: Any = client.videos
    with client, picture.open("rb") as reference:
        made = videos.create_and_poll(
            prompt=str(QUICK["prompt"]), size=size, seconds=seconds, input_reference=reference
        )
        video = videos.download_content(made.id).read()
        sheet = videos.download_content(made.id, variant="spritesheet").read()
        remixed = videos.remix(made.id, prompt="a blue ball bounces")
        listed = [one.id for one in videos.list(limit=1)]
        refused = videos.create(prompt="a nude statue", size=size, seconds=seconds)
        gone = videos.delete(remixed.id)
        with pytest.raises(UnprocessableEntityError) as wrong:
            videos.create(prompt="a ball", size="1024x1792")

    assert (made.status, made.progress, made.seconds, made.size) == ("completed", 100, "2", size)
    assert video[4:8] == b"ftyp"
    assert sheet
    assert (remixed.remixed_from_video_id, gone.deleted) == (made.id, True)
    assert listed == [remixed.id, made.id]
    assert refused.status == "failed"
    assert refused.error
    assert refused.error.code == "sexual_content"
    assert "640x640" in wrong.value.message


def dead_letter(studio: Studio, wish: str) -> DeadLetter:
    """Return what the broker has of a wish that failed for good: it is told after the log is."""
    until = time.monotonic() + PATIENCE_S
    while True:
        for message in everything(studio.broker.bootstrap, [DEAD_LETTERS_TOPIC]):
            letter = msgspec.json.decode(message.value, type=DeadLetter)
            if wish.encode() in letter.value:
                return letter
        assert time.monotonic() < until, f"no dead letter tells of {wish}"


def test_what_fails_in_its_last_attempt_is_a_dead_letter_and_costs_nothing(
    studio: Studio, alice: Client
) -> None:
    wish = alice.ask({**QUICK, "model": "ltx2-tiny"})

    failed = await_state(alice, wish, {"failed"})

    letter = dead_letter(studio, wish)
    assert failed["attempt"] == 2
    assert letter.reason == "model_missing"
    assert "MYRIORAMA_MODEL" in letter.detail
    assert alice.seconds_left() == 300


def test_a_broker_that_lost_everything_is_told_again(studio: Studio, alice: Client) -> None:
    studio.broker.process.kill()
    studio.broker.process.wait()
    wish = alice.ask(QUICK)
    await_state(alice, wish, {"dispatched"})

    studio.restart_broker_empty()

    await_state(alice, wish, {"completed"})


def test_a_worker_that_is_told_to_end_ends_what_it_has_begun(studio: Studio, alice: Client) -> None:
    wish = alice.ask(QUICK)
    await_state(alice, wish, {"running", "completed"})
    worker = studio.workers.pop()

    worker.send_signal(signal.SIGTERM)

    assert worker.wait(timeout=PATIENCE_S) == 0
    await_state(alice, wish, {"completed"})


def await_state(client: Client, generation_id: str, wanted: set[str]) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while (seen := client.see(generation_id))["state"] not in wanted:
        assert seen["state"] not in ENDS, seen
        assert time.monotonic() < deadline, seen
        time.sleep(0.05)
    return seen


def await_(there: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


def answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2).is_success
    except httpx.TransportError:
        return False


def events_of(studio: Studio, generation_id: str) -> list[str]:
    query = "SELECT topic FROM events WHERE originator_id = %s ORDER BY position"
    with psycopg.connect(studio.settings.database_url) as connection:
        return [topic for (topic,) in connection.execute(query, (generation_id,))]


def traces_of(studio: Studio, generation_id: str) -> set[str]:
    query = "SELECT split_part(traceparent, '-', 2) FROM events WHERE originator_id = %s"
    with psycopg.connect(studio.settings.database_url) as connection:
        return {trace for (trace,) in connection.execute(query, (generation_id,))}


def run(command: str, settings: Settings, kind: type[WorkerSettings]) -> subprocess.Popen[bytes]:
    """Run a command of the shell with these settings, and no others."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("MYRIORAMA_")}
    environment |= {variable(f.name): str(getattr(settings, f.name)) for f in fields(kind)}
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "myriorama", command],
        env={**environment, "OMP_NUM_THREADS": "1"},
        cwd=settings.home,
    )


def settings_of(home: Path, database_url: str, kafka: str, address: str) -> Settings:
    return Settings(
        database_url=database_url,
        kafka=kafka,
        objects=str(home / "objects"),
        secret="a secret of the tests, 32 bytes or more",  # noqa: S106 - of the tests alone
        worker_token="a worker token of the tests, 32 bytes",  # noqa: S106 - of the tests alone
        home=home,
        address=address,
        public_url=f"http://{address}",
        model="tiny",
        lease_s=5,
        requests_per_minute=100_000,
        credential_requests_per_minute=100_000,
    )


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def own_database(server_url: str) -> Generator[str]:
    name = f"test_{uuid4().hex}"
    identifier = sql.Identifier(name)
    with psycopg.connect(server_url, autocommit=True) as server:
        server.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(identifier, sql.Identifier(TEMPLATE))
        )
        parts = conninfo_to_dict(server_url)
        yield make_conninfo("", **{**parts, "dbname": name})
        server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(identifier))
