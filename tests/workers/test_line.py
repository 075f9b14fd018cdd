"""The line renders and finishes, stops when told, and survives whatever dies on it."""

import os
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import numpy as np
import pytest
from structlog.testing import capture_logs

from domain.generation.recipe import Shot
from domain.generation.work import Casting
from myriorama.store.objects import open_objects
from myriorama.studio import masters
from myriorama.studio.certificates import trusted_authority
from myriorama.studio.manifest import read
from myriorama.studio.renderer import Clip
from myriorama.workers.handover import Workshop
from myriorama.workers.line import Line
from tests.studio.foreign_media import photo, two_colours
from tests.workers.lines import WORK, await_, ended, running_line

ENDLESS = replace(WORK, width=640, height=640, seconds=15)


class FullOnce(Workshop):
    """A workshop whose first bench is on a disk without any room."""

    def bench(self) -> Path:
        bench = super().bench()
        if bench.name == "1":
            (bench / "frames").symlink_to("/dev/full")
        return bench


def master(home: Path, key: str) -> Clip:
    """Return what a master holds."""
    path = home / "master.mp4"
    path.write_bytes(open_objects(str(home / "objects")).read(key))
    return masters.read(path)


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    with running_line(tmp_path) as line:
        yield line


def test_what_is_rendered_lies_in_the_object_store(line: Line, tmp_path: Path) -> None:
    job = line.enter(WORK)

    delivery = ended(job).delivery

    objects = open_objects(str(tmp_path / "objects"))
    assert delivery is not None
    assert objects.read(delivery.video_key, 4, 8) == b"ftyp"
    assert objects.size(delivery.video_key) == delivery.size_bytes
    assert delivery.sha256 in delivery.video_key
    assert all(objects.exists(key) for key in delivery.keys)
    assert (delivery.width, delivery.height, delivery.duration_ms) == (64, 64, 2000)
    assert (job.done, job.stage) == (job.total, "finishing")
    assert job.preview_key is not None
    assert objects.read(job.preview_key, 8, 12) == b"WEBP"


def test_nothing_is_left_of_clips_that_are_finished(line: Line, tmp_path: Path) -> None:
    job = line.enter(WORK)

    ended(job)

    assert [path.name for path in (tmp_path / "tmp").glob("*/*")] == ["lock"]


def test_what_a_killed_worker_left_is_removed_by_the_next_one(tmp_path: Path) -> None:
    abandoned = tmp_path / "tmp" / "myriorama-work-abandoned"
    abandoned.mkdir(parents=True)
    (abandoned / "lock").touch()
    (abandoned / "frames").write_bytes(b"many")
    (tmp_path / "home").mkdir()

    with running_line(tmp_path / "home", within=tmp_path / "tmp"):
        living = list((tmp_path / "tmp").iterdir())
        with running_line(tmp_path / "other", within=tmp_path / "tmp"):
            both = set((tmp_path / "tmp").iterdir())

    assert abandoned not in living
    assert set(living) < both


def test_a_cameo_is_read_from_the_object_store(line: Line, tmp_path: Path) -> None:
    face = photo(tmp_path / "face.jpg", two_colours(64, 64)).read_bytes()
    open_objects(str(tmp_path / "objects")).put("cameos/a.jpg", face, media_type="image/jpeg")

    made = line.enter(replace(WORK, cameos=(Casting("alice", "cameos/a.jpg", 180.0),)))
    missing = line.enter(replace(WORK, cameos=(Casting("bob", "cameos/b.jpg", None),)))

    assert ended(made).delivery
    assert ended(missing).reason == "input_missing"


def test_the_next_work_is_rendered_while_the_last_one_is_finished(line: Line) -> None:
    first, second = line.enter(replace(WORK, seconds=8, width=256, height=256)), line.enter(WORK)

    await_(lambda: second.done > 0)

    assert first.done == first.total
    assert first.ended is None
    assert ended(first).delivery
    assert ended(second).delivery


def test_there_is_room_for_the_next_work_when_its_turn_is_near(line: Line) -> None:
    before = line.room

    endless = line.enter(ENDLESS)
    await_(lambda: endless.done > 0)
    meanwhile = line.room
    line.drop(endless)
    ended(endless)
    await_(lambda: line.room > 0)

    assert (before, meanwhile) == (1, 0)


def test_a_render_stops_at_its_next_step_and_the_next_one_is_whole(line: Line) -> None:
    unwanted = line.enter(ENDLESS)
    await_(lambda: unwanted.done > 0)
    steps = unwanted.done

    line.drop(unwanted)
    stopped = ended(unwanted)
    made = ended(line.enter(WORK))

    assert (stopped.delivery, stopped.reason) == (None, None)
    assert unwanted.done <= steps + 1
    assert made.delivery


def test_works_of_one_shape_are_rendered_together_and_dropped_one_by_one(tmp_path: Path) -> None:
    works = [replace(WORK, model="ltx2-tiny", generation_id=uuid4(), seed=n) for n in range(3)]
    with capture_logs() as logs, running_line(tmp_path, together_max={"ltx2-tiny": 3}) as line:
        jobs = [line.enter(work) for work in works]
        await_(lambda: jobs[0].done > 0)
        line.drop(jobs[1])
        made = [ended(job) for job in jobs]

    assert [one.delivery is not None for one in made] == [True, False, True]
    assert made[1].reason is None
    assert sum(entry["event"] == "rendering" for entry in logs) == 1


def test_what_is_not_wanted_is_not_begun(line: Line) -> None:
    endless, unwanted = line.enter(ENDLESS), line.enter(WORK)

    line.drop(unwanted)
    line.drop(endless)
    ended(unwanted)
    ended(endless)

    assert (unwanted.done, unwanted.stage) == (0, "waiting")


