"""The traffic of one simulation: its pages, decided as any page of the feed is, over its own lines.

What a sandbox spends it holds by leases, as a server does. Its rivals are made up: they win places
and pay nothing, and what they have won is not put on record.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from msgspec.structs import replace
from psycopg import Connection
from psycopg.rows import TupleRow

from ads.holds import NOBODY, Numbers
from ads.index import Index
from ads.insertion import Insertion, Placement, decide
from ads.lines import Line
from ads.record import AdRecord, Auction, Context, Shown, beside, digest_of
from ads.rules import Rules
from ads.simulation import (
    SimulatedPage,
    SimulatedViewer,
    drawn_page,
    drawn_viewer,
    reports_of,
)
from ads.surfaces import Surface
from ads.tokens import Tokens
from ads.viewer import Viewer
from myriorama.billing.leases import TOKEN_LIFE_MS, Lease, Lessor
from myriorama.billing.purses import Purses
from myriorama.billing.simulated_pages import Expected, PlayedPage, Simulation
from myriorama.feed.ad_sessions import BEGUN, Session
from myriorama.store.identity import new_id

RECORDED_WHOLE_MAX = 1000
"""So many pages of a simulation are recorded whole, for forecasts and diagnostics, on average."""

_HOUR_MS = 3_600_000
_PATIENCE_US = 10**9
_ELSEWHERE = 0

# What was recorded before somebody else took over.
_PLAYED = """
    SELECT viewer_id, ads::text FROM slates
    WHERE recorded_at >= %s AND feed = 'sandbox' AND decision_id = ANY(%s) ORDER BY position
"""


class _Showing(NamedTuple):
    """An ad that a viewer was shown: what it counts for, and until when if it was not seen."""

    counts_for: tuple[int, ...]
    decided_ms: int
    expires_ms: int
    is_seen: bool


class _Counting:
    """A lessor, and how many leases it has granted."""

    def __init__(self, lessor: Lessor) -> None:
        self._lessor = lessor
        self.granted = 0

    def grant(self, line_id: UUID, *, wanted_micros: int, least_micros: int) -> Lease | None:
        lease = self._lessor.grant(line_id, wanted_micros=wanted_micros, least_micros=least_micros)
        self.granted += lease is not None
        return lease

    def give_back(self, lease_id: int, *, issued_micros: int) -> None:
        self._lessor.give_back(lease_id, issued_micros=issued_micros)


class _Purse:
    """The holds of one decision: the sandbox's lines pay by leases, all others can pay."""

    def __init__(self, purses: Purses, lines: Sequence[Line], advertiser_id: UUID) -> None:
        self._purses = purses
        self._lines = lines
        self._advertiser_id = advertiser_id
        self.has_refused = False

    def hold(self, line_row: int, micros: int, now_ms: int, probability: float = 1.0) -> int | None:
        """Take what a token of a line may cost."""
        del now_ms
        line = self._lines[line_row]
        if line.advertiser_id != self._advertiser_id:
            return _ELSEWHERE
        lease_id = self._purses.hold(line.line_id, micros, probability=probability)
        self.has_refused |= lease_id is None
        return lease_id

    def unfunded(self) -> Numbers:
        """Return nobody: a page is decided until nothing more is to be had for it."""
        return NOBODY


