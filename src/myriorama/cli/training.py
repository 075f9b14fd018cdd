"""Models that are made anew."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import typer

from domain.errors import DomainError
from myriorama.cli.shell import home_folder, refuse, settings_of_home


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

    plan = stages.Plan(minutes, home_folder() / "training" / MODEL, device, together)
    folder = out or home_folder() / "models" / MODEL
    figures = release.make(plan, folder, lambda progress: typer.echo(progress, err=True))
    for name, measured in figures.items():
        typer.echo(f"{what} {name}\n{figures_table(measured)}")


def _train_prompt_vectors(out: Path | None) -> None:
    from myriorama.studio.sentences import Sentences, held_out  # noqa: PLC0415 - torch, as above
    from ranking.embedding import MODEL  # noqa: PLC0415
    from ranking.training.prompt_vectors import make  # noqa: PLC0415 - and scikit-learn

    sentences, folder = Sentences(), out or home_folder() / "models" / MODEL
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
        extra = "training takes the extra `train`: pip install 'myriorama[train]'"
        refuse(typer.BadParameter(f"{extra} ({error})"))
    if data is not None and activate:
        refuse(typer.BadParameter("what was learnt of files elsewhere cannot rank here"))
    if until is not None and until.replace(tzinfo=UTC) > datetime.now(UTC):
        refuse(
            typer.BadParameter(
                f"--until {until:%Y-%m-%dT%H:%M:%S} (UTC) is in the future: leave it out to learn "
                "of everything until now"
            )
        )
    end = datetime.now(UTC) if until is None else until.replace(tzinfo=UTC)
    folder = out or home_folder() / "training" / f"ranking-{end:%Y%m%d-%H%M%S}"

    def progress(line: str) -> None:
        typer.echo(line, err=True)

    try:
        if data is None:
            settings = settings_of_home()
            digest = training.train_ranking(settings, end, folder, progress, activate=activate)
        else:
            digest = training.train_on_files(data, end, folder, progress)
    except (training.NothingBefore, TooLittle, NotImportable, DomainError) as error:
        refuse(error)
    except OSError as error:
        refuse(
            OSError(f"{error}; nothing was activated: make room, or name another folder (--out)")
        )
    typer.echo(f"{digest}\n{folder}")
