"""The API: the routes, joined to the write side and the read side."""

import asyncio
import gc
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress

from anyio import CapacityLimiter
from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.types import ControllerRouterHandler
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from myriorama.api import accounts as account_routes
from myriorama.api import allowance as allowance_routes
from myriorama.api import cameo_permissions as cameo_permission_routes
from myriorama.api import cameos as cameo_routes
from myriorama.api import comments as comment_routes
from myriorama.api import costs as cost_routes
from myriorama.api import detect as detect_routes
from myriorama.api import feed as feed_routes
from myriorama.api import followings as following_routes
from myriorama.api import generations as generation_routes
from myriorama.api import invitations as invitation_routes
from myriorama.api import media as media_routes
from myriorama.api import models as model_routes
from myriorama.api import moderation as moderation_routes
from myriorama.api import openai_videos as openai_video_routes
from myriorama.api import openapi, operations
from myriorama.api import playlists as playlist_routes
from myriorama.api import reactions as reaction_routes
from myriorama.api import sessions as session_routes
from myriorama.api import uploads as upload_routes
from myriorama.api import videos as video_routes
from myriorama.api import views as view_routes
from myriorama.api import work as work_routes
from myriorama.api.authentication import Authentication, provide_principal, provide_visitor
from myriorama.api.causation import Causation
from myriorama.api.dialects import Dialects
from myriorama.api.exchange import EXPOSED_HEADERS, Exchange
from myriorama.api.generation_events import GenerationEvents
from myriorama.api.generation_rows import OwnGenerations
from myriorama.api.idempotency import Answers, Idempotency
from myriorama.api.limits import RateLimits
from myriorama.api.paging import Cursors
from myriorama.api.people import People
from myriorama.api.problems import HANDLERS
from myriorama.api.queue_standing import QueueStanding
from myriorama.api.reads import Reads
from myriorama.api.revocations import Revocations
from myriorama.api.shelves import Shelves
from myriorama.api.tokens import AccessTokens
from myriorama.api.wellformed import TypedRequest
from myriorama.application.cameos import Cameos
from myriorama.application.comments import Comments
from myriorama.application.consent import Consent
from myriorama.application.followings import Followings
from myriorama.application.moderation import Moderation
from myriorama.application.reactions import Reactions
from myriorama.application.videos import Missing, Videos
from myriorama.bootstrap.application import (
    create_accounts,
    create_allowances,
    create_generations,
    create_works,
    queue_rules,
    uploads,
)
from myriorama.bootstrap.logs import following
from myriorama.bootstrap.marks import create_detector, missing_of, provenance_of
from myriorama.bootstrap.models import models_of
from myriorama.feed.cards import Cards
from myriorama.feed.feeds import Feeds
from myriorama.feed.view_tokens import ViewTokens
from myriorama.settings import Settings
from myriorama.store.front import Front
from myriorama.store.log import Log
from myriorama.store.objects import open_objects
from myriorama.store.postgres import (
    async_pool,
    closed_pool,
    known_migrations,
)
from myriorama.store.progress import ProgressRelay
from myriorama.store.projected import Projected
from myriorama.store.signing import Signer
from myriorama.store.viewlog import Views
from myriorama.telemetry import Tracing, start_logs
from myriorama.web import pages as page_routes

BODY_BYTES_MAX = 64 * 1024

ROUTES: Sequence[ControllerRouterHandler] = (
    *operations.routes,
    *page_routes.routers,
    account_routes.router,
    allowance_routes.router,
    cameo_permission_routes.router,
    cameo_routes.router,
    comment_routes.router,
    cost_routes.router,
    detect_routes.router,
    feed_routes.router,
    following_routes.router,
    generation_routes.router,
    invitation_routes.router,
    media_routes.router,
    model_routes.router,
    moderation_routes.router,
    openai_video_routes.router,
    playlist_routes.router,
    reaction_routes.router,
    session_routes.router,
    upload_routes.router,
    video_routes.router,
    view_routes.router,
    work_routes.router,
)


def api() -> Litestar:
    """Return the API for a server that loads it by name."""
    start_logs()
    app = create_api(Settings.read())
    app.on_startup.append(gc.freeze)  # what was loaded stays: no collection looks through it again
    return app


def create_api(settings: Settings, *, missing: Missing | None = None) -> Litestar:
    """Join the routes to the write side and the read side.

    `missing` is what stands at the gate of publication instead of what reads the files again.
    """
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
    standing = QueueStanding(reads, queue_rules(settings))
    own_generations = OwnGenerations(reads, standing, cursors, signer)
    tokens = AccessTokens(secret=settings.secret, worker_token=settings.worker_token)
    tracing = Tracing.to(settings.otlp_endpoint, service="myriorama-api")
    models = models_of(settings)
    collaborators: dict[str, object] = {
        "accounts": create_accounts(settings, log),
        "allowances": create_allowances(settings, log),
        "cameos": Cameos(log, consent, taken_in),
        "cards": cards,
        "comments": Comments(log),
        "consent": consent,
        "cursors": cursors,
        "detector": create_detector(settings, reads),
        "feed_pages": feed_routes.FeedPages(feeds, cursors, view_tokens, views),
        "followings": Followings(log),
        "front": Front(fronted),
        "generation_events": GenerationEvents(own_generations, projected, progress, signer),
        "generations": create_generations(settings, writes, log),
        "inspections": CapacityLimiter(os.cpu_count() or 1),
        "model_table": model_routes.ModelTable.of(models.capabilities(), default=models.default),
        "moderation": Moderation(log, consent),
        "objects": objects,
        "operations": _operations(pool),
        "own_generations": own_generations,
        "people": People(reads, cursors),
        "playlists": playlist_routes.Playlists(objects, signer),
        "progress": progress,
        "reactions": Reactions(log),
        "reads": reads,
        "shelves": Shelves(reads, cards, cursors),
        "signer": signer,
        "standing": standing,
        "tokens": tokens,
        "videos": Videos(log, consent, missing or missing_of(provenance_of(settings, objects))),
        "view_tokens": view_tokens,
        "views": views,
        "works": create_works(settings, log, objects),
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
            Causation(projected, following("domain"), pool),
        ],
        exception_handlers=dict(HANDLERS),
        lifespan=[connected],
        cors_config=_cors(settings.cors_origins),
        openapi_config=openapi.config(settings.public_url),
        request_class=TypedRequest,
        request_max_body_size=BODY_BYTES_MAX,
    )
    app.asgi_handler = Exchange(Dialects(app.asgi_handler), tracing)
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


def _operations(pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> operations.Operations:
    return operations.Operations(
        pool, migrations=known_migrations(), projections=following("domain")
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
