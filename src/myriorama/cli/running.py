"""The programs that make up a house, alone or all at once."""

import logging
import os
from datetime import UTC, datetime
from typing import Annotated

import typer

from myriorama import processes
from myriorama.bootstrap.logs import projections
from myriorama.cli.shell import home_folder, read, refuse, settings_of_home
from myriorama.replay.folding import StandsStill
from myriorama.replay.rebuilding import Different
from myriorama.replay.standby import NotRebuilt
from myriorama.settings import SettingInvalid, Settings, WorkerSettings
from myriorama.store.postgres import ExtensionMissing
from myriorama.store.transactions import Fenced
from myriorama.telemetry import start_logs
from myriorama.workers.programs import (
    INVITATION,
    AddressTaken,
    furnish,
    household,
    keep_invitation,
    welcome,
)
from myriorama.workers.seed import WorldIncomplete
from myriorama.workers.supervisor import HomeTaken, Supervisor, require_untaken


def up(
    *,
    empty: Annotated[bool, typer.Option("--empty", help="Without the small world.")] = False,
) -> None:
    """Run the whole product in this terminal, on embedded parts where no others are named."""
    home = home_folder()
    try:
        require_untaken(home)
        environment = furnish(os.environ, home)
        settings = Settings.read({**environment, **os.environ})
        programs = household(
            os.environ, environment, home=home, address=settings.address, empty=empty
        )
        supervisor = Supervisor(
            programs, home=home, announce=lambda: welcome(home, settings.public_url)
        )
        raise typer.Exit(supervisor.run())
    except (AddressTaken, HomeTaken, SettingInvalid) as error:
        refuse(error)


def migrate() -> None:
    """Bring the database to the present schema. Safe to run at any time, from anywhere."""
    try:
        for name in processes.migrate(settings_of_home()):
            typer.echo(f"applied {name}")
    except ExtensionMissing as error:
        refuse(error)


def serve(workers: Annotated[int, typer.Option(help="Processes that answer.")] = 1) -> None:
    """Answer HTTP."""
    processes.serve(settings_of_home(), workers=workers)


def project(
    *,
    rebuild: Annotated[
        str | None, typer.Option(metavar="NAME", help="Fold one projection anew, and swap it in.")
    ] = None,
    rollback: Annotated[
        str | None, typer.Option(metavar="NAME", help="Swap back what the last rebuild retired.")
    ] = None,
    accept_difference: Annotated[
        bool, typer.Option("--accept-difference", help="Swap in what is rebuilt, equal or not.")
    ] = False,
) -> None:
    """Fold the logs into the read side; or one projection of it anew, while it is read."""
    if rebuild is None and rollback is None and not accept_difference:
        processes.project(settings_of_home())
        return
    if (rebuild is None) == (rollback is None) or (accept_difference and rebuild is None):
        refuse(typer.BadParameter("say --rebuild NAME [--accept-difference] or --rollback NAME"))
    known = {projection.name: projection for projection in projections()}
    chosen = known.get(rebuild or rollback or "")
    if chosen is None:
        refuse(typer.BadParameter(f"there is no such projection: take one of {[*known]}"))
    start_logs(logging.WARNING)
    try:
        if rebuild:
            steps = processes.rebuild(
                settings_of_home(), chosen, accept_difference=accept_difference
            )
        else:
            steps = processes.roll_back(settings_of_home(), chosen)
        for step in steps:
            typer.echo(step)
    except Different as error:
        typer.secho(f"myriorama: {error}", err=True, fg="red")
        raise typer.Exit(1) from None
    except (NotRebuilt, StandsStill) as error:
        refuse(error)


def dispatch() -> None:
    """Hand out generations to the workers, one dispatcher at a time."""
    processes.dispatch(settings_of_home())


def renditions() -> None:
    """Build renditions of the videos that many watch, one builder at a time."""
    processes.renditions(settings_of_home())


def collect() -> None:
    """Take in what advertisers pay, one cashier at a time."""
    try:
        processes.collect(settings_of_home())
    except SettingInvalid as error:
        refuse(error)


def stripe_double() -> None:
    """Be Stripe, as far as topping up goes, on this machine: no money moves."""
    processes.double_stripe(settings_of_home())


def settle() -> None:
    """Charge what was reported of ads, one settler at a time."""
    processes.settle(settings_of_home())


def pace() -> None:
    """Adapt the bids of ads to what is spent, one pacer at a time."""
    processes.pace(settings_of_home())


def notify() -> None:
    """Tell advertisers what happens, by their webhooks, one notifier at a time."""
    processes.notify(settings_of_home())


def relay() -> None:
    """Carry both logs to Kafka as public streams, one relay at a time."""
    try:
        processes.relay(settings_of_home())
    except Fenced as error:
        refuse(error)


def work() -> None:
    """Render generations. Any number of these may run, here and elsewhere."""
    settings = read(WorkerSettings)
    try:
        processes.work(settings)
    except SettingInvalid as error:
        refuse(error)


def seed(
    *,
    videos: Annotated[
        int, typer.Option(min=0, max=100_000, help="And a demo world of so many videos.")
    ] = 0,
    people: Annotated[
        int, typer.Option(min=10, max=8000, help="So many people live in the demo world.")
    ] = 200,
) -> None:
    """Bring a small world to life, in a house that runs and where nobody lives yet."""
    settings = settings_of_home()
    if not (home_folder() / INVITATION).exists():
        keep_invitation(home_folder(), processes.invite(settings, at=datetime.now(UTC)))
    try:
        for done in processes.seed(settings, videos=videos, people=people):
            typer.echo(done)
    except WorldIncomplete as error:
        refuse(error)
