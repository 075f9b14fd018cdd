"""People who live in a house while things are broken in it, and whoever breaks them."""

import json
import os
import signal
import time
from collections.abc import Iterator
from typing import Any

import httpx

from tests.e2e.conftest import House
from tests.people import application_form

PATIENCE_S = 240
TERMINAL = {"completed", "failed", "refused", "cancelled"}


class Resident:
    """A person whose app tries again when the house does not answer for a moment."""

    def __init__(self, house: House, handle: str) -> None:
        self._house = house
        self._api = httpx.Client(base_url=house.url, timeout=30)
        tokens = self.send("POST", "/v1/accounts", application_form(handle, house.invitation()))
        self._api.headers["Authorization"] = f"Bearer {tokens['access_token']}"

    def leave(self) -> None:
        self._api.close()

    def send(self, method: str, url: str, body: object = None) -> Any:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self._api.request(method, url, json=body)
            except httpx.TransportError:
                assert time.monotonic() < deadline, self._house.logs()
            else:
                if answer.status_code != 503:
                    assert answer.is_success, f"{answer.text}\n{self._house.logs()}"
                    return answer.json() if answer.content else None
                assert time.monotonic() < deadline, self._house.logs()
            time.sleep(0.1)

    def ask(self, *, seconds: int = 2) -> str:
        request = {
            "prompt": "a red ball bounces on the beach",
            "seconds": seconds,
            "orientation": "square",
            "resolution": "480p",
        }
        return str(self.send("POST", "/v1/generations", request)["generation_id"])

    def await_state(self, generation_id: str, wanted: set[str]) -> str:
        deadline = time.monotonic() + PATIENCE_S
        while True:
            mine = self.send("GET", "/v1/generations")["items"]
            state = next((g["state"] for g in mine if g["generation_id"] == generation_id), "")
            if state in wanted:
                return str(state)
            assert time.monotonic() < deadline, f"{mine}\n{self._house.logs()}"
            time.sleep(0.05)  # the list is empty, too, while the read side is behind

    def see(self, generation_id: str) -> dict[str, Any]:
        seen: dict[str, Any] = self.send("GET", f"/v1/generations/{generation_id}")
        return seen

    def seconds_left(self) -> int:
        return int(self.send("GET", "/v1/allowance")["remaining_seconds"])

    def follow(self, generation_id: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the server-sent events until the stream ends."""
        url = f"/v1/generations/{generation_id}/events"
        with self._api.stream("GET", url, timeout=PATIENCE_S) as stream:
            stream.raise_for_status()
            event = ""
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    event = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield event, json.loads(line.removeprefix("data: "))


def kill(house: House, program: str) -> None:
    pids = house.pids(program)
    assert pids
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
