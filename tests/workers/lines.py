"""A line as the tests have it: with the procedural renderer, and a work to give it."""

import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from domain.generation.work import Work
from myriorama.studio.certificates import credentials
from myriorama.workers.handover import Workshop
from myriorama.workers.jobs import Ended, Job
from myriorama.workers.line import Line
from myriorama.workers.orders import Finishing, Studio

PATIENCE_S = 180.0
WORK = Work(
    generation_id=uuid4(),
    attempt=1,
    lease_s=30,
    prompt="a red ball bounces",
    width=64,
    height=64,
    seconds=2,
    fps=24,
    seed=7,
    image_key=None,
    cameos=(),
    watermark="0123456789abcdef",
)
WATERMARK_KEY = "a key of the tests"


@contextmanager
def running_line(
    home: Path,
    *,
    within: Path | None = None,
    kind: type[Workshop] = Workshop,
    together_max: Mapping[str, int] | None = None,
) -> Generator[Line]:
    """Run a line whose objects lie in `home`, and, if nowhere else, its clips in `home/tmp`.

    It has the procedural renderer and the tiny model.
    """
    objects = str(home / "objects")
    within = within or home / "tmp"
    within.mkdir(exist_ok=True)
    studio = Studio(objects, "procedural", "tiny", str(home))
    signing = credentials(home=home, certificates="", key="", signer_url="", signer_token="")
    finishing = Finishing(objects, WATERMARK_KEY, signing.certificates, signing.key)
    line = Line(studio, finishing, together_max=together_max or {}, workshop=kind(within))
    line.start()
    try:
        yield line
    finally:
        line.close()


def ended(job: Job) -> Ended:
    """Return how a job ended, once it has."""
    await_(lambda: job.ended is not None)
    assert job.ended is not None
    return job.ended


def await_(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.005)
