"""Nobody reads or writes what their token's scope and their relation do not allow: every route."""

import re
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import cast
from uuid import uuid4

import pytest
from httpx import Response
from litestar import Litestar
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from myriorama.api.tokens import AccessTokens, Scope
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.api.advertised import advertised, with_scopes
from tests.api.routes import BODIES, ROUTES, Relation
from tests.drafts import draft, generation
from tests.people import Person
from tests.publishing import publish
from tests.showings import show, shown_ad
from tests.streaming import streamed
from tests.studio.foreign_media import photo, two_colours

World = Mapping[str, str]

HOLDERS = (None, *(scope for scope in Scope if scope is not Scope.PUBLIC))
NOT_THERE = {
    "ad_export_not_found",
    "appeal_impossible",
    "campaign_over",
    "commercial_grant_not_found",
    "creative_appeal_impossible",
    "creative_source_not_found",
    "creative_withdrawn_for_good",
    "line_item_not_submitted",
    "line_item_over",
    "delivery_not_found",
    "member_not_found",
    "nothing_to_export",
    "nothing_to_show",
    "object_not_found",
    "permission_request_not_found",
    "shot_unknown",
}
FORECASTS = {"POST /web/advertise/campaigns/{campaign_id:uuid}/forecast"}
"""Pages made of a form that is sent, and kept nowhere."""

REFUSED = {401: "token_missing", 403: "scope_missing"}


def of_the_api(api: TestClient[Litestar]) -> Iterator[tuple[str, bool]]:
    """Yield each route, and whether it is of the API that clients are told of."""
    app = cast("Litestar", api.app)  # pyright: ignore[reportUnknownMemberType]  # bare there
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if method != "OPTIONS":
                    yield f"{method} {route.path}", handler.resolve_include_in_schema()


def url_of(route: str, world: World) -> tuple[str, str]:
    method, _, path = route.partition(" ")
    return method, re.sub(r"\{(\w+):\w+\}", lambda match: world[match[1]], path)


def test_every_route_is_expected(api: TestClient[Litestar]) -> None:
    there = {route for route, told in of_the_api(api) if told}

    assert there == ROUTES.keys()


def test_who_lacks_the_scope_is_refused_and_who_has_it_is_not(
    api: TestClient[Litestar], settings: Settings
) -> None:
    tokens = AccessTokens(secret=settings.secret, worker_token=settings.worker_token)

    def attempt(route: str, holder: Scope | None) -> tuple[int, str | None]:
        # Each time another account, so that no request can end the session of the next.
        nowhere = {name: str(uuid4()) for name in re.findall(r"\{(\w+):", route)}
        method, url = url_of(route, nowhere)
        token = settings.worker_token
        if holder is not Scope.WORKER:
            token = tokens.issue(uuid4(), uuid4(), (str(holder),), now=time.time())
        headers = {"Authorization": f"Bearer {token}"} if holder else {}
        answer = api.request(method, url, headers=headers)
        problem = answer.headers.get("content-type") == "application/problem+json"
        return answer.status_code, answer.json()["code"] if problem and answer.content else None

    wrong = {
        (route, str(holder)): answer
        for route, (needed, _) in ROUTES.items()
        for holder in HOLDERS
        if not as_expected(needed, holder, answer := attempt(route, holder))
    }

    assert wrong == {}


def as_expected(needed: Scope, holder: Scope | None, answer: tuple[int, str | None]) -> bool:
    status, code = answer
    if needed is Scope.PUBLIC or needed is holder:
        return status < 500 and code not in REFUSED.values()
    return answer == ((401, "token_missing") if holder is None else (403, "scope_missing"))


def test_pages_are_open_and_change_nothing(api: TestClient[Litestar]) -> None:
    pages = [route for route, told in of_the_api(api) if not told]

    for page in pages:
        method, url = url_of(page, dict.fromkeys(re.findall(r"\{(\w+):", page), str(uuid4())))
        assert method in {"GET", "HEAD"} or page in FORECASTS
        assert api.request(method, url).status_code < 500
    assert set(pages) >= FORECASTS


