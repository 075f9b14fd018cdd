"""What many watch gets a ladder, once; what few watch, or few may see, gets none."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import numpy as np
import psycopg
import pytest

from domain.video.aggregate import Video
from domain.video.visibility import Visibility
from myriorama.application.renditions import Renditions
from myriorama.store.ladders import read_ladder
from myriorama.store.log import Log
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import Pool
from myriorama.studio.encoding import encode
from myriorama.studio.renderer import Clip
from myriorama.workers.renditions import RenditionBuilder
from projections.videos import Videos
from tests.folding import fold
from tests.publishing import publish

ALICE = uuid4()
VIEWS_MIN = 10

Watched = Callable[..., Video]


@pytest.fixture(scope="module")
def mp4(tmp_path_factory: pytest.TempPathFactory) -> Path:
    frames = np.random.default_rng(7).integers(0, 255, (48, 256, 192, 3), np.uint8)
    silence = np.zeros((2, 96_000), np.float32)
    return encode(Clip(frames, 24, silence, 48_000), tmp_path_factory.mktemp("mp4")).video


@pytest.fixture
def objects(tmp_path: Path) -> FolderObjects:
    return FolderObjects(tmp_path / "objects")


@pytest.fixture
def watched(log: Log, pool: Pool, objects: FolderObjects, mp4: Path) -> Watched:
    """Publish a video that has been viewed so often."""

    def watched(
        views: int, *, content: Path | None = mp4, visibility: Visibility = "public"
    ) -> Video:
        video = publish(log, ALICE, visibility=visibility)
        fold(pool, Videos())
        with pool.connection() as connection:
            row = connection.execute("SELECT video_key FROM videos WHERE video_id = %s", [video.id])
            key = str((row.fetchone() or ("",))[0])
            connection.execute("INSERT INTO view_counts VALUES (%s, %s, 1)", [video.id, views])
        if content is not None:
            objects.put(key, content, media_type="video/mp4")
        return video

    return watched


@pytest.fixture
def build(log: Log, objects: FolderObjects, database_url: str, tmp_path: Path) -> Callable[[], int]:
    """Let a builder that has just been started build; return of how many videos it tried."""

    def build() -> int:
        builder = RenditionBuilder(
            database_url, Renditions(log), objects, views_min=VIEWS_MIN, folder=tmp_path
        )
        with psycopg.connect(database_url, autocommit=True) as connection:
            tried = 0
            while builder.build_next(connection):
                tried += 1
            return tried

    return build


def ladder_of(log: Log, video: Video) -> str | None:
    found = log.find(Video, video.id)
    return found.ladder_key if found else None


def test_what_many_watch_is_built_once(
    watched: Watched, build: Callable[[], int], log: Log, pool: Pool, objects: FolderObjects
) -> None:
    loved, ignored = watched(VIEWS_MIN), watched(VIEWS_MIN - 1)

    assert build() == 1
    key = ladder_of(log, loved)
    assert build() == 1  # The tables do not show it yet: another ladder changes nothing.
    fold(pool, Videos())
    assert build() == 0

    assert key is not None
    assert ladder_of(log, loved) == key
    assert ladder_of(log, ignored) is None
    (top, *_) = read_ladder(objects, key).rungs
    assert (top.width, top.height) == (192, 256)
    for rung in read_ladder(objects, key).rungs:
        for piece in (rung.opening_key, *(segment.key for segment in rung.segments)):
            assert piece.startswith("renditions/")
            assert objects.size(piece) > 0


def test_what_few_may_see_is_not_streamed(
    watched: Watched, build: Callable[[], int], log: Log, pool: Pool
) -> None:
    watched(VIEWS_MIN, visibility="followers")
    watched(VIEWS_MIN, visibility="link")
    gone = watched(VIEWS_MIN)
    found = log.find(Video, gone.id)
    assert found is not None
    found.delete(by=ALICE, as_moderator=False, at=found.modified_on)
    log.save(found)
    fold(pool, Videos())

    assert build() == 0


def test_a_video_that_cannot_be_read_holds_up_no_other(
    watched: Watched, build: Callable[[], int], log: Log, tmp_path: Path
) -> None:
    (tmp_path / "text.mp4").write_text("no film")
    broken = watched(VIEWS_MIN + 2, content=tmp_path / "text.mp4")
    lost = watched(VIEWS_MIN + 1, content=None)
    fine = watched(VIEWS_MIN)

    assert build() == 3

    assert [ladder_of(log, video) is not None for video in (broken, lost, fine)] == [
        False,
        False,
        True,
    ]
    assert not list(tmp_path.glob("ladder-*"))
