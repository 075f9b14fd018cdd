"""Both logs as they are read, and whether what is shown of them holds."""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal
from uuid import UUID

import msgspec
import typer

from domain.catalogue import EVENTS
from domain.viewing.events import VIEW_EVENTS
from myriorama import processes
from myriorama.api import problem_catalogue
from myriorama.billing.ledger_verification import LedgerBroken
from myriorama.bootstrap.logs import projections
from myriorama.cli.shell import refuse, settings_of_home
from myriorama.replay.event_reference import markdown
from myriorama.replay.log_verification import LogBroken
from myriorama.replay.media_verification import MediaBroken
from myriorama.replay.parquet import write
from myriorama.replay.slates import SlateUnknown
from myriorama.replay.streams import BoundInvalid, Bounds, LogName
from myriorama.settings import Settings
from myriorama.store.postgres import MigrationsMissing


def replay(
    *,
    log: Annotated[
        LogName, typer.Option(help="domain; or of the view log: views, slates.")
    ] = "domain",
    since: Annotated[
        str | None, typer.Option(help="First position or time (ISO 8601), included.")
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Last position or time (ISO 8601), not included.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write Parquet files below this.")] = None,
    lines: Annotated[bool, typer.Option("--print", help="Print JSON, one event a line.")] = False,
) -> None:
    """Stream a log from any position or time: to Parquet files, or to the terminal."""
    if lines == (out is not None):
        refuse(typer.BadParameter("say either --print or --out DIR"))
    try:
        rows = processes.replay(settings_of_home(), log, Bounds.parse(since, until))
    except BoundInvalid as error:
        refuse(error)
    if out is not None:
        for path in write(rows, out, log):
            typer.echo(path)
    else:
        for row in rows:
            typer.echo(msgspec.json.encode(row))


def verify(
    what: Annotated[
        Literal["log", "state", "media", "ledger"], typer.Argument(help="What is to be checked.")
    ],
    *,
    slate: Annotated[
        str | None, typer.Option(metavar="ID", help="state: make this ranked slate again.")
    ] = None,
    slates: Annotated[
        str | None, typer.Option(metavar="N|all", help="state: make so many, the newest, again.")
    ] = None,
) -> None:
    """Check logs, what is shown of them, the files, or the books; exits with 1 if broken."""
    settings = settings_of_home()
    try:
        processes.require_migrated(settings)
    except MigrationsMissing as error:
        refuse(error)
    if slate is not None or slates is not None:
        _verify_slates(settings, what, slate, slates)
        return
    if what != "state":
        verify_all = {
            "ledger": processes.verify_ledger,
            "log": processes.verify_log,
            "media": processes.verify_media,
        }
        try:
            for sound in verify_all[what](settings):
                typer.echo(f"{what} {sound}")
        except (LedgerBroken, LogBroken, MediaBroken) as broken:
            typer.echo(f"{what} BROKEN {broken}")
            raise typer.Exit(1) from None
        return
    for comparison in processes.verify_state(settings):
        verdict = "equal" if comparison.equal else "DIFFERENT"
        typer.echo(
            f"{what} {comparison.projection}.{comparison.table} at {comparison.position}: "
            f"{comparison.live.rows} rows, {verdict}"
        )
        if comparison.given_up:
            typer.echo(
                f"{what} {comparison.projection}: {comparison.given_up} events were given up "
                "(table dead_letters); see docs/operations.md",
                err=True,
            )
        if not comparison.sound:
            raise typer.Exit(1)


def _verify_slates(settings: Settings, what: str, slate: str | None, slates: str | None) -> None:
    """Make slates again and say of each that differs where it does first."""
    if what != "state" or (slate is None) == (slates is None):
        refuse(typer.BadParameter("say `verify state` with either --slate ID or --slates N|all"))
    is_count = slates is None or slates == "all" or (slates.isdecimal() and int(slates) > 0)
    if not is_count:
        refuse(typer.BadParameter(f"--slates is a number above 0, or all; not {slates!r}"))
    try:
        asked = UUID(slate) if slate else None if slates == "all" else int(slates or 0)
        remade = processes.verify_slates(settings, asked)
        equal = different = 0
        for each in remade:
            equal, different = equal + each.is_equal, different + (not each.is_equal)
            if not each.is_equal:
                typer.echo(f"state slate {each.decision_id}: DIFFERENT {each.difference}")
    except (SlateUnknown, ValueError) as error:
        refuse(error)
    typer.echo(f"state slates: {equal} of {equal + different} were made again, equal to the byte")
    if different:
        raise typer.Exit(1)


def topics(
    *,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="As docs/events.md.")] = False,
) -> None:
    """List the topics of the logs, or print the whole reference of events."""
    if as_markdown:
        typer.echo(markdown(projections()), nl=False)
    else:
        for topic in [*EVENTS, *VIEW_EVENTS]:
            typer.echo(topic)


def problems() -> None:
    """Print the codes of all problem documents, as docs/problems.md."""
    import_module("myriorama.bootstrap.api")  # With it come all routes, and what they raise.
    typer.echo(problem_catalogue.markdown(), nl=False)
