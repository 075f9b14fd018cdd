"""People who use the API in tests: signed up, with their tokens at hand."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from httpx import Response
from litestar import Litestar
from litestar.testing import TestClient

from myriorama.processes import invite
from myriorama.settings import Settings

PASSWORD = "correct horse battery"  # noqa: S105 - of the tests alone


@dataclass
class Person:
    """An account, and what its owner's app would send."""

    client: TestClient[Litestar]
    handle: str
    account_id: UUID
    tokens: dict[str, Any]

    def send(self, method: str, url: str, **request: Any) -> Response:
        """Send a request with this person's access token."""
        headers = {"Authorization": f"Bearer {self.tokens['access_token']}"}
        headers.update(request.pop("headers", {}))
        return self.client.request(method, url, headers=headers, **request)

    def get(self, url: str, **request: Any) -> Response:
        return self.send("GET", url, **request)

    def post(self, url: str, **request: Any) -> Response:
        return self.send("POST", url, **request)

    def put(self, url: str, **request: Any) -> Response:
        return self.send("PUT", url, **request)

    def patch(self, url: str, **request: Any) -> Response:
        return self.send("PATCH", url, **request)

    def delete(self, url: str, **request: Any) -> Response:
        return self.send("DELETE", url, **request)


def application_form(handle: str, code: str | None) -> dict[str, Any]:
    """Return what a person sends to sign up."""
    return {
        "handle": handle,
        "email": f"{handle}@example.org",
        "password": PASSWORD,
        "age_band": "18+",
        "invitation_code": code,
    }


def sign_up(client: TestClient[Litestar], settings: Settings, handle: str) -> Person:
    """Sign somebody up with an invitation of the operator's."""
    code = invite(settings, at=datetime.now(UTC))
    response = client.post("/v1/accounts", json=application_form(handle, code))
    assert response.status_code == 201, response.text
    tokens = response.json()
    return Person(client, handle, UUID(tokens["account_id"]), tokens)
