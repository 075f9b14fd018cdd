"""The benchmarks."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import httpx
import msgspec
import typer

from myriorama import processes
from myriorama.bench.catalogue import BENCHES, BENCHES_OF_FILES, BENCHES_OF_LOGS
from myriorama.bench.demo_scroll import House, walk
from myriorama.bench.outcome import FilesUnreadable, Outcome, table
from myriorama.cli.shell import refuse, settings_of_home
from myriorama.store.objects import open_objects
from myriorama.telemetry import start_logs


def bench(
    name: Annotated[
        str | None,
        typer.Argument(
            help=f"One of {', '.join([*BENCHES, *BENCHES_OF_LOGS])}, or of "
            f"{', '.join(BENCHES_OF_FILES)} with --data; none: all that need no data."
        ),
    ] = None,
    *,
    data: Annotated[
        Path | None, typer.Option(help="The file or the folder of files that it is measured on.")
    ] = None,
    test_from: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day that is tested.")
    ] = None,
    here: Annotated[
        bool, typer.Option("--here", help="Scroll in the house that runs here (bench scroll).")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Measure on a scratch database, each ratio against its reference in the same run."""
    names = [*BENCHES, *BENCHES_OF_LOGS, *BENCHES_OF_FILES]
    if name is not None and name not in names:
        refuse(typer.BadParameter(f"there is no bench {name!r}: take one of {names}"))
    if here and name != "scroll":
        refuse(typer.BadParameter("--here is of bench scroll alone"))
    start_logs(logging.WARNING)
    if here:
        outcome = walk(_house_here(), _tell)
        typer.echo(msgspec.json.encode(outcome) if as_json else table(outcome))
        return
    for chosen in [*BENCHES, *BENCHES_OF_LOGS] if name is None else [name]:
        outcome = _measured(chosen, data, test_from)
        typer.echo(msgspec.json.encode(outcome) if as_json else table(outcome))


def _house_here() -> House:
    settings = settings_of_home()
    return House(
        httpx.Client(base_url=f"http://{settings.address}", timeout=60),
        settings.database_url,
        open_objects(settings.objects),
        lambda: processes.invite(settings, at=datetime.now(UTC)),
    )


def _tell(line: str) -> None:
    typer.echo(line, err=True)


def _measured(name: str, data: Path | None, test_from: datetime | None) -> Outcome:
    if name in BENCHES:
        return BENCHES[name](_tell)
    try:
        if name in BENCHES_OF_LOGS:
            return BENCHES_OF_LOGS[name](_tell, data)
        if data is None or test_from is None:
            refuse(typer.BadParameter(f"bench {name} takes --data and --test-from"))
        return BENCHES_OF_FILES[name](_tell, data, test_from.date())
    except FilesUnreadable as error:
        refuse(error)
