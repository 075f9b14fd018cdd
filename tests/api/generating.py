"""Generations in tests: asked for over HTTP, handed out, and done by a worker without a GPU."""

from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.application.work import Works
from myriorama.settings import Settings
from myriorama.store.objects import content_key, open_objects
from tests.people import Person
from tests.studio.foreign_media import photo, two_colours

SignUp = Callable[[str], Person]
WISH = {"prompt": "a fox jumps over a brook", "seconds": 4}


class GPU:
    """A worker as the API sees it: it shows the token, and puts files into the object store."""

    def __init__(self, client: TestClient[Litestar], settings: Settings) -> None:
        self._client = client
        self._settings = settings
        self.name = f"gpu-{uuid4()}"

    def post(self, generation_id: str, action: str, **content: Any) -> Response:
        return self._client.post(
            f"/v1/work/{generation_id}/{action}",
            json=content,
            headers={"Authorization": f"Bearer {self._settings.worker_token}"},
        )

    def claim(self, generation_id: str, attempt: int = 1) -> Response:
        return self.post(generation_id, "claim", worker=self.name, attempt=attempt)

    def complete(self, generation_id: str, attempt: int = 1, **more: Any) -> Response:
        content = f"video of {generation_id}".encode()
        digest = sha256(content).hexdigest()
        kinds = ("videos", "posters", "masters", "sprites", "captions")
        keys = {kind: content_key(kind, digest, ".bin") for kind in kinds}
        for key in keys.values():
            open_objects(self._settings.objects).put(
                key, content, media_type="application/octet-stream"
            )
        return self.post(
            generation_id,
            "complete",
            attempt=attempt,
            video_key=keys["videos"],
            poster_key=keys["posters"],
            thumbnail_key=keys["posters"],
            sha256=digest,
            size_bytes=len(content),
            width=480,
            height=832,
            duration_ms=4000,
            renderer="procedural-1",
            gpu_ms=0,
            master_key=keys["masters"],
            sprite_key=keys["sprites"],
            captions_key=keys["captions"],
            model_digest="5e" * 32,
            **more,
        )


def ask(who: Person, **wish: Any) -> str:
    answer = who.post("/v1/generations", json={**WISH, **wish})
    assert answer.status_code == 201, answer.text
    generation_id: str = answer.json()["generation_id"]
    assert answer.headers["location"] == f"/v1/generations/{generation_id}"
    return generation_id


def hand_out(works: Works, *generation_ids: str) -> None:
    for generation_id in generation_ids:
        works.dispatch(UUID(generation_id), at=datetime.now(UTC))


def seen(who: Person, generation_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = who.get(f"/v1/generations/{generation_id}").json()
    return answer


def left(who: Person) -> int:
    seconds: int = who.get("/v1/allowance").json()["remaining_seconds"]
    return seconds


def listed(who: Person, url: str) -> list[str]:
    return [item["generation_id"] for item in who.get(url).json()["items"]]


def lend(who: Person, folder: Path, audience: str = "approved") -> str:
    form = {"name": who.handle, "audience": audience, "face_upload_id": upload(who, folder)}
    cameo_id: str = who.post("/v1/cameos", json=form).json()["cameo_id"]
    return cameo_id


def upload(who: Person, folder: Path) -> str:
    with photo(folder / "face.jpg", two_colours(64, 64)).open("rb") as file:
        answer = who.post("/v1/uploads", files={"file": file}, data={"purpose": "image"})
    upload_id: str = answer.json()["upload_id"]
    return upload_id
