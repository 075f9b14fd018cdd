"""What tests of the API share: a worker, what hands it its work, a ranking that is ready."""

import time
from collections.abc import Callable
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
from tests.people import Person

PATIENCE_S = 240.0


@pytest.fixture
def gpu(api: TestClient[Litestar], settings: Settings) -> GPU:
    return GPU(api, settings)


@pytest.fixture
def works(settings: Settings, log: Log) -> Works:
    """The write side of the dispatcher, which hands attempts out before it tells Kafka."""
    objects = open_objects(settings.objects)
    return Works(log, Consent(log), objects, lease=timedelta(seconds=30))


@pytest.fixture
def ranked(person: Callable[[str], Person]) -> None:
    """Wait until feeds are ranked: where nothing of it is compiled yet, that takes a minute."""
    zoe, until = person("zoe"), time.monotonic() + PATIENCE_S
    while zoe.get("/v1/feed?kind=popular&limit=1").json()["degraded"] == "state loading":
        assert time.monotonic() < until
        time.sleep(0.2)
