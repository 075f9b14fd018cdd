"""The route that says why a feed showed a video."""

from uuid import UUID

from litestar import Router, get
from litestar.di import NamedDependency
from litestar.params import FromPath

from myriorama.api.tokens import Principal, Scope
from myriorama.feed.reasons import Reasons, Why


@get("/feed/{decision_id:uuid}/why/{video_id:uuid}", opt={"scope": Scope.VIEWER})
async def read_why(
    principal: NamedDependency[Principal],
    reasons: NamedDependency[Reasons],
    decision_id: FromPath[UUID],
    video_id: FromPath[UUID],
) -> Why:
    """Read why you were shown a video, as it was logged when the page was made."""
    return await reasons.why(principal.account_id, decision_id, video_id)


router = Router("/v1", route_handlers=[read_why], tags=["Feed"])
