"""Hundreds of commands wait at once, and the process goes on answering with the threads it has."""

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import psycopg
from litestar.types import ASGIApp, Receive, Scope, Send

from myriorama.bootstrap.api import create_api
from myriorama.settings import Settings
from myriorama.store.front import Front
from myriorama.store.log import Log
from myriorama.store.postgres import AdvisoryLock
from tests.people import Person
from tests.publishing import publish

COMMANDS = 200
# The recorder leads a thread of its own where no thread waits for it.
RECORDERS = 1


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[httpx.AsyncClient]:
    """The API on the event loop of the test."""
    app = create_api(settings)
    transport: Any = httpx.ASGITransport(app=_typed(app))
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://a") as http:
        yield http


def _typed(app: ASGIApp) -> Any:
    async def call(scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {}
        await app(scope, receive, send)

    return call


def waiting_for_the_log() -> int:
    """Count the commands that have handed over what they record: they read nothing any more."""
    return sum(_has_handed_over(task) for task in asyncio.all_tasks())


def _has_handed_over(task: asyncio.Task[Any]) -> bool:
    awaiting: Any = task.get_coro()
    while awaiting is not None:
        inner = getattr(awaiting, "cr_await", None)
        if getattr(awaiting, "cr_code", None) is Front.command.__code__:
            return inner is not None and inner.cr_code is not Front.rows.__code__
        awaiting = inner
    return False


def comment(http: httpx.AsyncClient, person: Person, video_id: UUID, text: str) -> Any:
    headers = {"Authorization": f"Bearer {person.tokens['access_token']}"}
    return http.post(f"/v1/videos/{video_id}/comments", json={"text": text}, headers=headers)


async def health(http: httpx.AsyncClient) -> httpx.Response:
    """Ask in a task of its own, since it waits for nothing and would let nobody else go on."""
    return await asyncio.create_task(http.get("/health"))


def test_commands_that_wait_for_the_log_hold_no_threads_and_nobody_up(
    settings: Settings, person: Callable[[str], Person], log: Log
) -> None:
    alice = person("alice")
    video_id = publish(log, alice.account_id).id

    async def held_up() -> tuple[int, list[httpx.Response]]:
        async with serving(settings) as http:
            assert (await comment(http, alice, video_id, "First!")).status_code == 201
            threads = threading.active_count()
            with psycopg.connect(settings.database_url, autocommit=True) as somebody:
                somebody.execute("SELECT pg_advisory_lock(%s)", (AdvisoryLock.DOMAIN_LOG,))
                commands = [
                    asyncio.create_task(comment(http, alice, video_id, f"Number {number}"))
                    for number in range(COMMANDS)
                ]
                while waiting_for_the_log() < COMMANDS:
                    assert (await health(http)).status_code == 200
                more = threading.active_count() - threads
                assert not any(command.done() for command in commands)
                somebody.execute("SELECT pg_advisory_unlock_all()")
            return more, await asyncio.gather(*commands)

    more, answers = asyncio.run(asyncio.wait_for(held_up(), timeout=60))

    assert more <= RECORDERS
    assert [answer.status_code for answer in answers] == [201] * COMMANDS
    assert len({answer.json()["comment_id"] for answer in answers}) == COMMANDS
    with psycopg.connect(settings.database_url) as database:
        (recorded,) = database.execute(
            "SELECT count(*) FROM events WHERE topic = 'comment.posted'"
        ).fetchone() or (0,)
    assert recorded == COMMANDS + 1


def test_who_hangs_up_in_mid_command_leaves_nothing_behind(
    settings: Settings, person: Callable[[str], Person], log: Log
) -> None:
    alice = person("alice")
    video_id = publish(log, alice.account_id).id

    async def hang_up() -> int:
        async with serving(settings) as http:
            with psycopg.connect(settings.database_url, autocommit=True) as somebody:
                somebody.execute("SELECT pg_advisory_lock(%s)", (AdvisoryLock.DOMAIN_LOG,))
                request = asyncio.create_task(comment(http, alice, video_id, "Wait!"))
                while not waiting_for_the_log():
                    assert (await health(http)).status_code == 200
                request.cancel()
                assert (await health(http)).status_code == 200
                somebody.execute("SELECT pg_advisory_unlock_all()")
            await asyncio.wait([request])
            assert request.cancelled()
            return waiting_for_the_log()

    assert asyncio.run(asyncio.wait_for(hang_up(), timeout=60)) == 0
    with psycopg.connect(settings.database_url) as database:
        recorded = database.execute("SELECT 1 FROM events WHERE topic = 'comment.posted'")
        assert recorded.fetchall() == [(1,)]


def test_no_command_takes_the_loop_for_itself(
    settings: Settings, person: Callable[[str], Person]
) -> None:
    alice = person("alice")
    bob = person("bob")
    headers = {"Authorization": f"Bearer {alice.tokens['access_token']}"}
    beats = 0

    async def beat() -> None:
        nonlocal beats
        while True:
            await asyncio.sleep(0)
            beats += 1

    async def beside_the_beat() -> list[tuple[int, bool]]:
        async with serving(settings) as http:
            beating = asyncio.create_task(beat())
            seen: list[tuple[int, bool]] = []
            for method, path, body in (
                ("PUT", f"/v1/accounts/{bob.handle}/follow", None),
                ("POST", "/v1/sessions", {"name": "alice", "password": "wrong password"}),
                ("PUT", "/v1/me/password", {"old": "wrong", "new": "another password"}),
                ("GET", "/v1/allowance", None),
                ("POST", "/v1/generations", {"prompt": "a fox"}),
            ):
                before = beats
                answer = await http.request(method, path, json=body, headers=headers)
                seen.append((answer.status_code, beats > before + 1))
            beating.cancel()
            return seen

    seen = asyncio.run(beside_the_beat())

    assert seen == [(204, True), (401, True), (401, True), (200, True), (201, True)]
