"""The ranking over HTTP: who runs it sees and changes by what, and what experiments come to."""

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from domain.ranking.aggregate import Ranking
from myriorama.api.tokens import AccessTokens, Scope
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.objects import open_objects, ranker_key
from myriorama.store.postgres import Pool
from myriorama.store.viewlog import Batch, Served, Viewing, Views
from ranking.experiments import Experiment, read_arms
from ranking.policy import DEFAULT, Policy
from tests.api.test_feed import settle
from tests.people import Person
from tests.publishing import publish

pytestmark = pytest.mark.usefixtures("ranked")

People = Callable[[str], Person]

TRIAL: dict[str, Any] = {
    "name": "more-remixes",
    "layer": "weights",
    "bucket_first": 0,
    "buckets": 10_000,
    "arms": [{"name": "as-is"}, {"name": "more", "policy": {"weights": {"remix": 40}}}],
}


def given(who: Person, settings: Settings, *scopes: Scope) -> Person:
    tokens = AccessTokens(secret=settings.secret, worker_token=settings.worker_token)
    names = tuple(str(scope) for scope in scopes)
    token = tokens.issue(who.account_id, uuid4(), names, now=time.time())
    return Person(who.client, who.handle, who.account_id, {**who.tokens, "access_token": token})


@pytest.fixture
def admin(person: People, settings: Settings) -> Person:
    return given(person("ada"), settings, Scope.VIEWER, Scope.ADMIN, Scope.ANALYST)


def active(admin: Person) -> dict[str, Any]:
    answer: dict[str, Any] = admin.get("/v1/rankings").json()
    return answer


def test_until_something_is_activated_the_default_policy_holds(admin: Person) -> None:
    answer = active(admin)

    assert answer["policy"]["version"] == DEFAULT.version
    assert (answer["policy_activation"], answer["model"]) == (None, None)


def test_a_policy_is_activated_with_what_it_leaves_out_as_by_default(admin: Person) -> None:
    policy = {"version": "calm-1", "author_decay": {"factor": 0.7}}

    assert admin.put("/v1/rankings/policy", json=policy).status_code == 204

    answer = active(admin)
    assert answer["policy"]["author_decay"] == {"factor": 0.7, "floor": 0.3}
    assert answer["policy"]["weights"] == DEFAULT.weights
    assert answer["policy_activation"]["name"] == "calm-1"
    assert answer["policy_activation"]["activated_by"] == str(admin.account_id)


@pytest.mark.parametrize(
    ("policy", "status"),
    [
        ({"version": "x", "weights": {"report": 1}}, 422),
        ({"version": "x", "quotas": {"friends": 3}}, 422),
        ({"version": "x", "unheard": 1}, 400),
        ({"version": "x", "exploration": {"share": 2}}, 400),
    ],
)
def test_a_policy_that_cannot_be_is_refused_and_changes_nothing(
    admin: Person, policy: dict[str, Any], status: int
) -> None:
    answer = admin.put("/v1/rankings/policy", json=policy)

    assert answer.status_code == status
    assert answer.json()["code"] in {"policy_invalid", "invalid_request"}
    assert active(admin)["policy"]["version"] == DEFAULT.version


def test_a_version_that_is_known_is_of_that_policy_alone(admin: Person) -> None:
    calm = {"version": "calm-1", "author_decay": {"factor": 0.7}}
    assert admin.put("/v1/rankings/policy", json=calm).status_code == 204

    again = admin.put("/v1/rankings/policy", json=calm)
    others = [
        admin.put("/v1/rankings/policy", json=each)
        for each in (
            {**calm, "size": 30},
            {"version": DEFAULT.version, "size": 30},
            {"version": "default-1"},
        )
    ]
    default = admin.put("/v1/rankings/policy", json={"version": DEFAULT.version})

    assert [again.status_code, default.status_code] == [204, 204]
    for other in others:
        assert (other.status_code, other.json()["code"]) == (409, "policy_version_taken")
    assert active(admin)["policy"]["size"] == DEFAULT.size


