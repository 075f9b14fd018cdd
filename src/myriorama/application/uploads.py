"""Commands on uploads: take foreign bytes in, look at them, and keep clean copies or nothing."""

import shutil
from collections.abc import Generator, Iterable, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Protocol, runtime_checkable
from uuid import UUID

import structlog

from domain.upload.aggregate import Clearance, Purpose, Refusal, Upload
from domain.upload.errors import Abandoned, UploadNotFound, UploadSettled
from myriorama.store.identity import new_id
from myriorama.store.log import Log, retried
from myriorama.store.objects import CHUNK, Objects
from myriorama.store.postgres import Pool

logger = structlog.get_logger(__name__)

# Several times what an inspection may take at most: nobody is still looking at it.
ABANDONED_AFTER = timedelta(minutes=10)
ABANDONED = Refusal(Abandoned.code, "Looking at this was broken off. Upload it once more.")

UNSETTLED = """
    SELECT upload_id FROM uploads WHERE state = 'received' AND received_at < %s
    ORDER BY received_at LIMIT 1000
"""


class Source(Protocol):
    """Bytes as they come; none is the end."""

    def read(self, size: int, /) -> bytes: ...


class CleanCopy(Protocol):
    """A file made anew from the pictures or the sound of an upload."""

    @property
    def role(self) -> str: ...
    @property
    def path(self) -> Path: ...
    @property
    def media_type(self) -> str: ...


class Seen(Protocol):
    """What inspection says of media that may enter."""

    @property
    def media_type(self) -> str: ...
    @property
    def width(self) -> int | None: ...
    @property
    def height(self) -> int | None: ...
    @property
    def duration_ms(self) -> int | None: ...
    @property
    def files(self) -> Sequence[CleanCopy]: ...
    @property
    def voice_pitch_hz(self) -> float | None: ...


@runtime_checkable
class Unfit(Protocol):
    """What inspection says of media that may not enter."""

    @property
    def code(self) -> str: ...
    @property
    def detail(self) -> str: ...


class Inspect(Protocol):
    """Looks at a file and puts clean copies beside it. Nothing of it is decoded in this process."""

    def __call__(self, path: Path, *, purpose: Purpose, declared: str | None) -> Seen | Unfit: ...