def test_a_crash_breaks_what_is_rendered_and_nothing_else(line: Line) -> None:
    crashing, next_one = line.enter(ENDLESS), line.enter(WORK)
    await_(lambda: crashing.done > 0)

    os.kill(line.pids[0], signal.SIGSEGV)

    crashed = ended(crashing)
    assert (crashed.reason, str(-signal.SIGSEGV) in crashed.detail) == ("renderer_crashed", True)
    assert ended(next_one).delivery


def test_a_crash_of_finishing_does_not_touch_the_renderer(line: Line) -> None:
    crashing = line.enter(replace(WORK, seconds=8, width=512, height=512))
    await_(lambda: crashing.stage == "finishing" and len(line.pids) > 1)
    renderer, finisher = line.pids

    os.kill(finisher, signal.SIGKILL)
    crashed = ended(crashing)
    made = ended(line.enter(WORK))

    assert crashed.reason == "finishing_crashed"
    assert made.delivery
    assert line.pids[0] == renderer


def test_what_no_renderer_can_render_breaks_and_says_why(line: Line) -> None:
    broken = ended(line.enter(replace(WORK, width=65)))

    assert broken.reason == "unrenderable"
    assert "65" in broken.detail


def test_what_takes_more_memory_than_there_is_costs_the_process_and_no_more(line: Line) -> None:
    ended(line.enter(WORK))
    before = line.pids[0]

    huge = line.enter(replace(WORK, width=32 * 2**16, height=32 * 2**16))
    broken, made = ended(huge), ended(line.enter(WORK))

    assert broken.reason == "out_of_memory"
    assert made.delivery
    assert line.pids[0] != before


def test_a_full_disk_breaks_an_attempt_and_no_more(tmp_path: Path) -> None:
    with running_line(tmp_path, kind=FullOnce) as line:
        broken = ended(line.enter(WORK))
        made = ended(line.enter(WORK))

    assert (broken.delivery, broken.reason) == (None, "disk_full")
    assert made.delivery
    kinds = [path.name for path in (tmp_path / "objects").iterdir()]
    assert "masters" in kinds


def test_a_storyboard_is_rendered_shot_by_shot_and_one_of_them_anew(
    line: Line, tmp_path: Path
) -> None:
    shots = (Shot("a red ball bounces", 2, 1), Shot('a fox says: "Hello there."', 3, 2))
    board = replace(WORK, seconds=5, shots=shots)
    made = ended(line.enter(board)).delivery
    assert made

    again = replace(board, shots=(shots[0], replace(shots[1], seed=9)))
    rerolled = ended(line.enter(replace(again, rerolls=1, rerolled_key=made.master_key))).delivery

    assert made.duration_ms == 5000
    assert rerolled
    assert rerolled.duration_ms == 5000
    assert rerolled.transcript == made.transcript
    assert rerolled.master_key != made.master_key
    before, after = (master(tmp_path, each.master_key) for each in (made, rerolled))
    assert np.abs(before.frames[:40].astype(int) - after.frames[:40]).mean() < 1
    assert np.abs(before.frames[60:].astype(int) - after.frames[60:]).mean() > 1


def test_a_video_goes_on_from_another_and_both_are_joined(line: Line, tmp_path: Path) -> None:
    spoken = replace(WORK, prompt='a red ball says "one"')
    first = ended(line.enter(spoken)).delivery
    assert first
    assert first.captions_key

    further = ended(line.enter(replace(WORK, extends_key=first.master_key))).delivery
    assert further
    parts = (first.master_key, further.master_key)
    captions = (first.captions_key, further.captions_key)
    joining = replace(WORK, model="stitcher-1", stitch_keys=parts, stitch_captions=captions)
    whole = ended(line.enter(joining)).delivery
    gone = ended(line.enter(replace(WORK, stitch_keys=(first.master_key, ""))))

    assert whole
    assert (whole.duration_ms, whole.renderer) == (4000, "stitcher-1")
    joined, ending = master(tmp_path, whole.master_key), master(tmp_path, first.master_key)
    assert np.abs(joined.frames[:48].astype(int) - ending.frames).mean() < 2
    assert (whole.captions_key, further.captions_key) == (first.captions_key, None)
    assert gone.reason == "input_missing"


def test_the_same_work_gives_the_same_master(line: Line) -> None:
    first, again = line.enter(WORK), line.enter(replace(WORK, attempt=2))

    made, same = ended(first).delivery, ended(again).delivery

    assert made
    assert same
    assert made.master_key == same.master_key


def test_what_is_delivered_bears_its_marks(line: Line, tmp_path: Path) -> None:
    shown = replace(WORK, width=256, height=256)
    delivery = ended(line.enter(shown)).delivery

    assert delivery
    signed = tmp_path / "signed.mp4"
    signed.write_bytes(open_objects(str(tmp_path / "objects")).read(delivery.video_key))
    trust = trusted_authority(home=tmp_path, certificates="")
    manifest = read(signed, trust)
    assert manifest is not None
    assert (manifest.state, manifest.generation_id) == ("trusted", WORK.generation_id)
    assert manifest.manifest_id == delivery.manifest_id
    assert {verdict.verdict for verdict in delivery.verdicts} == {"allow"}
    assert len(delivery.perceptual_hash) == 16


def test_the_processes_know_no_secrets(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MYRIORAMA_WORKER_TOKEN", "not to be seen")

    ended(line.enter(replace(WORK, generation_id=uuid4())))

    environments = [Path(f"/proc/{pid}/environ").read_bytes() for pid in line.pids]
    assert len(environments) == 2
    assert not any(b"not to be seen" in environment for environment in environments)