def test_a_policy_of_an_earlier_release_is_shown_and_kept_as_it_ranks(
    admin: Person, log: Log
) -> None:
    ranking = Ranking.open(at=datetime.now(UTC))
    of_before = '{"version":"of-before","size":40}'
    ranking.activate_policy("of-before", of_before, by=admin.account_id, at=datetime.now(UTC))
    log.save(ranking)
    same = msgspec.to_builtins(Policy.recorded(of_before))

    answers = [
        admin.put("/v1/rankings/policy", json=each).status_code
        for each in (same, {"version": "of-before", "size": 40})
    ]

    settle(admin)
    shown = active(admin)["policy"]
    assert answers == [204, 409]
    assert shown == same
    assert shown["steering"]["promised"] == 0


def stored(settings: Settings, blob: bytes, digest: str | None = None) -> str:
    """Store a file as the model of its digest, or of another one."""
    name = digest or sha256(blob).hexdigest()
    objects = open_objects(settings.objects)
    objects.put(ranker_key(name), blob, media_type="application/octet-stream")
    return name


def test_a_model_that_can_rank_is_activated_and_ranks_at_once(
    admin: Person, person: People, log: Log, settings: Settings
) -> None:
    pytest.importorskip("sklearn")
    from tests.ranking.test_model import blob  # noqa: PLC0415 - it takes scikit-learn

    publish(log, person("bob").account_id)
    settle(admin)
    digest = stored(settings, blob())

    refused = admin.put("/v1/rankings/model", json={"digest": "5e" * 32})
    before = admin.get("/v1/feed", params={"kind": "for_you"})
    assert admin.put("/v1/rankings/model", json={"digest": digest}).status_code == 204
    settle(admin)
    after = admin.get("/v1/feed", params={"kind": "popular"})

    assert refused.json()["code"] == "model_not_found"
    assert active(admin)["model"] == digest
    assert before.headers["X-Feed-Degraded"] == "no model"
    assert "X-Feed-Degraded" not in after.headers
    assert admin.put("/v1/rankings/model", json={"digest": ""}).status_code == 204
    assert active(admin)["model"] is None


def test_a_file_that_cannot_rank_is_refused_with_what_is_wrong_and_changes_nothing(
    admin: Person, settings: Settings
) -> None:
    pytest.importorskip("sklearn")
    from tests.ranking.test_model import blob, card_with, changed  # noqa: PLC0415 - as above

    of_another_release = changed({"card": card_with(features="0123456789abcdef")})
    wrong = {
        stored(settings, b"a model"): "not a zip file",
        stored(settings, blob()[:1000]): "not a zip file",
        stored(settings, b"", "5e" * 32): "has the digest e3b0c442",
        stored(settings, of_another_release): "trained on features 0123456789abcdef",
    }

    for digest, why in wrong.items():
        answer = admin.put("/v1/rankings/model", json={"digest": digest})

        assert (answer.status_code, answer.json()["code"]) == (422, "model_unusable")
        assert why in answer.json()["detail"]
    assert active(admin)["model"] is None


def test_an_experiment_is_started_listed_and_ended(admin: Person) -> None:
    started = admin.post("/v1/rankings/experiments", json=TRIAL)

    assert started.status_code == 201, started.text
    url = f"/v1/rankings/experiments/{started.json()['experiment_id']}"
    assert admin.post("/v1/rankings/experiments", json=TRIAL).json()["code"] == "buckets_taken"
    (listed,) = admin.get("/v1/rankings/experiments").json()
    assert (listed["name"], listed["ended_at"]) == ("more-remixes", None)
    assert admin.delete(url).status_code == 204
    assert admin.delete(url).json()["code"] == "experiment_not_found"
    assert admin.get(url).json()["experiment"]["ended_at"] is not None


def test_an_arm_that_makes_no_policy_is_refused(admin: Person) -> None:
    wrong = {**TRIAL, "arms": [{"name": "a"}, {"name": "b", "policy": {"weights": {"less": 1}}}]}

    answer = admin.post("/v1/rankings/experiments", json=wrong)

    assert answer.json()["code"] == "experiment_invalid"
    assert "weights.less" in answer.json()["detail"]


