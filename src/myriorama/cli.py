"""The commands of the shell."""

import logging
import os
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path
from typing import Annotated, Literal, NoReturn, TypeVar
from uuid import UUID

import msgspec
import typer

from domain.catalogue import EVENTS
from domain.errors import DomainError
from domain.viewing.events import VIEW_EVENTS
from myriorama import processes
from myriorama.api import problem_catalogue
from myriorama.bench.catalogue import BENCHES, BENCHES_OF_FILES
from myriorama.bench.outcome import FilesUnreadable, Outcome, table
from myriorama.bootstrap.logs import projections
from myriorama.replay.event_reference import markdown
from myriorama.replay.folding import StandsStill
from myriorama.replay.log_verification import LogBroken
from myriorama.replay.media_verification import MediaBroken
from myriorama.replay.parquet import write
from myriorama.replay.rebuilding import Different
from myriorama.replay.slates import SlateUnknown
from myriorama.replay.standby import NotRebuilt
from myriorama.replay.streams import BoundInvalid, Bounds, LogName
from myriorama.settings import SettingInvalid, Settings, WorkerSettings
from myriorama.store.postgres import ExtensionMissing, MigrationsMissing
from myriorama.store.transactions import Fenced
from myriorama.telemetry import start_logs
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
from myriorama.workers.supervisor import HomeTaken, Supervisor, require_untaken

S = TypeVar("S", bound=WorkerSettings)

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False, help=__doc__)


@app.callback()
def main() -> None:
    """Myriorama: the open backend for generated-video social apps."""


@app.command()
def up(
    *,
    empty: Annotated[bool, typer.Option("--empty", help="Without the small world.")] = False,
) -> None:
    """Run the whole product in this terminal, on embedded parts where no others are named."""
    home = _home()
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
        _refuse(error)


@app.command()
def migrate() -> None:
    """Bring the database to the present schema. Safe to run at any time, from anywhere."""
    try:
        for name in processes.migrate(_settings()):
            typer.echo(f"applied {name}")
    except ExtensionMissing as error:
        _refuse(error)


@app.command()
def serve(workers: Annotated[int, typer.Option(help="Processes that answer.")] = 1) -> None:
    """Answer HTTP."""
    processes.serve(_settings(), workers=workers)


@app.command()
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
        processes.project(_settings())
        return
    if (rebuild is None) == (rollback is None) or (accept_difference and rebuild is None):
        _refuse(typer.BadParameter("say --rebuild NAME [--accept-difference] or --rollback NAME"))
    known = {projection.name: projection for projection in projections()}
    chosen = known.get(rebuild or rollback or "")
    if chosen is None:
        _refuse(typer.BadParameter(f"there is no such projection: take one of {[*known]}"))
    start_logs(logging.WARNING)
    try:
        if rebuild:
            steps = processes.rebuild(_settings(), chosen, accept_difference=accept_difference)
        else:
            steps = processes.roll_back(_settings(), chosen)
        for step in steps:
            typer.echo(step)
    except Different as error:
        typer.secho(f"myriorama: {error}", err=True, fg="red")
        raise typer.Exit(1) from None
    except (NotRebuilt, StandsStill) as error:
        _refuse(error)


@app.command()
def dispatch() -> None:
    """Hand out generations to the workers, one dispatcher at a time."""
    processes.dispatch(_settings())


@app.command()
def renditions() -> None:
    """Build renditions of the videos that many watch, one builder at a time."""
    processes.renditions(_settings())


@app.command()
def relay() -> None:
    """Carry both logs to Kafka as public streams, one relay at a time."""
    try:
        processes.relay(_settings())
    except Fenced as error:
        _refuse(error)


@app.command()
def work() -> None:
    """Render generations. Any number of these may run, here and elsewhere."""
    settings = _read(WorkerSettings)
    try:
        processes.work(settings)
    except SettingInvalid as error:
        _refuse(error)


@app.command()
def seed() -> None:
    """Bring a small world to life, in a house where nobody lives yet."""
    settings = _settings()
    if not (_home() / INVITATION).exists():
        keep_invitation(_home(), processes.invite(settings, at=datetime.now(UTC)))
    try:
        for done in processes.seed(settings):
            typer.echo(done)
    except WorldIncomplete as error:
        _refuse(error)


@app.command()
def invite() -> None:
    """Issue an invitation, as the operator, and print its code."""
    typer.echo(processes.invite(_settings(), at=datetime.now(UTC)))


