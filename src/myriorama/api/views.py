"""Routes of views: what an app reports as watched."""

import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from myriorama.api.tokens import Principal, Scope
from myriorama.feed.view_tokens import ViewTokenExpired, ViewTokenInvalid, ViewTokens
from myriorama.store.viewlog import Batch, Viewing, Views


class ReportedView(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long one video of a feed was watched until now."""

    view_token: Annotated[
        str, msgspec.Meta(max_length=200, description="As it stood beside the video in the feed.")
    ]
    watched_ms: Annotated[int, msgspec.Meta(ge=0, le=3_600_000, examples=[4200])]
    loops: Annotated[int, msgspec.Meta(ge=0, le=1000, examples=[1])]


class Report(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What an app session watched since its last report."""

    session: Annotated[UUID, msgspec.Meta(description="Chosen by the app when it starts.")]
    sequence: Annotated[
        int, msgspec.Meta(ge=0, lt=2**53, description="Counts the reports of the session.")
    ]
    views: Annotated[tuple[ReportedView, ...], msgspec.Meta(min_length=1, max_length=50)]


class Receipt(msgspec.Struct, frozen=True):
    """How many views are stored; `duplicate` if an earlier request had stored them."""

    accepted: int
    duplicate: bool


@post("/views", opt={"scope": Scope.VIEWER}, status_code=200)
async def report_views(
    data: JSONBody[Report],
    principal: NamedDependency[Principal],
    view_tokens: NamedDependency[ViewTokens],
    views: NamedDependency[Views],
) -> Receipt:
    """Report what was watched, all of it or nothing; what is answered is stored for good.

    Send a report again until it is answered: it is stored once. Report on one showing as often as
    you like: it counts as one view.
    """
    viewer_id = principal.account_id
    batch = Batch(
        viewer_id=viewer_id,
        session_id=data.session,
        sequence=data.sequence,
        digest=sha256(msgspec.json.encode(data.views)).digest(),
        viewings=tuple(_viewings(data.views, view_tokens, viewer_id)),
    )
    receipt = await views.append(batch)
    return Receipt(receipt.accepted, receipt.duplicate)


def _viewings(
    reported: Sequence[ReportedView], view_tokens: ViewTokens, viewer_id: UUID
) -> Iterator[Viewing]:
    now = int(time.time())
    for index, view in enumerate(reported):
        try:
            shown = view_tokens.read(view.view_token, viewer_id, now=now)
        except (ViewTokenInvalid, ViewTokenExpired) as error:
            raise type(error)(f"views[{index}]: {error}") from error
        yield Viewing(shown.video_id, shown.decision_id, view.watched_ms, view.loops)


router = Router("/v1", route_handlers=[report_views], tags=["Feed"])
