"""A house to be broken: its own PostgreSQL, broker and programs, and clients that keep histories.

Everything that is killed is started again; whoever ends without being killed is remembered.
"""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import psycopg

from myriorama.bootstrap.logs import projections
from myriorama.store import leash
from myriorama.store.embedded_kafka import start_kafka
from myriorama.store.embedded_postgres import start_postgres
from myriorama.store.kafka import KafkaDown
from myriorama.store.postgres import migrate
from myriorama.store.transactions import Place, last_records
from myriorama.workers.programs import furnish
from myriorama.workers.relay import POSITIONS_TOPIC, Progress
from tests.crash.history import Delivered, Subscribed, last_line
from tests.crash.writers import HISTORIES

ROOT = Path(__file__).parents[2]
_STOP_S_MAX = 30.0
_START_S_MAX = 60.0
_SPARED = 0.8
_PRODUCT = frozenset({"projector", "relay"})

_BACKENDS = """
    SELECT pid FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid
"""

_HEADS = """
    SELECT 'domain', coalesce(max(position), 0) FROM events
    UNION ALL SELECT 'views', coalesce(max(last_position), 0) FROM view_appends
"""


@dataclass
class Program:
    """One process of ours, as often as it is started. `words` may tell of how it is started."""

    kind: str
    name: str
    words: Callable[["Program"], list[str]]
    times: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def client(self) -> str:
        """What this run of it is called: no two runs write into one history."""
        return f"{self.name}.{self.times}"


