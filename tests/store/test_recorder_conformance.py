"""The library's own tests of an application recorder, on ours."""

import pytest
from eventsourcing.persistence import ApplicationRecorder
from eventsourcing.tests import persistence

from myriorama.store.postgres import Pool
from myriorama.store.recorder import DomainRecorder


class TestApplicationRecorder(persistence.ApplicationRecorderTestCase[ApplicationRecorder]):
    """Inserting, selecting, subscribing; many threads at once."""

    pool: Pool

    @pytest.fixture(autouse=True)
    def database(self, pool: Pool) -> None:
        type(self).pool = pool

    def create_recorder(self) -> ApplicationRecorder:
        return DomainRecorder(self.pool)

    def test_insert_subscribe(self) -> None:
        self.optional_test_insert_subscribe()


class TestNonInterleavingNotificationIDs(persistence.NonInterleavingNotificationIDsBaseCase):
    """The events of one insert stand together."""

    pool: Pool

    @pytest.fixture(autouse=True)
    def database(self, pool: Pool) -> None:
        type(self).pool = pool

    def create_recorder(self) -> ApplicationRecorder:
        return DomainRecorder(self.pool)