@app.command()
def appoint(
    account: Annotated[str, typer.Argument(help="A handle, or the ID of an account.")],
    scopes: Annotated[list[str], typer.Argument(help="moderator, admin, analyst, advertiser.")],
) -> None:
    """Give an account more scopes, as the operator; its next token has them."""
    try:
        present = processes.appoint(_settings(), account, scopes)
    except DomainError as error:
        _refuse(error)
    typer.echo(f"{account} has the scopes {', '.join(present)}")


@app.command()
def credit(
    account: Annotated[str, typer.Argument(help="A handle, or the ID of an account.")],
    seconds: Annotated[int, typer.Argument(help="Of video.")],
    *,
    key: Annotated[str, typer.Option(help="What it is for (a payment, say); credited once.")],
    reason: Annotated[str, typer.Option(help="For who reads the log.")] = "purchase",
) -> None:
    """Raise the balance of an account by seconds of video. The same again changes nothing."""
    try:
        left = processes.credit(_settings(), account, seconds, key=key, reason=reason)
    except DomainError as error:
        _refuse(error)
    typer.echo(
        f"{account} has {left.purchased_seconds} purchased seconds, and {left.remaining_seconds} of"
        f" {left.limit_seconds} in the window"
    )


@app.command()
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
        _refuse(typer.BadParameter("say either --print or --out DIR"))
    try:
        rows = processes.replay(_settings(), log, Bounds.parse(since, until))
    except BoundInvalid as error:
        _refuse(error)
    if out is not None:
        for path in write(rows, out, log):
            typer.echo(path)
    else:
        for row in rows:
            typer.echo(msgspec.json.encode(row))


@app.command()
def verify(
    what: Annotated[
        Literal["log", "state", "media"], typer.Argument(help="What is to be checked.")
    ],
    *,
    slate: Annotated[
        str | None, typer.Option(metavar="ID", help="state: make this ranked slate again.")
    ] = None,
    slates: Annotated[
        str | None, typer.Option(metavar="N|all", help="state: make so many, the newest, again.")
    ] = None,
) -> None:
    """Check logs, what is shown of them, or the files and their marks; exits with 1 if broken."""
    settings = _settings()
    try:
        processes.require_migrated(settings)
    except MigrationsMissing as error:
        _refuse(error)
    if slate is not None or slates is not None:
        _verify_slates(settings, what, slate, slates)
        return
    if what != "state":
        verify_all = processes.verify_media if what == "media" else processes.verify_log
        try:
            for sound in verify_all(settings):
                typer.echo(f"{what} {sound}")
        except (LogBroken, MediaBroken) as broken:
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
        _refuse(typer.BadParameter("say `verify state` with either --slate ID or --slates N|all"))
    try:
        asked = UUID(slate) if slate else None if slates == "all" else int(slates or 0)
        remade = processes.verify_slates(settings, asked)
        equal = different = 0
        for each in remade:
            equal, different = equal + each.is_equal, different + (not each.is_equal)
            if not each.is_equal:
                typer.echo(f"state slate {each.decision_id}: DIFFERENT {each.difference}")
    except (SlateUnknown, ValueError) as error:
        _refuse(error)
    typer.echo(f"state slates: {equal} of {equal + different} were made again, equal to the byte")
    if different:
        raise typer.Exit(1)


