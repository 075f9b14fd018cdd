"""Who wrote reads what was written: `after` makes an answer wait until it knows the write."""

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.bootstrap.api import create_api
from myriorama.bootstrap.programs import create_projector
from myriorama.processes import invite
from myriorama.settings import Settings
from tests.conftest import NOON
from tests.people import Person


@contextmanager
def projecting(settings: Settings) -> Generator[None]:
    projector = create_projector(settings)
    thread = threading.Thread(target=projector.run, daemon=True)
    thread.start()
    yield
    projector.stop()
    thread.join(timeout=60)


@pytest.fixture
def late(settings: Settings) -> Iterator[TestClient[Litestar]]:
    """The API of a house with one event, which nobody has folded."""
    invite(settings, at=NOON)
    with TestClient(create_api(settings), raise_server_exceptions=False) as client:
        yield client


def test_an_answer_knows_the_write_whose_position_is_shown(
    api: TestClient[Litestar], person: Callable[[str], Person]
) -> None:
    alice = person("alice")
    written = alice.patch("/v1/me", json={"display_name": "Alice A."})
    position = written.headers["myriorama-position"]

    read = api.get("/v1/accounts/alice", params={"after": position})

    assert read.status_code == 200
    assert read.json()["display_name"] == "Alice A."


def test_an_answer_that_does_not_know_the_write_in_time_is_none(
    late: TestClient[Litestar],
) -> None:
    answer = late.get("/v1/accounts/alice", params={"after": 1})

    assert answer.status_code == 503
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["retry-after"] == "1"
    assert answer.json()["code"] == "position_not_reached"


def test_an_answer_waits_while_the_read_side_catches_up(
    late: TestClient[Litestar], settings: Settings
) -> None:
    statuses = set[int]()

    with projecting(settings):
        while 200 not in statuses:
            statuses.add(late.get("/health", params={"after": 1}).status_code)

    assert statuses <= {200, 503}


@pytest.mark.parametrize(
    "after", ["after=", "after=abc", "after=-1", "after=1&after=1", "after=1.0"]
)
def test_what_is_no_position_is_refused(api: TestClient[Litestar], after: str) -> None:
    answer = api.get(f"/v1/accounts/alice?{after}")

    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid_request"
    assert [error["where"] for error in answer.json()["errors"]] == ["after"]


@pytest.mark.parametrize("after", [2, 10**18 - 1])
def test_a_position_that_no_write_was_answered_with_is_refused_at_once(
    late: TestClient[Litestar], after: int
) -> None:
    answer = late.get("/v1/accounts/alice", params={"after": after})

    assert answer.status_code == 400
    assert "No write" in answer.json()["errors"][0]["detail"]


def test_another_parameter_whose_name_begins_so_is_another(api: TestClient[Litestar]) -> None:
    assert api.get("/health?afternoon=abc").status_code == 200
