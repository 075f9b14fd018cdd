"""Routes of the search, and of hashtags."""

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath, FromQuery, QueryParameter

from myriorama.api.paging import PAGE_LIMIT, Page, PageLimit
from myriorama.api.people import Somebody
from myriorama.api.searching import Hashtag, Search
from myriorama.api.tokens import Principal, Scope
from myriorama.feed.cards import Card

Typed = Annotated[
    str,
    QueryParameter(
        name="q",
        max_length=500,
        description="Words, #hashtags, and @handles of authors or of those whose cameo is cast.",
    ),
]

Kind = Annotated[
    Literal["videos", "people", "hashtags"],
    QueryParameter(name="type", description="What to look for."),
]


class Found(msgspec.Struct, frozen=True):
    """What was found, of the kind that was asked for; `next_cursor` is None at the end."""

    videos: list[Card] = []
    people: list[Somebody] = []
    hashtags: list[Hashtag] = []
    next_cursor: str | None = None


@get("/search", opt={"scope": Scope.PUBLIC})
async def find(  # noqa: PLR0913, PLR0917 - what may be asked for
    typed: Typed,
    visitor: NamedDependency[Principal | None],
    search: NamedDependency[Search],
    kind: Kind = "videos",
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Found:
    """Look for videos, people or hashtags, the best first. Nothing comes twice.

    Videos are found by the words of their caption and prompt, by what those mean, and by spelling.
    A #hashtag must be in the caption; an @handle must be its author's, or of who is cast in it.
    """
    viewer_id = _viewer_id(visitor)
    match kind:
        case "videos":
            videos = await search.videos(typed, viewer_id, limit, cursor)
            return Found(videos=videos.items, next_cursor=videos.next_cursor)
        case "people":
            people = await search.people(typed, viewer_id, limit, cursor)
            return Found(people=people.items, next_cursor=people.next_cursor)
        case "hashtags":
            return Found(hashtags=await search.hashtags(typed, limit))


@get("/hashtags/{tag:str}", opt={"scope": Scope.PUBLIC})
async def list_tagged(
    tag: FromPath[str],
    visitor: NamedDependency[Principal | None],
    search: NamedDependency[Search],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Page[Card]:
    """List the videos that carry a hashtag, newest first; write it without its sign."""
    return await search.tagged(tag, _viewer_id(visitor), limit, cursor)


def _viewer_id(visitor: Principal | None) -> UUID | None:
    return visitor.account_id if visitor else None


router = Router("/v1", route_handlers=[find, list_tagged], tags=["Search"])
