"""The composition root: the one place where implementations are chosen and joined."""

import asyncio
import gc
import os
import secrets
import socket
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from functools import partial

from anyio import CapacityLimiter
from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.types import ControllerRouterHandler
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from domain.allowance.limit import Limit
from myriorama.api import accounts as account_routes
from myriorama.api import cameo_permissions as cameo_permission_routes
from myriorama.api import cameos as cameo_routes
from myriorama.api import comments as comment_routes
from myriorama.api import feed as feed_routes
from myriorama.api import followings as following_routes
from myriorama.api import generations as generation_routes
from myriorama.api import invitations as invitation_routes
from myriorama.api import media as media_routes
from myriorama.api import openapi, operations
from myriorama.api import reactions as reaction_routes
from myriorama.api import sessions as session_routes
from myriorama.api import uploads as upload_routes
from myriorama.api import videos as video_routes
from myriorama.api import views as view_routes
from myriorama.api import work as work_routes
from myriorama.api.authentication import Authentication, provide_principal, provide_visitor
from myriorama.api.causation import Causation
from myriorama.api.exchange import EXPOSED_HEADERS, Exchange
from myriorama.api.generation_events import GenerationEvents
from myriorama.api.generation_rows import OwnGenerations
from myriorama.api.idempotency import Answers, Idempotency
from myriorama.api.limits import RateLimits
from myriorama.api.paging import Cursors
from myriorama.api.people import People
from myriorama.api.problems import HANDLERS
from myriorama.api.reads import Reads
from myriorama.api.revocations import Revocations
from myriorama.api.shelves import Shelves
from myriorama.api.tokens import AccessTokens
from myriorama.api.wellformed import TypedRequest
from myriorama.application.accounts import Accounts
from myriorama.application.cameos import Cameos
from myriorama.application.comments import Comments
from myriorama.application.consent import Consent
from myriorama.application.followings import Followings
from myriorama.application.generations import Generations
from myriorama.application.passwords import Passwords
from myriorama.application.reactions import Reactions
from myriorama.application.uploads import Uploads
from myriorama.application.videos import Videos
from myriorama.application.work import Works
from myriorama.feed.cards import Cards
from myriorama.feed.feeds import Feeds
from myriorama.feed.view_tokens import ViewTokens
from myriorama.replay.folding import Source
from myriorama.settings import Settings, WorkerSettings
from myriorama.store.event_source import EventSource
from myriorama.store.front import Front
from myriorama.store.kafka import Producer, Topics
from myriorama.store.log import Log
from myriorama.store.objects import Objects, open_objects
from myriorama.store.postgres import (
    Pool,
    async_pool,
    closed_pool,
    known_migrations,
    open_pool,
)
from myriorama.store.progress import ProgressRelay
from myriorama.store.projected import Projected
from myriorama.store.signing import Signer
from myriorama.store.view_days import ViewDays
from myriorama.store.view_exports import Exports
from myriorama.store.view_source import ViewSource
from myriorama.store.viewlog import Views
from myriorama.studio.inspection import Limits, inspect
from myriorama.telemetry import Tracing, start_logs
from myriorama.web import pages as page_routes
from myriorama.workers.dispatcher import Dispatcher
from myriorama.workers.event_stream import EventStream
from myriorama.workers.gate import Gate
from myriorama.workers.generation import Worker
from myriorama.workers.projector import Projector
from myriorama.workers.queues import TOPICS
from myriorama.workers.relay import Relay
from myriorama.workers.rendering import RenderProcess, Studio
from myriorama.workers.view_stream import ViewStream
from projections.accounts import Accounts as AccountsProjection
from projections.cameo_permissions import CameoPermissions
from projections.cameos import Cameos as CameosProjection
from projections.comments import Comments as CommentsProjection
from projections.engagement_counts import EngagementCounts
from projections.generations import Generations as GenerationsProjection
from projections.invitations import Invitations as InvitationsProjection
from projections.projection import AnyProjection
from projections.reactions import Reactions as ReactionsProjection
from projections.relations import Relations
from projections.revocations import Revocations as RevocationsProjection
from projections.uploads import Uploads as UploadsProjection
from projections.videos import Videos as VideosProjection
from projections.view_counts import ViewCounts

BODY_BYTES_MAX = 64 * 1024

