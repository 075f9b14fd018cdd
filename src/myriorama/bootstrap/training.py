"""Training joined to the logs: reads what was served, fits a model, keeps it, may let it rank."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from myriorama.application.accounts import OPERATOR
from myriorama.application.rankings import Rankings
from myriorama.bootstrap.embedding import prompt_vectors
from myriorama.bootstrap.feeds import create_stretches, create_usable
from myriorama.replay.training_slates import first_slate, gather
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.objects import Objects, open_objects, ranker_key
from myriorama.store.postgres import Pool, open_pool
from ranking.heads import MATURE_MS
from ranking.training import affinities, fitting, report
from ranking.training.slates import Gathering

Progress = Callable[[str], None]


# What is made of data that are to be shared alike is to be, too.
_KUAIRAND = report.Origin("KuaiRand (Gao et al. 2022), a folder of its files", "CC BY-SA 4.0")


class NothingBefore(ValueError):
    """No slate was ranked before the time until which is to be learnt; the message says more."""


def train_ranking(
    settings: Settings, until: datetime, folder: Path, progress: Progress, *, activate: bool
) -> str:
    """Train on what was served until a time; return the model's digest.

    Raises:
        NothingBefore: there is none of it in the log.
        TooLittle: the log holds too little of it.
        OSError: the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)  # before the minutes, not after
    objects = open_objects(settings.objects)
    with open_pool(settings.database_url, size_max=2) as pool:
        _require_slates(pool, until)
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
        digest = report.write(fitted, folder, report.OWN_LOG)
        keep(objects, digest, (folder / report.MODEL_FILE).read_bytes())
        progress(f"the model {digest} is in the object store")
        if activate:
            rankings = Rankings(Log(pool), create_usable(objects))
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

    folder.mkdir(parents=True, exist_ok=True)
    imported = load(data)
    learnt = exposures.examples(imported, progress, until_ms=_ms(until))
    fitted = fitting.fit(learnt, None, progress, until_ms=_ms(until))
    return report.write(fitted, folder, _KUAIRAND)


def keep(objects: Objects, digest: str, blob: bytes) -> None:
    """Put a model into the object store, under its digest."""
    objects.put(ranker_key(digest), blob, media_type="application/octet-stream")


def _require_slates(pool: Pool, until: datetime) -> None:
    first = first_slate(pool)
    if first is None:
        raise NothingBefore(
            "no ranked slate is in the log: people have to scroll the feed `for_you`, and their "
            "apps to report what was watched, before anything can be learnt of it"
        )
    if first >= until:
        raise NothingBefore(
            f"the first ranked slate in the log was served at {first:%Y-%m-%d %H:%M} UTC, so "
            f"nothing can be learnt until {until:%Y-%m-%d %H:%M} UTC: name a time at least "
            f"{MATURE_MS // 3_600_000} hours later"
        )


def _state() -> Gathering:
    vectors = prompt_vectors()
    return Gathering(vectors.embed, vectors.topics)


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
