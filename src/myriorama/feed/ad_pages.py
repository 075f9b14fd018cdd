"""Ads of pages: which stand between the videos of a page, with their tokens and what is recorded.

Whatever goes wrong here, or takes too long, the page is what it would be without ads.
"""

import asyncio
import random
import time
from collections.abc import Sequence
from typing import NamedTuple, Protocol

import msgspec
import structlog
from prometheus_client import Counter, Histogram

from ads.insertion import Placement, decide
from ads.page import Slot
from ads.record import AdRecord, Auction, Context, Shown, beside, digest_of
from ads.rules import Rules
from ads.surfaces import SURFACES
from ads.tokens import Tokens
from ads.viewer import Viewer
from myriorama.feed.ad_clients import Clients, Headers
from myriorama.feed.ad_items import LABEL, AdAdvertiser, AdCreative, AdItem, why_path
from myriorama.feed.ad_market import Money, Stall
from myriorama.feed.ad_sessions import Session
from myriorama.feed.ad_slots import AdSlots
from myriorama.feed.ad_viewers import AdViewers
from myriorama.feed.known_viewers import Known, Showing
from myriorama.feed.outside_bids import OutsideBids
from myriorama.store.identity import new_id
from myriorama.store.signing import Signer

logger = structlog.get_logger(__name__)

RANKED = frozenset({"for_you", "popular"})

_SAMPLED_A_SECOND = 2
_SEED_BITS = 53

_DECIDED = Counter("myriorama_ad_decisions", "Pages over which ads were decided", ["reason"])
_SECONDS = Histogram(
    "myriorama_ad_page_seconds",
    "By how long ads kept a page that is made from memory",
    buckets=(0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.05),
)


class Market(Protocol):
    """Where what may be advertised is to be had."""

    @property
    def stall(self) -> Stall | None:
        """Return what may be advertised now; None if that is nothing."""
        ...


class Looked(NamedTuple):
    """Who looks at a page of which feed, and what stands on it.

    `session` None: it is the first page, or nothing was advertised before it.
    """

    viewer_id: bytes
    kind: str
    video_ids: Sequence[bytes]
    headers: Headers
    session: Session | None


class PageAds(NamedTuple):
    """The ads of a page as JSON, what is recorded of them, and the session behind the page."""

    items: bytes = b"[]"
    record: str | None = None
    session: Session | None = None


NONE = PageAds()


