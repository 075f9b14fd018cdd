"""What it takes of a CPU to finish a clip: five seconds of 704x1280, with all that is made of it.

Measured is the production code in this process: speech, loudness, screening, master, marks, MP4,
stills, captions and signature, and then the ladder, which popular videos alone are given. The clip
is the procedural renderer's, since what pictures show decides what they cost to encode; drawing it
does not count.
"""

import resource
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

from domain.generation.work import Work, watermark_of
from myriorama.bench.outcome import Progress
from myriorama.studio.certificates import Credentials, credentials
from myriorama.studio.finishing import Finisher, Marks, Origin, Parts
from myriorama.studio.ladder import build_ladder
from myriorama.studio.procedural import ProceduralRenderer
from myriorama.studio.renderer import Clip, Preview, Scene
from myriorama.studio.screening import Screening
from myriorama.studio.watermark import Watermark

PROMPT = 'a red fox jumps over a log in the forest and says "Look, there is the sea at last!"'
SECONDS, WIDTH, HEIGHT = 5, 704, 1280
TURNS = 3


@dataclass(frozen=True)
class EncodingCost:
    """CPU-seconds of one clip: of what is always made of it, and of the ladder."""

    finishing_cpu_s: float
    ladder_cpu_s: float

    @property
    def encode_cpu_s(self) -> float:
        return self.finishing_cpu_s + self.ladder_cpu_s


def measure_encoding(progress: Progress) -> EncodingCost:
    """Finish the same clip a few times; return the least that it took."""
    with TemporaryDirectory() as home:
        marks = Marks(Watermark(b"of the bench"), _development(Path(home)))
        finisher = Finisher(marks, Screening.from_policy(None))
        small = _rendered(320, 576)
        _finished(finisher, small, Path(home) / "warm")  # what is loaded once is no cost of a clip
        clip = _rendered(WIDTH, HEIGHT)
        costs: list[EncodingCost] = []
        for turn in range(TURNS):
            costs.append(_finished(finisher, clip, Path(home) / f"turn-{turn}"))
            progress(f"finishing a clip took {costs[-1].encode_cpu_s:.2f} CPU-seconds")
    return min(costs, key=lambda cost: cost.encode_cpu_s)


def _development(home: Path) -> Credentials:
    return credentials(home=home, certificates="", key="", signer_url="", signer_token="")


def _rendered(width: int, height: int) -> Clip:
    scene = Scene(PROMPT, width, height, seconds=SECONDS, seed=7)
    return ProceduralRenderer().render(scene, _unseen)


def _finished(finisher: Finisher, clip: Clip, folder: Path) -> EncodingCost:
    (folder / "rungs").mkdir(parents=True)
    height, width = clip.frames.shape[1:3]
    generation_id = UUID(int=7)
    work = Work(
        generation_id=generation_id,
        attempt=1,
        lease_s=30,
        prompt=PROMPT,
        width=width,
        height=height,
        seconds=SECONDS,
        fps=clip.fps,
        seed=7,
        image_key=None,
        cameos=(),
        watermark=watermark_of(generation_id),
    )
    copied = Clip(clip.frames.copy(), clip.fps, clip.sound, clip.sample_rate_hz)
    origin = Origin("procedural-1", digest="0" * 64, is_procedural=True)
    began_s = _cpu_s()
    finished = finisher.finish(copied, work, origin, folder, Parts())
    finished_s = _cpu_s()
    build_ladder(finished.video.path, folder / "rungs")
    return EncodingCost(finished_s - began_s, _cpu_s() - finished_s)


def _cpu_s() -> float:
    """Return what this process and its children have taken of the CPU, system calls too."""
    used = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(each.ru_utime + each.ru_stime for each in used)


def _unseen(_done: int, _total: int, _preview: Preview | None, /) -> None:
    """Look at no step."""
