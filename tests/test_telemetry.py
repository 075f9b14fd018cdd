"""The log of a process tells what is new, once."""

import logging

import psycopg
import pytest
import structlog
from psycopg.errors import UniqueViolation
from psycopg.rows import TupleRow

from myriorama.telemetry import start_logs


def test_a_pipeline_that_ends_in_an_error_is_told_to_who_began_it_alone(
    database_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    start_logs()
    structlog.reset_defaults()  # for the tests that come after this one
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE numbers (number bigint PRIMARY KEY)")

        with pytest.raises(UniqueViolation):
            insert_twice(connection)

    assert [told for told in caplog.records if told.levelno >= logging.WARNING] == []


def insert_twice(connection: psycopg.Connection[TupleRow]) -> None:
    """Meet the error while more is on its way."""
    with connection.pipeline():
        for number in [*range(500), *range(500)]:
            connection.execute("INSERT INTO numbers VALUES (%s)", (number,))
