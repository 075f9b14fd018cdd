"""The renderer's process: it renders, stops when told, and takes nobody with it when it dies."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest

from domain.generation.work import Casting, Work
from myriorama.store.objects import open_objects
from myriorama.workers.rendering import Broken, Made, News, RenderProcess, Step, Stopped, Studio
from tests.studio.foreign_media import photo, two_colours

PATIENCE_S = 60.0
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
)
ENDLESS = replace(WORK, width=1280, height=704, seconds=15)


@pytest.fixture
def studio(tmp_path: Path) -> Studio:
    return Studio(str(tmp_path / "objects"), "procedural", "", str(tmp_path))


@pytest.fixture
def process(studio: Studio) -> Iterator[RenderProcess]:
    process = RenderProcess(studio)
    yield process
    process.kill()


def outcome(process: RenderProcess) -> tuple[News, int]:
    """Return how the render ended, and after how many steps."""
    deadline, steps = time.monotonic() + PATIENCE_S, 0
    while time.monotonic() < deadline:
        news = process.poll(timeout_s=1)
        if isinstance(news, Step):
            steps += 1
        elif news is not None:
            return news, steps
    raise AssertionError("the renderer said nothing")


def test_what_is_rendered_lies_in_the_object_store(process: RenderProcess, studio: Studio) -> None:
    process.begin(WORK)

    made, steps = outcome(process)

    assert isinstance(made, Made)
    assert steps >= 4
    delivery, objects = made.delivery, open_objects(studio.objects)
    assert objects.read(delivery.video_key, 4, 8) == b"ftyp"
    assert objects.size(delivery.video_key) == delivery.size_bytes
    assert delivery.sha256 in delivery.video_key
    assert objects.exists(delivery.poster_key)
    assert objects.exists(delivery.thumbnail_key)
    assert (delivery.width, delivery.height, delivery.duration_ms) == (64, 64, 2000)


def test_a_cameo_is_read_from_the_object_store(
    process: RenderProcess, studio: Studio, tmp_path: Path
) -> None:
    face = photo(tmp_path / "face.jpg", two_colours(64, 64)).read_bytes()
    open_objects(studio.objects).put("cameos/alice.jpg", face, media_type="image/jpeg")

    process.begin(replace(WORK, cameos=(Casting("alice", "cameos/alice.jpg", 180.0),)))
    made, _ = outcome(process)
    process.begin(replace(WORK, cameos=(Casting("bob", "cameos/bob.jpg", None),)))
    missing, _ = outcome(process)

    assert isinstance(made, Made)
    assert isinstance(missing, Broken)
    assert missing.reason == "input_missing"


def test_a_render_stops_at_its_next_step_and_the_next_one_is_whole(
    process: RenderProcess,
) -> None:
    process.begin(ENDLESS)
    first = process.poll(timeout_s=PATIENCE_S)

    process.stop()
    stopped, steps = outcome(process)
    process.stop()  # too late, and so of no effect
    process.begin(WORK)
    made, _ = outcome(process)

    assert isinstance(first, Step)
    assert isinstance(stopped, Stopped)
    assert steps <= 2
    assert isinstance(made, Made)


def test_a_crash_is_news_and_the_next_render_is_none_the_worse(process: RenderProcess) -> None:
    process.begin(ENDLESS)
    assert isinstance(process.poll(timeout_s=PATIENCE_S), Step)

    os.kill(process.pid or 0, signal.SIGSEGV)
    crashed, _ = outcome(process)
    process.begin(WORK)
    made, _ = outcome(process)

    assert isinstance(crashed, Broken)
    assert (crashed.reason, str(-signal.SIGSEGV) in crashed.detail) == ("renderer_crashed", True)
    assert isinstance(made, Made)


def test_what_no_renderer_can_render_breaks_and_says_why(process: RenderProcess) -> None:
    process.begin(replace(WORK, width=65))

    broken, _ = outcome(process)

    assert isinstance(broken, Broken)
    assert broken.reason == "unrenderable"


def test_the_renderer_knows_no_secrets(
    process: RenderProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYRIORAMA_WORKER_TOKEN", "not to be seen")
    process.begin(WORK)

    environment = Path(f"/proc/{process.pid}/environ").read_bytes()

    outcome(process)
    assert b"not to be seen" not in environment
