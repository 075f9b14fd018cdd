"""The route of explore."""

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromQuery

from myriorama.api.exploring import Explore, Explored
from myriorama.api.paging import PAGE_LIMIT, PageLimit
from myriorama.api.tokens import Principal, Scope


@get("/explore", opt={"scope": Scope.PUBLIC})
async def show_explore(
    visitor: NamedDependency[Principal | None],
    explore: NamedDependency[Explore],
    limit: PageLimit = PAGE_LIMIT,
    cursor: FromQuery[str | None] = None,
) -> Explored:
    """Read what trends: videos, hashtags, new creators, and the lines that are remixed most.

    It is the same for all, but for what you may not see, and whom you blocked or muted.
    """
    viewer_id = visitor.account_id if visitor else None
    return await explore.page(viewer_id, limit, cursor)


router = Router("/v1", route_handlers=[show_explore], tags=["Search"])