@app.command()
def bench(
    name: Annotated[
        str | None,
        typer.Argument(
            help=f"One of {', '.join(BENCHES)}, or of {', '.join(BENCHES_OF_FILES)} with --data; "
            "none: all that need no data."
        ),
    ] = None,
    *,
    data: Annotated[
        Path | None, typer.Option(help="The folder of files that it is measured on.")
    ] = None,
    test_from: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="The first day that is tested.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Measure on a scratch database, each ratio against its reference in the same run."""
    names = [*BENCHES, *BENCHES_OF_FILES]
    if name is not None and name not in names:
        _refuse(typer.BadParameter(f"there is no bench {name!r}: take one of {names}"))
    start_logs(logging.WARNING)
    for chosen in BENCHES if name is None else [name]:
        outcome = _measured(chosen, data, test_from)
        typer.echo(msgspec.json.encode(outcome) if as_json else table(outcome))


def _measured(name: str, data: Path | None, test_from: datetime | None) -> Outcome:
    def progress(line: str) -> None:
        typer.echo(line, err=True)

    if name in BENCHES:
        return BENCHES[name](progress)
    if data is None or test_from is None:
        _refuse(typer.BadParameter(f"bench {name} takes --data and --test-from"))
    try:
        return BENCHES_OF_FILES[name](progress, data, test_from.date())
    except FilesUnreadable as error:
        _refuse(error)


@app.command()
def train(  # noqa: PLR0913 - three that are made, each in its own way
    what: Annotated[
        Literal["studio", "ranking", "prompt-vectors"],
        typer.Argument(help="Whose weights are to be made."),
    ],
    *,
    minutes: Annotated[float, typer.Option(min=0.01, help="studio: for all parts together.")] = 110,
    device: Annotated[str, typer.Option(help="studio: where; cpu, or cuda.")] = "cpu",
    together: Annotated[int, typer.Option(min=1, help="studio: clips in a step.")] = 28,
    until: Annotated[
        datetime | None, typer.Option(help="ranking: learn of what was before (UTC); else now.")
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="ranking: a folder of KuaiRand files, not the log.")
    ] = None,
    activate: Annotated[bool, typer.Option("--activate", help="ranking: let it rank.")] = False,
    out: Annotated[Path | None, typer.Option(help="Write here; else where `up` finds it.")] = None,
) -> None:
    """Make a model anew: the small video model, what ranks the feed, or what reads prompts."""
    if what == "prompt-vectors":
        _train_prompt_vectors(out)
        return
    if what == "ranking":
        _train_ranking(until, data, out, activate=activate)
        return
    # torch takes seconds to import, and belongs to the `worker` extra.
    from myriorama.studio.emoji import release, stages  # noqa: PLC0415
    from myriorama.studio.emoji.measuring import table as figures_table  # noqa: PLC0415
    from myriorama.studio.emoji.weights import MODEL  # noqa: PLC0415

    plan = stages.Plan(minutes, _home() / "training" / MODEL, device, together)
    folder = out or _home() / "models" / MODEL
    figures = release.make(plan, folder, lambda progress: typer.echo(progress, err=True))
    for name, measured in figures.items():
        typer.echo(f"{what} {name}\n{figures_table(measured)}")


def _train_prompt_vectors(out: Path | None) -> None:
    from myriorama.studio.sentences import Sentences, held_out  # noqa: PLC0415 - torch, as above
    from ranking.embedding import MODEL  # noqa: PLC0415
    from ranking.training.prompt_vectors import make  # noqa: PLC0415 - and scikit-learn

    sentences, folder = Sentences(), out or _home() / "models" / MODEL
    tokenizer = sentences.folder / "tokenizer.json"
    figures = make(sentences.read, tokenizer, folder, held_out(), tell=typer.echo)
    typer.echo(f"{folder}: {figures}")


def _train_ranking(
    until: datetime | None, data: Path | None, out: Path | None, *, activate: bool
) -> None:
    try:
        # scikit-learn, scipy and matplotlib belong to the `train` extra.
        from myriorama.bootstrap import training  # noqa: PLC0415
        from ranking.importing.kuairand import NotImportable  # noqa: PLC0415
        from ranking.training.fitting import TooLittle  # noqa: PLC0415
    except ModuleNotFoundError as error:
        _refuse(typer.BadParameter(f"training takes the extra `train`: {error}"))
    if data is not None and activate:
        _refuse(typer.BadParameter("what was learnt of files elsewhere cannot rank here"))
    end = datetime.now(UTC) if until is None else until.replace(tzinfo=UTC)
    folder = out or _home() / "training" / f"ranking-{end:%Y%m%d-%H%M%S}"

    def progress(line: str) -> None:
        typer.echo(line, err=True)

    try:
        if data is None:
            settings = _settings()
            digest = training.train_ranking(settings, end, folder, progress, activate=activate)
        else:
            digest = training.train_on_files(data, end, folder, progress)
    except (TooLittle, NotImportable) as error:
        _refuse(error)
    typer.echo(f"{digest}\n{folder}")


@app.command()
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


@app.command()
def problems() -> None:
    """Print the codes of all problem documents, as docs/problems.md."""
    import_module("myriorama.bootstrap.api")  # With it come all routes, and what they raise.
    typer.echo(problem_catalogue.markdown(), nl=False)


def _home() -> Path:
    return Path(os.environ.get("MYRIORAMA_HOME", ".myriorama")).resolve()


def _settings() -> Settings:
    return _read(Settings)


def _read(kind: type[S]) -> S:
    """Read the settings; where `myriorama up` has run on this home, what it furnished counts."""
    for name, value in furnished(_home()).items():
        os.environ.setdefault(name, value)  # for the processes that this one starts, too
    try:
        return kind.read()
    except SettingInvalid as error:
        _refuse(error)


def _refuse(error: Exception) -> NoReturn:
    typer.secho(f"myriorama: {error}", err=True, fg="red")
    raise typer.Exit(2)
