"""Bids for places elsewhere: what line items offer in auctions that somebody else holds.

A bid is no showing. Money is held for it by how likely it is to be billed at all, and what it comes
to when it wins is sealed into the URL by which the seller bills.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from itertools import groupby
from uuid import UUID

import structlog
from msgspec.structs import replace
from prometheus_client import Counter
from psycopg import AsyncConnection, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from ads import opportunity
from ads.content_categories import CODES
from ads.insertion import Insertion, Placement, decide
from ads.openrtb import Bid, BidRequest, BidResponse, Imp, SeatBid
from ads.record import AdRecord, Auction, Shown, digest_of
from ads.rules import Rules
from ads.surfaces import Surface
from ads.tokens import Tokens
from ads.viewer import Viewer
from myriorama.feed.ad_documents import AdDocuments
from myriorama.feed.ad_market import Money, ShownCreative, Stall
from myriorama.feed.ad_pages import Market
from myriorama.feed.bid_stakes import Odds, Offer, Stakes
from myriorama.feed.open_bids import OPEN_S, OpenBid, OpenBids
from myriorama.feed.sealed_bids import TEST_LEASE, SealedBid, SealedBids
from myriorama.store.identity import new_id
from myriorama.store.signing import Signer

logger = structlog.get_logger(__name__)

_SEED_BITS = 53
_PATIENCE_MS = 100
_VIDEO = 2
_MILLION = 1_000_000

_OFFERED = Counter(
    "myriorama_ad_places_offered", "Places elsewhere, by what came of it", ["reason"]
)


class AdBids:
    """Bids for one process. Lives in one event loop."""

    def __init__(  # noqa: PLR0913 - all that it joins
        self,
        pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
        market: Market,
        money: Money,
        tokens: Tokens,
        signer: Signer,
        *,
        public_url: str,
        token_life_ms: int,
        rules: Rules | None = None,
    ) -> None:
        """Take the collaborators, and the URL by which the house is reached from outside."""
        self._market = market
        self._money = money
        self._tokens = tokens
        self._seals = SealedBids(signer)
        self._documents = AdDocuments(signer, public_url=public_url)
        self._key = signer.key("openrtb viewers")
        self._public_url = public_url.rstrip("/")
        self._token_life_ms = token_life_ms
        self._rules = opportunity.rules_of(rules or Rules())
        self._digest = digest_of(self._rules)
        self._open = OpenBids(pool)
        self._odds = Odds()

    def open(self, sealed: str, *, now_ms: int) -> SealedBid:
        """Return a bid that has come back.

        Raises:
            BidInvalid, BidExpired: it is none, or none any more.
        """
        return self._seals.open(sealed, now_ms=now_ms)

    def was_won(self) -> None:
        """Count a bid that has won, for how much is held for the next ones."""
        self._odds.wins += 1

    async def answer(self, request: BidRequest, seller_id: UUID) -> BidResponse | None:
        """Return what is bid, or None: nothing, also where it would take longer than is given."""
        stall = self._market.stall
        if stall is None or not opportunity.is_readable(request):
            return None
        now_ms = time.time_ns() // _MILLION
        user_id = request.user.id if request.user else ""
        is_known = bool(user_id) and not opportunity.is_for_children(request)
        viewer_id, pseudonym = self._identity(seller_id, user_id if is_known else new_id().hex)
        won: Sequence[OpenBid] = ()
        if is_known:
            patience_ms = _PATIENCE_MS if request.tmax is None else request.tmax // 2
            try:
                async with asyncio.timeout(patience_ms / 1000):
                    won = await self._open.won(viewer_id, now_ms)
            except (TimeoutError, OperationalError, PoolTimeout) as error:
                logger.warning("a place elsewhere is not bid for", error=str(error))
                return None
        # From here on nothing is awaited: requests for one viewer count each other's bids.
        shown_ms = self._open.shown_ms(viewer_id, won, now_ms)
        viewer = opportunity.viewer_of(request, pseudonym, shown_ms, now_ms=now_ms)
        currency = _currency(request, stall)
        offer = Offer(request, stall, viewer_id, is_known, currency, now_ms)
        bids = list[tuple[UUID, Bid]]()
        for imp in request.imp:
            bid = self._bid(offer, imp, viewer)
            if bid is None:
                continue
            bids.append(bid)
            hidden = viewer.hidden_advertisers | {bid[0]}
            viewer = replace(viewer, hidden_advertisers=hidden)
        return _response(request, bids, currency) if bids else None

    def _bid(self, offer: Offer, imp: Imp, viewer: Viewer) -> tuple[UUID, Bid] | None:
        """Return the bid for one place, and whose it is."""
        stakes = Stakes(offer, imp, self._odds.p_win, has_tls=self._public_url[:6] == "https:")
        if not stakes.is_open():
            _OFFERED.labels("closed").inc()
            return None
        seed = random.getrandbits(_SEED_BITS)
        page = opportunity.page_of(offer.request)
        index = offer.stall.index
        insertion = decide(index, viewer, page, stakes, self._rules, offer.now_ms, seed)
        if not insertion.placements:
            _OFFERED.labels(insertion.reason).inc()
            return None
        (placed,) = insertion.placements
        creative = offer.stall.creatives[placed.creative.creative_id]
        most = stakes.most(placed.line_row)
        cpm_micros = opportunity.cpm_micros(most, placed.p_billed)
        if cpm_micros < stakes.floor_micros(creative.duration_ms) or not cpm_micros:
            _OFFERED.labels("below_floor").inc()
            return None
        _OFFERED.labels("bid").inc()
        shown = self._shown(offer, placed, viewer, most)
        if not stakes.is_test:
            self._odds.bid()
            self._open.remember(offer.viewer_id, shown, offer.now_ms)
        sealed = self._sealed(offer, insertion, shown, viewer, seed)
        adm = self._document(shown, creative, viewer, offer.now_ms)
        return shown.advertiser_id, self._described(imp, shown, creative, cpm_micros, sealed, adm)

    def _shown(self, offer: Offer, placed: Placement, viewer: Viewer, most: int) -> Shown:
        lease_id = placed.lease_id
        day, expires_ms = _today(offer.now_ms), offer.now_ms + self._token_life_ms
        if lease_id != TEST_LEASE:
            terms = self._money.terms(lease_id)
            day, expires_ms = terms.day, min(expires_ms, terms.tokens_until_ms)
        shown = Shown.of(
            placed,
            offer.stall.index,
            viewer,
            ad_decision_id=new_id(),
            day=day,
            surface=Surface.EXCHANGE,
            expires_ms=expires_ms,
        )
        # It is sold at the seller's price, not by ours; and it stands alone.
        return replace(
            shown,
            position=0,
            price_micros=most,
            displaced_micros=None,
            viewer_micros=None,
            p_reached=None,
        )

    def _sealed(
        self, offer: Offer, insertion: Insertion, shown: Shown, viewer: Viewer, seed: int
    ) -> str:
        auction = Auction.of(
            insertion, at_ms=offer.now_ms, seed=seed, rules=self._digest, share=0.0
        )
        record = AdRecord(auction, (shown,))
        return self._seals.seal(SealedBid(record, offer.viewer_id, viewer.pseudonym))

    def _document(self, shown: Shown, creative: ShownCreative, viewer: Viewer, now_ms: int) -> str:
        """Return the VAST document, whose token costs nothing: what does is signed on a win."""
        token = replace(shown, price_micros=0).token(
            viewer.pseudonym, decided_ms=now_ms, duration_ms=creative.duration_ms
        )
        content = self._documents.of(
            token,
            self._tokens.sign(token),
            creative,
            price_micros=shown.price_micros,
            why=f"/v1/ads/repository?advertiser_id={creative.advertiser_id}",
            now=now_ms // 1000,
        )
        return content.decode()

    def _described(  # noqa: PLR0913, PLR0917 - what a bid says
        self,
        imp: Imp,
        shown: Shown,
        creative: ShownCreative,
        cpm_micros: int,
        sealed: str,
        adm: str,
    ) -> Bid:
        return Bid(
            id=shown.ad_decision_id,
            impid=imp.id,
            price=cpm_micros / _MILLION,
            adm=adm,
            adid=creative.creative_id,
            crid=creative.creative_id,
            cid=shown.campaign_id,
            adomain=(opportunity.domain_of(creative.landing_url),),
            cat=(CODES.get(creative.category, CODES["other"]),),
            cattax=opportunity.IAB_1,
            attr=(opportunity.SKIPPABLE,),
            dur=-(-creative.duration_ms // 1000),
            w=creative.width,
            h=creative.height,
            mtype=_VIDEO,
            burl=f"{self._public_url}/openrtb2/billing/{sealed}?price=${{AUCTION_PRICE}}",
            exp=OPEN_S,
        )

    def _identity(self, seller_id: UUID, user_id: str) -> tuple[UUID, int]:
        """Return who a seller's user is here: nobody else's, and nobody's account."""
        named = seller_id.bytes + user_id.encode()
        digest = blake2b(named, key=self._key, digest_size=24).digest()
        return UUID(bytes=digest[:16], version=5), int.from_bytes(digest[16:])


def _currency(request: BidRequest, stall: Stall) -> str:
    """Return the one currency of the answer: the first that is asked for and bid in here."""
    there = {creative.currency for creative in stall.creatives.values()}
    asked = request.cur or sorted(there)
    return next((each for each in asked if each in there), asked[0] if asked else "")


def _today(now_ms: int) -> int:
    return datetime.fromtimestamp(now_ms / 1000, UTC).toordinal()


def _response(request: BidRequest, bids: Sequence[tuple[UUID, Bid]], currency: str) -> BidResponse:
    of_seats = groupby(bids, key=lambda each: each[0])
    seats = tuple(SeatBid(tuple(bid for _, bid in some), seat) for seat, some in of_seats)
    return BidResponse(request.id, seats, currency)
