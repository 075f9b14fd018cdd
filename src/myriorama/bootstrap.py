"""The composition root: the one place where implementations are chosen and joined."""

import asyncio
import os
import signal
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime
from functools import partial
from types import FrameType
from typing import Any

import httpx
from anyio import CapacityLimiter
from granian.constants import Interfaces
from granian.server import Server as Granian
from litestar import Litestar
from litestar.di import Provide
from litestar.openapi import OpenAPIConfig

from myriorama.api import accounts as account_routes
from myriorama.api import feed as feed_routes
from myriorama.api import invitations as invitation_routes
from myriorama.api import sessions as session_routes
from myriorama.api import uploads as upload_routes
from myriorama.api import views as view_routes
from myriorama.api.authentication import Authentication, provide_principal, provide_visitor
from myriorama.api.causation import Causation
from myriorama.api.paging import Cursors
from myriorama.api.problems import HANDLERS
from myriorama.api.reads import Reads
from myriorama.api.revocations import Revocations
from myriorama.api.tokens import AccessTokens
from myriorama.application.accounts import Accounts
from myriorama.application.passwords import Passwords
from myriorama.application.uploads import Uploads
from myriorama.replay.verification import Comparison, compare
from myriorama.feed.cards import Cards
from myriorama.feed.feeds import Feeds
from myriorama.feed.view_tokens import ViewTokens
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.objects import Objects, open_objects
from myriorama.store.postgres import Pool, async_pool, await_server, open_pool
from myriorama.store.postgres import migrate as apply_migrations
from myriorama.store.projected import Projected
from myriorama.store.signing import Signer
from myriorama.store.viewlog import Views
from myriorama.studio.inspection import Limits, inspect
from myriorama.workers.projector import Projector, Source
from myriorama.workers.seed import seed as bring_to_life
from projections.accounts import Accounts as AccountsProjection
from projections.comments import Comments as CommentsProjection
from projections.engagement_counts import EngagementCounts
from projections.invitations import Invitations as InvitationsProjection
from projections.projection import Projection
from projections.reactions import Reactions as ReactionsProjection
from projections.relations import Relations
from projections.revocations import Revocations as RevocationsProjection
from projections.uploads import Uploads as UploadsProjection
from projections.videos import Videos as VideosProjection
from projections.view_counts import ViewCounts

BODY_BYTES_MAX = 64 * 1024


def projections() -> Sequence[Projection[Any]]:
    """Return every projection, each to be run by one process at a time."""
    return (
        AccountsProjection(),
        CommentsProjection(),
        EngagementCounts(),
        InvitationsProjection(),
        ReactionsProjection(),
        Relations(),
        RevocationsProjection(),
        UploadsProjection(),
        VideosProjection(),
        ViewCounts(),
    )


def create_projector(settings: Settings) -> Projector:
    """Join the projections to the logs that they follow."""
    pool = open_pool(settings.database_url, size_max=len(projections()) + 2)
    return Projector(pool, _sources(pool), projections(), url=settings.database_url)


