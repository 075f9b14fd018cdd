"""Each part can be a real server of its own: the house uses what the environment names."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from moto.server import ThreadedMotoServer

from myriorama.store.embedded_kafka import start_kafka
from myriorama.store.embedded_postgres import start_postgres
from tests.e2e.conftest import House, running_house
from tests.people import application_form

_PATIENCE_S = 60


@pytest.fixture
def parts() -> Iterator[dict[str, str]]:
    """A database, a broker and an S3 store that nobody of the house has started."""
    with TemporaryDirectory(prefix="myriorama-") as folder:
        postgres = start_postgres(Path(folder) / "postgres")
        kafka = start_kafka()
        s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        s3.start()
        host, port = s3.get_host_and_port()
        endpoint, key = f"http://{host}:{port}", "tests"
        assert httpx.put(f"{endpoint}/videos").is_success  # the bucket
        yield {
            "MYRIORAMA_DATABASE_URL": postgres.url,
            "MYRIORAMA_KAFKA": kafka.bootstrap,
            "MYRIORAMA_OBJECTS": "s3://videos/first",
            "AWS_ENDPOINT_URL_S3": endpoint,
            "AWS_ACCESS_KEY_ID": key,
            "AWS_SECRET_ACCESS_KEY": key,
            "AWS_DEFAULT_REGION": "us-east-1",
        }
        s3.stop()
        kafka.stop()
        postgres.stop()


def test_a_house_on_servers_that_are_there_makes_and_serves_a_video(parts: dict[str, str]) -> None:
    with (
        running_house("--empty", **parts) as house,
        httpx.Client(base_url=house.url, timeout=30) as api,
    ):
        form = application_form("alice", house.invitation())
        tokens = api.post("/v1/accounts", json=form).json()
        api.headers["Authorization"] = f"Bearer {tokens['access_token']}"
        wish = {
            "prompt": "a fox jumps",
            "seconds": 2,
            "orientation": "square",
            "resolution": "480p",
        }
        generation_id = api.post("/v1/generations", json=wish).json()["generation_id"]

        generation = await_end(api, generation_id, house)

        assert generation["state"] == "completed", json.dumps(generation) + house.logs()
        part = api.get(generation["video_url"], headers={"Range": "bytes=4-7"})
        assert (part.status_code, part.content) == (206, b"ftyp")
        assert not (house.home / "objects").exists()
        assert not (house.home / "postgres").exists()
        assert house.pids("embedded_kafka") == []


def await_end(api: httpx.Client, generation_id: str, house: House) -> dict[str, str]:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        generation = api.get(f"/v1/generations/{generation_id}").json()
        if generation["state"] in {"completed", "failed", "refused", "cancelled"}:
            return dict(generation)
        assert time.monotonic() < deadline, json.dumps(generation) + house.logs()
        time.sleep(0.05)