def test_an_experiment_that_nobody_knows_is_not_there(admin: Person) -> None:
    answer = admin.get(f"/v1/rankings/experiments/{uuid4()}")

    assert (answer.status_code, answer.json()["code"]) == (404, "experiment_not_found")


def test_the_table_of_an_experiment_says_what_each_arm_came_to(
    admin: Person, person: People, log: Log, settings: Settings
) -> None:
    started = admin.post("/v1/rankings/experiments", json=TRIAL).json()["experiment_id"]
    experiment = Experiment(
        UUID(started),
        "",
        "weights",
        UUID(started).hex,
        0,
        10_000,
        read_arms(json.dumps(TRIAL["arms"])),
    )
    viewers = [person(f"viewer{number}") for number in range(3)]
    arms = [arm.name for who in viewers if (arm := experiment.arm(who.account_id.bytes))]
    slates = [
        Served(
            uuid4().bytes,
            who.account_id.bytes,
            "for_you",
            None,
            [],
            json.dumps({"arms": {started: arm}}),
        )
        for who, arm in zip(viewers, arms, strict=True)
    ]
    report(settings, viewers, slates)
    publish(log, viewers[0].account_id)
    settle(admin)

    table = eventually(admin, started, views=len(viewers))

    outcomes = {each["arm"]: each for each in table["outcomes"]}
    assert list(outcomes) == ["as-is", "more"]
    for arm, outcome in outcomes.items():
        count = arms.count(arm)
        assert (outcome["accounts"], outcome["slates"]) == (count, count)
        assert outcome["metrics"]["views"]["total"] == count
        assert outcome["metrics"]["watched_s"]["total"] == 4.5 * count
        assert outcome["metrics"]["creations"]["total"] == (arm == arms[0])
    assert outcomes["as-is"]["metrics"]["views"]["difference"] is None
    assert table["worse"] == {}


def report(settings: Settings, viewers: list[Person], slates: list[Served]) -> None:
    """Serve each viewer a slate, of which each watches a video."""

    with Views(settings.database_url) as views:
        for slate in slates:
            views.offer(slate)

    async def watch(views: Views) -> None:
        for who, slate in zip(viewers, slates, strict=True):
            viewing = Viewing(uuid4(), UUID(bytes=slate.decision_id), watched_ms=4500, loops=1)
            digest = sha256(slate.decision_id).digest()
            await views.append(Batch(who.account_id, uuid4(), 0, digest, [viewing]))

    with Views(settings.database_url) as views:
        asyncio.run(watch(views))


def eventually(admin: Person, experiment_id: str, *, views: int) -> dict[str, Any]:
    """Return the table once the projection has seen so many views."""
    deadline = time.monotonic() + 120
    while True:
        table: dict[str, Any] = admin.get(f"/v1/rankings/experiments/{experiment_id}").json()
        seen = sum(each["metrics"]["views"]["total"] for each in table["outcomes"])
        if seen >= views or time.monotonic() > deadline:
            return table
        time.sleep(0.05)


def test_a_moderator_labels_a_video(
    admin: Person, person: People, log: Log, pool: Pool, settings: Settings
) -> None:
    video = publish(log, admin.account_id)
    settle(admin)
    moderator = given(person("bob"), settings, Scope.VIEWER, Scope.MODERATOR)
    url = f"/v1/moderation/videos/{video.id}/labels"

    assert moderator.put(url, json={"labels": ["graphic", "mature"]}).status_code == 204

    assert moderator.put(url, json={"labels": ["rude"]}).status_code == 400
    assert moderator.put(url, json={"labels": ["mature"] * 2}).json()["code"] == "label_unknown"
    assert admin.put(url, json={"labels": []}).json()["code"] == "scope_missing"
    with pool.connection() as connection:
        row = connection.execute(
            "SELECT labels FROM videos WHERE video_id = %s", (video.id,)
        ).fetchone()
    assert row == (["mature", "graphic"],)
