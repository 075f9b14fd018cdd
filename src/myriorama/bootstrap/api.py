"""The API: the routes, joined to the write side and the read side."""

import asyncio
import gc
import os
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from threading import Thread
from typing import Self

from anyio import CapacityLimiter
from litestar import Litestar
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.types import ControllerRouterHandler
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from ads.warming import warm_up
from myriorama.api import accounts as account_routes
from myriorama.api import allowance as allowance_routes
from myriorama.api import cameo_permissions as cameo_permission_routes
from myriorama.api import cameos as cameo_routes
from myriorama.api import comments as comment_routes
from myriorama.api import costs as cost_routes
from myriorama.api import detect as detect_routes
from myriorama.api import explore as explore_routes
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
from myriorama.api import rankings as ranking_routes
from myriorama.api import reactions as reaction_routes
from myriorama.api import reports as report_routes
from myriorama.api import search as search_routes
from myriorama.api import sessions as session_routes
from myriorama.api import steering as steering_routes
from myriorama.api import uploads as upload_routes
from myriorama.api import videos as video_routes
from myriorama.api import views as view_routes
from myriorama.api import why as why_routes
from myriorama.api import work as work_routes
from myriorama.api.authentication import Authentication, provide_principal, provide_visitor
from myriorama.api.causation import Causation
from myriorama.api.dialects import Dialects
from myriorama.api.exchange import EXPOSED_HEADERS, Exchange
from myriorama.api.exploring import Explore
from myriorama.api.express import FeedExpress
from myriorama.api.generation_events import GenerationEvents
from myriorama.api.generation_rows import OwnGenerations
from myriorama.api.idempotency import Answers, Idempotency
from myriorama.api.limits import RateLimits
from myriorama.api.paging import Cursors
from myriorama.api.people import People
from myriorama.api.problems import HANDLERS
from myriorama.api.queue_standing import QueueStanding
from myriorama.api.reads import Reads
from myriorama.api.request_log import RequestLog
from myriorama.api.revocations import Revocations
from myriorama.api.searching import Search
from myriorama.api.shelves import Shelves
from myriorama.api.tokens import AccessTokens
from myriorama.api.wellformed import TypedRequest
from myriorama.application.cameos import Cameos
from myriorama.application.comments import Comments
from myriorama.application.consent import Consent
from myriorama.application.followings import Followings
from myriorama.application.moderation import Moderation
from myriorama.application.passwords import Passwords
from myriorama.application.rankings import Rankings
from myriorama.application.reactions import Reactions
from myriorama.application.steering import Steerings
from myriorama.application.videos import Missing, Videos
from myriorama.bootstrap import advertising, billing
from myriorama.bootstrap.application import (
    create_accounts,
    create_allowances,
    create_generations,
    create_works,
    queue_rules,
    uploads,
)
from myriorama.bootstrap.feed_ads import FeedAds
from myriorama.bootstrap.feeds import RANKING_STATE, RankedParts, create_usable
from myriorama.bootstrap.logs import embedding, following
from myriorama.bootstrap.marks import create_detector, missing_of, provenance_of
from myriorama.bootstrap.models import models_of
from myriorama.bootstrap.settlement import create_ad_reports
from myriorama.feed.cards import Cards
from myriorama.feed.feeds import Feeds
from myriorama.feed.view_tokens import ViewTokens
from myriorama.settings import Settings
from myriorama.store.front import Front
from myriorama.store.log import Log
from myriorama.store.objects import Objects, open_objects
from myriorama.store.postgres import (
    Pool,
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
    *advertising.ROUTES,
    *billing.ROUTES,
    account_routes.router,
    allowance_routes.router,
    cameo_permission_routes.router,
    cameo_routes.router,
    comment_routes.router,
    cost_routes.router,
    detect_routes.router,
    explore_routes.router,
    feed_routes.router,
    following_routes.router,
    generation_routes.router,
    invitation_routes.router,
    media_routes.router,
    model_routes.router,
    moderation_routes.router,
    openai_video_routes.router,
    playlist_routes.router,
    ranking_routes.router,
    reaction_routes.router,
    report_routes.router,
    search_routes.router,
    session_routes.router,
    steering_routes.router,
    upload_routes.router,
    video_routes.router,
    view_routes.router,
    why_routes.router,
    work_routes.router,
)


