"""What many watch is streamed by playlists that anybody may follow who may see the video."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from litestar import Litestar
from litestar.testing import TestClient

from domain.generation.work import Delivery
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.drafts import draft, generation
from tests.people import Person
from tests.streaming import RUNGS, streamed

People = Callable[[str], Person]


def spoken(log: Log, account_id: UUID) -> UUID:
    """Record a draft in which somebody speaks."""
    made, at = generation(account_id), datetime.now(UTC)
    made.dispatch(at=at)
    made.claim("w1", 1, lease=timedelta(seconds=30), at=at)
    files: dict[str, Any] = {
        "video_key": "videos/ab/video.mp4",
        "poster_key": "posters/ab/poster.jpg",
        "thumbnail_key": "thumbnails/ab/thumbnail.webp",
        "sprite_key": "sprites/ab/sprite.webp",
        "captions_key": "captions/ab/captions.vtt",
        "master_key": "masters/ab/master.mp4",
    }
    size: dict[str, Any] = {"width": 480, "height": 832, "duration_ms": 4000, "size_bytes": 1000}
    delivery = Delivery(**files, **size, sha256="0" * 64, renderer="procedural-1", gpu_ms=0)
    made.complete(1, delivery, at=at)
    log.save(made)
    return made.id


def publish(person: Person, generation_id: UUID, **edits: Any) -> str:
    answer = person.post("/v1/videos", json={"generation_id": str(generation_id), **edits})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["video_id"])


def test_a_player_finds_its_way_from_the_card_to_the_segments(
    person: People, api: TestClient[Litestar], log: Log, settings: Settings
) -> None:
    alice = person("alice")
    video_id = publish(alice, spoken(log, alice.account_id))
    before = api.get(f"/v1/videos/{video_id}").json()
    streamed(log, settings, UUID(video_id))
    alice.put(f"/v1/videos/{video_id}/like")  # whose answer waits until the tables show it

    card = alice.get(f"/v1/videos/{video_id}").json()
    master = api.get(card["hls_url"])
    rungs = re.findall(r"^\d\.m3u8$", master.text, re.MULTILINE)
    playlists = [api.get(card["hls_url"].replace("master.m3u8", rung)) for rung in rungs]
    captions = api.get(card["hls_url"].replace("master", "captions"))

    assert before["hls_url"] is None
    assert master.headers["content-type"].startswith("application/vnd.apple.mpegurl")
    assert "RESOLUTION=480x960" in master.text
    assert 'SUBTITLES="captions"' in master.text
    assert f'VALUE="{card["video_url"]}"' in master.text
    assert len(playlists) == 2
    for rung, playlist in zip(RUNGS, playlists, strict=True):
        urls = re.findall(r"/media/[^\"\n]+", playlist.text)
        keys = [rung.opening_key, *(segment.key for segment in rung.segments)]
        assert [api.get(url).text for url in urls] == keys
        assert playlist.text.endswith("#EXT-X-ENDLIST\n")
    assert card["captions_url"] in captions.text
    missing = api.get(card["hls_url"].replace("master", "7"))
    assert missing.json()["code"] == "renditions_not_found"


def test_a_player_can_show_each_moment_before_it_goes_there(
    person: People, api: TestClient[Litestar], log: Log
) -> None:
    alice = person("alice")
    video_id = publish(alice, spoken(log, alice.account_id))

    card = api.get(f"/v1/videos/{video_id}").json()
    track = api.get(card["seek_thumbnails_url"])

    assert track.headers["content-type"].startswith("text/vtt")
    places = re.findall(r"/media/sprites/\S+#xywh=(\d+),(\d+),92,160", track.text)
    assert len(places) == 8
    assert places[:2] == [("0", "0"), ("92", "0")]
    assert "00:00:03.500 --> 00:00:04.000" in track.text


def test_who_may_not_see_the_video_may_not_stream_it(
    person: People, api: TestClient[Litestar], log: Log, settings: Settings
) -> None:
    alice, mallory = person("alice"), person("mallory")
    video_id = publish(alice, spoken(log, alice.account_id))
    streamed(log, settings, UUID(video_id))
    alice.patch(f"/v1/videos/{video_id}", json={"visibility": "followers"})

    assert alice.get(f"/v1/videos/{video_id}").json()["hls_url"] is None
    for path in ("hls/master.m3u8", "hls/0.m3u8", "thumbnails.vtt"):
        assert mallory.get(f"/v1/videos/{video_id}/{path}").json()["code"] == "video_not_found"
        assert api.get(f"/v1/videos/{video_id}/{path}").status_code == 404


def test_what_was_made_before_there_were_stills_has_none(
    person: People, api: TestClient[Litestar], log: Log
) -> None:
    alice = person("alice")
    video_id = publish(alice, draft(log, alice.account_id))

    card = api.get(f"/v1/videos/{video_id}").json()

    assert (card["captions_url"], card["hls_url"], card["seek_thumbnails_url"]) == (None,) * 3
    playlist = api.get(f"/v1/videos/{video_id}/hls/master.m3u8")
    assert playlist.json()["code"] == "renditions_not_found"
    assert api.get(f"/v1/videos/{video_id}/thumbnails.vtt").text == "WEBVTT\n"