class Uploads:
    """Foreign bytes on their way in. `workspace` is a folder of this machine's own.

    The keys of an upload's objects follow from its ID: what a process left behind when it died
    can be found without having been noted, and removing one upload's removes no other's.
    """

    def __init__(
        self, pool: Pool, log: Log, objects: Objects, *, inspect: Inspect, workspace: Path
    ) -> None:
        self._pool = pool
        self._log = log
        self._objects = objects
        self._inspect = inspect
        self._workspace = workspace

    def receive(
        self,
        source: Source,
        *,
        owner_id: UUID,
        purpose: Purpose,
        declared_media_type: str,
        at: datetime,
    ) -> Upload:
        """Take bytes in and look at them: the upload comes back cleared or refused.

        It blocks for as long as an inspection takes and keeps a core busy. Of refused bytes nothing
        is kept; of cleared ones only the copies that inspection made.

        Raises:
            UploadPurposeUnknown: there is no such purpose.
            UploadSettled: it took so long that it was refused as abandoned.
        """
        self._tidy(at)
        upload_id = new_id()
        with self._folder(upload_id) as folder:
            path = folder / "original"
            size_bytes, digest = _copy(source, path)
            upload = Upload.receive(
                upload_id,
                owner_id=owner_id,
                purpose=purpose,
                declared_media_type=declared_media_type,
                size_bytes=size_bytes,
                sha256=digest,
                at=at,
            )
            self._log.save(upload)
            seen = self._inspect(path, purpose=purpose, declared=declared_media_type)
            if isinstance(seen, Unfit):
                return self._refuse(upload_id, Refusal(seen.code, seen.detail), at=at)
            return self._clear(upload_id, seen, at=at)

    def owned(self, upload_id: UUID, *, by: UUID) -> Upload:
        """Return an account's own upload.

        Raises:
            UploadNotFound: there is none, or it is another's.
        """
        upload = self._log.find(Upload, upload_id)
        if upload is None or upload.owner_id != by:
            raise UploadNotFound(upload_id)
        return upload

    def refuse_abandoned(self, at: datetime) -> Sequence[UUID]:
        """Refuse what was received and never settled, because whoever looked at it died.

        Returns the refused. What such uploads left behind, here and among the objects, is removed.
        """
        self._tidy(at)
        with self._pool.connection() as connection:
            rows = connection.execute(UNSETTLED, (at - ABANDONED_AFTER,)).fetchall()
        refused: list[UUID] = []
        for (upload_id,) in rows:
            try:
                self._refuse(upload_id, ABANDONED, at=at)
            except UploadSettled:
                continue  # the read side was late
            self._remove(_keys(upload_id))
            refused.append(upload_id)
        return refused

    @retried
    def _refuse(self, upload_id: UUID, refusal: Refusal, *, at: datetime) -> Upload:
        upload = self._upload(upload_id)
        upload.refuse(refusal, at=at)
        self._log.save(upload)
        return upload

    def _clear(self, upload_id: UUID, seen: Seen, *, at: datetime) -> Upload:
        for copy in seen.files:
            key = _key(upload_id, copy.role, copy.path.suffix)
            self._objects.put(key, copy.path, media_type=copy.media_type)
        keys = {copy.role: _key(upload_id, copy.role, copy.path.suffix) for copy in seen.files}
        clearance = Clearance(
            media_type=seen.media_type,
            width=seen.width,
            height=seen.height,
            duration_ms=seen.duration_ms,
            image_key=keys.get("image") or keys.get("face"),
            video_key=keys.get("video"),
            voice_key=keys.get("voice"),
            voice_pitch_hz=seen.voice_pitch_hz,
        )
        try:
            return self._settle(upload_id, clearance, at=at)
        except UploadSettled:
            self._remove(keys.values())
            raise

    @retried
    def _settle(self, upload_id: UUID, clearance: Clearance, *, at: datetime) -> Upload:
        upload = self._upload(upload_id)
        upload.clear(clearance, at=at)
        self._log.save(upload)
        return upload

    def _upload(self, upload_id: UUID) -> Upload:
        upload = self._log.find(Upload, upload_id)
        if upload is None:
            raise UploadNotFound(upload_id)
        return upload

    def _remove(self, keys: Iterable[str]) -> None:
        for key in keys:
            self._objects.delete(key)

    @contextmanager
    def _folder(self, upload_id: UUID) -> Generator[Path]:
        """Make a folder that nobody else can look into, and remove it with all that is in it."""
        self._workspace.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder = self._workspace / upload_id.hex
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder)

    def _tidy(self, at: datetime) -> None:
        """Remove the folders of processes of this machine that died."""
        if not self._workspace.is_dir():
            return
        for folder in self._workspace.iterdir():
            with suppress(FileNotFoundError):  # somebody else was done with it just now
                if folder.stat().st_mtime < (at - ABANDONED_AFTER).timestamp():
                    logger.warning("an upload left files behind", folder=folder.name)
                    shutil.rmtree(folder)


# Every object that an upload can have: what inspection may write, by role and suffix.
_COPIES = (
    ("image", ".png"),
    ("image", ".jpg"),
    ("face", ".png"),
    ("video", ".mp4"),
    ("voice", ".wav"),
)


def _key(upload_id: UUID, role: str, suffix: str) -> str:
    assert (role, suffix) in _COPIES, (role, suffix)  # noqa: S101 - else a sweep would miss it
    return f"uploads/{upload_id.hex}/{role}{suffix}"


def _keys(upload_id: UUID) -> list[str]:
    return [_key(upload_id, role, suffix) for role, suffix in _COPIES]


def _copy(source: Source, path: Path) -> tuple[int, str]:
    """Write the bytes to a file. Returns their number and their SHA-256 in hex."""
    digest, size_bytes = sha256(), 0
    with path.open("xb") as target:
        while chunk := source.read(CHUNK):
            digest.update(chunk)
            size_bytes += len(chunk)
            target.write(chunk)
    return size_bytes, digest.hexdigest()
