"""What advertisers' bills are made of: exported by the operator, and recomputed by anybody."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from domain.errors import DomainError
from myriorama import processes
from myriorama.billing import recompute_bill
from myriorama.cli.shell import refuse, settings_of_home

ads = typer.Typer(no_args_is_help=True, help="Export what bills are made of, and verify them.")


@ads.command()
def export(
    campaign: Annotated[UUID, typer.Argument(help="The ID of a campaign.")],
    *,
    out: Annotated[Path, typer.Option(help="The file to write.")],
) -> None:
    """Write all that a campaign's bill is made of until now, as JSON lines that are chained."""
    try:
        made, parts = processes.export_bill(settings_of_home(), campaign)
        with out.open("wb") as file:
            file.writelines(parts)
    except (DomainError, OSError) as error:
        refuse(error)
    typer.echo(f"{out}: export {made.number}, head {made.head}")


@ads.command()
def verify(
    file: Annotated[Path, typer.Argument(metavar="EXPORT", help="One export, or several joined.")],
    *,
    head: Annotated[str, typer.Option(help="The head that was told; another one is refused.")] = "",
) -> None:
    """Recompute the bill of an export, with no database; exits with 1 and says what is wrong."""
    try:
        with file.open("rb") as exported:
            recompute_bill.main(exported, head)
    except OSError as error:
        refuse(error)
