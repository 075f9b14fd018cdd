"""What each command of the shell sets going: a process that runs until told to stop, or a task."""

import multiprocessing
import os
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from granian.constants import Interfaces
from granian.server import Server as Granian

from myriorama.api.media import SERVED
from myriorama.api.tokens import AccessTokens, Scope
from myriorama.application.allowances import Remaining
from myriorama.application.demo_world import DemoWorld
from myriorama.application.passwords import Passwords
from myriorama.billing.exports import Export, Exports
from myriorama.billing.ledger_verification import Balanced, verify_books
from myriorama.bootstrap.application import create_accounts, create_allowances
from myriorama.bootstrap.billing import create_cashier
from myriorama.bootstrap.feeds import create_rankers, create_state, create_stretches
from myriorama.bootstrap.logs import projections, sources
from myriorama.bootstrap.marks import provenance_of
from myriorama.bootstrap.notifying import create_notifier
from myriorama.bootstrap.programs import (
    create_dispatcher,
    create_projector,
    create_relay,
    create_rendition_builder,
    create_worker,
)
from myriorama.bootstrap.settlement import create_pacer, create_settler
from myriorama.replay import rebuilding
from myriorama.replay.interpreter import suit_windows
from myriorama.replay.log_verification import Sound, verify_logs
from myriorama.replay.media_verification import verify_media as verify_files
from myriorama.replay.rebuilding import Step
from myriorama.replay.slates import Remade, Remaking
from myriorama.replay.streams import Bounds, LogName, Row, stream
from myriorama.replay.verification import Comparison, compare
from myriorama.settings import Settings, WorkerSettings
from myriorama.store.identity import new_id
from myriorama.store.leash import stop_when_signalled
from myriorama.store.log import Log
from myriorama.store.objects import open_objects
from myriorama.store.postgres import await_server, open_pool
from myriorama.store.postgres import migrate as apply_migrations
from myriorama.store.postgres import require_migrated as require_all_migrations
from myriorama.store.view_writer import ViewWriter
from myriorama.studio.provenance import Marks
from myriorama.telemetry import serve_metrics, start_logs
from myriorama.workers.demo.advertising import advertise
from myriorama.workers.demo.audience import watch_ads
from myriorama.workers.demo.businesses import MANY, NEIGHBOURS, REVIEWER, SECOND_REVIEWER, SMALL
from myriorama.workers.demo.creators import CREATORS
from myriorama.workers.demo.crowd import first_of_crowd
from myriorama.workers.demo.populating import Populated, populate, themed
from myriorama.workers.seed import Operator, move_in
from myriorama.workers.seed import seed as bring_to_life
from projections.projection import AnyProjection

DRAIN_S = 5
"""How long requests that are under way may take to end once the server is told to."""


def serve(settings: Settings, *, workers: int) -> None:
    """Answer HTTP until told to stop."""
    host, _, port = settings.address.rpartition(":")
    if workers > 1:
        # The library decides how it counts when it is imported: in new processes, not in forks.
        multiprocessing.set_start_method("spawn")
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = _counts(settings.home)
    Granian(
        "myriorama.bootstrap.api:api",
        address=host,
        port=int(port),
        interface=Interfaces.ASGI,
        workers=workers,
        factory=True,
        respawn_failed_workers=True,
        # Who follows a generation holds a connection for minutes; it does not hold up our end.
        workers_kill_timeout=DRAIN_S,
    ).serve()


def project(settings: Settings) -> None:
    """Fold the logs until told to stop."""
    _start_signals(settings)
    projector = create_projector(settings)
    suit_windows()
    stop_when_signalled(projector.stop)
    projector.run()


def rebuild(
    settings: Settings, projection: AnyProjection, *, accept_difference: bool
) -> Iterator[Step]:
    """Fold one projection anew beside the running projector, and swap it in. Yields each step."""
    suit_windows()
    with open_pool(settings.database_url, size_max=2) as pool:
        source = sources(pool, open_objects(settings.objects))[projection.log]
        yield from rebuilding.rebuild(
            settings.database_url, source, projection, accept_difference=accept_difference
        )


def roll_back(settings: Settings, projection: AnyProjection) -> Iterator[Step]:
    """Swap back what the last rebuild has retired. Yields each step."""
    with open_pool(settings.database_url, size_max=2) as pool:
        source = sources(pool, open_objects(settings.objects))[projection.log]
        yield from rebuilding.roll_back(settings.database_url, source, projection)


def dispatch(settings: Settings) -> None:
    """Hand out generations until told to stop."""
    start_logs()
    dispatcher = create_dispatcher(settings)
    stop_when_signalled(dispatcher.stop)
    dispatcher.run()


def collect(settings: Settings) -> None:
    """Take in what advertisers pay until told to stop.

    Raises:
        SettingInvalid: there is no key for Stripe.
    """
    _start_signals(settings)
    cashier = create_cashier(settings)
    stop_when_signalled(cashier.stop)
    cashier.run()