@pytest.fixture
def world(
    person: Callable[[str], Person], log: Log, tmp_path: Path, settings: Settings
) -> tuple[Person, Person, Person, dict[str, str]]:
    """What Alice has, whom Bob does not know, and who has blocked Mallory."""
    alice, bob, mallory = (
        with_scopes(person(handle), settings, Scope.ADVERTISER)
        for handle in ("alice", "bob", "mallory")
    )
    ads = advertised(log, alice.account_id)
    hooks = f"/v1/advertisers/{ads.advertiser_id}/webhooks"
    webhook = alice.post(hooks, json={"url": "https://shop.example.com/hooks"})
    face = photo(tmp_path / "face.jpg", two_colours(64, 64))
    with face.open("rb") as file:
        sent = alice.post("/v1/uploads", files={"file": file}, data={"purpose": "image"}).json()
    form = {"name": "Alice", "audience": "only_me", "face_upload_id": sent["upload_id"]}
    video = publish(log, alice.account_id, visibility="followers")
    streamed(log, settings, video.id)
    comment = alice.post(f"/v1/videos/{video.id}/comments", json={"text": "Mine."}).json()
    alice.put("/v1/accounts/mallory/block")
    return (
        alice,
        bob,
        mallory,
        {
            "account_id": str(bob.account_id),
            "ad_decision_id": str(show(settings.database_url, alice.account_id, shown_ad(ads))),
            "cameo_id": alice.post("/v1/cameos", json=form).json()["cameo_id"],
            "code": alice.post("/v1/invitations").json()["code"],
            "comment_id": comment["comment_id"],
            "decision_id": alice.get("/v1/feed").json()["decision_id"],
            "generation_id": str(draft(log, alice.account_id)),
            "head": "0" * 64,
            "notice_id": str(uuid4()),
            "webhook_id": webhook.json()["webhook_id"],
            "playlist": "master.m3u8",
            "openai_id": f"video_{draft(log, alice.account_id).hex}",
            "rule_id": alice.post("/v1/feed/steer", json={"say": "more cats"}).json()["rules"][0][
                "rule_id"
            ],
            "upload_id": sent["upload_id"],
            "video_id": str(video.id),
            **ads.ids,
        },
    )


def send(who: Person, route: str, world: World) -> Response:
    method, url = url_of(route, world)
    body = BODIES.get(route)
    return who.send(method, url, **({"json": body} if body else {}))


def related(relation: Relation) -> list[str]:
    """Return the routes of a relation, those that take something away last."""
    return sorted(
        (route for route, (_, expected) in ROUTES.items() if expected is relation),
        key=lambda route: (route.startswith("DELETE"), -len(route)),
    )


@pytest.mark.parametrize("relation", [Relation.OWNER, Relation.AUDIENCE])
def test_what_belongs_to_somebody_is_kept_from_others_and_not_from_them(
    relation: Relation,
    world: tuple[Person, Person, Person, dict[str, str]],
    log: Log,
) -> None:
    alice, bob, mallory, hers = world
    queued = generation(alice.account_id)
    log.save(queued)
    refusals = {403, 404} if relation is Relation.OWNER else {404}

    for route in related(relation):
        named = {**hers, "generation_id": str(queued.id)} if "/cancel" in route else hers
        for other in (bob, mallory):
            refused = send(other, route, named)
            told = f"{other.handle}: {route}: {refused.status_code} {refused.text}"
            assert refused.status_code in refusals, told
            assert refused.json()["code"] not in REFUSED.values(), told
    for route in related(relation):
        named = {**hers, "generation_id": str(queued.id)} if "/cancel" in route else hers
        allowed = send(alice, route, named)
        # A rule may still refuse the owner (nobody had asked for this permission), but as such.
        assert allowed.status_code < 400 or allowed.json()["code"] in NOT_THERE, (
            f"{route}: {allowed.text}"
        )


def test_a_block_hides_even_what_is_public(
    world: tuple[Person, Person, Person, dict[str, str]], log: Log, settings: Settings
) -> None:
    alice, bob, mallory, hers = world
    video = publish(log, alice.account_id)
    streamed(log, settings, video.id)
    public = {**hers, "video_id": str(video.id)}
    # What Bob reads after his own command shows all that was recorded before it.
    bob.put(f"/v1/videos/{video.id}/like")
    watching = [route for route in related(Relation.AUDIENCE) if "video_id" in route]

    for route in watching:
        seen, hidden = send(bob, route, public), send(mallory, route, public)
        assert seen.status_code < 300, f"{route}: {seen.text}"
        assert (hidden.status_code, hidden.json()["code"]) == (404, "video_not_found"), route