class House:
    """The parts, how they are killed, and how they come back. Used by the main thread alone."""

    def __init__(self, folder: Path, seed: str) -> None:
        home, self.histories, self._logs = folder / "home", folder / "histories", folder / "logs"
        for made in (self.histories, self._logs):
            made.mkdir(parents=True)
        self.environment = {
            **{name: v for name, v in os.environ.items() if not name.startswith("MYRIORAMA_")},
            **furnish({}, home),
            HISTORIES: str(self.histories),
            "PYTHONFAULTHANDLER": "1",
        }
        self.seed = seed
        self.broker = 1
        self.kills: Counter[str] = Counter()
        self.ended: list[str] = []
        self._cluster = home / "postgres"
        self._postgres = start_postgres(self._cluster)
        migrate(self.url)
        self._port = int(self.environment["MYRIORAMA_KAFKA"].rpartition(":")[2])
        self._kafka = start_kafka(self._port)
        self.programs = self._programs()

    @property
    def url(self) -> str:
        return self.environment["MYRIORAMA_DATABASE_URL"]

    def start(self) -> None:
        for program in self.programs:
            self._start(program)

    def kill(self, kind: str, chosen: random.Random) -> None:
        """Kill one of a kind with -9, and start it again; `connection` is closed by the server."""
        match kind:
            case "postmaster":
                assert self._postgres.process
                self._postgres.process.kill()
                self._postgres.process.wait()
                self._postgres = start_postgres(self._cluster)
            case "backend" | "connection":
                if not self._end_backend(kind, chosen):
                    return
            case "broker":
                self._kafka.process.kill()
                self._kafka.process.wait()
                (consumer,) = self._of("consumer")  # which is never to see the next broker
                self._kill(consumer)
                self.broker += 1
                self._kafka = start_kafka(self._port)
                self._start(consumer)
            case _:
                program = chosen.choice(self._of(kind))
                # Most have something to lose; who is but starting is killed seldom.
                if not self._is_at_work(program) and chosen.random() < _SPARED:
                    return
                self._kill(program)
                self._start(program)
        self.kills[kind] += 1

    def tend(self) -> None:
        """Start what has ended by itself, as a supervisor would, and remember that it has."""
        for program in self.programs:
            if program.process and program.process.poll() is not None:
                self.ended.append(f"{program.client} ended with {program.process.returncode}")
                self._start(program)

    def stop(self, *kinds: str) -> None:
        """Ask programs to end, all of the kinds at once."""
        chosen = [program for kind in kinds for program in self._of(kind)]
        for program in chosen:
            if program.process:
                program.process.send_signal(signal.SIGTERM)
        for program in chosen:
            self._stop(program)

    def close(self) -> None:
        """End everything; again is harmless."""
        self.stop(*{program.kind for program in self.programs})
        self._kafka.stop()
        self._postgres.stop()

    def query(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query, once the server answers."""
        deadline = time.monotonic() + _START_S_MAX
        while True:
            try:
                with psycopg.connect(self.url, connect_timeout=5) as connection:
                    return connection.execute(query.encode()).fetchall()
            except psycopg.OperationalError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Run a command of `myriorama` on this house to its end."""
        return subprocess.run(  # noqa: S603 - our own
            [sys.executable, "-m", "myriorama", *words],
            env=self.environment,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )

    def heads(self) -> dict[str, int]:
        """Return the positions at which the logs end."""
        return {log: int(head) for log, head in self.query(_HEADS)}

    def behind(self) -> list[str]:
        """Return who has not come to the end of the log that they follow."""
        heads = self.heads()
        places = {"subscriber": ("domain", self.delivered("subscriber"))}
        stand = dict(self.query("SELECT name, position FROM projection_positions"))
        for projection in projections():
            position = int(stand.get(projection.name, 0))
            places[f"projection {projection.name}"] = (projection.log, position)
        for log, position in self._relayed().items():
            places[f"relay of {log}"] = (log, position)
        return [
            f"{who} at {position} of {heads[log]}"
            for who, (log, position) in sorted(places.items())
            if position < heads[log]
        ]

    def consumed(self) -> int:
        """Return how much the consumers have written down, in bytes."""
        return sum(path.stat().st_size for path in self.histories.glob("consumer.*.history"))

    def _relayed(self) -> dict[str, int]:
        """Return how far the relay says that it has come on the present broker."""
        relayed = {"domain": 0, "views": 0}
        places = {Place(POSITIONS_TOPIC, number): log for number, log in enumerate(relayed)}
        with suppress(KafkaDown):
            last = last_records(self.environment["MYRIORAMA_KAFKA"], list(places))
            for place, record in last.items():
                progress = msgspec.json.decode(record.value, type=Progress)
                relayed[places[place]] = progress.position
        return relayed

    def delivered(self, client: str) -> int:
        """Return how far the subscriptions of all runs of a client have come."""
        last = (last_line(path) for path in self.histories.glob(f"{client}.*.history"))
        return max(
            (
                line.position if isinstance(line, Delivered) else line.after
                for line in last
                if isinstance(line, Delivered | Subscribed)
            ),
            default=0,
        )

    def _programs(self) -> list[Program]:
        return [
            *(self._writer("writer", "sync", number) for number in (1, 2)),
            self._writer("submitter", "submit", 1),
            Program("viewer", "viewer", lambda p: ["tests.crash.viewers", p.client, self.seed]),
            Program("subscriber", "subscriber", self._subscriber),
            Program("reader", "reader", self._reader),
            Program("consumer", "consumer", self._consumer),
            Program("projector", "projector", lambda _: ["myriorama", "project"]),
            Program("relay", "relay", lambda _: ["myriorama", "relay"]),
        ]

    def _writer(self, kind: str, mode: str, number: int) -> Program:
        return Program(
            kind,
            f"{kind}-{number}",
            lambda self_: ["tests.crash.writers", mode, self_.client, self.seed],
        )

    def _subscriber(self, program: Program) -> list[str]:
        after = str(self.delivered(program.name))
        return ["tests.crash.readers", "subscriber", program.client, self.seed, after]

    def _consumer(self, program: Program) -> list[str]:
        return ["tests.crash.consumers", program.client, str(self.broker)]

    def _reader(self, program: Program) -> list[str]:
        return ["tests.crash.readers", "reader", program.client, self.seed, "0"]

    def _of(self, kind: str) -> list[Program]:
        return [program for program in self.programs if program.kind == kind]

    def _start(self, program: Program) -> None:
        program.times += 1
        with (self._logs / f"{program.name}.log").open("ab") as output:
            program.process = leash.spawn(
                [sys.executable, "-m", *program.words(program)],
                output=output,
                env=self.environment,
                cwd=ROOT,
            )

    def _is_at_work(self, program: Program) -> bool:
        """Whether it has told of anything yet; programs of the product have no history."""
        histories = [*self.histories.glob(f"{program.client}[-.]*history")]
        return program.kind in _PRODUCT or any(path.stat().st_size for path in histories)

    def _kill(self, program: Program) -> None:
        assert program.process
        program.process.kill()
        program.process.wait()

    def _stop(self, program: Program) -> None:
        process, program.process = program.process, None
        if process is not None:
            # Who does not end says in its log where it stands, before it is killed.
            leash.stop(process, by=(signal.SIGTERM, signal.SIGABRT), patience_s=_STOP_S_MAX)
            if process.returncode not in (0, -signal.SIGTERM):  # by that, before it could listen
                self.ended.append(f"{program.client} did not end well: {process.returncode}")

    def _end_backend(self, kind: str, chosen: random.Random) -> bool:
        try:
            with psycopg.connect(self.url, autocommit=True, connect_timeout=5) as connection:
                pids = [pid for (pid,) in connection.execute(_BACKENDS)]
                if not pids:
                    return False
                pid = chosen.choice(pids)
                if kind == "connection":
                    connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
                else:
                    os.kill(pid, signal.SIGKILL)
        except (psycopg.OperationalError, ProcessLookupError):
            time.sleep(0.1)  # it is starting, or was gone before we came
            return False
        return True
