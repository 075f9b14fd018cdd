"""Once somebody has revoked their cameo, no list and no page shows what they were cast in."""

from collections.abc import Callable
from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from domain.cameo.aggregate import Cameo
from myriorama.store.log import Log
from tests.people import Person
from tests.publishing import publish

pytestmark = pytest.mark.usefixtures("ranked")

LISTS = (
    "/v1/feed?kind=latest",
    "/v1/feed?kind=following",
    "/v1/feed?kind=popular",
    "/v1/feed?kind=for_you",
    "/v1/search?q=fox",
    "/v1/search?q=@bob",
    "/v1/hashtags/fox",
    "/v1/accounts/alice/videos",
    "/v1/bookmarks",
)


def likeness(log: Log, owner_id: UUID) -> Cameo:
    cameo = Cameo.record(
        uuid4(),
        owner_id=owner_id,
        name="Bob",
        audience="everyone",
        face_upload_id=uuid4(),
        voice_upload_id=None,
        face_key="faces/b.png",
        voice_key=None,
        voice_pitch_hz=None,
        at=datetime.now(UTC),
    )
    log.save(cameo)
    return cameo


def listed(who: Person | TestClient[Litestar], url: str) -> set[str]:
    answer = who.get(url)
    assert answer.status_code == 200, answer.text
    page = answer.json()
    return {video["video_id"] for video in page.get("items", page.get("videos", []))}


def test_what_a_revoked_cameo_is_in_is_in_no_list_and_on_no_page(
    person: Callable[[str], Person], api: TestClient[Litestar], log: Log
) -> None:
    alice, bob, mallory = person("alice"), person("bob"), person("mallory")
    cameo = likeness(log, bob.account_id)
    cast = publish(log, alice.account_id, "a #fox and Bob", cameo_ids=(cameo.id,))
    remix = publish(log, alice.account_id, "a #fox alone", parent=cast)
    mallory.put("/v1/accounts/alice/follow")
    for video in (cast, remix):
        assert mallory.put(f"/v1/videos/{video.id}/bookmark").status_code == 204
    before = {url: listed(mallory, url) for url in LISTS}
    top = mallory.get("/v1/feed?kind=latest&limit=1").json()

    assert bob.delete(f"/v1/cameos/{cameo.id}").status_code == 204

    everywhere = [url for url in LISTS if "for_you" not in url and "popular" not in url]
    assert [url for url in everywhere if str(cast.id) not in before[url]] == []
    assert [url for url in LISTS if str(cast.id) in listed(mallory, url)] == []
    assert [url for url in everywhere if "@" not in url and not listed(mallory, url)] == []
    following = {"kind": "latest", "limit": 1, "cursor": top["next_cursor"]}
    assert mallory.get("/v1/feed", params=following).json()["items"] == []
    for who in (alice, mallory, api):
        assert who.get(f"/v1/videos/{cast.id}").status_code == 404
    card = mallory.get(f"/v1/videos/{remix.id}").json()
    assert card["remix_of"] is None
