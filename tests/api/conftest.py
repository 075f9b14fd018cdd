"""What the tests of the API share: a worker, and what hands it its work."""

from datetime import timedelta

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.application.consent import Consent
from myriorama.application.work import Works
from myriorama.settings import Settings
from myriorama.store.log import Log
from myriorama.store.objects import open_objects
from tests.api.generating import GPU


@pytest.fixture
def gpu(api: TestClient[Litestar], settings: Settings) -> GPU:
    return GPU(api, settings)


@pytest.fixture
def works(settings: Settings, log: Log) -> Works:
    """The write side of the dispatcher, which hands attempts out before it tells Kafka."""
    objects = open_objects(settings.objects)
    return Works(log, Consent(log), objects, lease=timedelta(seconds=30))