def double_stripe(settings: Settings) -> None:
    """Be the double of Stripe, where the settings say that Stripe is, until told to stop."""
    address = urlsplit(settings.stripe_address)
    Granian(
        "myriorama.bootstrap.billing:create_stripe_double",
        address="127.0.0.1",
        port=address.port or 80,
        interface=Interfaces.ASGI,
        workers=1,
        factory=True,
        respawn_failed_workers=True,
        workers_kill_timeout=DRAIN_S,
    ).serve()


def settle(settings: Settings) -> None:
    """Settle what is reported of ads until told to stop."""
    _start_signals(settings)
    settler = create_settler(settings)
    stop_when_signalled(settler.stop)
    settler.run()


def pace(settings: Settings) -> None:
    """Adapt the bids of ads to what is spent until told to stop."""
    _start_signals(settings)
    pacer = create_pacer(settings)
    stop_when_signalled(pacer.stop)
    pacer.run()


def notify(settings: Settings) -> None:
    """Tell advertisers what happens until told to stop."""
    _start_signals(settings)
    notifier = create_notifier(settings)
    stop_when_signalled(notifier.stop)
    notifier.run()


def export_bill(settings: Settings, campaign_id: UUID) -> tuple[Export, Iterator[bytes]]:
    """Export what a campaign's bill is made of since the last time; return its chain so far.

    Raises:
        NothingToExport: nothing was reported of it yet.
        ExportNotReady: the read side is a moment behind.
    """
    objects = open_objects(settings.objects)
    with open_pool(settings.database_url, size_max=1) as pool:
        exports = Exports(pool, objects)
        made = exports.make(campaign_id)
        keys = [each.object_key for each in exports.chain(campaign_id)]
    return made, (part for key in keys for part in objects.stream(key))


def relay(settings: Settings) -> None:
    """Carry the logs to Kafka until told to stop.

    Raises:
        Fenced: another relay took over.
    """
    start_logs()
    relay = create_relay(settings)
    suit_windows()
    stop_when_signalled(relay.stop)
    relay.run()


def renditions(settings: Settings) -> None:
    """Build renditions of what many watch until told to stop."""
    start_logs()
    builder = create_rendition_builder(settings)
    stop_when_signalled(builder.stop)
    builder.run()


def work(settings: WorkerSettings) -> None:
    """Render generations until told to stop."""
    start_logs()
    worker = create_worker(settings)
    stop_when_signalled(worker.stop)
    worker.run()


def migrate(settings: Settings) -> Sequence[str]:
    """Bring the database to the present schema. Returns what was applied."""
    await_server(settings.database_url, timeout_s=30)
    return apply_migrations(settings.database_url)


def invite(settings: Settings, *, at: datetime) -> str:
    """Issue an invitation as the operator."""
    with open_pool(settings.database_url, size_max=1) as pool:
        return create_accounts(settings, Log(pool)).issue_invitation(issuer_id=None, at=at)


def appoint(settings: Settings, account: str, scopes: Sequence[str]) -> Sequence[str]:
    """Give an account more scopes as the operator; return all that it has then."""
    with open_pool(settings.database_url, size_max=1) as pool:
        accounts = create_accounts(settings, Log(pool))
        return accounts.appoint(account, scopes, at=datetime.now(UTC))


def credit(settings: Settings, account: str, seconds: int, *, key: str, reason: str) -> Remaining:
    """Raise an account's balance as the operator; the same again changes nothing."""
    with open_pool(settings.database_url, size_max=1) as pool:
        allowances = create_allowances(settings, Log(pool))
        at = datetime.now(UTC)
        return allowances.credit(account, seconds, source_key=key, reason=reason, at=at)


def seed(settings: Settings, *, videos: int, people: int) -> Iterator[str]:
    """Bring the small world to life through the API, then the demo world. Yields what is done.

    Args:
        settings: of the house, which runs.
        videos: so many the demo world has beside its clips; 0: no demo world.
        people: so many live in the demo world beside who made the clips.

    Raises:
        WorldIncomplete: a clip could not be rendered.
    """
    operator = Operator(
        lambda: invite(settings, at=datetime.now(UTC)),
        partial(appoint, settings),
        partial(_admit, settings),
    )
    with httpx.Client(base_url=f"http://{settings.address}", timeout=60) as api:
        yield from bring_to_life(api, operator)
        if _is_doubled(settings):
            yield from _advertise_small(settings, api, operator)
        if videos:
            yield from _populate(settings, api, operator, videos=videos, people=people)


