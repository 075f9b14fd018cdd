"""What is true of every route, written or yet to be written."""

from collections.abc import Iterator
from typing import cast

import pytest
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.testing import TestClient

from myriorama.api.tokens import Scope

BUDGETS = {"requests", "credentials", "none"}
SCOPES = set(Scope)


@pytest.fixture
def routes(api: TestClient[Litestar]) -> dict[str, HTTPRouteHandler]:
    return dict(handlers(api))


def handlers(api: TestClient[Litestar]) -> Iterator[tuple[str, HTTPRouteHandler]]:
    app = cast("Litestar", api.app)  # pyright: ignore[reportUnknownMemberType]  # bare there
    for route in app.routes:
        if isinstance(route, HTTPRoute):
            for method, (handler, _) in route.route_handler_map.items():
                if method != "OPTIONS":
                    yield f"{method} {route.path}", handler


def described(handler: HTTPRouteHandler) -> bool:
    """Tell whether it is of the API that clients are told of, and no page or file."""
    return handler.resolve_include_in_schema()


def test_every_route_says_who_may_use_it_and_what_it_is_for(
    routes: dict[str, HTTPRouteHandler],
) -> None:
    lacking = {
        name: lacks
        for name, handler in routes.items()
        if (
            lacks := [
                lack
                for lack, there in (
                    ("a scope", handler.opt.get("scope") in SCOPES),
                    ("a known limit", handler.opt.get("limit", "requests") in BUDGETS),
                    ("a tag", bool(handler.resolve_tags()) or not described(handler)),
                    ("a docstring", bool(handler.fn.__doc__) or not described(handler)),
                )
                if not there
            ]
        )
    }

    assert lacking == {}


def test_what_clients_are_told_of_is_versioned_or_about_the_house(
    routes: dict[str, HTTPRouteHandler],
) -> None:
    outside = {
        name
        for name, handler in routes.items()
        if described(handler) and not name.partition(" ")[2].startswith("/v1/")
    }

    assert outside <= {
        "GET /ads.txt",
        "GET /app-ads.txt",
        "GET /health",
        "GET /media/{key:path}",
        "GET /metrics",
        "GET /openrtb2/billing/{bid:str}",
        "GET /problems",
        "GET /ready",
        "GET /sellers.json",
        "HEAD /media/{key:path}",
        "POST /openrtb2/auction",
    }
