"""Routes of OpenRTB 2.6: sellers of places elsewhere ask for bids, and bill those that won."""

import re
import time
from decimal import Decimal
from typing import Annotated

from litestar import Response, Router, get, post
from litestar.di import NamedDependency
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, FromQuery, JSONBody, QueryParameter
from msgspec.structs import replace

from ads import opportunity
from ads.openrtb import VERSION, BidRequest, BidResponse
from ads.record import AdRecord
from ads.tokens import Tokens, unpacked
from domain.errors import Invalid
from myriorama.api.tokens import Principal, Scope
from myriorama.billing.exchange import ExchangeWins, Won
from myriorama.feed.ad_bids import AdBids
from myriorama.feed.sealed_bids import SealedBid

_HEADERS = {"x-openrtb-version": VERSION, "Cache-Control": "no-store"}
_PRICE = re.compile(r"[0-9]{1,9}(\.[0-9]{1,12})?")


class AuctionPriceInvalid(Invalid):
    """The price of the auction is no number; the seller did not put it in place of the macro."""


class Sales:
    """Books what was sold elsewhere: at the price told, by event, within reserve and bid."""

    def __init__(self, bids: AdBids, tokens: Tokens, exchange: ExchangeWins) -> None:
        self._bids = bids
        self._tokens = tokens
        self._exchange = exchange

    async def book(self, sealed: str, price: str) -> None:
        """Book a bid that won, once; that of a test comes to nothing.

        Raises:
            BidInvalid, BidExpired: it is none of ours, or over.
            AuctionPriceInvalid: there is no price to it.
        """
        bid = self._bids.open(sealed, now_ms=time.time_ns() // 1_000_000)
        if not _PRICE.fullmatch(price):
            raise AuctionPriceInvalid("Put the price of the auction in place of ${AUCTION_PRICE}.")
        if not bid.is_test and await self._exchange.win(self._won(bid, Decimal(price))):
            self._bids.was_won()

    def _won(self, bid: SealedBid, cpm: Decimal) -> Won:
        offered, at_ms = bid.shown, bid.record.auction.at_ms
        micros = opportunity.event_micros(
            cpm, offered.p_billed, least=offered.reserve_micros, most=offered.price_micros
        )
        shown = replace(offered, price_micros=micros)
        signed = unpacked(self._tokens.sign(shown.token(bid.pseudonym, decided_ms=at_ms)))
        return Won(AdRecord(bid.record.auction, (shown,)), bid.viewer_id, signed, cpm)


@post(
    "/auction",
    opt={"scope": Scope.SELLER},
    status_code=200,
    responses={204: ResponseSpec(None, description="Nothing is bid.")},
)
async def bid_for_places(
    data: JSONBody[BidRequest],
    principal: NamedDependency[Principal],
    ad_bids: NamedDependency[AdBids],
) -> Response[BidResponse | None]:
    """Ask for bids for places elsewhere, as OpenRTB 2.6 has it; 204 where nothing is bid.

    Bids are for video alone, with a VAST 4.2 document in `adm`, and are billed by `burl`: no
    report of a player counts before that is fetched.
    """
    answer = await ad_bids.answer(data, principal.account_id)
    if answer is None:
        return Response(None, status_code=204, headers=_HEADERS)
    return Response(answer, headers=_HEADERS)


@get("/billing/{bid:str}", opt={"scope": Scope.PUBLIC, "limit": "none"}, status_code=204)
async def bill_bid(
    bid: FromPath[str],
    ad_sales: NamedDependency[Sales],
    price: Annotated[
        FromQuery[str],
        QueryParameter(description="What a thousand cost, in the currency of the bid."),
    ] = "",
) -> None:
    """Bill a bid that won, at the price of the auction: the URL is the `burl` of the bid.

    Fetch it again until it is answered: a bid is billed once, at the price told first.
    """
    await ad_sales.book(bid, price)


router = Router("/openrtb2", route_handlers=[bid_for_places, bill_bid], tags=["Ads"])
