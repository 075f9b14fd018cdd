"""A small world without a fault: what an ideal log would hold and tell, for the tests to mutate."""

import random
from dataclasses import dataclass, field
from uuid import UUID

import msgspec

from domain.cameo.events import CameoRecorded, PermissionDenied, PermissionGranted
from domain.generation.events import GenerationRequested
from domain.reaction.events import VideoLiked
from tests.crash.checker import DomainLog, LogEvent, StoredCommand
from tests.crash.history import (
    Acknowledged,
    Attempted,
    BatchRefused,
    BatchSent,
    Consumed,
    Delivered,
    HeadRead,
    History,
    Line,
    Receipted,
    Refused,
    Repeated,
    SliceRead,
    Subscribed,
    Unanswered,
)
from tests.crash.view_checker import StoredBatch, StoredView, ViewLog

Fact = tuple[UUID, str, dict[str, object]]
"""What happens to which aggregate, under which topic, with which fields."""

ALICE, BOB = UUID(int=1), UUID(int=2)
NOON = "2026-11-22T12:00:00Z"


@dataclass
class World:
    """Lists, so that a test can break anything in them."""

    lines: dict[str, list[Line]] = field(default_factory=dict[str, list[Line]])
    events: list[LogEvent] = field(default_factory=list[LogEvent])
    commands: list[StoredCommand] = field(default_factory=list[StoredCommand])
    positions: list[int] = field(default_factory=list[int])
    views: list[StoredView] = field(default_factory=list[StoredView])
    batches: list[StoredBatch] = field(default_factory=list[StoredBatch])

    @property
    def histories(self) -> list[History]:
        return [History(client, lines) for client, lines in self.lines.items()]

    @property
    def log(self) -> DomainLog:
        return DomainLog(self.events, self.commands)

    @property
    def view_log(self) -> ViewLog:
        return ViewLog(self.positions, self.views, self.batches)

    def find(self, client: str, kind: type[Line], nth: int = 0) -> int:
        """Return where the nth line of a kind stands in a client's history."""
        at = [i for i, line in enumerate(self.lines[client]) if isinstance(line, kind)]
        return at[nth]


