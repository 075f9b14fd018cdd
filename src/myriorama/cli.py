"""The commands of the shell."""

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from myriorama import bootstrap
from myriorama.settings import SettingInvalid, Settings
from myriorama.workers.programs import (
    INVITATION,
    AddressTaken,
    furnish,
    furnished,
    household,
    keep_invitation,
    welcome,
)
from myriorama.workers.seed import WorldIncomplete
from myriorama.workers.supervisor import HomeTaken, Supervisor

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)


@app.callback()
def main() -> None:
    """Myriorama: the open backend for generated-video social apps."""


@app.command()
def up() -> None:
    """Run the whole product in this terminal, on embedded parts where no others are named."""
    home = _home()
    environment = furnish(os.environ, home)
    try:
        settings = Settings.read({**environment, **os.environ})
        programs = household(os.environ, environment, home=home, address=settings.address)
        supervisor = Supervisor(
            programs, home=home, announce=lambda: welcome(home, settings.public_url)
        )
        raise typer.Exit(supervisor.run())
    except (AddressTaken, HomeTaken, SettingInvalid) as error:
        _refuse(error)


@app.command()
def migrate() -> None:
    """Bring the database to the present schema. Safe to run at any time, from anywhere."""
    for name in bootstrap.migrate(_settings()):
        typer.echo(f"applied {name}")


@app.command()
def serve(workers: Annotated[int, typer.Option(help="Processes that answer.")] = 1) -> None:
    """Answer HTTP."""
    bootstrap.serve(_settings(), workers=workers)


@app.command()
def project() -> None:
    """Fold the logs into the read side."""
    bootstrap.project(_settings())


@app.command()
def seed() -> None:
    """Bring a small world to life, in a house where nobody lives yet."""
    settings = _settings()
    if not (_home() / INVITATION).exists():
        keep_invitation(_home(), bootstrap.invite(settings, at=datetime.now(UTC)))
    try:
        for done in bootstrap.seed(settings):
            typer.echo(done)
    except WorldIncomplete as error:
        _refuse(error)


@app.command()
def invite() -> None:
    """Issue an invitation, as the operator, and print its code."""
    typer.echo(bootstrap.invite(_settings(), at=datetime.now(UTC)))


def _home() -> Path:
    return Path(os.environ.get("MYRIORAMA_HOME", ".myriorama")).resolve()


def _settings() -> Settings:
    """Read the settings; where `myriorama up` has run on this home, what it furnished counts."""
    for name, value in furnished(_home()).items():
        os.environ.setdefault(name, value)  # for the processes that this one starts, too
    try:
        return Settings.read()
    except SettingInvalid as error:
        _refuse(error)


def _refuse(error: Exception) -> NoReturn:
    typer.secho(f"myriorama: {error}", err=True, fg="red")
    raise typer.Exit(2)
