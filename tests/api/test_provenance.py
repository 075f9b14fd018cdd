"""Nothing unmarked is published, and anybody may ask where a video comes from."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from domain.video.aggregate import Video
from myriorama.bootstrap.api import create_api
from myriorama.processes import verify_media
from myriorama.replay.media_verification import MediaBroken
from myriorama.settings import Settings
from myriorama.store.ladders import Ladder, Rung, Segment, put_ladder
from myriorama.store.log import Log
from myriorama.store.objects import content_key, open_objects
from tests.marked import Flaws, marked_draft, marked_file
from tests.people import Person, sign_up
from tests.recoded import recoded

Publish = Callable[[Flaws], Response]


@pytest.fixture
def api(settings: Settings, projecting: None) -> Iterator[TestClient[Litestar]]:
    """The API with the gate that production has."""
    assert projecting is None
    with TestClient(create_api(settings), raise_server_exceptions=False) as client:
        yield client


@pytest.fixture
def alice(api: TestClient[Litestar], settings: Settings) -> Person:
    return sign_up(api, settings, "alice")


@pytest.fixture
def publish(alice: Person, log: Log, settings: Settings, tmp_path: Path) -> Publish:
    def attempt(flaws: Flaws) -> Response:
        made, _ = marked_draft(log, settings, alice.account_id, tmp_path / "made", flaws)
        return alice.post("/v1/videos", json={"generation_id": str(made)})

    return attempt


def detected(client: TestClient[Litestar] | Person, content: bytes) -> Response:
    return client.post("/v1/detect", files={"file": ("clip.mp4", content, "video/mp4")})


LACKING = {
    "The C2PA manifest is missing.": Flaws(unsigned=True),
    "The C2PA manifest is of another generation.": Flaws(signed_for=UUID(int=7)),
    "The watermark is missing.": Flaws(unmarked=True),
    "The watermark is of another generation.": Flaws(marked_for=UUID(int=7)),
    "The visible mark is missing.": Flaws(unseen=True),
}


def test_a_draft_without_one_of_its_marks_is_not_published(publish: Publish) -> None:
    answers = {which: publish(flaws) for which, flaws in LACKING.items()}

    for which, answer in answers.items():
        assert answer.status_code == 409
        assert answer.json()["code"] == "provenance_missing"
        assert answer.json()["detail"] == which


def test_a_marked_draft_is_published_and_recognised(
    alice: Person, api: TestClient[Litestar], log: Log, settings: Settings, tmp_path: Path
) -> None:
    made, delivery = marked_draft(log, settings, alice.account_id, tmp_path / "made")
    content = open_objects(settings.objects).read(delivery.video_key)

    before = detected(api, content).json()
    published = alice.post("/v1/videos", json={"generation_id": str(made)})
    assert alice.get(published.headers["location"]).status_code == 200
    signed = detected(alice, content).json()
    copied = detected(alice, recoded(content, crf=28)).json()

    assert before["made_here"]
    assert before["video_id"] is None
    assert published.status_code == 201, published.text
    assert signed["video_id"] == copied["video_id"] == published.json()["video_id"]
    assert [each["kind"] for each in signed["evidence"]] == [
        "c2pa",
        "watermark",
        "perceptual_hash",
    ]
    assert signed["manifest"]["generation_id"] == str(made)
    assert copied["manifest"] is None
    assert copied["evidence"][0]["kind"] == "watermark"
    assert copied["evidence"][0]["confidence"] > 1 - 1e-6


def test_what_was_not_made_here_is_not_claimed(
    api: TestClient[Litestar], settings: Settings, tmp_path: Path
) -> None:
    foreign = Settings(
        database_url="",
        kafka="",
        objects=settings.objects,
        secret="another secret of 32 bytes or more",  # noqa: S106 - of the tests alone
        worker_token="another worker token of 32 bytes",  # noqa: S106 - of the tests alone
        home=tmp_path / "elsewhere",
    )
    path, _ = marked_file(foreign, uuid4(), tmp_path / "foreign")

    answer = detected(api, path.read_bytes()).json()

    assert not answer["made_here"]
    assert answer["video_id"] is None
    assert [(each["kind"], each["is_ours"]) for each in answer["evidence"]] == [("c2pa", False)]
    assert answer["manifest"]["state"] == "valid"


HOSTILE = (
    b"",
    b"no video",
    b"\0\0\0\x20ftypisom" + b"\xff" * 5000,
    b"\x1a\x45\xdf\xa3webm" * 40,
)


def test_hostile_bytes_are_refused_with_a_reason(api: TestClient[Litestar]) -> None:
    answers = [detected(api, content) for content in HOSTILE]

    assert [answer.status_code for answer in answers] == [422] * len(HOSTILE)
    assert {answer.json()["code"] for answer in answers} == {"clip_unreadable"}


def test_a_file_that_was_touched_swapped_or_lost_is_found(
    alice: Person, log: Log, settings: Settings, tmp_path: Path
) -> None:
    objects = open_objects(settings.objects)
    drafts = [marked_draft(log, settings, alice.account_id, tmp_path / "made")[1] for _ in range(2)]
    keys = [draft.video_key for draft in drafts]
    files = [objects.read(key) for key in keys]
    assert alice.get("/v1/drafts").json()["items"]

    def broken(one: bytes, other: bytes) -> str:
        for key, content in zip(keys, (one, other), strict=True):
            objects.put(key, content, media_type="video/mp4")
        with pytest.raises(MediaBroken) as found:
            list(verify_media(settings))
        return str(found.value)

    sound = list(verify_media(settings))
    assert sound[-1].startswith("2 videos and drafts, 8 files")
    assert "digest" in broken(files[1], files[0])
    assert "digest" in broken(files[0][:-1] + b"\0", files[1])
    assert "digest" in broken(files[0], recoded(files[1], crf=20))
    objects.put(drafts[0].poster_key, b"another picture", media_type="image/jpeg")
    assert "is not what it was" in broken(files[0], files[1])
    objects.delete(drafts[0].poster_key)
    assert "is not there" in broken(files[0], files[1])


def test_what_a_video_is_streamed_by_is_looked_at_too(
    alice: Person, log: Log, settings: Settings, publish: Publish
) -> None:
    objects = open_objects(settings.objects)
    keys = [content_key("renditions", sha256(part).hexdigest(), ".m4s") for part in (b"o", b"s")]
    for key, part in zip(keys, (b"o", b"s"), strict=True):
        objects.put(key, part, media_type="video/mp4")
    rung = Rung(480, 832, 24, "avc1.64001f", 900_000, 500_000, keys[0], (Segment(keys[1], 2000),))
    ladder_key = put_ladder(objects, Ladder((rung,)))
    video = log.find(Video, UUID(publish(Flaws()).json()["video_id"]))
    assert video is not None
    video.add_renditions(ladder_key, rungs=1, size_bytes=2, at=datetime.now(UTC))
    log.save(video)
    assert alice.patch("/v1/me", json={"bio": "later"}).status_code == 200

    assert list(verify_media(settings))[-1].startswith("1 videos and drafts, 6 files")
    objects.put(keys[1], b"another piece", media_type="video/mp4")
    with pytest.raises(MediaBroken, match="is not what it was"):
        list(verify_media(settings))
