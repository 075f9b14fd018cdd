"""The description of the API is OpenAPI 3.1, is complete, and says what is answered."""

from typing import Any

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from openapi_spec_validator import OpenAPIV31SpecValidator

from myriorama.api.tokens import Scope
from myriorama.settings import Settings

METHODS = {"get", "head", "post", "put", "patch", "delete"}


@pytest.fixture
def document(api: TestClient[Litestar]) -> dict[str, Any]:
    answer = api.get("/schema/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    described: dict[str, Any] = answer.json()
    return described


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def test_it_is_openapi_3_1(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")

    OpenAPIV31SpecValidator(document).validate()


def test_it_introduces_itself(document: dict[str, Any], settings: Settings) -> None:
    assert document["info"]["title"] == "Myriorama"
    assert "problem" in document["info"]["description"]
    assert document["servers"] == [{"url": settings.public_url}]
    assert document["components"]["securitySchemes"]["accessToken"]["scheme"] == "bearer"
    told = {tag["name"] for tag in document["tags"]}
    assert {tag for operation in operations(document).values() for tag in operation["tags"]} == told
    assert all(tag["description"] for tag in document["tags"])


def test_every_operation_can_be_named_found_and_understood(document: dict[str, Any]) -> None:
    described = operations(document)

    names = [operation["operationId"] for operation in described.values()]
    lacking = {
        name
        for name, operation in described.items()
        if not (operation["summary"] and operation["description"] and operation["tags"])
    }

    assert len(set(names)) == len(names)
    assert lacking == set()


def test_every_operation_says_who_may_call_it(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        if {} in operation["security"]:
            assert "x-scope" not in operation, name
        else:
            assert operation["security"] == [{"accessToken": []}]
            assert operation["x-scope"] in set(Scope)
            assert {"401", "403"} <= operation["responses"].keys()


def test_every_refusal_is_described_as_a_problem(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        refusals = {
            status: response
            for status, response in operation["responses"].items()
            if status.startswith(("4", "5")) and name != "GET /ready"
        }
        assert name == "GET /ready" or {"400", "401", "429", "503"} <= refusals.keys(), name
        for response in refusals.values():
            assert list(response["content"]) == ["application/problem+json"], name


def test_every_post_may_be_sent_again(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        keys = [p for p in operation.get("parameters", []) if p["name"] == "Idempotency-Key"]
        assert bool(keys) == name.startswith("POST"), name


def test_every_json_body_has_an_example(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name, operation in operations(document).items():
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" not in content:
            continue
        example = content["application/json"]["example"]
        schema = content["application/json"]["schema"]
        required = schemas[schema["$ref"].rpartition("/")[2]].get("required", [])
        assert set(required) <= example.keys(), name


def test_every_read_may_wait_for_a_write(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        parameters = {(p["in"], p["name"]) for p in operation.get("parameters", [])}
        assert (("query", "after") in parameters) == name.startswith(("GET", "HEAD")), name
