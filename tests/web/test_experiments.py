"""The tables of experiments on pages: what became of each arm, for those who run the ranking."""

from collections.abc import Callable, Mapping
from typing import Any
from uuid import UUID, uuid4

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.api.tokens import Scope
from myriorama.settings import Settings
from myriorama.store.postgres import Pool
from myriorama.web.experiments import GROUPS, Line, cell
from ranking.comparison import METRICS
from tests.api.test_rankings import TRIAL, given
from tests.people import Person

People = Callable[[str], Person]

EXPOSE = """
    INSERT INTO exposed_slates (experiment_id, decision_id, arm, account_id, served_at, position)
    SELECT %s, gen_random_uuid(), %s, gen_random_uuid(), now(), n
    FROM generate_series(1::bigint, %s) AS n
"""
PUBLISH = """
    INSERT INTO account_deeds (account_id, day, creations, position)
    SELECT account_id, served_at::date, 3 + position %% 2, position
    FROM exposed_slates WHERE experiment_id = %s AND arm = 'more'
"""


@pytest.fixture
def admin(person: People, settings: Settings) -> Person:
    return given(person("ada"), settings, Scope.VIEWER, Scope.ADMIN, Scope.ANALYST)


def expose(pool: Pool, experiment_id: str, arm: str, accounts: int) -> None:
    """Let accounts that nobody knows be served a slate of an arm each."""
    with pool.connection() as connection:
        connection.execute(EXPOSE, (UUID(experiment_id), arm, accounts))


def measured(**told: float | bool | None) -> Mapping[str, Any]:
    nothing = {"difference": None, "low": None, "high": None, "is_worse": False, "is_better": False}
    return {"total": 0.0, "per_account": 0.0, **nothing, **told}


def test_each_metric_has_a_line() -> None:
    lines = [line.metric for group in GROUPS.values() for line in group]

    assert sorted(lines) == sorted(METRICS)


def test_a_measure_is_told_with_its_difference_interval_and_verdict() -> None:
    share, count = Line("returned", "back", is_share=True), Line("less", "asked for less")

    back = cell(share, measured(per_account=0.25, difference=0.05, low=0.01, high=0.09))
    less = cell(count, measured(difference=-0.5, low=-0.75, high=-0.25, is_better=True))
    first = cell(count, measured(total=1234, per_account=1234))

    assert (back.mean, back.difference, back.verdict) == ("25.0 %", "+5.0 %", "even")
    assert back.interval == "+1.0 % to +9.0 %"
    assert (less.difference, less.verdict) == ("\N{MINUS SIGN}0.5", "better")
    assert first == ("1,234", "1,234", None, None, "")


def test_the_table_shows_what_each_arm_came_to(admin: Person, pool: Pool) -> None:
    started = admin.post("/v1/rankings/experiments", json=TRIAL).json()["experiment_id"]
    for arm in ("as-is", "more"):
        expose(pool, started, arm, 40)
    with pool.connection() as connection:
        connection.execute(PUBLISH, (UUID(started),))

    page = admin.get(f"/web/experiments/{started}")

    assert page.status_code == 200, page.text
    assert '<th scope="col">more</th>' in page.text
    assert '<code>{"weights": {"remix": 40}}</code>' in page.text
    assert '<span class="difference better">+3.5 <b>better</b></span>' in page.text
    assert "do not match" not in page.text
    assert f'data-do="DELETE /v1/rankings/experiments/{started}"' in page.text


def test_an_arm_that_lost_people_is_an_alarm(admin: Person, pool: Pool) -> None:
    started = admin.post("/v1/rankings/experiments", json=TRIAL).json()["experiment_id"]
    expose(pool, started, "as-is", 100)
    expose(pool, started, "more", 40)

    page = admin.get(f"/web/experiments/{started}").text

    assert "The arms do not match their shares" in page


def test_experiments_are_listed_and_reached_by_those_who_may_see_them(
    admin: Person, person: People, settings: Settings
) -> None:
    started = admin.post("/v1/rankings/experiments", json=TRIAL).json()["experiment_id"]
    analyst = given(person("bob"), settings, Scope.VIEWER, Scope.ANALYST)

    assert f'href="/experiments/{started}"' in analyst.get("/web/experiments").text
    assert 'href="/experiments"' in analyst.get("/web/settings").text
    assert "data-do=" not in analyst.get(f"/web/experiments/{started}").text


def test_who_has_not_the_scope_is_refused_and_not_led_there(
    person: People, api: TestClient[Litestar]
) -> None:
    mallory = person("mallory")

    for path in ("/web/experiments", f"/web/experiments/{uuid4()}"):
        assert mallory.get(path).status_code == 403
        assert 'data-send="POST /v1/accounts"' in api.get(path).text
    assert 'href="/experiments"' not in mallory.get("/web/settings").text


def test_an_experiment_that_nobody_knows_is_not_shown(admin: Person) -> None:
    assert admin.get(f"/web/experiments/{uuid4()}").status_code == 404
