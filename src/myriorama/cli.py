"""The commands of the shell."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from myriorama import bootstrap
from myriorama.settings import Settings

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)


@app.callback()
def main() -> None:
    """Myriorama: the open backend for generated-video social apps."""


@app.command()
def migrate() -> None:
    """Bring the database to the present schema. Safe to run at any time, from anywhere."""
    for name in bootstrap.migrate(Settings.read()):
        typer.echo(f"applied {name}")


@app.command()
def serve(workers: Annotated[int, typer.Option(help="Processes that answer.")] = 1) -> None:
    """Answer HTTP."""
    bootstrap.serve(Settings.read(), workers=workers)


@app.command()
def project() -> None:
    """Fold the logs into the read side."""
    bootstrap.project(Settings.read())


@app.command()
def invite() -> None:
    """Issue an invitation, as the operator, and print its code."""
    typer.echo(bootstrap.invite(Settings.read(), at=datetime.now(UTC)))