def api() -> Litestar:
    """Return the API for a server that loads it by name."""
    start_logs()
    app = create_api(Settings.read())
    app.on_startup.append(_warm_up_ads)
    app.on_startup.append(gc.freeze)  # what was loaded stays: no collection looks through it again
    return app


def create_api(
    settings: Settings, *, missing: Missing | None = None, passwords: Passwords | None = None
) -> Litestar:
    """Join the routes to the write side and the read side.

    `missing` is what stands at the gate of publication instead of what reads the files again, and
    `passwords` what hashes them at another cost.
    """
    parts = _Parts.of(settings)
    authentication, limits = Authentication(parts.tokens, parts.revocations), _limits(settings)
    missing = missing or missing_of(provenance_of(settings, parts.objects))
    collaborators = {
        **_commands(settings, parts, missing, passwords or Passwords()),
        **_readings(settings, parts),
        **advertising.advertising(settings, parts.log, parts.writes, parts.pool, missing),
        **billing.billing(settings, parts.log, parts.writes, parts.pool),
    }
    app = Litestar(
        ROUTES,
        dependencies=_dependencies(collaborators),
        middleware=[
            authentication,
            limits,
            Idempotency(Answers(parts.pool, settings.secret.encode()), proxies=settings.proxies),
            Causation(
                parts.projected, following("domain"), parts.pool, also_shown_by=[RANKING_STATE]
            ),
        ],
        exception_handlers=dict(HANDLERS),
        lifespan=[lambda _: parts.connected()],
        cors_config=_cors(settings.cors_origins),
        openapi_config=openapi.config(settings.public_url),
        request_class=TypedRequest,
        request_max_body_size=BODY_BYTES_MAX,
    )
    express = FeedExpress(Dialects(app.asgi_handler), authentication, limits, parts.feed_pages)
    request_log = RequestLog()
    app.on_shutdown.append(request_log.flush)
    app.asgi_handler = Exchange(express, request_log, parts.tracing)
    return app


