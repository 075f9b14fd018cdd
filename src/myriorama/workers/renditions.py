"""The builder of renditions: makes ladders of public videos that many watch, and of no other.

A process without any traffic, because encoding takes all the CPU that it gets. It keeps nothing:
what is to be done next is read from the tables, so it may be killed at any moment and begin again.
"""

import os
import threading
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import psycopg
import structlog
from prometheus_client import Counter
from psycopg import Connection
from psycopg.rows import TupleRow
from psycopg_pool import PoolTimeout

from domain.errors import DomainError
from myriorama.application.renditions import Renditions
from myriorama.store.ladders import Ladder, Rung, Segment, put_ladder
from myriorama.store.objects import ObjectNotFound, Objects, content_key
from myriorama.store.postgres import AdvisoryLock
from myriorama.studio import ladder as studio

logger = structlog.get_logger(__name__)

# One process builds at a time: its session holds this lock, a second one waits for it.
_LEAD = "SELECT pg_try_advisory_lock(%s)"

_WANTED = """
    SELECT v.video_id, v.video_key FROM view_counts w
    JOIN videos v ON v.video_id = w.video_id
    WHERE w.views >= %s AND v.ladder_key IS NULL AND v.state = 'live' AND v.visibility = 'public'
      AND v.video_id <> ALL(%s)
    ORDER BY w.views DESC, v.video_id LIMIT 1
"""

_POLL_S = 5.0
_NICENESS = 15
_KIND = "renditions"
_BUILT = Counter("myriorama_renditions", "Videos of which renditions were tried", ["outcome"])


class RenditionBuilder:
    """Runs until `stop`. A second one waits until the first is gone."""

    def __init__(
        self,
        url: str,
        renditions: Renditions,
        objects: Objects,
        *,
        views_min: int,
        folder: Path,
    ) -> None:
        """Take the collaborators.

        Args:
            url: PostgreSQL.
            renditions: records what was built.
            objects: where videos come from and renditions go to.
            views_min: so many views make a video worth it.
            folder: where renditions lie while they are built.
        """
        self._url = url
        self._renditions = renditions
        self._objects = objects
        self._views_min = views_min
        self._folder = folder
        self._stopping = threading.Event()
        self._given_up: set[UUID] = set()

    def run(self) -> None:
        """Build until `stop` is called from elsewhere."""
        os.nice(_NICENESS)
        self._folder.mkdir(parents=True, exist_ok=True)
        while not self._stopping.is_set():
            try:
                with psycopg.connect(self._url, autocommit=True) as connection:
                    self._lead(connection)
            except (psycopg.OperationalError, PoolTimeout) as error:
                logger.warning("the builder of renditions waits for PostgreSQL", error=str(error))
            except Exception:
                logger.exception("the builder of renditions stumbled")
            self._stopping.wait(_POLL_S)

    def stop(self) -> None:
        self._stopping.set()

    def build_next(self, connection: Connection[TupleRow]) -> bool:
        """Build the renditions of the most watched video without; return whether there was one."""
        wanted = (self._views_min, list(self._given_up))
        row = connection.execute(_WANTED, wanted).fetchone()
        if row is None:
            return False
        video_id, video_key = row
        # Until the tables show what was recorded, and for as long as this process runs if it fails.
        self._given_up.add(video_id)
        try:
            with TemporaryDirectory(dir=self._folder, prefix="ladder-") as folder:
                self._build(video_id, video_key, Path(folder))
        except (studio.VideoUnreadable, ObjectNotFound, DomainError) as error:
            logger.warning("no renditions", video=str(video_id), error=str(error))
            _BUILT.labels("failed").inc()
        else:
            _BUILT.labels("built").inc()
        return True

    def _lead(self, connection: Connection[TupleRow]) -> None:
        while not self._stopping.is_set():
            row = connection.execute(_LEAD, (AdvisoryLock.RENDITIONS,)).fetchone()
            if row and row[0]:
                break
            self._stopping.wait(_POLL_S)
        while not self._stopping.is_set():
            if not self.build_next(connection):
                self._stopping.wait(_POLL_S)

    def _build(self, video_id: UUID, video_key: str, folder: Path) -> None:
        video = folder / "video.mp4"
        with video.open("wb") as file:
            for chunk in self._objects.stream(video_key):
                file.write(chunk)
        (folder / "rungs").mkdir()
        built = studio.build_ladder(video, folder / "rungs")
        # What names others is stored after them, and recorded last: what a crash leaves behind is
        # files that nothing refers to.
        ladder = Ladder(tuple(self._stored(rung) for rung in built))
        pieces = [path for rung in built for path in _pieces(rung)]
        self._renditions.record(
            video_id,
            put_ladder(self._objects, ladder),
            rungs=len(built),
            size_bytes=sum(piece.stat().st_size for piece in pieces),
            at=datetime.now(UTC),
        )
        logger.info("renditions built", video=str(video_id), rungs=len(built))

    def _stored(self, rung: studio.Rung) -> Rung:
        return Rung(
            width=rung.width,
            height=rung.height,
            fps=rung.fps,
            codecs=rung.codecs,
            peak_bits_s=rung.peak_bits_s,
            average_bits_s=rung.average_bits_s,
            opening_key=self._put(rung.opening),
            segments=tuple(
                Segment(self._put(segment.path), segment.duration_ms) for segment in rung.segments
            ),
        )

    def _put(self, path: Path) -> str:
        with path.open("rb") as file:
            digest = file_digest(file, "sha256").hexdigest()
        key = content_key(_KIND, digest, path.suffix)
        self._objects.put(key, path, media_type="video/mp4")
        return key


def _pieces(rung: studio.Rung) -> Sequence[Path]:
    return (rung.opening, *(segment.path for segment in rung.segments))
