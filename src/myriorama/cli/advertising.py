"""What advertisers' bills are made of: exported by the operator, and recomputed by anybody."""

from io import SEEK_END
from pathlib import Path
from typing import Annotated, BinaryIO
from uuid import UUID

import typer

from domain.errors import DomainError
from myriorama import processes
from myriorama.billing import recompute_bill
from myriorama.cli.shell import refuse, settings_of_home

ads = typer.Typer(no_args_is_help=True, help="Export what bills are made of, and verify them.")

_NAME_ONE = "name a file that `myriorama ads export` wrote, or that was downloaded as an export"


class ExportUnreadable(Exception):
    """A file that holds no whole export: there is nothing to recompute."""


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
            _require_whole(exported, file)
            recompute_bill.main(exported, head)
    except OSError as error:
        refuse(ExportUnreadable(f"{file} cannot be read ({error.strerror}): {_NAME_ONE}"))
    except ExportUnreadable as error:
        refuse(error)


def _require_whole(exported: BinaryIO, file: Path) -> None:
    if not exported.seekable():
        return
    if not exported.seek(0, SEEK_END):
        raise ExportUnreadable(f"{file} is empty: {_NAME_ONE}")
    exported.seek(-1, SEEK_END)
    if exported.read(1) != b"\n":
        raise ExportUnreadable(f"{file} is cut off within its last line: export or get it again")
    exported.seek(0)
