"""The market of a test."""

from collections.abc import Iterator

import psycopg
import pytest

from myriorama.store.postgres import Pool
from tests.billing.worlds import Market


@pytest.fixture
def market(database_url: str, pool: Pool) -> Iterator[Market]:
    with psycopg.connect(database_url, autocommit=True) as connection:
        yield Market(pool, connection).fund()
