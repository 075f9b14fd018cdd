"""Objects hold the same promises in a folder and in S3 (a real server of it, over HTTP)."""

import os
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import boto3
import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from myriorama.store.objects import (
    FolderObjects,
    ObjectKeyInvalid,
    ObjectNotFound,
    Objects,
    content_key,
    open_objects,
)

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

KEY = "videos/ab/abcdef.mp4"
BLOB = bytes(range(256)) * 5


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as env:
        env.setenv("AWS_ENDPOINT_URL_S3", f"http://{host}:{port}")
        env.setenv("AWS_ACCESS_KEY_ID", "alice")
        env.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        env.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3_client().create_bucket(Bucket="media")
        yield "s3://media"
    server.stop()


@pytest.fixture(params=["folder", "s3", "s3 without a prefix"])
def objects(request: pytest.FixtureRequest, tmp_path: Path) -> Objects:
    if request.param == "folder":
        return open_objects(str(tmp_path / "objects"))
    url: str = request.getfixturevalue("s3")
    return open_objects(url if "without" in request.param else f"{url}/tests/{uuid4().hex}/")


def test_what_was_put_is_read_back(objects: Objects) -> None:
    objects.put(KEY, BLOB, media_type="video/mp4")

    assert objects.exists(KEY)
    assert objects.size(KEY) == len(BLOB)
    assert objects.read(KEY) == BLOB


def test_a_file_is_put_by_its_path(objects: Objects, tmp_path: Path) -> None:
    clip = tmp_path / "clip.mp4"
    clip.write_bytes(BLOB)

    objects.put(KEY, clip, media_type="video/mp4")

    assert objects.read(KEY) == BLOB
    assert clip.read_bytes() == BLOB


def test_an_object_may_be_empty(objects: Objects) -> None:
    objects.put("empty", b"", media_type="text/plain")

    assert objects.size("empty") == 0
    assert objects.read("empty") == b""
    assert list(objects.stream("empty")) == []


@pytest.mark.parametrize(
    ("start", "stop"),
    [(0, 1), (7, 300), (1279, 1280), (1000, 9999), (1280, None), (5000, 6000), (4, 4), (9, 3)],
)
def test_a_range_is_read_as_far_as_the_object_goes(
    objects: Objects, start: int, stop: int | None
) -> None:
    objects.put(KEY, BLOB, media_type="video/mp4")

    assert objects.read(KEY, start, stop) == BLOB[start:stop]
    assert b"".join(objects.stream(KEY, start, stop, chunk=100)) == BLOB[start:stop]


def test_a_stream_comes_in_chunks_of_the_size_asked_for(objects: Objects) -> None:
    objects.put(KEY, BLOB, media_type="video/mp4")

    assert [len(chunk) for chunk in objects.stream(KEY, 0, 1000, 300)] == [300, 300, 300, 100]


def test_a_range_before_the_beginning_is_refused(objects: Objects) -> None:
    objects.put(KEY, BLOB, media_type="video/mp4")

    with pytest.raises(ValueError, match="range"):
        objects.read(KEY, -5)
    with pytest.raises(ValueError, match="range"):
        objects.read(KEY, 0, -5)


def test_putting_the_same_again_changes_nothing_and_other_content_replaces(
    objects: Objects,
) -> None:
    objects.put(KEY, BLOB, media_type="video/mp4")
    objects.put(KEY, BLOB, media_type="video/mp4")
    assert objects.read(KEY) == BLOB

    objects.put(KEY, b"other", media_type="video/mp4")

    assert objects.read(KEY) == b"other"


def test_a_deleted_object_is_gone_and_may_be_deleted_again(objects: Objects) -> None:
    objects.put(KEY, BLOB, media_type="video/mp4")

    objects.delete(KEY)
    objects.delete(KEY)
    objects.delete("never/there")

    assert not objects.exists(KEY)


def test_an_object_that_is_not_there_is_said_to_be_missing(objects: Objects) -> None:
    objects.put("videos/ab/other.mp4", BLOB, media_type="video/mp4")

    for key in ("missing", "videos/cd/missing.mp4", "videos/ab", "videos/ab/missing.mp4"):
        assert not objects.exists(key)
        with pytest.raises(ObjectNotFound, match="no object"):
            objects.size(key)
        with pytest.raises(ObjectNotFound, match="no object"):
            objects.read(key)
        with pytest.raises(ObjectNotFound, match="no object"):
            objects.read(key, 3, 3)
        with pytest.raises(ObjectNotFound, match="no object"):
            next(objects.stream(key))


