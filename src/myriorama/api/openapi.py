"""The description of the API, OpenAPI 3.1: what routes declare, and what is true of them all."""

import re
from collections.abc import Mapping, MutableMapping
from importlib.metadata import version
from typing import Any, cast

import msgspec
from litestar import Litestar, MediaType, Request, Router
from litestar.handlers import HTTPRouteHandler
from litestar.openapi import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, SecurityScheme, Server, Tag
from litestar.routes import HTTPRoute
from litestar.types import ControllerRouterHandler

from myriorama.api.examples import example
from myriorama.api.problems import MEDIA_TYPE, Problem
from myriorama.api.tokens import Scope

PATH = "/schema/openapi.json"

_DESCRIPTION = """\
The open backend for generated-video social apps: generate, cast cameos, publish, remix, scroll.

**Errors** are RFC 9457 problem documents; match on `code`, every one of which `/problems` explains.
**Retries** of a POST are safe with an `Idempotency-Key`: the first answer is given again for a day.
**Lists** come in pages; pass `next_cursor` on as `cursor`. **Edits** may show the `ETag` that was
read as `If-Match`. **What you wrote** you read: show the `Myriorama-Position` of a write as `after`
when you GET, and the answer knows the write. **Limits** are told in `RateLimit`, and a refusal in
`Retry-After`.
"""

_TAGS = {
    "Accounts": "Sign up, sign in, invite, and how others see you.",
    "Ads": "What apps report of the ads that they showed.",
    "Advertising": "Open campaigns, bid for places in the feed, and show your videos in them.",
    "Billing": "Pay in, and see what was paid and spent.",
    "Cameos": "Record yourself, and decide who may cast you.",
    "Feed": "What to watch, what it should be like, and what was watched.",
    "Following": "Follow, block and mute.",
    "Generations": "Ask for a video, follow how it is made, and keep it as a draft.",
    "Media": "The files themselves, by URLs that are signed for a while.",
    "Models": "What renders videos, and what may be asked of each model.",
    "Moderation": "Appeal against what was refused, report what should not be here, and decide.",
    "Operations": "For those who run the house.",
    "Provenance": "Find out where a video comes from.",
    "Ranking": "For those who run it: its policy, its model, and what is tried out in it.",
    "Search": "Look for videos, people and hashtags, and see what trends.",
    "Uploads": "Send an image, a video of yourself or a voice.",
    "Videos": "Publish, edit and remix.",
    "Work": "What a GPU worker asks and tells.",
}

_SAFE = frozenset({"get", "head"})
_METHODS = frozenset({"get", "head", "post", "put", "patch", "delete"})

_MEANINGS = {
    "400": "The request is not as declared; `errors` says where.",
    "401": "Nobody is known to be asking, or the access token is not valid.",
    "403": "The access token lacks the scope, or a rule refuses this account.",
    "404": "There is none, or none that this account may know of.",
    "409": "Not in the present state; read it again, then decide.",
    "412": "It has changed since its ETag was read.",
    "413": "The body is too long.",
    "415": "The body is of another media type than the route reads.",
    "416": "The file ends before the range that was asked for.",
    "422": "What was asked for cannot be.",
    "429": "Too much, too fast: wait for `Retry-After` seconds.",
    "503": "A part is not reachable at the moment; send it again after `Retry-After` seconds.",
}

_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "A name of your choice for this command; send it again with each retry.",
    "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    "example": "8e03978e-40d5-43dd-bc93-6894a57f9324",
}

