"""Media: who has the signed URL has the file, in whole or in part, and nobody else."""

import gc
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

import anyio
import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.settings import Settings
from myriorama.store.objects import content_key, open_objects
from myriorama.store.signing import Signer

CONTENT = bytes(range(256)) * 4000
DIGEST = sha256(CONTENT).hexdigest()
KEY = content_key("videos", DIGEST, ".mp4")

Fetch = Callable[..., Response]


@pytest.fixture
def url(settings: Settings) -> str:
    """The signed URL of a video of a megabyte."""
    open_objects(settings.objects).put(KEY, CONTENT, media_type="video/mp4")
    now = int(datetime.now(UTC).timestamp())
    return Signer(settings.secret.encode()).media_url(KEY, now=now)


def test_a_signed_url_is_a_file(api: TestClient[Litestar], url: str) -> None:
    whole = api.get(url)
    head = api.head(url)

    assert whole.status_code == head.status_code == 200
    assert whole.content == CONTENT
    assert head.content == b""
    for answer in (whole, head):
        assert answer.headers["content-length"] == str(len(CONTENT))
        assert answer.headers["content-type"] == "video/mp4"
        assert answer.headers["accept-ranges"] == "bytes"
        assert answer.headers["etag"] == f'"{DIGEST}"'
        assert "nosniff" in answer.headers["x-content-type-options"]
        assert answer.headers["cache-control"].startswith("private, max-age=")


def test_a_range_is_a_part_of_the_file(api: TestClient[Litestar], url: str) -> None:
    size = len(CONTENT)

    middle = api.get(url, headers={"Range": "bytes=300000-700000"})
    tail = api.get(url, headers={"Range": "bytes=-5"})
    beyond = api.get(url, headers={"Range": f"bytes={size}-"})
    several = api.get(url, headers={"Range": "bytes=0-1,5-6"})
    head = api.head(url, headers={"Range": "bytes=0-1"})

    assert middle.status_code == tail.status_code == 206
    assert middle.content == CONTENT[300_000:700_001]
    assert middle.headers["content-range"] == f"bytes 300000-700000/{size}"
    assert middle.headers["content-length"] == "400001"
    assert tail.content == CONTENT[-5:]
    assert beyond.status_code == 416
    assert beyond.headers["content-range"] == f"bytes */{size}"
    assert beyond.json()["code"] == "range_not_satisfiable"
    assert several.status_code == 200
    assert several.content == CONTENT
    assert head.status_code == 200
    assert head.headers["content-length"] == str(size)


def test_a_range_of_another_file_is_the_whole_of_this(api: TestClient[Litestar], url: str) -> None:
    same = api.get(url, headers={"Range": "bytes=0-9", "If-Range": f'"{DIGEST}"'})
    other = api.get(url, headers={"Range": "bytes=0-9", "If-Range": '"another"'})
    known = api.get(url, headers={"Range": "bytes=0-9", "If-None-Match": f'"{DIGEST}"'})

    assert same.status_code == 206
    assert other.status_code == 200
    assert other.content == CONTENT
    assert known.status_code == 304
    assert known.content == b""
    assert known.headers["etag"] == f'"{DIGEST}"'


def test_no_url_is_believed_but_ours(
    api: TestClient[Litestar], settings: Settings, url: str
) -> None:
    path, _, query = url.partition("?")
    expires, _, signature = query.removeprefix("expires=").partition("&signature=")
    signer = Signer(settings.secret.encode())
    long_ago = signer.media_url(KEY, now=1_000_000)
    foreign = Signer(b"the secret of somebody else").media_url(KEY, now=int(expires))

    refused = {
        "key changed": f"{path[:-4]}.mov?{query}",
        "folder above": f"/media/videos/%2e%2e/{KEY}?{query}",
        "longer life": f"{path}?expires={int(expires) + 1}&signature={signature}",
        "signature changed": f"{path}?expires={expires}&signature={signature[::-1]}",
        "not ASCII": f"{path}?expires={expires}&signature=%C3%A9",
        "empty": f"{path}?expires={expires}&signature=",
        "foreign": foreign,
    }
    for why, forged in refused.items():
        assert api.get(forged).json().get("code") == "media_url_invalid", why
        assert api.head(forged).status_code == 403, why
    assert api.get(long_ago).json()["code"] == "media_url_expired"
    assert api.get(path).status_code == 400
    assert api.get(f"{path}?expires=soon&signature={signature}").status_code == 400


def test_who_walks_away_in_the_middle_leaves_no_file_open(
    api: TestClient[Litestar], url: str
) -> None:
    path, _, query = url.partition("?")
    scope: Any = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 2),
    }
    statuses: list[int] = []

    async def fetch_and_leave() -> None:
        arrived, never = anyio.Event(), anyio.Event()

        async def receive() -> Any:
            await arrived.wait()
            return {"type": "http.disconnect"}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])
                return
            assert opened()
            arrived.set()
            await never.wait()

        gc.disable()  # which would close it too, some day
        try:
            await cast("Any", api).app(scope, receive, send)
            assert not opened()
        finally:
            gc.enable()

    anyio.run(fetch_and_leave)

    assert statuses == [200]


def opened() -> bool:
    """Whether this process holds the video open."""
    links = [link for link in Path("/proc/self/fd").iterdir() if link.exists()]
    return any(link.resolve().name.startswith(DIGEST) for link in links)


def test_a_signed_url_of_what_is_gone_is_not_found(
    api: TestClient[Litestar], settings: Settings
) -> None:
    now = int(datetime.now(UTC).timestamp())
    url = Signer(settings.secret.encode()).media_url("videos/ab/gone.mp4", now=now)

    assert api.get(url).json()["code"] == "object_not_found"


def test_what_is_of_no_known_type_is_bytes_to_a_browser(
    api: TestClient[Litestar], settings: Settings
) -> None:
    now = int(datetime.now(UTC).timestamp())
    page = b"<script>alert(1)</script>"
    open_objects(settings.objects).put("uploads/page.html", page, media_type="text/html")

    answer = api.get(Signer(settings.secret.encode()).media_url("uploads/page.html", now=now))

    assert answer.headers["content-type"] == "application/octet-stream"
    assert "etag" not in answer.headers


@pytest.mark.parametrize("kind", ["masters", "ladders", "views", "exports", "videos.old", ""])
def test_what_is_not_for_people_is_not_served_whoever_signed_it(
    api: TestClient[Litestar], settings: Settings, kind: str
) -> None:
    key = content_key(kind, DIGEST, ".mp4") if kind else f"{DIGEST}.mp4"
    open_objects(settings.objects).put(key, CONTENT, media_type="video/mp4")
    url = Signer(settings.secret.encode()).media_url(key, now=int(datetime.now(UTC).timestamp()))

    for answer in (api.get(url), api.get(url, headers={"Range": "bytes=0-9"})):
        assert answer.status_code == 404
        assert answer.json()["code"] == "object_not_found"
    assert api.head(url).status_code == 404
