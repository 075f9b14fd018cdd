"""What steers a feed, on a sheet: what was said of it, and what can be said against a video."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from uuid import UUID

from litestar import Response, Router, get
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath

from myriorama.web.asking import Api, PageRequest, Refused, provide_api
from myriorama.web.fragments import show_refusal
from myriorama.web.rendering import render

REASONS = (
    ("sexual", "Sexual content"),
    ("violence", "Violence"),
    ("hate", "Hate"),
    ("harassment", "Harassment"),
    ("self_harm", "Self-harm"),
    ("minor_safety", "It endangers a child"),
    ("deception", "It deceives"),
    ("likeness", "It shows somebody who did not agree"),
    ("spam", "Spam"),
    ("other", "Something else"),
)
_KINDS = {"boost": "More", "limit": "Less", "hide": "No"}
_THINGS = {
    "remix": "remixes",
    "original": "originals",
    "cameo": "videos with cameos",
    "following": "people you follow",
    "strangers": "people you do not follow",
}


@get("/steer")
async def show_steering(api: NamedDependency[Api]) -> Response[str]:
    """Show what somebody said of their feed, to say more, and to take each back."""
    steering, muted = await asyncio.gather(api.get("/v1/feed/steer"), api.get("/v1/me/muted"))
    return render(
        "steer.html",
        rules=[{**rule, "label": label(rule)} for rule in steering["rules"]],
        less=steering["less"],
        hidden=muted["items"],
        personalised=steering["personalised"],
    )


@get("/videos/{video_id:uuid}/more")
async def show_more(
    request: PageRequest, video_id: FromPath[UUID], api: NamedDependency[Api]
) -> Response[str]:
    """Show what can be said against a video, or its author."""
    video = await api.get(f"/v1/videos/{video_id}")
    author_id = video["author"]["account_id"]
    own = request.user is not None and str(request.user.account_id) == author_id
    return render("more.html", item=video, own=own, reasons=REASONS)


def label(rule: Mapping[str, Any]) -> str:
    """Return a rule in a few words: "Less food"."""
    terms: Sequence[str] = rule["terms"]
    say = _WORDS.get(rule["about"], _plainly)
    return f"{_KINDS[rule['kind']]} {say(terms)}"


def _plainly(terms: Sequence[str]) -> str:
    return _THINGS.get(terms[0], " ".join(terms))


def _length(terms: Sequence[str]) -> str:
    side = "over" if terms[0] == "over" else "under"
    return f"videos {side} {int(terms[1]) / 1000:g} seconds"


_WORDS: Mapping[str, Callable[[Sequence[str]], str]] = {
    "topic": " ".join,
    "author": lambda terms: f"@{terms[0]}",
    "hashtag": lambda terms: f"#{terms[0]}",
    "length": _length,
    "mood": lambda terms: f"{terms[0]} videos",
}

router = Router(
    "/web",
    route_handlers=[show_steering, show_more],
    dependencies={"api": Provide(provide_api, sync_to_thread=False)},
    exception_handlers={Refused: show_refusal},
    # What a fragment asks the API for is counted there.
    opt={"scope": "public", "limit": "none"},
    include_in_schema=False,
)