@dataclass(frozen=True)
class _Parts:
    """What several collaborators share, and what is opened and closed with the API."""

    writes: Pool
    pool: AsyncConnectionPool[AsyncConnection[TupleRow]]
    fronted: AsyncConnectionPool[AsyncConnection[TupleRow]]
    log: Log
    objects: Objects
    signer: Signer
    projected: Projected
    revocations: Revocations
    cards: Cards
    feeds: Feeds
    ranked: RankedParts
    ads: FeedAds
    views: Views
    cursors: Cursors
    view_tokens: ViewTokens
    feed_pages: feed_routes.FeedPages
    progress: ProgressRelay
    tokens: AccessTokens
    tracing: Tracing | None

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Make all of it; nothing is open yet."""
        url, objects = settings.database_url, open_objects(settings.objects)
        writes, pool, projected = closed_pool(url), async_pool(url), Projected(url)
        signer = Signer(settings.secret.encode())
        cursors, view_tokens = Cursors(signer), ViewTokens(signer)
        cards, views = Cards(pool, signer), Views(url)
        feeds = Feeds(pool, cards)
        ranked = RankedParts.of(url, writes, pool, objects, feeds, projected)
        ads = FeedAds.of(settings, pool, signer)
        return cls(
            writes=writes,
            pool=pool,
            fronted=async_pool(url, size_max=4, is_checked=False),
            log=Log(writes),
            objects=objects,
            signer=signer,
            projected=projected,
            revocations=Revocations(),
            cards=cards,
            feeds=feeds,
            ranked=ranked,
            ads=ads,
            views=views,
            cursors=cursors,
            view_tokens=view_tokens,
            feed_pages=feed_routes.FeedPages(
                feeds, ranked.feeds, cursors, view_tokens, views, ads.pages
            ),
            progress=ProgressRelay(settings.kafka),
            tokens=AccessTokens(secret=settings.secret, worker_token=settings.worker_token),
            tracing=Tracing.to(settings.otlp_endpoint, service="myriorama-api"),
        )

    @asynccontextmanager
    async def connected(self) -> AsyncGenerator[None]:
        """Hold open what the API talks to, while the context is open."""
        with self.writes, self.views:
            async with self.fronted, self._listening():
                with self.ranked.following():
                    yield
            await asyncio.to_thread(self.log.close)
        await asyncio.to_thread(self.progress.close)
        if self.tracing:
            self.tracing.close()

    @asynccontextmanager
    async def _listening(self) -> AsyncGenerator[None]:
        """Keep in memory what requests need at once, and up to date, while the context is open."""
        async with self.pool:
            await self._load_revocations()
            await self.feeds.load()
            self.feeds.follow(self.projected)
            self.projected.refresh(["revocations"], self._load_revocations)
            self.projected.reload(["revocations"], self._load_revocations)
            async with self.ads.following(self.projected):
                listening = asyncio.create_task(self.projected.run())
                try:
                    yield
                finally:
                    listening.cancel()
                    with suppress(asyncio.CancelledError):
                        await listening

    async def _load_revocations(self) -> None:
        await self.revocations.load(self.pool)


def _commands(
    settings: Settings, parts: _Parts, missing: Missing, passwords: Passwords
) -> dict[str, object]:
    """Return what the routes that write are given."""
    log, objects = parts.log, parts.objects
    consent, taken_in = Consent(log), uploads(settings, parts.writes, log, objects)
    return {
        "accounts": create_accounts(settings, log, passwords),
        "allowances": create_allowances(settings, log),
        "cameos": Cameos(log, consent, taken_in),
        "comments": Comments(log),
        "consent": consent,
        "followings": Followings(log),
        "front": Front(parts.fronted),
        "generations": create_generations(settings, parts.writes, log),
        "moderation": Moderation(log, consent),
        "rankings": Rankings(log, create_usable(parts.objects)),
        "reactions": Reactions(log),
        "steerings": Steerings(log),
        "uploads": taken_in,
        "videos": Videos(log, consent, missing),
        "views": parts.views,
        "works": create_works(settings, log, objects),
    }


def _readings(settings: Settings, parts: _Parts) -> dict[str, object]:
    """Return what the routes that read are given."""
    signer, cards, objects = parts.signer, parts.cards, parts.objects
    reads, cursors = Reads(parts.pool), parts.cursors
    standing = QueueStanding(reads, queue_rules(settings))
    own = OwnGenerations(reads, standing, cursors, signer)
    models = models_of(settings)
    return {
        **parts.ads.elsewhere,
        "ad_reports": create_ad_reports(settings, signer, parts.pool),
        "cards": cards,
        "cursors": cursors,
        "detector": create_detector(settings, reads),
        "explore": Explore(reads, cards, cursors),
        "feed_pages": parts.feed_pages,
        "generation_events": GenerationEvents(own, parts.projected, parts.progress, signer),
        "inspections": CapacityLimiter(os.cpu_count() or 1),
        "model_table": model_routes.ModelTable.of(models.capabilities(), default=models.default),
        "objects": objects,
        "operations": _operations(parts.pool),
        "own_generations": own,
        "people": People(reads, cursors),
        "playlists": playlist_routes.Playlists(objects, signer),
        "progress": parts.progress,
        "reads": reads,
        "reasons": parts.ranked.reasons,
        "search": Search(reads, cards, cursors, embedding()),
        "shelves": Shelves(reads, cards, cursors),
        "signer": signer,
        "standing": standing,
        "tokens": parts.tokens,
        "view_tokens": parts.view_tokens,
    }


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


def _warm_up_ads() -> None:
    """Compile what decides on ads beside the first pages, which do without until then."""
    Thread(target=warm_up, name="ads", daemon=True).start()