def _advertise_small(settings: Settings, api: httpx.Client, operator: Operator) -> Iterator[str]:
    """Let somebody advertise in the small world, and its neighbours look at it."""
    is_new = False
    for said in advertise(api, operator, SMALL, reviewer=REVIEWER):
        is_new = True
        yield said
    if not is_new:
        return
    with open_pool(settings.database_url, size_max=1) as pool:
        neighbours = DemoWorld(Log(pool), Passwords()).open(NEIGHBOURS, at=datetime.now(UTC))
    yield from watch_ads(api, neighbours, _viewing_tokens(settings))


def _populate(
    settings: Settings, api: httpx.Client, operator: Operator, *, videos: int, people: int
) -> Iterator[str]:
    rendered = list[UUID]()
    for done in move_in(api, operator, CREATORS):
        if done.said:
            yield done.said
        rendered += [done.generation_id] if done.generation_id else []
    crowd: Sequence[UUID] = ()
    if api.get(f"/v1/accounts/{first_of_crowd()}").is_success:
        yield "the crowd of a demo world is here already, or a part of it: it is left as it is"
        if _is_doubled(settings):
            yield from advertise(api, operator, MANY, reviewer=SECOND_REVIEWER)
        return
    writer = ViewWriter(settings.database_url)
    try:
        with open_pool(settings.database_url, size_max=2) as pool:
            world = DemoWorld(Log(pool), Passwords())
            clips = [themed(world.clip(generation_id)) for generation_id in rendered]
            for said in populate(world, writer, clips, people=people, videos=videos):
                if isinstance(said, Populated):
                    crowd = said.account_ids
                else:
                    yield said
    finally:
        writer.close()
    if _is_doubled(settings):
        yield from advertise(api, operator, MANY, reviewer=SECOND_REVIEWER)
        yield from watch_ads(api, crowd, _viewing_tokens(settings))


def _is_doubled(settings: Settings) -> bool:
    """Tell whether a test card pays: no world that comes with a house spends anybody's money."""
    return urlsplit(settings.stripe_address).hostname == "127.0.0.1"


def _admit(settings: Settings, account_id: UUID, scopes: Sequence[str]) -> str:
    """Let somebody in whose password is forgotten."""
    tokens = AccessTokens(secret=settings.secret, worker_token=settings.worker_token)
    return tokens.issue(account_id, new_id(), tuple(scopes), now=time.time())


def _viewing_tokens(settings: Settings) -> Callable[[UUID], str]:
    """Return what lets somebody of the crowd, whose password is forgotten, read their feed."""
    tokens = AccessTokens(secret=settings.secret, worker_token=settings.worker_token)
    return lambda account_id: tokens.issue(account_id, new_id(), (Scope.VIEWER,), now=time.time())


def replay(settings: Settings, log: LogName, bounds: Bounds) -> Iterator[Row]:
    """Yield the rows of a log, wherever they lie by now."""
    return stream(settings.database_url, open_objects(settings.objects), log, bounds)


def verify_ledger(settings: Settings) -> Iterator[Balanced]:
    """Look at everything in the books. Raises `LedgerBroken`."""
    yield from verify_books(settings.database_url)


def verify_log(settings: Settings) -> Iterator[Sound]:
    """Look at everything in both logs, and at what refers to it. Raises `LogBroken`."""
    yield from verify_logs(settings.database_url, projections())


def require_migrated(settings: Settings) -> None:
    """Refuse a database that is older than this release. Raises `MigrationsMissing`."""
    require_all_migrations(settings.database_url)


def verify_state(settings: Settings) -> Iterator[Comparison]:
    """Fold every projection anew and compare its tables with the live ones."""
    suit_windows()
    with open_pool(settings.database_url) as pool:
        logs = sources(pool, open_objects(settings.objects))
        yield from compare(settings.database_url, logs, projections())


def verify_slates(settings: Settings, which: UUID | int | None) -> Iterator[Remade]:
    """Make slates again: one, so many of the newest, or all. Raises `SlateUnknown`."""
    objects = open_objects(settings.objects)
    rankers = create_rankers(objects)
    with open_pool(settings.database_url, size_max=2) as pool:
        remaking = Remaking(pool, create_stretches(pool, objects), create_state, rankers.load)
        if isinstance(which, UUID):
            yield remaking.one(which)
        else:
            yield from remaking.newest(which)


def verify_media(settings: Settings) -> Iterator[str]:
    """Read the files of all drafts and videos again. Raises `MediaBroken`."""
    objects = open_objects(settings.objects)
    provenance = provenance_of(settings, objects)

    def missing(generation_id: UUID, key: str, sha256: str, watermark: str) -> str | None:
        return provenance.missing(Marks(generation_id, key, sha256, watermark))

    yield from verify_files(settings.database_url, objects, missing, shown=SERVED)


def _start_signals(settings: Settings) -> None:
    start_logs()
    if settings.metrics_address:
        serve_metrics(settings.metrics_address)


def _counts(home: Path) -> str:
    """Return an empty folder in which the processes of the server count together."""
    folder = home / "metrics"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return str(folder)