def create_api(settings: Settings) -> Litestar:
    """Join the routes to the write side and the read side."""
    writes = open_pool(settings.database_url)
    pool = async_pool(settings.database_url)
    log = Log(writes)
    objects = open_objects(settings.objects)
    signer = Signer(settings.secret.encode())
    projected = Projected(settings.database_url)
    revocations = Revocations()
    feeds = Feeds(pool, Cards(pool, signer))
    tokens = AccessTokens(secret=settings.secret, worker_token=settings.worker_token)
    collaborators: dict[str, object] = {
        "accounts": _accounts(settings, log),
        "cursors": Cursors(signer),
        "feeds": feeds,
        "inspections": CapacityLimiter(os.cpu_count() or 1),
        "objects": objects,
        "reads": Reads(pool),
        "signer": signer,
        "tokens": tokens,
        "view_tokens": ViewTokens(signer),
        "views": Views(writes),
        "uploads": uploads(settings, writes, log, objects),
    }

    @asynccontextmanager
    async def connected(_: Litestar) -> AsyncGenerator[None]:
        await pool.open()
        await revocations.load(pool)
        await feeds.load()
        feeds.follow(projected)
        projected.refresh(["revocations"], lambda: revocations.load(pool))
        listening = asyncio.create_task(projected.run())
        try:
            yield
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
            await pool.close()
            writes.close()

    domain_names = [p.name for p in projections() if p.log == "domain"]
    return Litestar(
        [
            account_routes.router,
            feed_routes.router,
            invitation_routes.router,
            session_routes.router,
            upload_routes.router,
            view_routes.router,
        ],
        dependencies={
            "principal": Provide(provide_principal, sync_to_thread=False),
            "visitor": Provide(provide_visitor, sync_to_thread=False),
            **{name: _provide(part) for name, part in collaborators.items()},
        },
        middleware=[Authentication(tokens, revocations), Causation(projected, domain_names)],
        exception_handlers=dict(HANDLERS),
        lifespan=[connected],
        openapi_config=OpenAPIConfig(title="Myriorama", version="1"),
        request_max_body_size=BODY_BYTES_MAX,
    )


def _provide(part: object) -> Provide:
    return Provide(lambda: part, sync_to_thread=False)


def api() -> Litestar:
    """Return the API for a server that loads it by name."""
    return create_api(Settings.read())


def serve(settings: Settings, *, workers: int) -> None:
    """Answer HTTP until told to stop."""
    host, _, port = settings.address.rpartition(":")
    Granian(
        "myriorama.bootstrap:api",
        address=host,
        port=int(port),
        interface=Interfaces.ASGI,
        workers=workers,
        factory=True,
        respawn_failed_workers=True,
    ).serve()


def uploads(settings: Settings, pool: Pool, log: Log, objects: Objects) -> Uploads:
    """Join the uploads to the inspection that looks at them."""
    limits = Limits(
        image_bytes_max=upload_routes.IMAGE_BYTES_MAX,
        video_bytes_max=upload_routes.VIDEO_BYTES_MAX,
        voice_bytes_max=upload_routes.VOICE_BYTES_MAX,
    )
    return Uploads(
        pool,
        log,
        objects,
        inspect=partial(inspect, limits=limits),
        workspace=settings.home / "uploads",
    )


def project(settings: Settings) -> None:
    """Fold the logs until told to stop."""
    projector = create_projector(settings)
    _until_signalled(projector.stop)
    projector.run()


def invite(settings: Settings, *, at: datetime) -> str:
    """Issue an invitation as the operator."""
    with open_pool(settings.database_url, size_max=1) as pool:
        return _accounts(settings, Log(pool)).issue_invitation(issuer_id=None, at=at)


def seed(settings: Settings) -> Iterator[str]:
    """Bring the small world to life through the API. Yields what is done."""
    with httpx.Client(base_url=f"http://{settings.address}", timeout=60) as client:
        yield from bring_to_life(client, lambda: invite(settings, at=datetime.now(UTC)))


def verify_state(settings: Settings) -> Iterator[Comparison]:
    """Fold every projection anew and compare its tables with the live ones."""
    with open_pool(settings.database_url) as pool:
        yield from compare(settings.database_url, _sources(pool), projections())


def migrate(settings: Settings) -> Sequence[str]:
    """Bring the database to the present schema. Returns what was applied."""
    await_server(settings.database_url, timeout_s=30)
    return apply_migrations(settings.database_url)


def _until_signalled(stop: Callable[[], None]) -> None:
    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, on_signal)


def _sources(pool: Pool) -> Mapping[str, Source]:
    return {"domain": Log(pool), "views": Views(pool)}


def _accounts(settings: Settings, log: Log) -> Accounts:
    return Accounts(
        log,
        Passwords(),
        invite_only=settings.sign_up == "invite_only",
        allotment=settings.invitations,
    )