ROUTES: Sequence[ControllerRouterHandler] = (
    *operations.routes,
    *page_routes.routers,
    account_routes.router,
    cameo_permission_routes.router,
    cameo_routes.router,
    comment_routes.router,
    feed_routes.router,
    following_routes.router,
    generation_routes.router,
    invitation_routes.router,
    media_routes.router,
    reaction_routes.router,
    session_routes.router,
    upload_routes.router,
    video_routes.router,
    view_routes.router,
    work_routes.router,
)


def projections() -> Sequence[AnyProjection]:
    """Return every projection, each to be run by one process at a time."""
    return (
        AccountsProjection(),
        CameoPermissions(),
        CameosProjection(),
        CommentsProjection(),
        EngagementCounts(),
        GenerationsProjection(),
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
    size = len(projections()) + 2
    pool = open_pool(settings.database_url, size_max=size, is_checked=False)
    logs = sources(pool, open_objects(settings.objects))
    return Projector(logs, projections(), url=settings.database_url)


def create_api(settings: Settings) -> Litestar:
    """Join the routes to the write side and the read side."""
    writes, pool = closed_pool(settings.database_url), async_pool(settings.database_url)
    fronted = async_pool(settings.database_url, size_max=4, is_checked=False)
    log, objects = Log(writes), open_objects(settings.objects)
    consent, taken_in = Consent(log), uploads(settings, writes, log, objects)
    signer = Signer(settings.secret.encode())
    projected, revocations = Projected(settings.database_url), Revocations()
    reads, cards, cursors = Reads(pool), Cards(pool, signer), Cursors(signer)
    feeds, view_tokens = Feeds(pool, cards), ViewTokens(signer)
    views = Views(settings.database_url)
    progress = ProgressRelay(settings.kafka)
    own_generations = OwnGenerations(reads, cursors, signer)
    tokens = AccessTokens(secret=settings.secret, worker_token=settings.worker_token)
    tracing = Tracing.to(settings.otlp_endpoint, service="myriorama-api")
    collaborators: dict[str, object] = {
        "accounts": create_accounts(settings, log),
        "cameos": Cameos(log, consent, taken_in),
        "cards": cards,
        "comments": Comments(log),
        "consent": consent,
        "cursors": cursors,
        "feed_pages": feed_routes.FeedPages(feeds, cursors, view_tokens, views),
        "followings": Followings(log),
        "front": Front(fronted),
        "generation_events": GenerationEvents(own_generations, projected, progress),
        "generations": _generations(settings, writes, log),
        "inspections": CapacityLimiter(os.cpu_count() or 1),
        "objects": objects,
        "operations": _operations(pool),
        "own_generations": own_generations,
        "people": People(reads, cursors),
        "progress": progress,
        "reactions": Reactions(log),
        "reads": reads,
        "shelves": Shelves(reads, cards, cursors),
        "signer": signer,
        "tokens": tokens,
        "videos": Videos(log, consent),
        "view_tokens": view_tokens,
        "views": views,
        "works": _works(settings, log, objects),
        "uploads": taken_in,
    }

    @asynccontextmanager
    async def connected(_: Litestar) -> AsyncGenerator[None]:
        with writes, views:
            async with fronted, _listening(pool, projected, revocations, feeds):
                yield
            await asyncio.to_thread(log.close)
        await asyncio.to_thread(progress.close)
        if tracing:
            tracing.close()

    app = Litestar(
        ROUTES,
        dependencies=_dependencies(collaborators),
        middleware=[
            Authentication(tokens, revocations),
            _limits(settings),
            Idempotency(Answers(pool, settings.secret.encode()), proxies=settings.proxies),
            Causation(projected, _following("domain"), pool),
        ],
        exception_handlers=dict(HANDLERS),
        lifespan=[connected],
        cors_config=_cors(settings.cors_origins),
        openapi_config=openapi.config(settings.public_url),
        request_class=TypedRequest,
        request_max_body_size=BODY_BYTES_MAX,
    )
    app.asgi_handler = Exchange(app.asgi_handler, tracing)
    return app


@asynccontextmanager
async def _listening(
    pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
    projected: Projected,
    revocations: Revocations,
    feeds: Feeds,
) -> AsyncGenerator[None]:
    """Keep in memory what requests need at once, and up to date, while the context is open."""
    async with pool:
        await revocations.load(pool)
        await feeds.load()
        feeds.follow(projected)
        projected.refresh(["revocations"], lambda: revocations.load(pool))
        projected.reload(["revocations"], lambda: revocations.load(pool))
        listening = asyncio.create_task(projected.run())
        try:
            yield
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening


def _following(log: str) -> Sequence[str]:
    return [projection.name for projection in projections() if projection.log == log]


def _operations(pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> operations.Operations:
    return operations.Operations(
        pool, migrations=known_migrations(), projections=_following("domain")
    )


def _limits(settings: Settings) -> RateLimits:
    return RateLimits(
        requests=settings.requests_per_minute,
        credentials=settings.credential_requests_per_minute,
        proxies=settings.proxies,
    )


def _cors(origins: str) -> CORSConfig | None:
    allowed = [origin.strip() for origin in origins.split(",") if origin.strip()]
    if not allowed:
        return None
    return CORSConfig(
        allow_origins=allowed,
        allow_headers=["authorization", "idempotency-key", "if-match", "traceparent"],
        expose_headers=EXPOSED_HEADERS,
        max_age=7200,
    )


def _dependencies(collaborators: Mapping[str, object]) -> dict[str, Provide]:
    return {
        "principal": Provide(provide_principal, sync_to_thread=False),
        "visitor": Provide(provide_visitor, sync_to_thread=False),
        **{name: _provide(part) for name, part in collaborators.items()},
    }


def _provide(part: object) -> Provide:
    return Provide(lambda: part, sync_to_thread=False)


def api() -> Litestar:
    """Return the API for a server that loads it by name."""
    start_logs()
    app = create_api(Settings.read())
    app.on_startup.append(gc.freeze)  # what was loaded stays: no collection looks through it again
    return app


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


def create_dispatcher(settings: Settings) -> Dispatcher:
    """Join the dispatcher to the log, and to Kafka."""
    pool = open_pool(settings.database_url, size_max=2)
    log, objects = Log(pool), open_objects(settings.objects)
    kept = timedelta(days=settings.view_days_kept)
    days = ViewDays(settings.database_url, objects, projections=_following("views"), kept=kept)
    return Dispatcher(
        settings.database_url,
        _works(settings, log, objects),
        Producer(settings.kafka),
        Topics(settings.kafka, TOPICS),
        chores=[uploads(settings, pool, log, objects).refuse_abandoned, days.tend_aside],
    )


def create_relay(settings: Settings) -> Relay:
    """Join the relay to the logs, to what was exported of them, and to Kafka."""
    streams = (EventStream(), ViewStream(Exports(open_objects(settings.objects))))
    return Relay(settings.database_url, settings.kafka, streams)


def create_worker(settings: WorkerSettings) -> Worker:
    """Join the worker to Kafka, the API and a renderer. It gets nothing of the database."""
    studio = Studio(
        objects=settings.objects,
        renderer=settings.renderer,
        model=settings.model,
        home=str(settings.home),
    )
    return Worker(
        f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"[:100],
        settings.kafka,
        gate=Gate(settings.public_url, settings.worker_token),
        process=RenderProcess(studio),
        producer=Producer(settings.kafka),
        topics=Topics(settings.kafka, TOPICS),
        tracing=Tracing.to(settings.otlp_endpoint, service="myriorama-worker"),
    )


def sources(pool: Pool, objects: Objects) -> Mapping[str, Source]:
    """Return the logs by the names under which projections follow them."""
    return {"domain": EventSource(pool), "views": ViewSource(pool, objects)}


def create_accounts(settings: Settings, log: Log) -> Accounts:
    """Join the accounts to the log."""
    return Accounts(
        log,
        Passwords(),
        invite_only=settings.sign_up == "invite_only",
        allotment=settings.invitations,
    )


def _generations(settings: Settings, pool: Pool, log: Log) -> Generations:
    window = timedelta(seconds=settings.allowance_window_s)
    return Generations(
        log,
        pool,
        Consent(log),
        limit=Limit(settings.allowance_seconds, window),
        in_flight_max=settings.generations_in_flight_max,
    )


def _works(settings: Settings, log: Log, objects: Objects) -> Works:
    return Works(log, Consent(log), objects, lease=timedelta(seconds=settings.lease_s))