class AdPages:
    """Puts ads on pages. Lives in one event loop."""

    def __init__(  # noqa: PLR0913, PLR0917 - all that it joins
        self,
        market: Market,
        viewers: AdViewers,
        slots: AdSlots,
        money: Money,
        tokens: Tokens,
        signer: Signer,
        clients: Clients,
        *,
        token_life_ms: int,
        rules: Rules | None = None,
        patience_s: float = 0.01,
        outside: OutsideBids | None = None,
    ) -> None:
        """Take the collaborators.

        Args:
            market: what may be advertised now.
            viewers: to whom.
            slots: beside what.
            money: what pays.
            tokens: signs what apps report with.
            signer: signs the URLs of videos.
            clients: reads what apps tell of themselves.
            token_life_ms: how long a token is believed after its decision.
            rules: of the house.
            patience_s: how long a page waits for what must be read of a viewer who is new here.
            outside: what is bid by others; None: nothing is asked for.
        """
        self._market = market
        self._viewers = viewers
        self._slots = slots
        self._money = money
        self._tokens = tokens
        self._signer = signer
        self._clients = clients
        self._token_life_ms = token_life_ms
        self._rules = rules or Rules()
        self._digest = digest_of(self._rules)
        self._patience_s = patience_s
        self._outside = outside
        self._sampling = _Sampling()
        self._readings: dict[bytes, asyncio.Task[Known]] = {}

    @property
    def is_open(self) -> bool:
        """Whether anything may be advertised now; if not, nobody need ask for a page."""
        return self._market.stall is not None

    def expect(self, viewer_id: bytes) -> None:
        """Begin to read a viewer who is new here, while their page is made."""
        now_ms = time.time_ns() // 1_000_000
        if self.is_open and self._viewers.kept(viewer_id, now_ms) is None:
            self._reading(viewer_id, now_ms)

    async def of_page(self, looked: Looked) -> PageAds:
        """Return the ads of a page. Never fails."""
        stall = self._market.stall
        if stall is None or not looked.video_ids:
            return _without(looked)
        try:
            return await self._decided(stall, looked)
        except Exception:
            # The feed is never without its page because of an ad.
            logger.exception("the ads of a page failed")
            _DECIDED.labels("error").inc()
            return _without(looked)

    async def _decided(self, stall: Stall, looked: Looked) -> PageAds:
        now_ms = time.time_ns() // 1_000_000
        known = self._viewers.kept(looked.viewer_id, now_ms)
        if known is None:
            known = await self._read(looked.viewer_id, now_ms)
        if known is None:
            _DECIDED.labels("viewer_unknown").inc()
            return _without(looked)
        # From here on nothing is awaited: pages that are made at once count each other's ads.
        began_s = time.perf_counter()
        session = looked.session
        if session is None:
            session = self._viewers.at_top(known, now_ms)
        viewer = self._viewers.viewer(known, self._clients.of(looked.headers), session, now_ms)
        outside = self._outside if stall.index.outside else None
        if outside is not None:
            bids = outside.of(looked.viewer_id, viewer, stall.index, now_ms)
            viewer = msgspec.structs.replace(viewer, outside_bids=bids)
        page = self._slots.of_page(looked.video_ids, ranked=looked.kind in RANKED)
        seed = random.getrandbits(_SEED_BITS)
        insertion = decide(stall.index, viewer, page, stall.holds, self._rules, now_ms, seed)
        _DECIDED.labels(insertion.reason).inc()
        shown = [
            self._shown(stall, placement, page, placement.position - before, looked, viewer, now_ms)
            for before, placement in enumerate(insertion.placements)
        ]
        items = [self._item(stall, each, viewer, now_ms) for each in shown]
        session = session.after(len(page), [each.position for each in shown])
        self._viewers.was_served(
            looked.viewer_id, known, session, [_showing(each, now_ms) for each in shown], now_ms
        )
        if outside is not None:
            outside.used(looked.viewer_id, [each.line_id for each in shown])
            outside.ask(stall, looked.viewer_id, viewer, self._rules, now_ms)
        record = None
        share = self._sampling.share(now_ms)
        is_sampled = random.random() < share  # noqa: S311 - no secret hangs on it
        if shown or is_sampled:
            context = Context(viewer, tuple(page)) if is_sampled else None
            auction = Auction.of(
                insertion,
                at_ms=now_ms,
                seed=seed,
                rules=self._digest,
                share=share,
                context=context,
            )
            record = AdRecord(auction, tuple(shown)).encode()
        _SECONDS.observe(time.perf_counter() - began_s)
        return PageAds(msgspec.json.encode(items), record, session)

    async def _read(self, viewer_id: bytes, now_ms: int) -> Known | None:
        """Return what is known of a viewer who is new here, or None if that takes too long now."""
        reading = self._reading(viewer_id, now_ms)
        done, _ = await asyncio.wait({reading}, timeout=self._patience_s)
        return reading.result() if done and reading.exception() is None else None

    def _reading(self, viewer_id: bytes, now_ms: int) -> asyncio.Task[Known]:
        """Return the reading of a viewer that is under way, or begin one."""
        reading = self._readings.get(viewer_id)
        if reading is None:
            reading = asyncio.create_task(self._viewers.read(viewer_id, now_ms))
            self._readings[viewer_id] = reading
            reading.add_done_callback(lambda ended: self._was_read(viewer_id, ended))
        return reading

    def _was_read(self, viewer_id: bytes, reading: asyncio.Task[Known]) -> None:
        del self._readings[viewer_id]
        if not reading.cancelled() and (error := reading.exception()) is not None:
            logger.warning("a viewer is not read for ads", error=str(error))

    def _shown(  # noqa: PLR0913, PLR0917 - all that is on record
        self,
        stall: Stall,
        placed: Placement,
        page: Sequence[Slot],
        gap: int,
        looked: Looked,
        viewer: Viewer,
        now_ms: int,
    ) -> Shown:
        terms = self._money.terms(placed.lease_id)
        return Shown.of(
            placed,
            stall.index,
            viewer,
            ad_decision_id=new_id(),
            day=terms.day,
            surface=SURFACES[looked.kind],
            expires_ms=min(now_ms + self._token_life_ms, terms.tokens_until_ms),
            beside=beside(page, gap),
        )

    def _item(self, stall: Stall, shown: Shown, viewer: Viewer, now_ms: int) -> AdItem:
        creative = stall.creatives[shown.creative_id]
        duration_ms = creative.duration_ms
        token = shown.token(viewer.pseudonym, decided_ms=now_ms, duration_ms=duration_ms)
        now = now_ms // 1000
        video, poster, thumbnail = (
            self._signer.media_url(key, now=now)
            for key in (creative.video_key, creative.poster_key, creative.thumbnail_key)
        )
        return AdItem(
            position=shown.position,
            ad_decision_id=shown.ad_decision_id,
            token=self._tokens.sign(token),
            label=LABEL,
            advertiser=AdAdvertiser(creative.advertiser_id, creative.name, creative.website),
            payer=creative.name,
            creative=AdCreative(
                creative.creative_id,
                creative.headline,
                creative.width,
                creative.height,
                creative.duration_ms,
                video,
                poster,
                thumbnail,
            ),
            call_to_action=creative.call_to_action,
            click_url=creative.landing_url,
            ai_label=creative.ai_label,
            category=creative.category,
            why=why_path(shown.ad_decision_id),
        )


class _Sampling:
    """Which pages are recorded whole: some two a second, whatever comes."""

    def __init__(self) -> None:
        self._second = 0
        self._pages = 0
        self._pages_before = 0

    def share(self, now_ms: int) -> float:
        """Count a page, and return the probability with which it is to be in the sample."""
        second = now_ms // 1000
        if second != self._second:
            self._pages_before = self._pages if second == self._second + 1 else 0
            self._second, self._pages = second, 0
        self._pages += 1
        return min(1.0, _SAMPLED_A_SECOND / max(self._pages, self._pages_before))


def _without(looked: Looked) -> PageAds:
    """Return a page without ads; whoever has come across some before goes on from there."""
    if looked.session is None:
        return NONE
    return PageAds(session=looked.session.after(len(looked.video_ids), ()))


def _showing(shown: Shown, now_ms: int) -> Showing:
    return Showing(shown.ad_decision_id, shown.counts_for, now_ms, shown.expires_ms)
