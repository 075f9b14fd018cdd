"""Objects: the blobs (media, renditions, exports) under their keys, in a folder or in S3.

Read by the API's media route, the studio and the workers. Nothing is folded into it: what an object
means is said by events, which name it by its key.
"""

import errno
import os
import re
import secrets
import shutil
import stat
from collections.abc import Generator
from contextlib import closing, contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Protocol, runtime_checkable
from urllib.parse import urlsplit

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from domain.errors import Invalid, NotFound

if TYPE_CHECKING:  # the types of S3 are there for development alone
    from types_boto3_s3 import S3Client

CHUNK = 256 * 1024
KEY_LENGTH_MAX = 512


class ObjectNotFound(NotFound):
    """No object is stored under this key."""


class ObjectKeyInvalid(Invalid):
    """Keys are lower-case letters, digits and `/_.-`, in folders none of which is hidden."""


@runtime_checkable
class Objects(Protocol):
    """Blobs under keys. What has been put is durable, and is seen whole or not at all."""

    def put(self, key: str, content: bytes | Path, *, media_type: str) -> None:
        """Store bytes or a file's bytes, replacing what is there. The same again changes nothing.

        Raises:
            ObjectKeyInvalid: the key could not name an object.
        """
        ...

    def size(self, key: str) -> int:
        """Tell the size in bytes.

        Raises:
            ObjectNotFound: there is none.
        """
        ...

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        """Read the bytes of the half-open range, as far as the object goes.

        Raises:
            ObjectNotFound: there is none.
        """
        ...

    def stream(
        self, key: str, start: int = 0, stop: int | None = None, chunk: int = CHUNK
    ) -> Generator[bytes]:
        """Read the half-open range in chunks of at most `chunk` bytes; close it to stop before.

        Raises:
            ObjectNotFound: there is none; raised with the first chunk.
        """
        ...

    def delete(self, key: str) -> None:
        """Remove the object, if it is there."""
        ...

    def exists(self, key: str) -> bool: ...


