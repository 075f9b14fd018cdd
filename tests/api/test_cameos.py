"""A cameo, from the recording to its revocation: who lends it, who casts it, who is kept out."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.people import Person
from tests.studio.foreign_media import photo, tone, two_colours, video, wav

SignUp = Callable[[str], Person]


@pytest.fixture
def face(tmp_path: Path) -> Path:
    return photo(tmp_path / "face.jpg", two_colours(64, 64))


def upload(who: Person, path: Path, purpose: str = "image") -> str:
    with path.open("rb") as file:
        answer = who.post("/v1/uploads", files={"file": file}, data={"purpose": purpose})
    assert answer.status_code == 201, answer.text
    upload_id: str = answer.json()["upload_id"]
    return upload_id


def record(who: Person, face: Path, audience: str = "approved") -> str:
    """Record a cameo. Returns its URL."""
    form = {"name": who.handle, "audience": audience, "face_upload_id": upload(who, face)}
    answer = who.post("/v1/cameos", json=form)
    assert answer.status_code == 201, answer.text
    return f"/v1/cameos/{answer.json()['cameo_id']}"


def rule(who: Person, cameo: str) -> tuple[str, str]:
    question = {"cameo_ids": [cameo.rpartition("/")[2]]}
    (decision,) = who.post("/v1/cameos/check", json=question).json()["decisions"]
    return decision["verdict"], decision["rule"]


def usable(who: Person) -> list[str]:
    items = who.get("/v1/cameos/usable").json()["items"]
    return [f"/v1/cameos/{item['cameo_id']}" for item in items]


def accounts(answer: dict[str, Any]) -> list[str]:
    return [item["handle"] for item in answer["items"]]


def test_who_asks_is_granted_and_later_loses_it(person: SignUp, face: Path) -> None:
    alice, bob = person("alice"), person("bob")
    cameo = record(alice, face)
    permission = f"{cameo}/permissions/{bob.account_id}"
    assert rule(bob, cameo) == ("needs_approval", "approval_required")
    assert bob.get(cameo).json()["face_url"] is None

    asked = bob.post(f"{cameo}/requests", json={"message": "For a film of foxes."})
    again = bob.post(f"{cameo}/requests", json={})

    assert asked.status_code == 201
    assert again.json()["code"] == "permission_already_requested"
    waiting = alice.get(f"{cameo}/requests").json()
    assert [(i["handle"], i["message"]) for i in waiting["items"]] == [
        ("bob", "For a film of foxes.")
    ]

    assert alice.put(permission, json={"verdict": "granted"}).status_code == 204

    assert rule(bob, cameo) == ("allow", "granted")
    assert usable(bob) == [cameo]
    assert accounts(alice.get(f"{cameo}/requests").json()) == []
    assert accounts(alice.get(f"{cameo}/permissions").json()) == ["bob"]
    assert bob.get(cameo).json()["face_url"] is not None
    assert bob.post(f"{cameo}/requests", json={}).json()["code"] == "permission_not_needed"

    assert alice.delete(permission).status_code == 204

    assert rule(bob, cameo) == ("needs_approval", "approval_required")
    assert usable(bob) == []


def test_a_request_may_be_declined_and_a_person_denied(person: SignUp, face: Path) -> None:
    alice, bob = person("alice"), person("bob")
    cameo = record(alice, face)
    bob.post(f"{cameo}/requests", json={})
    request = f"{cameo}/requests/{bob.account_id}"
    permission = f"{cameo}/permissions/{bob.account_id}"

    assert alice.delete(request).status_code == 204
    assert alice.delete(request).json()["code"] == "permission_request_not_found"
    assert bob.post(f"{cameo}/requests", json={}).status_code == 201
    assert alice.put(permission, json={"verdict": "denied"}).status_code == 204
    alice.patch(cameo, json={"audience": "everyone"})

    assert rule(bob, cameo) == ("deny", "denied")
    assert usable(bob) == []
    assert bob.get(cameo).status_code == 404
    assert bob.post(f"{cameo}/requests", json={}).status_code == 404
    assert accounts(alice.get(f"{cameo}/requests").json()) == []


def test_mutuals_may_cast_and_who_is_blocked_may_not(person: SignUp, face: Path) -> None:
    alice, bob = person("alice"), person("bob")
    cameo = record(alice, face, "mutuals")
    bob.put("/v1/accounts/alice/follow")
    assert rule(bob, cameo) == ("needs_approval", "not_mutual")
    assert usable(bob) == []

    alice.put("/v1/accounts/bob/follow")

    assert rule(bob, cameo) == ("allow", "mutuals")
    assert usable(bob) == [cameo]

    alice.put(f"{cameo}/permissions/{bob.account_id}", json={"verdict": "granted"})
    alice.put("/v1/accounts/bob/block")

    assert rule(bob, cameo) == ("deny", "blocked")
    assert usable(bob) == []
    assert bob.get(cameo).status_code == 404
    assert bob.post(f"{cameo}/requests", json={}).status_code == 404


def test_what_is_revoked_nobody_casts_any_more(person: SignUp, face: Path) -> None:
    alice, bob = person("alice"), person("bob")
    cameo = record(alice, face, "everyone")
    assert usable(alice) == usable(bob) == [cameo]

    assert alice.delete(cameo).status_code == 204
    assert alice.delete(cameo).status_code == 204

    assert rule(alice, cameo) == rule(bob, cameo) == ("deny", "revoked")
    assert usable(alice) == usable(bob) == []
    assert bob.get(cameo).status_code == 404
    assert alice.get(cameo).json()["state"] == "revoked"
    assert alice.patch(cameo, json={"audience": "only_me"}).json()["code"] == "cameo_withdrawn"
    assert [item["state"] for item in alice.get("/v1/cameos").json()["items"]] == ["revoked"]


def test_another_persons_cameo_is_not_governed(person: SignUp, face: Path) -> None:
    alice, mallory = person("alice"), person("mallory")
    open_to_all, hidden = record(alice, face, "everyone"), record(alice, face, "only_me")
    unknown = f"/v1/cameos/{uuid4()}"
    grant = {"verdict": "granted"}

    for cameo, status, code in (
        (open_to_all, 403, "not_cameo_owner"),
        (hidden, 404, "cameo_not_found"),
        (unknown, 404, "cameo_not_found"),
    ):
        answers = [
            mallory.patch(cameo, json={"audience": "everyone"}),
            mallory.delete(cameo),
            mallory.get(f"{cameo}/permissions"),
            mallory.get(f"{cameo}/requests"),
            mallory.put(f"{cameo}/permissions/{mallory.account_id}", json=grant),
            mallory.delete(f"{cameo}/permissions/{mallory.account_id}"),
            mallory.delete(f"{cameo}/requests/{mallory.account_id}"),
        ]
        assert {answer.status_code for answer in answers} == {status}
        assert {answer.json()["code"] for answer in answers} == {code}
    assert mallory.get("/v1/cameos").json()["items"] == []
    assert rule(mallory, hidden) == ("deny", "only_me")


def test_a_cameo_is_recorded_of_ones_own_fitting_uploads(
    person: SignUp, face: Path, tmp_path: Path
) -> None:
    alice, mallory = person("alice"), person("mallory")
    alices_face = upload(alice, face)
    voice = upload(alice, wav(tmp_path / "voice.wav", tone(1.5)), "cameo_voice")

    def attempt(who: Person, **fields: str) -> tuple[int, str]:
        form = {"name": "Alice", "audience": "everyone", "face_upload_id": alices_face, **fields}
        answer = who.post("/v1/cameos", json=form)
        return answer.status_code, answer.json().get("code", "")

    assert attempt(mallory) == (404, "upload_not_found")
    assert attempt(alice, face_upload_id=str(uuid4())) == (404, "upload_not_found")
    assert attempt(alice, face_upload_id=voice) == (422, "recording_unsuitable")
    assert attempt(alice, voice_upload_id=alices_face) == (422, "recording_unsuitable")
    assert attempt(alice, audience="friends")[0] == 400
    assert attempt(alice, name="")[0] == 400
    assert attempt(alice, voice_upload_id=voice)[0] == 201
    assert [item["has_voice"] for item in alice.get("/v1/cameos").json()["items"]] == [True]


def test_a_video_of_oneself_gives_the_voice_too(person: SignUp, tmp_path: Path) -> None:
    alice = person("alice")
    clip = upload(alice, video(tmp_path / "me.mp4"), "cameo_video")

    form = {"name": "Alice", "audience": "only_me", "face_upload_id": clip}
    shown = alice.post("/v1/cameos", json=form).json()

    assert shown["has_voice"]
    assert alice.client.get(shown["face_url"]).content.startswith(b"\x89PNG")


def test_a_face_is_fetched_by_a_signed_url_alone(
    api: TestClient[Litestar], person: SignUp, face: Path
) -> None:
    alice = person("alice")
    url: str = alice.get(record(alice, face)).json()["face_url"]
    unsigned = url.partition("?")[0]

    assert api.get(url).status_code == 200
    assert api.get(unsigned).status_code >= 400
    assert api.get(url[:-2] + "xx").status_code == 403


def test_an_edit_of_an_outdated_cameo_is_refused(person: SignUp, face: Path) -> None:
    alice, bob = person("alice"), person("bob")
    cameo = record(alice, face)
    seen = {"If-Match": alice.get(cameo).headers["etag"]}
    bob.post(f"{cameo}/requests", json={})

    stale = alice.patch(cameo, json={"audience": "everyone"}, headers=seen)
    fresh = {"If-Match": alice.get(cameo).headers["etag"]}
    edited = alice.patch(cameo, json={"audience": "everyone"}, headers=fresh)

    assert stale.json()["code"] == "precondition_failed"
    assert edited.json()["audience"] == "everyone"
    assert edited.headers["etag"] not in {fresh["If-Match"], seen["If-Match"]}


def test_a_permission_is_for_another_account_and_ends_in_the_future(
    person: SignUp, face: Path
) -> None:
    alice, bob = person("alice"), person("bob")
    cameo = record(alice, face)
    now = datetime.now(UTC)

    def permit(account_id: object, ends_in: timedelta) -> tuple[int, str]:
        form = {"verdict": "granted", "expires_at": (now + ends_in).isoformat()}
        answer = alice.put(f"{cameo}/permissions/{account_id}", json=form)
        return answer.status_code, answer.json()["code"] if answer.content else ""

    assert permit(bob.account_id, -timedelta(seconds=1)) == (422, "expiry_past")
    assert permit(alice.account_id, timedelta(days=1)) == (422, "owner_needs_no_permission")
    assert permit(uuid4(), timedelta(days=1)) == (404, "account_not_found")
    assert permit(bob.account_id, timedelta(days=1)) == (204, "")
    (said,) = alice.get(f"{cameo}/permissions").json()["items"]
    assert datetime.fromisoformat(said["expires_at"]) == now + timedelta(days=1)
    local = {"verdict": "granted", "expires_at": "2099-01-01T00:00:00"}
    assert alice.put(f"{cameo}/permissions/{bob.account_id}", json=local).status_code == 400


def test_to_ask_records_nothing_and_an_unknown_cameo_is_not_found(
    person: SignUp, face: Path
) -> None:
    alice, bob = person("alice"), person("bob")
    cameo = record(alice, face)
    before = alice.get(cameo).headers["etag"]

    unknown = bob.post("/v1/cameos/check", json={"cameo_ids": [str(uuid4())]})
    known = bob.post("/v1/cameos/check", json={"cameo_ids": [cameo.rpartition("/")[2]]})

    assert unknown.json()["code"] == "cameo_not_found"
    assert "myriorama-position" not in known.headers
    assert alice.get(cameo).headers["etag"] == before
    assert alice.get(f"{cameo}/requests").json()["items"] == []


def test_the_owner_chooses_the_voice_of_a_cameo_and_nobody_else_is_told(
    person: SignUp, face: Path
) -> None:
    alice, bob = person("alice"), person("bob")
    cameo = record(alice, face, "everyone")

    def voices(who: Person) -> list[str | None]:
        shown = [who.get(cameo).json(), *alice.get("/v1/cameos").json()["items"]]
        return [each["voice"] for each in shown]

    assert voices(alice) == [None, None]
    seen = {"If-Match": alice.get(cameo).headers["etag"]}

    chosen = alice.put(f"{cameo}/voice", json={"voice": "alto"}, headers=seen)
    outdated = alice.put(f"{cameo}/voice", json={"voice": "bass"}, headers=seen)
    unknown = alice.put(f"{cameo}/voice", json={"voice": "mallory"})
    anothers = bob.put(f"{cameo}/voice", json={"voice": "bass"})

    assert (chosen.status_code, chosen.json()["voice"]) == (200, "alto")
    assert outdated.json()["code"] == "precondition_failed"
    assert (unknown.status_code, unknown.json()["code"]) == (422, "voice_unknown")
    assert "soprano" in unknown.json()["detail"]
    assert (anothers.status_code, anothers.json()["code"]) == (403, "not_cameo_owner")
    assert alice.put(f"{cameo}/voice", json={}).status_code == 400
    assert voices(alice) == ["alto", "alto"]
    assert voices(bob) == [None, "alto"]

    assert alice.put(f"{cameo}/voice", json={"voice": None}).json()["voice"] is None

    assert voices(alice) == [None, None]


def test_lists_of_cameos_come_in_pages(person: SignUp, face: Path) -> None:
    alice, bob = person("alice"), person("bob")
    recorded = [record(alice, face, "everyone").rpartition("/")[2] for _ in range(3)]

    for who, url in ((alice, "/v1/cameos"), (bob, "/v1/cameos/usable")):
        page = who.get(url, params={"limit": 2}).json()
        rest = who.get(url, params={"cursor": page["next_cursor"]}).json()

        shown = [item["cameo_id"] for item in page["items"] + rest["items"]]
        assert shown == list(reversed(recorded))
        assert rest["next_cursor"] is None
