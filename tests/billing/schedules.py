"""Schedules of what may happen to budgets: crashes, lost answers, repeats, cuts, midnights."""

import random
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol
from uuid import UUID

import psycopg

from myriorama.billing.charges import Budget
from myriorama.billing.leases import Lease
from myriorama.billing.purses import Purses
from tests.billing.memory import TOKEN_LIFE_MS, Report

PRICES = (300, 700, 1_100)
HOUR_MS = 3_600_000
WAITS_MS = (*(10, 100, 500, 2_000) * 4, 6_000, 6_000, TOKEN_LIFE_MS, HOUR_MS)


class House(Protocol):
    """What is played with: in memory, or in PostgreSQL. Each step is whole, or not at all."""

    now_ms: int
    lines: tuple[UUID, ...]
    advertiser: UUID
    campaign: UUID

    def grant(self, line_id: UUID, wanted: int, least: int) -> Lease | None: ...
    def shrink(self, lease_id: int, issued: int) -> None: ...
    def report(self, reports: Sequence[Report]) -> None: ...
    def record(self, decisions: Sequence[int]) -> None: ...
    def settle(self, at_once: int) -> None: ...
    def publish(self, *, is_marked: bool) -> None: ...
    def reclaim(self) -> None: ...
    def set_budget(self, scope: str, id_: UUID, micros: int) -> None: ...
    def spending(self) -> Iterator[tuple[Budget, int, int, int]]: ...
    def charged_micros(self) -> dict[int, int]: ...
    def recorded_micros(self) -> int: ...
    def drift(self) -> int: ...


@dataclass
class _Line:
    """The connection of one server to the house, which fails before a step, or behind it."""

    house: House
    chance: random.Random
    failures: float

    @contextmanager
    def _failing(self) -> Generator[None]:
        if self.chance.random() < self.failures:
            raise psycopg.OperationalError("the connection was lost before the step")
        yield
        if self.chance.random() < self.failures:
            raise psycopg.OperationalError("the answer was lost")

    def grant(self, line_id: UUID, *, wanted_micros: int, least_micros: int) -> Lease | None:
        with self._failing():
            return self.house.grant(line_id, wanted_micros, least_micros)

    def give_back(self, lease_id: int, *, issued_micros: int) -> None:
        with self._failing():
            self.house.shrink(lease_id, issued_micros)


@dataclass
class Schedule:
    """One schedule, made by its seed. `cuts`: budgets are cut; `clicks`: not all is billed."""

    house: House
    seed: int
    budget: int = 9_000
    cuts: bool = False
    clicks: bool = False
    look_every: int = 1
    issued: dict[int, Report] = field(default_factory=dict[int, Report])
    unwritten: list[list[int]] = field(default_factory=list[list[int]])
    written: set[int] = field(default_factory=set[int])
    unsure: list[Report] = field(default_factory=list[Report])

    def __post_init__(self) -> None:
        self.chance = random.Random(self.seed)  # noqa: S311 - a schedule has to be the same again
        self.skews_ms = [self.chance.choice((0, 0, -HOUR_MS, HOUR_MS)) for _ in range(2)]
        self.servers = [self._server() for _ in self.skews_ms]
        self.unwritten = [[] for _ in self.skews_ms]

    def play(self, steps: int) -> None:
        """Do what the seed says, and look at the budgets behind every few steps."""
        acts = [self.decide] * 8 + [self.tend] * 4 + [self.beacon] * 4 + [self.settle] * 3
        acts += [self.write] * 4
        acts += [self.wait, self.wait, self.kill, self.publish, self.reclaim]
        acts += [self.cut] if self.cuts else []
        for step in range(steps):
            self.chance.choice(acts)()
            if step % self.look_every == 0:
                self.look()

    def end(self) -> None:
        """Let everything come to its end, and see that it adds up."""
        for number, server in enumerate(self.servers):
            server.close()
            self._write(number)
        self.house.report(list(self.issued.values()))
        self.house.settle(10_000)
        self.house.now_ms += 2 * TOKEN_LIFE_MS
        self.house.settle(10_000)
        self.house.settle(10_000)
        self.house.reclaim()
        self.house.publish(is_marked=False)
        self.house.publish(is_marked=True)
        self.look()
        charged = self.house.charged_micros()
        assert all(micros in {0, self.issued[one].micros} for one, micros in charged.items())
        assert all(one in self.written for one, micros in charged.items() if micros), self.seed
        for budget, _, held, spent in self.house.spending():
            assert held == 0, budget
            if budget[0] in {"advertiser", "campaign"}:
                assert spent == sum(charged.values()) == self.house.recorded_micros()

    def look(self) -> None:
        for budget, cap, held, spent in self.house.spending():
            assert held >= 0, (self.seed, budget)
            assert held + spent <= cap, (self.seed, budget)
        assert self.house.drift() == 0, self.seed

    def decide(self) -> None:
        """Decide on a few pages."""
        for _ in range(self.chance.randrange(1, 6)):
            self._decide()

    def _decide(self) -> None:
        number = self.chance.randrange(len(self.servers))
        line_id, micros = self.chance.choice(self.house.lines), self.chance.choice(PRICES)
        probability = 0.02 if self.clicks else 1.0
        lease_id = self.servers[number].hold(line_id, micros, probability=probability)
        if lease_id is None and self.chance.random() < 0.7:
            self.house.now_ms += 100
            self.tend(number)
            lease_id = self.servers[number].hold(line_id, micros, probability=probability)
        if lease_id is not None:
            lease = self.servers[number].terms(lease_id)
            believes_ms = self.house.now_ms + self.skews_ms[number]
            expires_ms = min(believes_ms + TOKEN_LIFE_MS, lease.tokens_until_ms)
            decision = len(self.issued) + 1
            self.issued[decision] = Report(decision, lease, micros, expires_ms)
            self.unwritten[number].append(decision)

    def tend(self, number: int = 0) -> None:
        with suppress(psycopg.OperationalError):
            self.servers[number].tend()

    def kill(self) -> None:
        """Replace a server; what it had not written of its decisions is lost."""
        number = self.chance.randrange(len(self.servers))
        self.servers[number] = self._server()
        self.unwritten[number].clear()

    def write(self) -> None:
        self._write(self.chance.randrange(len(self.servers)))

    def beacon(self) -> None:
        """Report some of what was shown, some of it twice, in any order; or again what was."""
        shown = list(self.issued.values())
        reports = self.chance.choices(shown, k=min(len(shown), 6)) + self.unsure
        self.chance.shuffle(reports)
        if reports:
            self.house.report(reports)
            self.unsure = reports[:2] if self.chance.random() < 0.3 else []

    def settle(self) -> None:
        self.house.settle(self.chance.choice((1, 3, 10_000)))

    def publish(self) -> None:
        self.house.publish(is_marked=self.chance.random() < 0.5)

    def reclaim(self) -> None:
        self.house.reclaim()

    def wait(self) -> None:
        self.house.now_ms += self.chance.choice(WAITS_MS)

    def cut(self) -> None:
        scope, id_ = self.chance.choice(
            (
                ("advertiser", self.house.advertiser),
                ("campaign", self.house.campaign),
                ("line", self.house.lines[0]),
            )
        )
        self.house.set_budget(scope, id_, self.chance.randrange(self.budget))

    def _write(self, number: int) -> None:
        self.house.record(self.unwritten[number])
        self.written.update(self.unwritten[number])
        self.unwritten[number].clear()

    def _server(self) -> Purses:
        line = _Line(self.house, self.chance, failures=0.1)
        return Purses(line, clock_s=lambda: self.house.now_ms / 1000)