class FolderObjects:
    """Objects as files of a folder. No key, and no symbolic link below it, leads out of it."""

    def __init__(self, root: Path) -> None:
        root.mkdir(parents=True, exist_ok=True)
        self._root = root

    def put(self, key: str, content: bytes | Path, *, media_type: str) -> None:
        _check_media_type(media_type)  # told to S3; here the key's suffix has to say it
        with _opened(content) as source, self._parent(key, make=True) as (folder, name):
            partial = f".put-{secrets.token_hex(8)}"
            try:
                with os.fdopen(os.open(partial, _CREATE, 0o644, dir_fd=folder), "wb") as target:
                    shutil.copyfileobj(source, target, CHUNK)
                    target.flush()
                    os.fsync(target.fileno())
                os.replace(partial, name, src_dir_fd=folder, dst_dir_fd=folder)
            except IsADirectoryError as error:
                raise ObjectKeyInvalid(f"{key!r} is a folder of other objects") from error
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(partial, dir_fd=folder)
            os.fsync(folder)

    def size(self, key: str) -> int:
        with self._file(key) as file:
            return os.fstat(file.fileno()).st_size

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        _check_range(start, stop)
        with self._file(key) as file:
            file.seek(start)
            return file.read(-1 if stop is None else max(stop - start, 0))

    def stream(
        self, key: str, start: int = 0, stop: int | None = None, chunk: int = CHUNK
    ) -> Generator[bytes]:
        _check_range(start, stop)
        with self._file(key) as file:
            file.seek(start)
            left = os.fstat(file.fileno()).st_size - start if stop is None else stop - start
            while left > 0 and (content := file.read(min(chunk, left))):
                left -= len(content)
                yield content

    def delete(self, key: str) -> None:
        with suppress(ObjectNotFound), self._parent(key) as (folder, name):
            if not stat.S_ISDIR(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
                os.unlink(name, dir_fd=folder)
                os.fsync(folder)

    def exists(self, key: str) -> bool:
        with suppress(ObjectNotFound), self._file(key):
            return True
        return False

    @contextmanager
    def _file(self, key: str) -> Generator[BinaryIO]:
        with self._parent(key) as (folder, name):
            descriptor = os.open(name, _READ, dir_fd=folder)
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                os.close(descriptor)
                raise ObjectNotFound(f"no object {key!r}")
        with os.fdopen(descriptor, "rb") as file:
            yield file

    @contextmanager
    def _parent(self, key: str, *, make: bool = False) -> Generator[tuple[int, str]]:
        """Open the folder that holds an object, one step after the other and through no link."""
        *steps, name = _checked(key).split("/")
        folder = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            for step in steps:
                if make:
                    _make_folder(step, folder)
                inner = os.open(step, _READ | os.O_DIRECTORY, dir_fd=folder)
                os.close(folder)
                folder = inner
            yield folder, name
        except OSError as error:
            if isinstance(error, NotADirectoryError) and make:
                raise ObjectKeyInvalid(f"a folder of {key!r} is itself an object") from error
            if isinstance(error, FileNotFoundError | NotADirectoryError) or _is_link(error):
                raise ObjectNotFound(f"no object {key!r}") from error
            raise
        finally:
            os.close(folder)


class S3Objects:
    """Objects in a bucket of S3, or of anything that speaks its protocol."""

    def __init__(self, bucket: str, prefix: str, client: "S3Client") -> None:
        self._bucket = bucket
        self._prefix = f"{prefix.strip('/')}/" if prefix.strip("/") else ""
        self._client = client

    def put(self, key: str, content: bytes | Path, *, media_type: str) -> None:
        _check_media_type(media_type)
        with _opened(content) as source:
            self._client.put_object(
                Bucket=self._bucket, Key=self._name(key), Body=source, ContentType=media_type
            )

    def size(self, key: str) -> int:
        with _missing(key):
            return self._client.head_object(Bucket=self._bucket, Key=self._name(key))[
                "ContentLength"
            ]

    def read(self, key: str, start: int = 0, stop: int | None = None) -> bytes:
        return b"".join(self.stream(key, start, stop))

    def stream(
        self, key: str, start: int = 0, stop: int | None = None, chunk: int = CHUNK
    ) -> Generator[bytes]:
        _check_range(start, stop)
        if stop is not None and stop <= start:
            self.size(key)  # an empty range cannot be asked for, but a missing object must be told
            return
        span = f"bytes={start}-" if stop is None else f"bytes={start}-{stop - 1}"
        try:
            with _missing(key):
                answer = self._client.get_object(
                    Bucket=self._bucket, Key=self._name(key), Range=span
                )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "InvalidRange":
                return  # the range begins where the object has ended
            raise
        with closing(answer["Body"]) as body:
            yield from body.iter_chunks(chunk)

    def delete(self, key: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=self._name(key))

    def exists(self, key: str) -> bool:
        with suppress(ObjectNotFound):
            self.size(key)
            return True
        return False

    def _name(self, key: str) -> str:
        return self._prefix + _checked(key)


def open_objects(url: str) -> Objects:
    """Open the objects of a folder, given by its path, or of S3, as `s3://bucket/prefix`.

    Credentials, region and endpoint (AWS_ENDPOINT_URL_S3) are found as by any client of AWS.
    """
    if not url.startswith("s3://"):
        return FolderObjects(Path(url))
    place = urlsplit(url)
    if not place.netloc:
        raise ValueError(f"{url!r} names no bucket: s3://bucket/prefix")
    # Path style and no trailing checksums: what every other implementation of S3 understands too.
    config = Config(
        s3={"addressing_style": "path"},
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        retries={"mode": "standard", "max_attempts": 4},
        connect_timeout=5,
        read_timeout=30,
        max_pool_connections=32,
    )
    client = boto3.client("s3", config=config)  # pyright: ignore[reportUnknownMemberType] - of 400 services, the stubs of one are installed
    return S3Objects(place.netloc, place.path, client)


def content_key(kind: str, sha256: str, suffix: str) -> str:
    """Name an object by what is in it: `videos/ab/abcdef….mp4`, for a hex digest and `.mp4`."""
    if not _SHA256.fullmatch(sha256):
        raise ObjectKeyInvalid(f"{sha256!r} is no SHA-256 in lower-case hex")
    return _checked(f"{kind}/{sha256[:2]}/{sha256}{suffix}")


_KEY = re.compile(r"[a-z0-9][a-z0-9_.-]*(?:/[a-z0-9_-][a-z0-9_.-]*)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_MEDIA_TYPE = re.compile(r"[a-z]+/[a-z0-9][a-z0-9.+-]*(?:; ?[a-z]+=[A-Za-z0-9._-]+)*")
# Without O_NONBLOCK, a named pipe that somebody left in the folder would hold a reader for ever.
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_CREATE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def ranker_key(digest: str) -> str:
    """Return the key of the model of a ranking, by the SHA-256 of its file."""
    return f"rankers/{digest}.npz"


def _checked(key: str) -> str:
    if len(key) > KEY_LENGTH_MAX or ".." in key or not _KEY.fullmatch(key):
        raise ObjectKeyInvalid(f"{key[:80]!r} cannot name an object")
    return key


def _check_media_type(media_type: str) -> None:
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise ValueError(f"{media_type!r} is no media type")


def _check_range(start: int, stop: int | None) -> None:
    if start < 0 or (stop is not None and stop < 0):
        raise ValueError(f"a range lies within the object, not at {start}:{stop}")


def _opened(content: bytes | Path) -> BinaryIO:
    return BytesIO(content) if isinstance(content, bytes) else content.open("rb")


def _make_folder(name: str, parent: int) -> None:
    with suppress(FileExistsError):
        os.mkdir(name, dir_fd=parent)
        os.fsync(parent)


def _is_link(error: OSError) -> bool:
    return error.errno == errno.ELOOP


@contextmanager
def _missing(key: str) -> Generator[None]:
    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in {"404", "NoSuchKey", "NotFound"}:
            raise ObjectNotFound(f"no object {key!r}") from error
        raise