class Ideal:
    """Plays clients one after another on a log that keeps its promises."""

    def __init__(self, seed: int) -> None:
        self.world = World()
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self._clock = 0
        self._versions: dict[UUID, int] = {}
        self._attempts = 0

    def tick(self) -> int:
        self._clock += 1
        return self._clock

    def tell(self, client: str, line: Line) -> None:
        self.world.lines.setdefault(client, []).append(line)

    def command(
        self,
        client: str,
        *facts: Fact,
        expect: dict[UUID, int] | None = None,
        command_id: UUID | None = None,
        answered: bool = True,
    ) -> tuple[int, ...]:
        """Record a command, and tell its client unless the answer is lost."""
        self._attempts += 1
        attempt = f"{client}:{self._attempts}"
        events: list[tuple[UUID, int]] = []
        positions: list[int] = []
        began = self.tick()
        for originator_id, topic, state in facts:
            version = self._versions[originator_id] = self._versions.get(originator_id, 0) + 1
            position = len(self.world.events) + 1
            encoded = msgspec.json.encode({"timestamp": NOON, **state})
            self.world.events.append(
                LogEvent(position, originator_id, version, topic, attempt, encoded)
            )
            events.append((originator_id, version))
            positions.append(position)
        self.tell(client, Attempted(began, attempt, tuple(events), expect or {}, command_id))
        if command_id is not None:
            self.world.commands.append(StoredCommand(command_id, positions[0], positions[-1]))
        told: Line = (
            Acknowledged(self.tick(), attempt, tuple(positions))
            if answered
            else Unanswered(self.tick(), attempt, "the connection is lost")
        )
        self.tell(client, told)
        return tuple(positions)

    def retry(self, client: str, command_id: UUID, positions: tuple[int, ...]) -> None:
        self._attempts += 1
        attempt = f"{client}:{self._attempts}"
        self.tell(client, Attempted(self.tick(), attempt, ((UUID(int=99), 1),), {}, command_id))
        self.tell(client, Repeated(self.tick(), attempt, positions))

    def refuse(self, client: str, originator_id: UUID) -> None:
        self._attempts += 1
        attempt = f"{client}:{self._attempts}"
        self.tell(client, Attempted(self.tick(), attempt, ((originator_id, 1),), {}))
        self.tell(client, Refused(self.tick(), attempt))

    def like(self, client: str) -> None:
        video_id = UUID(int=self._random.randrange(100, 110))
        self.command(client, (video_id, VideoLiked.TOPIC, {}))

    def read(self, client: str, after: int) -> None:
        began, head = self.tick(), len(self.world.events)
        self.tell(client, HeadRead(self.tick(), "domain", began, head))
        seen = tuple((e.position, e.originator_id, e.version) for e in self.world.events[after:])
        self.tell(client, SliceRead(self.tick(), after, head, seen))

    def subscribe(self, client: str, name: str, after: int, *topics: str) -> None:
        self.tell(client, Subscribed(self.tick(), name, after, topics))
        for event in self.world.events[after:]:
            if not topics or event.topic in topics:
                identity = (event.originator_id, event.version)
                self.tell(client, Delivered(self.tick(), name, event.position, *identity))

    def view(self, client: str, sequence: int, count: int, *, times: int = 1) -> None:
        """Send a batch of views `times` times."""
        batch = (ALICE, UUID(int=7), sequence)
        decisions = tuple(UUID(int=sequence * 100 + n) for n in range(count))
        digest = f"{sequence:x}"
        for time in range(times):
            self._attempts += 1
            attempt = f"{client}:{self._attempts}"
            self.tell(client, BatchSent(self.tick(), attempt, *batch, digest, decisions))
            if time == 0:
                for decision_id in decisions:
                    self.world.positions.append(len(self.world.positions) + 1)
                    view = StoredView(self.world.positions[-1], batch, decision_id)
                    self.world.views.append(view)
                self.world.batches.append(StoredBatch(batch, digest, count))
            self.tell(client, Receipted(self.tick(), attempt, count, time > 0))

    def reuse(self, client: str, sequence: int) -> None:
        """Send another batch under a number that is taken."""
        self._attempts += 1
        attempt = f"{client}:{self._attempts}"
        other = (UUID(int=12345),)
        self.tell(client, BatchSent(self.tick(), attempt, ALICE, UUID(int=7), sequence, "f", other))
        self.tell(client, BatchRefused(self.tick(), attempt))

    def read_views(self, client: str) -> None:
        began = self.tick()
        self.tell(client, HeadRead(self.tick(), "views", began, len(self.world.positions)))

    def consume(self, client: str, broker: int, topic: str, upto: int) -> None:
        for position in range(1, upto + 1):
            self.tell(client, Consumed(self.tick(), broker, topic, 0, (position,)))


CAMEO, GENERATION, COMMAND = UUID(int=50), UUID(int=60), UUID(int=70)


def world(seed: int) -> World:
    """Return a world in which everything that the checkers look at has happened."""
    ideal = Ideal(seed)
    ideal.read("reader", 0)
    ideal.command(
        "alice",
        (CAMEO, CameoRecorded.TOPIC, {"owner_id": str(ALICE), "audience": "approved"}),
    )
    ideal.command("alice", (CAMEO, PermissionGranted.TOPIC, {"grantee_id": str(BOB)}))
    asked: dict[str, object] = {"account_id": str(BOB), "cameo_ids": [str(CAMEO)]}
    ideal.command("bob", (GENERATION, GenerationRequested.TOPIC, asked), expect={CAMEO: 2})
    ideal.command("alice", (CAMEO, PermissionDenied.TOPIC, {"grantee_id": str(BOB)}))
    for _ in range(10):
        ideal.like("carol")
    ideal.read("reader", 3)
    ideal.command("bob", (UUID(int=61), VideoLiked.TOPIC, {}), answered=False)
    one: Fact = (UUID(int=80), VideoLiked.TOPIC, {})
    other: Fact = (UUID(int=81), VideoLiked.TOPIC, {})
    first = ideal.command("bob", one, other, command_id=COMMAND)
    ideal.retry("bob", COMMAND, first)
    ideal.refuse("carol", CAMEO)
    for _ in range(10):
        ideal.like("carol")
    ideal.read("reader", 10)
    ideal.subscribe("follower", "all", 0)
    ideal.subscribe("follower", "liked", 2, VideoLiked.TOPIC)
    ideal.view("watcher", 1, 3)
    ideal.view("watcher", 2, 2, times=3)
    ideal.read_views("reader")
    ideal.reuse("watcher", 2)
    ideal.consume("consumer", 1, "events", 5)
    ideal.consume("consumer", 2, "events", len(ideal.world.events))
    return ideal.world
