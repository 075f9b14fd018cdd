"""The ranking on exposures that really happened, and its retrieval over the whole catalogue.

Both learn of what was before a day and are measured from that day on, beside peers that saw the
same; see docs/benchmarks.md.
"""

from datetime import date
from pathlib import Path

from myriorama.bench.outcome import FilesUnreadable, Outcome, Progress


def measure(progress: Progress, data: Path, test_from: date) -> Outcome:
    """Measure on a folder of KuaiRand files.

    Raises:
        FilesUnreadable: the folder does not hold what it should.
    """
    # Libraries that train, and the compiled loops, are not for who benches something else.
    from myriorama.bench import ranking_exposures, ranking_retrieval  # noqa: PLC0415
    from ranking.importing.kuairand import NotImportable  # noqa: PLC0415

    try:
        exposures, peers = ranking_exposures.measure_exposures(data, test_from, progress)
        retrieval, others = ranking_retrieval.measure_retrieval(data, test_from, progress)
    except NotImportable as error:
        raise FilesUnreadable(str(error)) from error
    together = {
        name: {**peers.get(name, {}), **others.get(name, {})}
        for name in (*peers, *(name for name in others if name not in peers))
    }
    return Outcome("ranking", {**exposures, **retrieval, "peers": together}, {})
