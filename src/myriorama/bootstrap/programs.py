"""The programs beside the API: projector, dispatcher, relay and worker."""

import os
import secrets
import socket
from datetime import timedelta

from myriorama.application.renditions import Renditions
from myriorama.bootstrap.application import (
    create_budgets,
    create_works,
    queue_rules,
    uploads,
)
from myriorama.bootstrap.logs import following, projections, sources
from myriorama.bootstrap.marks import credentials_of, watermark_key
from myriorama.bootstrap.models import models_of, require_weights
from myriorama.bootstrap.screening import screening_of
from myriorama.settings import Settings, WorkerSettings
from myriorama.store.kafka import Producer, Topics
from myriorama.store.log import Log
from myriorama.store.objects import open_objects
from myriorama.store.postgres import (
    open_pool,
)
from myriorama.store.view_days import ViewDays
from myriorama.store.view_exports import Exports
from myriorama.telemetry import Tracing
from myriorama.workers.bulletin import Bulletin
from myriorama.workers.dispatcher import Dispatcher
from myriorama.workers.errands import Errands
from myriorama.workers.event_stream import EventStream
from myriorama.workers.gate import Gate
from myriorama.workers.generation import Worker
from myriorama.workers.handover import Workshop
from myriorama.workers.line import Line
from myriorama.workers.orders import Finishing, Studio
from myriorama.workers.projector import Projector
from myriorama.workers.queues import TOPICS
from myriorama.workers.relay import Relay
from myriorama.workers.renditions import RenditionBuilder
from myriorama.workers.view_stream import ViewStream


def create_projector(settings: Settings) -> Projector:
    """Join the projections to the logs that they follow."""
    size = len(projections()) + 2
    pool = open_pool(settings.database_url, size_max=size, is_checked=False)
    logs = sources(pool, open_objects(settings.objects))
    return Projector(logs, projections(), url=settings.database_url)


def create_dispatcher(settings: Settings) -> Dispatcher:
    """Join the dispatcher to the log, and to Kafka."""
    pool = open_pool(settings.database_url, size_max=2)
    log, objects = Log(pool), open_objects(settings.objects)
    kept = timedelta(days=settings.view_days_kept)
    days = ViewDays(settings.database_url, objects, projections=following("views"), kept=kept)
    return Dispatcher(
        settings.database_url,
        create_works(settings, log, objects),
        create_budgets(settings, log),
        Producer(settings.kafka),
        Topics(settings.kafka, TOPICS),
        rules=queue_rules(settings),
        undelivered_max=settings.queue_window,
        chores=[uploads(settings, pool, log, objects).refuse_abandoned, days.tend_aside],
    )


def create_rendition_builder(settings: Settings) -> RenditionBuilder:
    """Join the builder of renditions to the log, and to the objects."""
    return RenditionBuilder(
        settings.database_url,
        Renditions(Log(open_pool(settings.database_url, size_max=1))),
        open_objects(settings.objects),
        views_min=settings.ladder_views_min,
        folder=settings.home / "renditions",
    )


def create_relay(settings: Settings) -> Relay:
    """Join the relay to the logs, to what was exported of them, and to Kafka."""
    streams = (EventStream(), ViewStream(Exports(open_objects(settings.objects))))
    return Relay(settings.database_url, settings.kafka, streams)


def create_worker(settings: WorkerSettings) -> Worker:
    """Join the worker to Kafka, the API and a renderer. It gets nothing of the database.

    Raises:
        SettingInvalid: the weights, the certificates or the policy are not where it says.
    """
    require_weights(settings)
    screening_of(settings)
    studio = Studio(
        objects=settings.objects,
        renderer=settings.renderer,
        model=settings.model,
        home=str(settings.home),
        precision=settings.model_precision,
    )
    credentials = credentials_of(settings)
    finishing = Finishing(
        objects=settings.objects,
        watermark_key=watermark_key(settings),
        certificates=credentials.certificates,
        key=credentials.key,
        signer_url=credentials.signer_url,
        signer_token=credentials.signer_token,
        policy=settings.policy,
    )
    capabilities = models_of(settings).capabilities()
    line = Line(
        studio,
        finishing,
        together_max={name: able.together_max for name, able in capabilities.items()},
        workshop=Workshop(),
    )
    errands = Errands(
        f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"[:100],
        gate=Gate(settings.public_url, settings.worker_token),
        line=line,
        objects=open_objects(settings.objects),
        bulletin=Bulletin(Producer(settings.kafka)),
        tracing=Tracing.to(settings.otlp_endpoint, service="myriorama-worker"),
    )
    return Worker(
        settings.kafka,
        errands,
        producer=Producer(settings.kafka),
        topics=Topics(settings.kafka, TOPICS),
    )
