"""An upload, from a phone's photo to the clean copy that its owner alone can see."""

from collections.abc import Callable
from pathlib import Path

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.settings import Settings
from myriorama.store.objects import Objects, open_objects
from tests.people import Person
from tests.studio.foreign_media import ADDRESS, photo, tone, two_colours, video, wav


@pytest.fixture
def objects(settings: Settings) -> Objects:
    return open_objects(settings.objects)


def send(who: Person, path: Path, purpose: str) -> Response:
    with path.open("rb") as file:
        return who.post("/v1/uploads", files={"file": file}, data={"purpose": purpose})


def key(url: str) -> str:
    """Return the key of the object that a signed URL leads to."""
    return url.removeprefix("/media/").partition("?")[0]


def kept(settings: Settings) -> list[str]:
    """Return whatever of uploads lies anywhere."""
    places = (Path(settings.objects), settings.home / "uploads")
    return [path.name for place in places for path in place.rglob("*") if path.is_file()]


def test_a_photo_is_kept_without_what_the_phone_wrote_along(
    person: Callable[[str], Person], objects: Objects, settings: Settings, tmp_path: Path
) -> None:
    alice = person("alice")
    sent = photo(tmp_path / "me.jpg", two_colours(300, 200), orientation=6)
    assert ADDRESS.encode() in sent.read_bytes()

    answer = send(alice, sent, "image")

    assert answer.status_code == 201, answer.text
    shown = answer.json()
    assert (shown["state"], shown["media_type"]) == ("cleared", "image/jpeg")
    assert (shown["width"], shown["height"]) == (200, 300)
    clean = objects.read(key(shown["image_url"]))
    assert ADDRESS.encode() not in clean
    assert b"Exif" not in clean
    assert len(kept(settings)) == 1
    assert alice.get(answer.headers["location"]).json() == shown


def test_a_video_of_oneself_yields_a_face_and_a_voice(
    person: Callable[[str], Person], objects: Objects, tmp_path: Path
) -> None:
    alice = person("alice")

    shown = send(alice, video(tmp_path / "me.mp4"), "cameo_video").json()

    assert objects.read(key(shown["image_url"])).startswith(b"\x89PNG")
    assert objects.read(key(shown["voice_url"])).startswith(b"RIFF")
    assert objects.exists(key(shown["video_url"]))
    assert 1_000 <= shown["duration_ms"] <= 2_000


def test_a_voice_can_be_sent_alone(person: Callable[[str], Person], tmp_path: Path) -> None:
    alice = person("alice")

    shown = send(alice, wav(tmp_path / "me.wav", tone(2.0)), "cameo_voice").json()

    assert shown["state"] == "cleared"
    assert shown["image_url"] is None
    assert shown["voice_url"] is not None


def test_of_what_is_refused_nothing_is_kept_but_the_reason(
    person: Callable[[str], Person], settings: Settings, tmp_path: Path
) -> None:
    alice = person("alice")
    script = tmp_path / "me.jpg"
    script.write_bytes(b"<script>alert('hello')</script>" * 10)
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff\xe0 and then nothing that is a picture")

    refused = [send(alice, path, "image") for path in (script, broken)]

    assert [answer.status_code for answer in refused] == [422, 422]
    codes = [answer.json()["code"] for answer in refused]
    assert codes == ["media_type_unsupported", "media_undecodable"]
    assert refused[0].headers["content-type"] == "application/problem+json"
    listed = alice.get("/v1/uploads").json()["items"]
    assert [(item["state"], item["code"]) for item in listed] == [
        ("refused", "media_undecodable"),
        ("refused", "media_type_unsupported"),
    ]
    assert kept(settings) == []


def test_what_is_too_large_does_not_come_in(
    person: Callable[[str], Person], settings: Settings, tmp_path: Path
) -> None:
    alice = person("alice")
    image = tmp_path / "me.jpg"
    image.write_bytes(b"\xff\xd8\xff" + bytes(20 * 2**20))
    film = tmp_path / "me.mp4"
    film.write_bytes(bytes(101 * 2**20))

    answers = [send(alice, image, "image"), send(alice, film, "cameo_video")]

    assert [answer.status_code for answer in answers] == [413, 413]
    assert [answer.json()["code"] for answer in answers] == ["body_too_large"] * 2
    assert alice.get("/v1/uploads").json()["items"] == []
    assert kept(settings) == []


def test_other_routes_take_no_large_bodies(person: Callable[[str], Person]) -> None:
    alice = person("alice")

    assert alice.patch("/v1/me", json={"bio": "x" * 70_000}).status_code == 413


def test_nobody_sees_what_another_uploaded(
    api: TestClient[Litestar], person: Callable[[str], Person], tmp_path: Path
) -> None:
    alice, mallory = person("alice"), person("mallory")
    url = send(alice, photo(tmp_path / "me.jpg", two_colours(64, 64)), "image").headers["location"]

    assert mallory.get(url).json()["code"] == "upload_not_found"
    assert mallory.get("/v1/uploads").json()["items"] == []
    assert api.get(url).status_code == 401
    assert api.post("/v1/uploads").status_code == 401


def test_an_upload_says_what_it_is_for_and_has_a_file(
    person: Callable[[str], Person], tmp_path: Path
) -> None:
    alice = person("alice")
    sent = photo(tmp_path / "me.jpg", two_colours(64, 64))

    assert send(alice, sent, "malware").status_code == 400
    assert alice.post("/v1/uploads", data={"purpose": "image"}).status_code == 400
    plain = alice.post("/v1/uploads", files={"purpose": (None, "image"), "file": (None, "text")})
    assert plain.status_code == 400


FILE = 'Content-Disposition: form-data; name="file"'
PURPOSE = 'Content-Disposition: form-data; name="purpose"'


@pytest.mark.parametrize(
    ("headers", "content"),
    [
        (PURPOSE, b"\xff\xfe"),
        (f"{PURPOSE}\r\nContent-Type: text/plain; charset=hex", b"image"),
        (f"{PURPOSE}\r\nContent-Type: text/plain; charset=us-ascii", b"\xc3\xa4"),
        (PURPOSE, b"a" * 9000),
        (FILE, b"\x89PNG"),
    ],
)
def test_a_field_of_a_form_is_short_text(
    person: Callable[[str], Person], headers: str, content: bytes
) -> None:
    body = b"--fox\r\n" + headers.encode() + b"\r\n\r\n" + content + b"\r\n--fox--\r\n"

    answer = person("alice").post(
        "/v1/uploads", content=body, headers={"Content-Type": "multipart/form-data; boundary=fox"}
    )

    assert answer.status_code == 400
    assert answer.json()["detail"].startswith("The form cannot be read: A field is")


def test_a_list_of_uploads_comes_in_pages(person: Callable[[str], Person], tmp_path: Path) -> None:
    alice = person("alice")
    sent = wav(tmp_path / "me.wav", tone(1.5))
    ids = [send(alice, sent, "cameo_voice").json()["upload_id"] for _ in range(3)]

    page = alice.get("/v1/uploads", params={"limit": 2}).json()
    rest = alice.get("/v1/uploads", params={"cursor": page["next_cursor"]}).json()

    shown = [item["upload_id"] for item in page["items"] + rest["items"]]
    assert shown == list(reversed(ids))
    assert rest["next_cursor"] is None
