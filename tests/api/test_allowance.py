"""The allowance over HTTP: what is left, what is bought, and what a request would take."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from domain.errors import DomainError
from myriorama.bootstrap.api import create_api
from myriorama.processes import credit
from myriorama.settings import Settings
from tests.people import Person, sign_up

WISH: dict[str, Any] = {"prompt": "a fox jumps over a brook", "seconds": 4}


def allowance(who: Person) -> dict[str, Any]:
    left: dict[str, Any] = who.get("/v1/allowance").json()
    return left


def test_what_is_bought_is_there_at_once_and_is_spent_after_the_window(
    settings: Settings, projecting: None
) -> None:
    assert projecting is None
    narrow = replace(settings, allowance_seconds=6)
    with TestClient(create_api(narrow)) as api:
        alice = sign_up(api, narrow, "alice")
        whole = allowance(alice)

        credit(narrow, "alice", 5, key="payment 1", reason="bought")
        credit(narrow, str(alice.account_id), 5, key="payment 1", reason="bought")
        alice.post("/v1/generations", json=WISH)
        both = alice.post("/v1/generations", json=WISH).json()["generation_id"]
        spent = allowance(alice)
        refused = alice.post("/v1/generations", json=WISH)
        alice.post(f"/v1/generations/{both}/cancel")
        returned = allowance(alice)

    assert (whole["remaining_seconds"], whole["purchased_seconds"]) == (6, 0)
    assert (whole["reset_s"], whole["resets_at"]) == (0, None)
    assert (spent["remaining_seconds"], spent["purchased_seconds"]) == (0, 3)
    assert 0 < spent["reset_s"] <= 86_400
    assert datetime.fromisoformat(spent["resets_at"]) > datetime.now(UTC)
    assert (refused.status_code, refused.json()["code"]) == (429, "allowance_exhausted")
    assert (returned["remaining_seconds"], returned["purchased_seconds"]) == (2, 5)


def test_a_key_credits_one_account_and_nobody_unknown(settings: Settings, projecting: None) -> None:
    assert projecting is None
    with TestClient(create_api(settings)) as api:
        alice, _ = sign_up(api, settings, "alice"), sign_up(api, settings, "bob")
        credit(settings, "alice", 5, key="payment 1", reason="bought")

        for account, seconds, key in (
            ("bob", 5, "payment 1"),
            ("alice", 6, "payment 1"),
            ("nobody", 5, "payment 2"),
            ("alice", 0, "payment 3"),
        ):
            with pytest.raises(DomainError):
                credit(settings, account, seconds, key=key, reason="bought")

        assert allowance(alice)["purchased_seconds"] == 5


def test_a_preview_tells_what_a_request_takes_and_records_nothing(
    settings: Settings, projecting: None
) -> None:
    assert projecting is None
    narrow = replace(settings, allowance_seconds=6)
    with TestClient(create_api(narrow)) as api:
        alice = sign_up(api, narrow, "alice")
        credit(narrow, "alice", 5, key="payment 1", reason="bought")

        told = preview(api, alice, seconds=8)
        too_long = preview(api, alice, seconds=12)
        wrong = preview(api, alice, prompt=" ")

        assert (told["seconds"], told["purchased_seconds"]) == (8, 2)
        assert told["work_class"] == "plain"
        assert told["gpu_ms"] > 0
        assert told["allowance"]["remaining_seconds"] == 0
        assert told["allowance"]["purchased_seconds"] == 3
        assert (told["queue"]["position"], told["queue"]["reason"]) == (1, "waiting_for_turn")
        assert told["queue"]["estimate"]["start_s"] == 0
        assert too_long["code"] == "allowance_exhausted"
        assert wrong["code"] == "prompt_invalid"
        assert allowance(alice)["remaining_seconds"] == 6
        assert alice.get("/v1/generations").json()["items"] == []


def preview(api: TestClient[Litestar], who: Person, **wish: Any) -> dict[str, Any]:
    assert who.client is api
    told: dict[str, Any] = who.post("/v1/generations/preview", json={**WISH, **wish}).json()
    return told


def test_everybody_is_told_where_theirs_stand(settings: Settings, projecting: None) -> None:
    assert projecting is None
    with TestClient(create_api(settings)) as api:
        alice, bob = sign_up(api, settings, "alice"), sign_up(api, settings, "bob")
        ids = [
            who.post("/v1/generations", json=WISH).json()["generation_id"]
            for who in (alice, alice, bob)
        ]

        first, second = (alice.get(f"/v1/generations/{id_}").json() for id_ in ids[:2])
        other = bob.get(f"/v1/generations/{ids[2]}").json()
        listed = alice.get("/v1/generations").json()["items"]
        alice.post(f"/v1/generations/{ids[0]}/cancel")
        ended = alice.get(f"/v1/generations/{ids[0]}").json()

    assert (first["queue"]["position"], first["queue"]["reason"]) == (1, "waiting_for_turn")
    assert second["queue"]["reason"] == "your_others_first"
    assert sorted(g["queue"]["position"] for g in (first, second, other)) == [1, 2, 3]
    assert first["place"] == 1
    assert first["queue"]["estimate"]["pace"] == 1.0
    assert [g["queue"]["reason"] for g in listed] == ["your_others_first", "waiting_for_turn"]
    assert (ended["state"], ended["queue"], ended["place"]) == ("cancelled", None, None)
