"""Every route answers as its description says, whatever is sent, and nothing sent is our fault."""

import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, cast
from uuid import UUID, uuid4

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis.errors import Unsatisfiable
from hypothesis.strategies import SearchStrategy
from litestar import Litestar
from litestar.testing import TestClient
from schemathesis import GenerationMode
from schemathesis.core.failures import FailureGroup

from myriorama.api.tokens import AccessTokens, Scope
from myriorama.settings import Settings
from myriorama.store.log import Log
from tests.api.advertised import advertised
from tests.drafts import draft
from tests.people import Person
from tests.publishing import publish
from tests.studio.foreign_media import photo, two_colours

EXAMPLES = 6

# What schemathesis generates is generic in what is not known here.
Case = Any
RULES: Any = import_module("schemathesis.specs.openapi.checks")
CHECKS = [
    import_module("schemathesis.checks").not_a_server_error,
    RULES.status_code_conformance,
    RULES.content_type_conformance,
    RULES.response_headers_conformance,
    RULES.response_schema_conformance,
    RULES.negative_data_rejection,
    RULES.missing_required_header,
]

sparingly = examples(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)


@pytest.fixture
def known(person: Callable[[str], Person], log: Log, tmp_path: Path) -> dict[str, str]:
    """What there is to be named in a path: without it, nearly everything would be not found."""
    alice, bob = person("alice"), person("bob")
    with photo(tmp_path / "face.jpg", two_colours(64, 64)).open("rb") as file:
        sent = alice.post("/v1/uploads", files={"file": file}, data={"purpose": "image"}).json()
    form = {"name": "Alice", "audience": "everyone", "face_upload_id": sent["upload_id"]}
    video = publish(log, alice.account_id)
    comment = alice.post(f"/v1/videos/{video.id}/comments", json={"text": "A fox."}).json()
    return {
        **advertised(log, alice.account_id).ids,
        "account_id": str(bob.account_id),
        "cameo_id": alice.post("/v1/cameos", json=form).json()["cameo_id"],
        "code": alice.post("/v1/invitations").json()["code"],
        "comment_id": comment["comment_id"],
        "generation_id": str(draft(log, alice.account_id)),
        "handle": "bob",
        "openai_id": f"video_{draft(log, alice.account_id).hex}",
        "upload_id": sent["upload_id"],
        "video_id": str(video.id),
        "": str(alice.account_id),
    }


@pytest.fixture
def token(settings: Settings, known: dict[str, str]) -> Callable[[], str]:
    """Tokens of Alice with every scope, each of a session of its own: some requests end theirs."""
    tokens = AccessTokens(secret=settings.secret, worker_token=settings.worker_token)
    scopes = tuple(str(scope) for scope in Scope if scope is not Scope.PUBLIC)
    return lambda: tokens.issue(UUID(known[""]), uuid4(), scopes, now=time.time())


def test_every_route_keeps_its_contract(
    api: TestClient[Litestar], token: Callable[[], str], known: dict[str, str]
) -> None:
    schema: Any = schemathesis.openapi.from_dict(api.get("/schema/openapi.json").json())
    broken: dict[str, str] = {}
    sent = Counter[str]()

    def send(case: Case) -> None:
        case.headers["Authorization"] = f"Bearer {token()}"
        request = requests.Request(**case.as_transport_kwargs(base_url="http://testserver.local"))
        prepared = request.prepare()
        answer = api.request(
            str(prepared.method),
            str(prepared.url),
            content=cast("bytes | None", prepared.body),
            headers=[(str(name), str(value)) for name, value in prepared.headers.items()],
        )
        sent[f"{answer.status_code // 100}xx"] += 1
        case.validate_response(answer, checks=CHECKS)

    def attempt(strategy: SearchStrategy[Case]) -> None:
        @sparingly
        @given(strategy)
        def each(case: Case) -> None:
            send(case)

        with suppress(Unsatisfiable):  # a request of which no part can be wrong
            each()

    for operation in (result.ok() for result in schema.get_all_operations()):
        names = known.keys() & {parameter.name for parameter in operation.path_parameters}
        present = {name: known[name] for name in names}
        try:
            for mode in GenerationMode:
                attempt(operation.as_strategy(mode))
            if present:
                attempt(operation.as_strategy(path_parameters=present))
        except FailureGroup as failure:
            broken[operation.label] = str(failure)

    assert sent["2xx"] > 100
    assert sent["4xx"] > 400
    assert broken == {}, "\n\n".join(f"{name}: {told}" for name, told in broken.items())
