"""Training reads of the log what slates were decided by: the same features, and what followed."""

from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sklearn")

from myriorama.bootstrap.embedding import prompt_vectors
from myriorama.bootstrap.feeds import create_stretches
from myriorama.replay.training_slates import Gathered, first_slate, gather
from myriorama.store.log import Log
from myriorama.store.objects import FolderObjects
from myriorama.store.postgres import Pool
from ranking.decision import Decision
from ranking.features import FEATURES
from ranking.training import fitting
from ranking.training.slates import Gathering, Wanted
from tests.authors import open_account
from tests.publishing import publish
from tests.replay.living_house import House, serve

_DECISIONS = "SELECT ranking::text FROM slates WHERE ranking IS NOT NULL"


class Hashing(Gathering):
    """Also keeps the hash of the features of each slate, of all its candidates."""

    def __init__(self) -> None:
        vectors = prompt_vectors()
        super().__init__(vectors.embed, vectors.topics)
        self.hashes: dict[bytes, str] = {}
        self.candidates: dict[bytes, list[int]] = {}

    def remember(self, wanted: Wanted) -> None:
        super().remember(wanted)
        viewer = self.people.serial(wanted.viewer)
        serials = np.array(self.candidates[wanted.decision], np.int32)
        features = self.read(viewer, serials, wanted.as_of_ms, surface=wanted.surface)
        self.hashes[wanted.decision] = blake2b(features.tobytes(), digest_size=8).hexdigest()


@pytest.fixture
def house(database_url: str, pool: Pool, log: Log, tmp_path: Path) -> House:
    house = House(database_url, pool, FolderObjects(tmp_path / "objects"), log)
    house.settle(people=8, videos=40)
    serve(house, 30)
    return house


def decisions(pool: Pool) -> dict[bytes, Decision]:
    with pool.connection() as connection:
        rows = connection.execute(_DECISIONS).fetchall()
    found = [Decision.decode(row[0]) for row in rows]
    return {each.decision.bytes: each for each in found if each.kind == "for_you"}


def gathered(house: House, until: datetime, states: list[Hashing]) -> Gathered:
    served = decisions(house.pool)

    def make() -> Hashing:
        state = Hashing()
        state.candidates = {name: decision.candidates.serials for name, decision in served.items()}
        states.append(state)
        return state

    stretches = create_stretches(house.pool, house.objects)
    return gather(house.pool, stretches, make, until, lambda _line: None)


def test_the_features_that_are_learnt_of_are_those_that_were_served(house: House) -> None:
    states: list[Hashing] = []

    gathered(house, datetime.now(UTC) + timedelta(hours=25), states)

    served = decisions(house.pool)
    hashes = {name: made for state in states for name, made in state.hashes.items()}
    assert len(hashes) == len(served) > 20
    assert hashes == {name: decision.feature_hash for name, decision in served.items()}


def test_what_came_after_the_time_is_not_learnt_of(house: House, log: Log) -> None:
    until = datetime.now(UTC)
    author = open_account(log, "later")
    publish(log, author)
    serve(house, 5)

    found = gathered(house, until, [])

    assert found.state.people.serial(author.bytes) == -1
    assert gathered(house, datetime.now(UTC), []).state.people.serial(author.bytes) >= 0
    first = first_slate(house.pool)
    assert first is not None
    assert first < until


def test_examples_are_what_apps_reported_and_wait_until_their_outcome_is_complete(
    house: House,
) -> None:
    young = gathered(house, datetime.now(UTC), [])
    old = gathered(house, datetime.now(UTC) + timedelta(hours=25), [])

    assert len(young.examples) == 0
    assert young.slates == old.slates == len(decisions(house.pool))
    assert 0 < len(old.examples) < 30 * 6
    assert old.examples.features.shape[1] > len(FEATURES)
    assert (np.diff(old.examples.at_ms) >= 0).all()
    with pytest.raises(fitting.TooLittle):
        fitting.fit(old.examples, None, lambda _line: None, until_ms=0)
