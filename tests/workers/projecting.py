"""Projectors in tests: run in a thread or elsewhere, given events, and awaited."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from prometheus_client import REGISTRY

from domain.invitation.aggregate import Invitation
from myriorama.replay.folding import Source
from myriorama.store.event_source import EventSource
from myriorama.store.log import Log
from myriorama.store.postgres import Pool
from myriorama.workers.projector import Projector
from projections.projection import AnyProjection
from tests.workers.following import Codes, Lengths

PATIENCE_S = 120
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ROOT = Path(__file__).parents[2]
BOTH: Sequence[AnyProjection] = (Codes(), Lengths())


@contextmanager
def running(
    pool: Pool,
    url: str,
    projections: Sequence[AnyProjection] = BOTH,
    source: Source | None = None,
) -> Generator[Projector]:
    projector = Projector({"domain": source or EventSource(pool)}, projections, url=url)
    thread = threading.Thread(target=projector.run)
    thread.start()
    try:
        yield projector
    finally:
        projector.stop()
        thread.join(timeout=PATIENCE_S)
    assert not thread.is_alive()


@contextmanager
def running_elsewhere(url: str, **environment: str) -> Generator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(  # noqa: S603 - a program of these tests
        [sys.executable, "-m", "tests.workers.following", url],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def issue(log: Log, *codes: str) -> None:
    for code in codes:
        log.save(Invitation.issue(code, issuer_id=UUID(int=1), at=NOON))


def column(pool: Pool, query: str) -> list[Any]:
    with pool.connection() as connection:
        return [value for (value,) in connection.execute(query.encode())]


def codes(pool: Pool) -> list[str]:
    return column(pool, "SELECT code FROM codes ORDER BY position")


def lengths(pool: Pool) -> list[int]:
    return column(pool, "SELECT length FROM lengths ORDER BY position")


def standing(pool: Pool) -> dict[str, int]:
    with pool.connection() as connection:
        return dict(connection.execute("SELECT name, position FROM projection_positions"))


def until(reached: Callable[[], bool], *, what: Callable[[], object] = lambda: "") -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not reached():
        assert time.monotonic() < deadline, f"still {what()}"
        time.sleep(0.02)


def await_codes(pool: Pool, expected: list[str]) -> None:
    until(lambda: codes(pool) == expected, what=lambda: codes(pool))


def await_lengths(pool: Pool, expected: list[int]) -> None:
    until(lambda: lengths(pool) == expected, what=lambda: lengths(pool))


def gauge(name: str, projection: str) -> float | None:
    return REGISTRY.get_sample_value(f"myriorama_projection_{name}", {"projection": projection})