class SimulatedTraffic:
    """Plays the pages of a simulation, one after the other. Used by one thread."""

    def __init__(self, simulation: Simulation, lessor: Lessor, tokens: Tokens) -> None:
        self._simulation = simulation
        self._lessor = _Counting(lessor)
        self._purses = Purses(self._lessor)
        self._tokens = tokens
        self._rules = Rules(deadline_us=_PATIENCE_US)
        self._digest = digest_of(self._rules)
        self._share = min(1.0, RECORDED_WHOLE_MAX / simulation.pages)
        self._viewers: dict[int, SimulatedViewer] = {}
        self._sessions: dict[UUID, Session] = {}
        self._showings: defaultdict[UUID, list[_Showing]] = defaultdict(list)

    def remember(self, connection: Connection[TupleRow]) -> None:
        """Read what was shown before, if somebody else has begun this simulation."""
        simulation = self._simulation
        if simulation.started_at is None or not simulation.pages_done:
            return
        ids = [self._page(number).decision_id for number in range(simulation.pages_done)]
        for viewer_id, ads in connection.execute(_PLAYED, (simulation.started_at, ids)):
            record = AdRecord.decode(ads)
            for shown in record.shown:
                showing = _showing(shown, record.auction.at_ms, is_seen=True)
                self._showings[viewer_id].append(showing)

    def play(self, index: Index, numbers: Sequence[int]) -> Sequence[PlayedPage]:
        """Decide the pages of these numbers."""
        return [self._played(index, number) for number in numbers]

    def close(self) -> None:
        """Give back what was not spent."""
        self._purses.close()

    def _played(self, index: Index, number: int) -> PlayedPage:
        page, simulation = self._page(number), self._simulation
        who = self._viewer(page.viewer_number)
        now_ms = time.time_ns() // 1_000_000
        session = self._sessions.get(who.viewer_id, BEGUN)
        viewer = self._as_known(who, session, now_ms)
        insertion = self._decided(index, viewer, page, now_ms)
        self._sessions[who.viewer_id] = session.after(
            len(page.slots), [each.position for each in insertion.placements]
        )
        placed = [
            (before, each)
            for before, each in enumerate(insertion.placements)
            if each.line.advertiser_id == simulation.advertiser_id
        ]
        shown = [self._shown(index, each, page, before, viewer, now_ms) for before, each in placed]
        ads = [(each.position, each.creative.duration_ms) for _, each in placed]
        told = reports_of(simulation.seed, number, ads, is_in_hurry=who.is_in_hurry)
        expected = list[Expected]()
        for one, (_, each), reports in zip(shown, placed, told, strict=True):
            token = self._token(one, viewer, each.creative.duration_ms, now_ms)
            expected += [
                Expected(now_ms + report.after_ms, report.beacon, token, who.agent)
                for report in reports
            ]
            self._showings[who.viewer_id].append(_showing(one, now_ms, is_seen=bool(reports)))
        record = self._record(insertion, shown, viewer, page, now_ms, number)
        return PlayedPage(
            page.decision_id, who.viewer_id, insertion.reason, len(shown), record, expected
        )

    def _decided(self, index: Index, viewer: Viewer, page: SimulatedPage, now_ms: int) -> Insertion:
        """Decide a page; where a lease was missing, once more with what there is to be had."""
        while True:
            purse = _Purse(self._purses, index.lines, self._simulation.advertiser_id)
            insertion = decide(index, viewer, page.slots, purse, self._rules, now_ms, page.seed)
            if not purse.has_refused or not self._fetched():
                return insertion

    def _fetched(self) -> bool:
        """Fetch what is low; True: something came of it."""
        before = self._lessor.granted
        self._purses.tend()
        return self._lessor.granted > before

    def _page(self, number: int) -> SimulatedPage:
        simulation = self._simulation
        return drawn_page(simulation.simulation_id, simulation.seed, number, simulation.viewers)

    def _viewer(self, number: int) -> SimulatedViewer:
        known = self._viewers.get(number)
        if known is None:
            simulation = self._simulation
            known = drawn_viewer(simulation.simulation_id, simulation.seed, number)
            self._viewers[number] = known
        return known

    def _as_known(self, who: SimulatedViewer, session: Session, now_ms: int) -> Viewer:
        showings = [
            each
            for each in self._showings[who.viewer_id]
            if each.is_seen or each.expires_ms > now_ms
        ]
        self._showings[who.viewer_id] = showings
        times = defaultdict[int, list[int]](list)
        for each in showings:
            for of in each.counts_for:
                times[of].append(each.decided_ms)
        return replace(
            who.viewer,
            shown_ms={of: tuple(found) for of, found in times.items()},
            since_last_ad=session.since_last_ad,
            videos_in_session=session.videos,
            ads_in_session=session.ads,
            ads_in_hour=sum(each.decided_ms > now_ms - _HOUR_MS for each in showings),
        )

    def _shown(  # noqa: PLR0913, PLR0917 - all that is on record
        self,
        index: Index,
        placed: Placement,
        page: SimulatedPage,
        before: int,
        viewer: Viewer,
        now_ms: int,
    ) -> Shown:
        terms = self._purses.terms(placed.lease_id)
        return Shown.of(
            placed,
            index,
            viewer,
            ad_decision_id=new_id(),
            day=terms.day,
            surface=Surface.SANDBOX,
            expires_ms=min(now_ms + TOKEN_LIFE_MS, terms.tokens_until_ms),
            beside=beside(page.slots, placed.position - before),
        )

    def _token(self, shown: Shown, viewer: Viewer, duration_ms: int, now_ms: int) -> str:
        token = shown.token(viewer.pseudonym, decided_ms=now_ms, duration_ms=duration_ms)
        return self._tokens.sign(token)

    def _record(  # noqa: PLR0913, PLR0917 - all that is on record
        self,
        insertion: Insertion,
        shown: Sequence[Shown],
        viewer: Viewer,
        page: SimulatedPage,
        now_ms: int,
        number: int,
    ) -> str | None:
        # Every so many, so that the sample is the same whoever plays.
        is_sampled = int(number * self._share) != int((number + 1) * self._share)
        if not shown and not is_sampled:
            return None
        auction = Auction.of(
            insertion,
            at_ms=now_ms,
            seed=page.seed,
            rules=self._digest,
            share=self._share,
            context=Context(viewer, page.slots) if is_sampled else None,
        )
        return AdRecord(auction, tuple(shown)).encode()


def _showing(shown: Shown, decided_ms: int, *, is_seen: bool) -> _Showing:
    return _Showing(shown.counts_for, decided_ms, shown.expires_ms, is_seen)
