"""What is true of every projection, written or yet to be written."""

import re
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import cast

import pytest

import projections as written_in
from domain.catalogue import EVENTS
from domain.viewing.events import VIEW_EVENTS
from myriorama.bootstrap.logs import projections
from projections.projection import AnyProjection, Projection, SetProjection

MIGRATIONS = Path(__file__).parents[2] / "migrations"
TOPICS = {"domain": set(EVENTS), "views": set(VIEW_EVENTS)}

every = pytest.mark.parametrize("projection", projections(), ids=lambda kind: kind.name)


@every
def test_it_follows_topics_that_exist(projection: AnyProjection) -> None:
    assert set(projection.topics) <= TOPICS[projection.log]
    assert len(set(projection.topics)) == len(projection.topics)


@every
def test_only_typed_columns_are_folded_in_sql(projection: AnyProjection) -> None:
    """What is stored of a domain event is of any version; the mapper alone brings it up to date."""
    assert isinstance(projection, Projection) or projection.log == "views"


@every
def test_a_migration_makes_its_tables(projection: AnyProjection) -> None:
    made = {
        table
        for migration in MIGRATIONS.glob("*.sql")
        for table in re.findall(r"CREATE TABLE (\w+)", migration.read_text())
    }

    assert set(projection.tables) <= made


def test_no_two_share_a_name_or_a_table() -> None:
    names = [projection.name for projection in projections()]
    tables = [table for projection in projections() for table in projection.tables]

    assert len(set(names)) == len(names)
    assert len(set(tables)) == len(tables)


def test_every_projection_in_the_folder_is_run() -> None:
    for module in iter_modules(written_in.__path__):
        import_module(f"projections.{module.name}")
    kinds = cast(
        "list[type[object]]", [*Projection.__subclasses__(), *SetProjection.__subclasses__()]
    )
    written = {kind for kind in kinds if kind.__module__.startswith("projections.")}

    assert written == {type(projection) for projection in projections()}
