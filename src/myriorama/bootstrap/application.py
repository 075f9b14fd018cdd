"""The commands of the house, joined to the log and to what they need of the studio."""

from datetime import timedelta
from functools import partial

from domain.allowance.limit import Limit
from domain.generation.fair_queue import Rules
from myriorama.api import uploads as upload_routes
from myriorama.application.accounts import Accounts
from myriorama.application.allowances import Allowances
from myriorama.application.budgets import GpuBudgets
from myriorama.application.consent import Consent
from myriorama.application.generations import Generations
from myriorama.application.passwords import Passwords
from myriorama.application.uploads import Uploads
from myriorama.application.work import Works
from myriorama.bootstrap.models import models_of
from myriorama.bootstrap.screening import screening_of
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.objects import Objects
from myriorama.store.postgres import (
    Pool,
)
from myriorama.store.signing import Signer
from myriorama.studio.inspection import Limits, inspect
from myriorama.studio.manifest import commitment


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


def create_accounts(settings: Settings, log: Log, passwords: Passwords | None = None) -> Accounts:
    """Join the accounts to the log."""
    return Accounts(
        log,
        passwords or Passwords(),
        invite_only=settings.sign_up == "invite_only",
        advertising_open=settings.advertising == "open",
        allotment=settings.invitations,
    )


def create_allowances(settings: Settings, log: Log) -> Allowances:
    """Join the allowances to the log."""
    return Allowances(log, limit=allowance_limit(settings))


def allowance_limit(settings: Settings) -> Limit:
    """Return how much an account may ask for without purchasing."""
    return Limit(settings.allowance_seconds, timedelta(seconds=settings.allowance_window_s))


def create_generations(settings: Settings, pool: Pool, log: Log) -> Generations:
    """Join what people ask the studio for to the log and the allowance."""
    models = models_of(settings)
    return Generations(
        log,
        pool,
        Consent(log),
        models=models.capabilities(),
        default_model=models.default,
        screen=screening_of(settings).of_prompt,
        limit=allowance_limit(settings),
        in_flight_max=settings.generations_in_flight_max,
    )


def create_works(settings: Settings, log: Log, objects: Objects) -> Works:
    """Join the gate of the workers to the log, to consent, and to the objects."""
    key = Signer(settings.secret.encode()).key("prompt commitments")
    return Works(
        log,
        Consent(log),
        objects,
        lease=timedelta(seconds=settings.lease_s),
        commit=partial(commitment, key),
    )


def create_budgets(settings: Settings, log: Log) -> GpuBudgets:
    """Join the brake of the GPU to the log."""
    return GpuBudgets(log, budget_ms=settings.gpu_seconds_per_day * 1000)


def queue_rules(settings: Settings) -> Rules:
    """Return the rules of the fair queue: the same for who decides by it and who tells of it."""
    return Rules(
        quantum_ms=settings.queue_quantum_ms,
        age_s_max=settings.queue_age_s_max,
        account_in_flight_max=settings.queue_in_flight_max,
    )
