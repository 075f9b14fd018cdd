"""Routes of reports on ads: what an app saw of what it was given, each with its token."""

import time
from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Router, post
from litestar.di import NamedDependency
from litestar.params import JSONBody

from ads.beacons import Beacon
from ads.invalid_traffic import Arrival, InvalidTraffic
from ads.surfaces import Surface
from ads.tokens import AdToken, AdTokenInvalid, AdTokenOfAnother, Tokens, unpacked
from myriorama.api.limits import client_address
from myriorama.api.tokens import Principal, Scope
from myriorama.billing.ad_events import AdEvents, Reported
from myriorama.billing.exchange import ExchangeWins
from myriorama.feed.ad_pseudonyms import Pseudonyms
from myriorama.feed.sealed_bids import TEST_LEASE

EVENTS_MAX = 100

Event = Literal[
    "viewable",
    "first_quartile",
    "midpoint",
    "third_quartile",
    "complete",
    "mute",
    "skip",
    "click",
    "hide",
    "report",
]

_BEACONS = {beacon.name.lower(): beacon for beacon in Beacon}


class AdEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happened to one ad. `viewable`: half of it was seen for two seconds without a break."""

    token: Annotated[
        str, msgspec.Meta(max_length=200, description="As it stood beside the ad in the feed.")
    ]
    event: Event


class AdReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What happened to ads since the last report."""

    events: Annotated[tuple[AdEvent, ...], msgspec.Meta(min_length=1, max_length=EVENTS_MAX)]


class RefusedEvent(msgspec.Struct, frozen=True):
    """An event that is not believed, by its place in the report."""

    index: int
    code: str


class AdReceipt(msgspec.Struct, frozen=True):
    """How many events are stored for good; the others are refused, each with its reason."""

    accepted: int
    refused: tuple[RefusedEvent, ...]


class AdReports:
    """Believes reports for their tokens, marks what no viewer sent, and stores them."""

    def __init__(  # noqa: PLR0913 - all that it joins
        self,
        tokens: Tokens,
        invalid_traffic: InvalidTraffic,
        log: AdEvents,
        pseudonyms: Pseudonyms,
        exchange: ExchangeWins,
        *,
        proxies: int,
    ) -> None:
        """Take the collaborators, and how many proxies of ours stand before."""
        self._tokens = tokens
        self._invalid_traffic = invalid_traffic
        self._log = log
        self._pseudonyms = pseudonyms
        self._exchange = exchange
        self._proxies = proxies

    def verified(self, token: str) -> AdToken:
        """Return what a token proves now.

        Raises:
            AdTokenInvalid, AdTokenExpired: it proves nothing.
        """
        return self._tokens.verify(token, now_ms=time.time_ns() // 1_000_000)

    async def store(
        self,
        events: Sequence[AdEvent],
        request: Request[Any, None, Any],
        *,
        viewer_id: UUID | None = None,
    ) -> AdReceipt:
        """Store what is believed; the rest is told.

        Without `viewer_id` nobody knows who reports: players have no account.
        """
        viewer = None if viewer_id is None else self._pseudonyms.of(viewer_id.bytes)
        now_ms = time.time_ns() // 1_000_000
        agent = request.headers.get("user-agent", "")
        address = client_address(request.scope, self._proxies)
        believed, refused = list[Reported](), list[RefusedEvent]()
        elsewhere = list[tuple[AdToken, Reported]]()
        for index, event in enumerate(events):
            try:
                token = self._tokens.verify(event.token, now_ms=now_ms)
                if viewer not in {None, token.viewer}:
                    raise AdTokenOfAnother("this ad was shown to another viewer")
            except AdTokenInvalid as error:
                refused.append(RefusedEvent(index, error.code))
                continue
            beacon = _BEACONS[event.event]
            arrival = Arrival(
                beacon, token.decided_ms, now_ms, agent, address, token.duration_ms or None
            )
            mark = self._invalid_traffic.mark(arrival)
            reported = Reported(beacon, unpacked(event.token), mark.rule if mark else None)
            if token.surface == Surface.EXCHANGE:
                elsewhere.append((token, reported))
            else:
                believed.append(reported)
        if believed:
            await self._log.append(believed)
        # What a seller tests is believed, and comes to nothing.
        if counting := [each for each in elsewhere if each[0].lease_id != TEST_LEASE]:
            await self._exchange.report(counting)
        return AdReceipt(len(believed) + len(elsewhere), tuple(refused))


@post("/ad-events", opt={"scope": Scope.VIEWER}, status_code=200)
async def report_ad_events(
    data: JSONBody[AdReport],
    request: Request[Principal, None, Any],
    ad_reports: NamedDependency[AdReports],
) -> AdReceipt:
    """Report what happened to ads; what is accepted is stored for good.

    Send a report again until it is answered: each event of an ad counts once. One event with a
    token that is forged, has expired or was given to another viewer does not keep the others from
    being stored.
    """
    return await ad_reports.store(data.events, request, viewer_id=request.user.account_id)


router = Router("/v1", route_handlers=[report_ad_events], tags=["Ads"])
