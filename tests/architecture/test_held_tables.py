"""Nothing in the database holds on to a projection's tables, so that any of them can be rebuilt."""

from typing import LiteralString

import pytest

from myriorama.bootstrap.logs import projections
from myriorama.replay.shapes import held_by
from myriorama.store.postgres import Pool

TABLES = [table for projection in projections() for table in projection.tables]


def test_no_object_depends_on_the_very_tables_of_a_projection(pool: Pool) -> None:
    with pool.connection() as connection:
        assert held_by(connection, TABLES) == []


@pytest.mark.parametrize(
    ("holder", "named"),
    [
        ("CREATE VIEW holder AS SELECT count(*) FROM videos", "view holder"),
        (
            "CREATE FUNCTION holder() RETURNS SETOF videos LANGUAGE sql AS 'TABLE videos'",
            "function holder()",
        ),
        (
            "CREATE FUNCTION holder() RETURNS bigint BEGIN ATOMIC SELECT count(*) FROM videos; END",
            "function holder()",
        ),
        (
            "CREATE TABLE holder (video_id uuid REFERENCES videos)",
            "constraint holder_video_id_fkey",
        ),
        ("CREATE TABLE holder (video videos)", "table holder"),
        (
            "CREATE TRIGGER holder BEFORE DELETE ON videos EXECUTE FUNCTION refuse_change()",
            "trigger holder",
        ),
        ("CREATE PUBLICATION holder FOR TABLE videos", "publication of table videos"),
        ("CREATE STATISTICS holder ON state, visibility FROM videos", "statistics object holder"),
    ],
)
def test_whatever_would_is_found(pool: Pool, holder: LiteralString, named: str) -> None:
    with pool.connection() as connection:
        connection.execute(holder)

        assert named in " ".join(held_by(connection, ["videos", "relations"]))
        assert held_by(connection, ["relations"]) == []