_AFTER = {
    "name": "after",
    "in": "query",
    "required": False,
    "description": (
        "A `Myriorama-Position` that a write was answered with: the answer waits, for a second at "
        "most, until what is shown has come to it. If that is too short, it is a 503 with the code "
        "`position_not_reached`."
    ),
    "schema": {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
    "example": 42,
}

Document = MutableMapping[str, Any]


def config(public_url: str) -> OpenAPIConfig:
    """Return how Litestar is to describe the routes; it is served at `PATH` and nowhere else."""
    return OpenAPIConfig(
        title="Myriorama",
        version=version("myriorama"),
        description=_DESCRIPTION,
        use_handler_docstrings=True,
        servers=[Server(url=public_url)],
        tags=[Tag(name=name, description=text) for name, text in _TAGS.items()],
        operation_id_creator=_operation_id,
        components=Components(
            security_schemes={
                "accessToken": SecurityScheme(
                    type="http", scheme="bearer", description="An access token: sign in for one."
                )
            }
        ),
        render_plugins=[CompletedJSON()],
        openapi_router=SchemaRouter(
            "/schema",
            route_handlers=[],
            include_in_schema=False,
            opt={"scope": Scope.PUBLIC, "limit": "none"},
            tags=["Operations"],
        ),
    )


class CompletedJSON(JsonRenderPlugin):
    """Serves the completed description. It is made once, when it is first asked for."""

    def __init__(self) -> None:
        super().__init__(path="/openapi.json", media_type=MediaType.JSON)
        self._rendered: bytes | None = None

    def render(self, request: Request[Any, Any, Any], openapi_schema: dict[str, Any]) -> bytes:
        if self._rendered is None:
            self._rendered = msgspec.json.encode(completed(request.app, openapi_schema))
        return self._rendered


class SchemaRouter(Router):
    """Holds the description alone: what else is asked for below it is an ordinary 404."""

    def register(self, value: ControllerRouterHandler) -> Any:
        if isinstance(value, HTTPRouteHandler) and "/{path:str}" in value.paths:
            return []
        return super().register(value)


def completed(app: Litestar, document: Document) -> Document:
    """Add to Litestar's description what middleware and handlers of errors do."""
    handlers = {
        (re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path), method.lower()): handler
        for route in app.routes
        if isinstance(route, HTTPRoute)
        for method, (handler, _) in route.route_handler_map.items()
    }
    schemas = document["components"].setdefault("schemas", {})
    _, definitions = msgspec.json.schema_components(
        [Problem], ref_template="#/components/schemas/{name}"
    )
    schemas.update(definitions)
    for path, item in document["paths"].items():
        for method in _METHODS & item.keys():
            _complete(item[method], method, path, handlers[path, method])
            for media_type in item[method].get("requestBody", {}).get("content", {}).values():
                media_type["example"] = example(media_type["schema"], schemas)
    return document


def _operation_id(handler: HTTPRouteHandler, method: str, _: object) -> str:
    return f"{handler.handler_name}{'_head' if method == 'HEAD' else ''}"


def _complete(operation: Document, method: str, path: str, handler: HTTPRouteHandler) -> None:
    operation["summary"] = _summary(operation)
    public = handler.opt.get("scope") == Scope.PUBLIC
    operation["security"] = [{}, {"accessToken": []}] if public else [{"accessToken": []}]
    if not public:
        operation["x-scope"] = str(handler.opt["scope"])
    responses = operation["responses"]
    for media_type in handler.opt.get("also", ()):
        responses["200"]["content"][media_type] = {"schema": {"type": "string"}}
    expected = _refusals(operation, method, path, public=public)
    if method == "post":
        operation.setdefault("parameters", []).append(_IDEMPOTENCY_KEY)
    if method in _SAFE:
        operation.setdefault("parameters", []).append(_AFTER)
    for status in sorted(expected.union(handler.opt.get("refusals", ()))):
        responses[status] = {
            "description": _MEANINGS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    for status, response in responses.items():
        response["headers"] = {**response.get("headers", {}), **_headers(status)}


def _refusals(operation: Document, method: str, path: str, *, public: bool) -> set[str]:
    """Return the statuses with which any such route may refuse; `opt["refusals"]` adds its own."""
    parameters: list[Mapping[str, Any]] = operation.get("parameters", [])
    found = {"400", "401", "429", "503"}
    if not public:
        found |= {"403"}
    if "{" in path:
        found |= {"404"}
    if method not in _SAFE:
        found |= {"403", "404", "409", "422"}
    if any(parameter["in"] == "query" for parameter in parameters):
        found |= {"422"}
    if any(parameter["name"] == "If-Match" for parameter in parameters):
        found |= {"412"}
    if "requestBody" in operation:
        found |= {"413", "415"}
    return found


def _headers(status: str) -> Document:
    headers = {"X-Request-Id": "Names this exchange, in our logs and in problem documents."}
    if status in {"429", "503"}:
        headers["Retry-After"] = "Seconds to wait."
    if status == "409":
        headers["Retry-After"] = "Seconds to wait, if the same may succeed then."
    if status == "401":
        headers["WWW-Authenticate"] = "Always `Bearer`."
    return {
        name: {"description": text, "schema": {"type": "string"}} for name, text in headers.items()
    }


def _summary(operation: Document) -> str:
    """Return the first sentence of the description, without its full stop."""
    description = cast("str", operation.get("description") or operation["operationId"])
    return re.split(r"(?<=[^.])[.:;](?:\s|$)", description, maxsplit=1)[0].replace("\n", " ")
