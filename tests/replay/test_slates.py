"""Slates made again: what was served follows from the logs, and what does not is told."""

from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from myriorama.replay.slates import Logged, SlateUnknown, chains, first_difference
from myriorama.store.log import Log
from myriorama.store.objects import FolderObjects, ranker_key
from myriorama.store.postgres import Pool
from myriorama.store.state_stretches import Positions
from tests.replay.living_house import House, remade, remaking, serve

CHANGED = """
    UPDATE slates SET ranking = replace(ranking::text, '"is_drawn":', '"is_drawn" :')::json
    WHERE decision_id = %s
"""


BY_MODEL = """
    SELECT ranking->>'model', count(*) FROM slates WHERE ranking IS NOT NULL GROUP BY 1
"""


@pytest.fixture
def house(database_url: str, pool: Pool, log: Log, tmp_path: Path) -> House:
    house = House(database_url, pool, FolderObjects(tmp_path / "objects"), log)
    house.settle(people=8, videos=40)
    return house


def test_what_was_served_while_people_wrote_is_made_again_to_the_byte(house: House) -> None:
    serve(house, 40)

    assert [each.difference for each in remade(house)] == [None] * 40


def test_what_a_model_of_the_house_served_is_made_again_and_what_the_formula_did_before(
    house: House, pool: Pool, tmp_path: Path
) -> None:
    pytest.importorskip("sklearn")
    from tests.ranking.training.invented import SMALL, exposures  # noqa: PLC0415 - of scikit-learn
    from tests.replay.trained_house import activate, trained  # noqa: PLC0415 - as above

    serve(house, 10)
    digest = trained(house, SMALL, exposures())
    serve(house, 30, by=digest, meanwhile=lambda: activate(house, digest))

    with pool.connection() as connection:
        models: dict[str, int] = dict(connection.execute(BY_MODEL).fetchall())
    assert set(models) == {"heuristic-1", digest}
    assert (models["heuristic-1"] >= 10, models[digest]) == (True, 30)
    assert [each.difference for each in remade(house) if not each.is_equal] == []

    (tmp_path / "objects" / ranker_key(digest)).write_bytes(b"not it")
    refused = [each.difference or "" for each in remade(house) if not each.is_equal]
    assert len(refused) == 30
    assert all(f"the model {digest} cannot make it again" in why for why in refused)


def test_a_slate_that_was_changed_in_the_log_is_found(house: House, database_url: str) -> None:
    serve(house, 2)
    first, second = (each.decision_id for each in remade(house))

    with psycopg.connect(database_url) as connection:
        connection.execute("ALTER TABLE slates DISABLE TRIGGER ALL")
        connection.execute("SET session_replication_role = replica")
        connection.execute(CHANGED, (first,))

    found = {each.decision_id: each.is_equal for each in remade(house)}
    assert found == {first: False, second: True}


@pytest.mark.parametrize(
    ("there", "here", "difference"),
    [
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 2}]}, None),
        ({"a": [1, {"b": 2}]}, {"a": [1, {"b": 3}]}, ".a[1].b: 2 was served, 3 is made"),
        ({"a": [1]}, {"a": [1, 2]}, ".a: 1 items were served, 2 are made"),
        ({"a": 1}, {"a": 1, "b": 2}, ".b: None was served, 2 is made"),
    ],
)
def test_the_first_difference_is_named(there: object, here: object, difference: str | None) -> None:
    assert first_difference(there, here) == difference


def test_slates_of_processes_that_fold_at_their_own_pace_are_followed_in_few_rows() -> None:
    def slates(*positions: tuple[int, int]) -> Sequence[Logged]:
        return [Logged(uuid4(), Positions(*each)) for each in positions]

    def places(rows: Sequence[Sequence[Logged]]) -> list[list[tuple[int, int]]]:
        return [[(p.domain, p.views) for _, p in row] for row in rows]

    assert places(chains(slates((5, 5), (1, 2), (3, 2)))) == [[(1, 2), (3, 2), (5, 5)]]
    assert places(chains(slates((1, 9), (2, 3), (3, 9), (4, 4)))) == [
        [(1, 9), (3, 9)],
        [(2, 3), (4, 4)],
    ]
    assert chains([]) == []


def test_a_slate_that_nobody_was_served_is_not_made(house: House) -> None:
    serve(house, 1)
    (only,) = remade(house)

    assert remaking(house).one(only.decision_id).is_equal
    with pytest.raises(SlateUnknown):
        remaking(house).one(uuid4())
