"""Training joined to the logs: reads what was served, fits a model, keeps it, may let it rank."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from myriorama.application.accounts import OPERATOR
from myriorama.application.rankings import Rankings
from myriorama.bootstrap.embedding import prompt_vectors
from myriorama.bootstrap.feeds import create_stretches
from myriorama.feed.rankers import key_of
from myriorama.replay.training_slates import gather
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.objects import Objects, open_objects
from myriorama.store.postgres import open_pool
from ranking.heads import MATURE_MS
from ranking.training import affinities, fitting, report
from ranking.training.slates import Gathering

Progress = Callable[[str], None]


def train_ranking(
    settings: Settings, until: datetime, folder: Path, progress: Progress, *, activate: bool
) -> str:
    """Train on what was served until a time; return the model's digest.

    Raises:
        TooLittle: the log holds too little of it.
    """
    objects = open_objects(settings.objects)
    with open_pool(settings.database_url, size_max=2) as pool:
        found = gather(pool, create_stretches(pool, objects), _state, until, progress)
        try:
            tables = affinities.fit(found.state)._replace(effects=found.state.effects())
            fitted = fitting.fit(found.examples, tables, progress, until_ms=_ms(until))
        except fitting.TooLittle as error:
            raise fitting.TooLittle(
                f"{error} In the log are {found.slates:,} ranked slates; what is younger than "
                f"{MATURE_MS // 3_600_000} hours, or of which no app reported a view, cannot be "
                "learnt of yet."
            ) from None
        digest = report.write(fitted, folder)
        keep(objects, digest, (folder / report.MODEL_FILE).read_bytes())
        progress(f"the model {digest} is in the object store")
        if activate:
            rankings = Rankings(Log(pool), lambda wanted: objects.exists(key_of(wanted)))
            rankings.activate_model(digest, by=OPERATOR, at=datetime.now(UTC))
            progress("it ranks from now on")
    return digest


def train_on_files(data: Path, until: datetime, folder: Path, progress: Progress) -> str:
    """Train on a folder of KuaiRand files, on what was before a time; return the digest.

    Raises:
        NotImportable: the folder holds no such files.
        TooLittle: there is too little before that time.
    """
    from ranking.importing.kuairand import load  # noqa: PLC0415 - for this alone
    from ranking.training import exposures  # noqa: PLC0415

    imported = load(data)
    everything = exposures.examples(imported, progress)
    learnt = everything.take(everything.at_ms < _ms(until))
    fitted = fitting.fit(learnt, None, progress, until_ms=_ms(until))
    return report.write(fitted, folder)


def keep(objects: Objects, digest: str, blob: bytes) -> None:
    """Put a model into the object store, under its digest."""
    objects.put(key_of(digest), blob, media_type="application/octet-stream")


def _state() -> Gathering:
    vectors = prompt_vectors()
    return Gathering(vectors.embed, vectors.topics)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
