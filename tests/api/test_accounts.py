"""An account, from the invitation to signing out everywhere."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from litestar import Litestar
from litestar.testing import TestClient

from domain.account.aggregate import Account
from domain.account.errors import AccountNotFound, ScopeUnknown
from domain.errors import DomainError
from myriorama.application.accounts import SignUp
from myriorama.bootstrap.api import create_api
from myriorama.bootstrap.application import create_accounts
from myriorama.processes import appoint, invite
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.people import PASSWORD, Person, application_form, sign_up
from tests.studio.foreign_media import photo, tone, two_colours, wav


def test_who_signs_up_is_signed_in_and_can_be_seen(
    api: TestClient[Litestar], person: Callable[[str], Person]
) -> None:
    alice = person("alice")

    me = alice.get("/v1/me")
    profile = api.get("/v1/accounts/alice")

    assert me.json()["handle"] == "alice"
    assert me.json()["invitations_left"] == 5
    assert profile.json()["account_id"] == str(alice.account_id)
    assert "email" not in profile.text


def test_one_invitation_admits_one_of_many_who_try_at_once(
    api: TestClient[Litestar], settings: Settings
) -> None:
    code = invite(settings, at=datetime.now(UTC))

    def attempt(number: int) -> int:
        return api.post("/v1/accounts", json=application_form(f"bob_{number}", code)).status_code

    with ThreadPoolExecutor(4) as threads:
        answers = sorted(threads.map(attempt, range(4)))

    assert answers == [201, 409, 409, 409]


def test_nobody_comes_in_without_an_invitation(api: TestClient[Litestar]) -> None:
    refused = api.post("/v1/accounts", json=application_form("mallory", None))

    assert refused.status_code == 403
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["code"] == "invitation_required"


def test_a_handle_and_an_address_belong_to_one_account(
    api: TestClient[Litestar], settings: Settings, person: Callable[[str], Person]
) -> None:
    person("alice")
    code = invite(settings, at=datetime.now(UTC))

    same_handle = {**application_form("alice", code), "email": "other@example.org"}
    same_email = {**application_form("other", code), "email": "ALICE@example.org"}

    assert api.post("/v1/accounts", json=same_handle).json()["code"] == "handle_taken"
    assert api.post("/v1/accounts", json=same_email).json()["code"] == "email_taken"


def test_a_refresh_token_shown_twice_ends_its_session(
    api: TestClient[Litestar], person: Callable[[str], Person]
) -> None:
    alice = person("alice")
    stolen = {"refresh_token": alice.tokens["refresh_token"]}

    fresh = api.post("/v1/sessions/refresh", json=stolen)
    reused = api.post("/v1/sessions/refresh", json=stolen)
    after = api.post("/v1/sessions/refresh", json={"refresh_token": fresh.json()["refresh_token"]})

    assert fresh.status_code == 200
    assert reused.json()["code"] == "refresh_token_invalid"
    assert after.status_code == 401
    assert alice.get("/v1/me").status_code == 401


def test_a_session_that_ended_takes_a_token_with_it_that_was_issued_meanwhile(
    person: Callable[[str], Person], settings: Settings, log: Log
) -> None:
    alice, bob = person("alice"), person("bob")
    session_id = UUID(hex=alice.tokens["refresh_token"].partition(".")[0])
    just_before = datetime.now(UTC) - timedelta(seconds=5)

    create_accounts(settings, log).sign_out(session_id, at=just_before)
    bob.put("/v1/accounts/alice/follow")  # answered when all that was recorded before is seen

    assert alice.get("/v1/me").status_code == 401


def test_signing_out_everywhere_voids_a_token_that_was_refreshed_meanwhile(
    person: Callable[[str], Person], settings: Settings, log: Log
) -> None:
    alice, bob = person("alice"), person("bob")
    just_before = datetime.now(UTC) - timedelta(seconds=5)

    create_accounts(settings, log).sign_out_everywhere(alice.account_id, at=just_before)
    bob.put("/v1/accounts/alice/follow")  # answered when all that was recorded before is seen

    assert alice.get("/v1/me").status_code == 401


def test_a_token_is_not_remembered_in_ever_longer_spellings(
    api: TestClient[Litestar], person: Callable[[str], Person]
) -> None:
    token = person("alice").tokens["access_token"]

    answer = api.get("/v1/me", headers={"Authorization": f"Bearer {' ' * 2000}{token}"})

    assert answer.json()["code"] == "token_invalid"


def test_signing_out_everywhere_voids_every_token(
    api: TestClient[Litestar], person: Callable[[str], Person]
) -> None:
    alice = person("alice")
    credentials = {"name": "alice@example.org", "password": PASSWORD}
    phone = api.post("/v1/sessions", json=credentials).json()

    assert alice.delete("/v1/sessions").status_code == 204

    on_phone = {"Authorization": f"Bearer {phone['access_token']}"}
    refresh = {"refresh_token": phone["refresh_token"]}
    assert alice.get("/v1/me").status_code == 401
    assert api.get("/v1/me", headers=on_phone).status_code == 401
    assert api.post("/v1/sessions/refresh", json=refresh).status_code == 401
    assert api.post("/v1/sessions", json=credentials).status_code == 201


def test_a_wrong_password_says_no_more_than_an_unknown_name(
    api: TestClient[Litestar], person: Callable[[str], Person]
) -> None:
    person("alice")

    wrong = api.post("/v1/sessions", json={"name": "alice", "password": "not the password"})
    unknown = api.post("/v1/sessions", json={"name": "nobody", "password": "not the password"})

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json()["detail"] == unknown.json()["detail"]


def test_a_house_keeps_passwords_at_their_full_cost(settings: Settings, log: Log) -> None:
    with TestClient(create_api(settings)) as api:
        alice = sign_up(api, settings, "alice")

    kept = log.find(Account, alice.account_id)

    assert kept is not None
    assert extract_parameters(kept.password_hash) == RFC_9106_LOW_MEMORY


def test_an_edit_of_an_outdated_profile_is_refused(person: Callable[[str], Person]) -> None:
    alice = person("alice")
    seen = alice.get("/v1/me").headers["etag"]

    first = alice.patch("/v1/me", json={"bio": "Foxes."}, headers={"If-Match": seen})
    second = alice.patch("/v1/me", json={"bio": "Owls."}, headers={"If-Match": seen})

    assert first.status_code == 200
    assert second.status_code == 412
    assert second.json()["code"] == "precondition_failed"
    assert alice.get("/v1/me").json()["bio"] == "Foxes."


def test_an_avatar_is_a_picture_of_ones_own(
    person: Callable[[str], Person], tmp_path: Path
) -> None:
    alice, mallory = person("alice"), person("mallory")
    photo(tmp_path / "photo.jpg", two_colours(200, 200))
    wav(tmp_path / "tone.wav", tone(2.0))
    picture_id = send(alice, tmp_path / "photo.jpg", "image")
    voice_id = send(alice, tmp_path / "tone.wav", "cameo_voice")

    def wear(who: Person, upload_id: str) -> tuple[int, str | None]:
        answer = who.patch("/v1/me", json={"avatar_upload_id": upload_id})
        return answer.status_code, answer.json().get("code")

    assert wear(mallory, picture_id) == (404, "upload_not_found")
    assert wear(alice, str(uuid4())) == (404, "upload_not_found")
    assert wear(alice, voice_id) == (422, "avatar_unsuitable")
    assert wear(alice, picture_id) == (200, None)
    assert alice.patch("/v1/me", json={"avatar_upload_id": None}).status_code == 200


def send(who: Person, path: Path, purpose: str) -> str:
    with path.open("rb") as file:
        answer = who.post("/v1/uploads", files={"file": file}, data={"purpose": purpose})
    return str(answer.json()["upload_id"])


def test_an_allotment_is_used_up_and_a_code_can_be_taken_back(
    api: TestClient[Litestar], person: Callable[[str], Person]
) -> None:
    alice = person("alice")
    mallory = person("mallory")

    codes = [alice.post("/v1/invitations").json()["code"] for _ in range(5)]
    sixth = alice.post("/v1/invitations")

    assert sixth.json()["code"] == "invitations_spent"
    assert mallory.delete(f"/v1/invitations/{codes[0]}").status_code == 403
    assert alice.delete(f"/v1/invitations/{codes[0]}").status_code == 204
    withdrawn = api.post("/v1/accounts", json=application_form("bob", codes[0]))
    assert withdrawn.json()["code"] == "invitation_withdrawn"
    page = alice.get("/v1/invitations", params={"limit": 3}).json()
    rest = alice.get("/v1/invitations", params={"cursor": page["next_cursor"]}).json()
    shown = [item["code"] for item in page["items"] + rest["items"]]
    assert shown == list(reversed(codes))
    assert rest["items"][-1]["state"] == "revoked"


def test_whom_the_operator_appoints_may_more_with_their_next_token(
    api: TestClient[Litestar], person: Callable[[str], Person], settings: Settings
) -> None:
    alice = person("alice")
    before = alice.get("/v1/moderation/appeals")

    scopes = appoint(settings, "alice", ["moderator"])

    refreshed = {"refresh_token": alice.tokens["refresh_token"]}
    token = api.post("/v1/sessions/refresh", json=refreshed).json()["access_token"]
    after = api.get("/v1/moderation/appeals", headers={"Authorization": f"Bearer {token}"})
    assert scopes == ("creator", "moderator", "viewer")
    assert (before.status_code, after.status_code) == (403, 200)


@pytest.mark.parametrize(
    ("account", "scope", "refusal"),
    [("nobody", "moderator", AccountNotFound), ("alice", "emperor", ScopeUnknown)],
)
def test_nobody_is_appointed_to_what_there_is_not(
    person: Callable[[str], Person],
    settings: Settings,
    account: str,
    scope: str,
    refusal: type[DomainError],
) -> None:
    person("alice")

    with pytest.raises(refusal):
        appoint(settings, account, [scope])


def test_adults_who_sign_up_may_advertise_where_that_is_open(settings: Settings, log: Log) -> None:
    open_to_all, at = replace(settings, advertising="open", sign_up="open"), datetime.now(UTC)
    form = SignUp(
        handle="alice",
        display_name="Alice",
        email="alice@example.org",
        password=PASSWORD,
        age_band="18+",
        invitation_code=None,
    )
    younger = replace(form, handle="bob", email="bob@example.org", age_band="16-17")
    others = replace(form, handle="carol", email="carol@example.org")

    adult, minor = (
        create_accounts(open_to_all, log).sign_up(who, at=at) for who in (form, younger)
    )
    chosen = create_accounts(replace(open_to_all, advertising="chosen"), log).sign_up(others, at=at)

    assert "advertiser" in adult.scopes
    assert "advertiser" not in (*minor.scopes, *chosen.scopes)