@pytest.mark.parametrize(
    "key",
    ["", "/etc/passwd", "..", "../x", "a/../../x", "a/..", "a//b", "a/", "a/./b", ".put-x",
     "a/.hidden", "A", "ä", "a\0b", "a\n", "a b", "a\\b", "a%2e%2e", "x" * 513],
)  # fmt: skip
def test_a_key_that_could_lead_elsewhere_is_refused(objects: Objects, key: str) -> None:
    with pytest.raises(ObjectKeyInvalid):
        objects.put(key, BLOB, media_type="video/mp4")
    for ask in (objects.size, objects.read, objects.exists, objects.delete):
        with pytest.raises(ObjectKeyInvalid):
            ask(key)


def test_a_media_type_is_one(objects: Objects) -> None:
    with pytest.raises(ValueError, match="media type"):
        objects.put(KEY, BLOB, media_type="mp4\r\nx-evil: 1")


def test_s3_tells_the_media_type_and_keeps_to_its_prefix(s3: str) -> None:
    open_objects(f"{s3}/one").put(KEY, BLOB, media_type="video/mp4")

    stored = s3_client().head_object(Bucket="media", Key=f"one/{KEY}")

    assert stored["ContentType"] == "video/mp4"
    assert not open_objects(f"{s3}/two").exists(KEY)


def test_an_s3_url_names_a_bucket() -> None:
    with pytest.raises(ValueError, match="bucket"):
        open_objects("s3:///prefix")


def test_no_symbolic_link_leads_out_of_the_folder(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    root = tmp_path / "objects"
    objects = FolderObjects(root)
    (root / "link").symlink_to(outside)
    (root / "file").symlink_to(outside / "secret")

    for key in ("link/secret", "file"):
        assert not objects.exists(key)
        with pytest.raises(ObjectNotFound):
            objects.read(key)
    with pytest.raises(ObjectKeyInvalid):
        objects.put("link/new", BLOB, media_type="video/mp4")
    objects.put("file", BLOB, media_type="video/mp4")
    objects.delete("link/secret")
    objects.delete("link")

    assert objects.read("file") == BLOB
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_bytes() == b"secret"


def test_nothing_but_a_file_is_an_object(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")

    for key in ("folder", "pipe"):
        with pytest.raises(ObjectNotFound):
            objects.read(key)


def test_an_object_and_a_folder_of_objects_cannot_have_the_same_name(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path)
    objects.put("a/b", BLOB, media_type="video/mp4")

    with pytest.raises(ObjectKeyInvalid):
        objects.put("a", BLOB, media_type="video/mp4")
    with pytest.raises(ObjectKeyInvalid):
        objects.put("a/b/c", BLOB, media_type="video/mp4")

    assert objects.read("a/b") == BLOB


def test_a_put_that_fails_leaves_what_was_there_and_nothing_else(tmp_path: Path) -> None:
    objects = FolderObjects(tmp_path / "objects")
    objects.put(KEY, BLOB, media_type="video/mp4")

    with pytest.raises(FileNotFoundError):
        objects.put(KEY, tmp_path / "missing.mp4", media_type="video/mp4")
    with pytest.raises(IsADirectoryError):
        objects.put(KEY, tmp_path, media_type="video/mp4")

    assert objects.read(KEY) == BLOB
    assert [path.name for path in (tmp_path / "objects/videos/ab").iterdir()] == ["abcdef.mp4"]


@given(content=st.binary(max_size=32))
def test_content_names_its_own_key(content: bytes) -> None:
    digest = sha256(content).hexdigest()

    assert content_key("videos", digest, ".mp4") == f"videos/{digest[:2]}/{digest}.mp4"


@pytest.mark.parametrize(
    ("kind", "digest", "suffix"),
    [("videos", "abc", ".mp4"), ("videos", "A" * 64, ""), ("../x", "a" * 64, ""),
     ("videos", "a" * 64, "/../x")],
)  # fmt: skip
def test_a_key_of_content_is_checked_like_any_other(kind: str, digest: str, suffix: str) -> None:
    with pytest.raises(ObjectKeyInvalid):
        content_key(kind, digest, suffix)


def s3_client() -> "S3Client":
    return boto3.client("s3")  # pyright: ignore[reportUnknownMemberType] - stubs of S3 alone
