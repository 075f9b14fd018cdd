"""Viewers as ads may know them: of recent ones, in memory, what may be targeted and what was shown.

What this process shows counts at once, before anything of it is stored; what others showed is heard
of within a second. An ad that was never seen stops counting when its token has expired.
"""

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable, Collection, Iterable
from uuid import UUID

import structlog
from psycopg import AsyncConnection, OperationalError
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from ads.viewer import Viewer
from domain.words import folded
from myriorama.feed.ad_clients import Client
from myriorama.feed.ad_preferences import AdPreferences
from myriorama.feed.ad_pseudonyms import Pseudonyms
from myriorama.feed.ad_sessions import BEGUN, Session
from myriorama.feed.known_viewers import HOUR_MS, Known, Showing
from myriorama.feed.readings import Readings
from myriorama.feed.told_viewers import showing_of, told_of
from myriorama.store.projected import Projected

logger = structlog.get_logger(__name__)

_HEAD = "SELECT coalesce(max(position), 0) FROM ad_decisions"

_SHOWN_SINCE = """
    SELECT position, uuid_send(viewer_id), ad_decision_id, line_id, campaign_id, advertiser_id,
           creative_id, (extract(epoch FROM decided_at) * 1000)::bigint, expires_ms
    FROM ad_decisions WHERE position > %s
"""

_SEEN_OF = """
    SELECT decision_id FROM charges
    WHERE decision_id = ANY(%s) AND beacon = 1 AND mark IS NULL
"""

_MOVED_ACCOUNTS = "SELECT position, uuid_send(account_id) FROM accounts WHERE position > %s"

_MOVED_CHOICES = """
    SELECT position, uuid_send(account_id) FROM personalisation WHERE position > %s
"""

_CHOICES_HEAD = "SELECT coalesce(max(position), 0) FROM personalisation"

_ACCOUNTS_HEAD = "SELECT coalesce(max(position), 0) FROM accounts"

_ADULTS = "18+"
_SESSION_MS = 1_800_000
# Settlement is seconds behind what apps report.
_SETTLED_MS = 10_000
_LOOK_S = 1.0
_INTERESTS_MAX = 200


class AdViewers:
    """Knows recent viewers. Lives in one event loop; `load` comes first, `run` is a task."""

    def __init__(
        self,
        pool: AsyncConnectionPool[AsyncConnection[TupleRow]],
        preferences: AdPreferences,
        *,
        key: bytes,
        count_max: int = 20_000,
        times_max: int = 2_000_000,
    ) -> None:
        """Take under which key pseudonyms are made, and how much is remembered.

        Args:
            pool: where it is read.
            preferences: what viewers chose.
            key: of the pseudonyms.
            count_max: how many viewers there are in memory.
            times_max: how many times of showings there are in memory, of all viewers.
        """
        self._pool = pool
        self._preferences = preferences
        self._pseudonyms = Pseudonyms(key)
        self._count_max = count_max
        self._times_max = times_max
        self._times = 0
        self._kept: OrderedDict[bytes, Known] = OrderedDict()
        self._pending: deque[tuple[bytes, Showing]] = deque()
        self._seen = 0
        self._seen_accounts = 0
        self._seen_choices = 0
        self._describing = Readings()

    def kept(self, viewer_id: bytes, now_ms: int) -> Known | None:
        """Return what is known of a viewer if it is in memory, and not for too long."""
        known = self._kept.get(viewer_id)
        if known is None or known.read_ms <= now_ms - HOUR_MS:
            return None
        choices = self._preferences.kept(viewer_id)
        if choices is None:
            return None
        known.choices = choices
        self._kept.move_to_end(viewer_id)
        return known

    async def read(self, viewer_id: bytes, now_ms: int) -> Known:
        """Read what is known of a viewer.

        Raises:
            psycopg.OperationalError: PostgreSQL is not there.
        """
        known = self._kept.get(viewer_id)
        if known is None:
            known = self._kept[viewer_id] = Known(self._pseudonyms.of(viewer_id))
            self._make_room()
        known.choices = await self._preferences.of(viewer_id)
        if known.read_ms <= now_ms - HOUR_MS:
            await self._read(viewer_id, known, now_ms)
        return known

    def viewer(self, known: Known, client: Client, session: Session, now_ms: int) -> Viewer:
        """Return a viewer for one decision.

        Nothing that may not be targeted is told to it, so that none of it is on record either.
        """
        choices = known.choices
        contextual = known.is_minor or known.is_contextual or choices.contextual_only
        return Viewer(
            pseudonym=known.pseudonym,
            country=client.country,
            language=client.language,
            age_band="" if contextual else known.age_band,
            interests=frozenset() if contextual else known.interests,
            platform=client.platform,
            is_minor=known.is_minor,
            shown_ms=known.shown_ms(),
            since_last_ad=session.since_last_ad,
            videos_in_session=session.videos,
            ads_in_session=session.ads,
            ads_in_hour=known.in_last_hour(now_ms),
            contextual_only=contextual,
            hidden_advertisers=choices.hidden_advertisers,
            hidden_categories=choices.hidden_categories,
        )

    def at_top(self, known: Known, now_ms: int) -> Session:
        """Return the session of a page at the top of a feed, which no cursor tells of.

        Whoever looks at the top again has just been shown what they were shown: an ad may have been
        the last of it, and those of this session count on.
        """
        if known.served_ms <= now_ms - _SESSION_MS or not known.session.ads:
            return BEGUN
        return Session(videos=0, ads=known.session.ads, since_last_ad=0)

    def was_served(
        self,
        viewer_id: bytes,
        known: Known,
        session: Session,
        showings: Iterable[Showing],
        now_ms: int,
    ) -> None:
        """Count what is on a page from now on."""
        known.session, known.served_ms = session, now_ms
        for showing in showings:
            known.add(showing)
            self._pending.append((viewer_id, showing))
        self._weigh(viewer_id, known)

    def follow(self, projected: Projected) -> None:
        """Hear of what other processes have shown, of accounts that move, and of what they want."""
        projected.refresh(["ad_decisions"], self.refresh_shown)
        projected.refresh(["accounts"], self.refresh_accounts)
        projected.refresh(["steering"], self.refresh_choices)
        projected.reload(["ad_decisions", "accounts", "steering"], self.load)

    async def load(self) -> None:
        """Find out how far the tables have come; what was in memory before is read again."""
        async with self._pool.connection() as connection:
            shown = await (await connection.execute(_HEAD)).fetchone()
            accounts = await (await connection.execute(_ACCOUNTS_HEAD)).fetchone()
            choices = await (await connection.execute(_CHOICES_HEAD)).fetchone()
        self._seen = shown[0] if shown else 0
        self._seen_accounts = accounts[0] if accounts else 0
        self._seen_choices = choices[0] if choices else 0
        self._read_again(list(self._kept))

    async def refresh_shown(self) -> None:
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_SHOWN_SINCE, (self._seen,))).fetchall()
        for position, viewer_id, *row in rows:
            self._seen = max(self._seen, position)
            known = self._kept.get(viewer_id)
            showing = showing_of(*row)
            if known is not None and known.add(showing):
                self._pending.append((viewer_id, showing))
                self._weigh(viewer_id, known)

    async def refresh_accounts(self) -> None:
        async with self._pool.connection() as connection:
            rows = await (
                await connection.execute(_MOVED_ACCOUNTS, (self._seen_accounts,))
            ).fetchall()
        self._seen_accounts = max((position for position, _ in rows), default=self._seen_accounts)
        self._read_again([account_id for _, account_id in rows])

    async def refresh_choices(self) -> None:
        """Read again who has switched personalisation, or had their history forgotten."""
        async with self._pool.connection() as connection:
            rows = await (
                await connection.execute(_MOVED_CHOICES, (self._seen_choices,))
            ).fetchall()
        self._seen_choices = max((position for position, _ in rows), default=self._seen_choices)
        self._read_again([account_id for _, account_id in rows])

    async def run(self, clock_ms: Callable[[], int]) -> None:
        """Look each second which ads were never seen in their time, until cancelled."""
        while True:
            await asyncio.sleep(_LOOK_S)
            try:
                await self.forget_unseen(clock_ms())
            except (OperationalError, PoolTimeout) as error:
                logger.warning("what was seen is not known now", error=str(error))
            except Exception:
                logger.exception("what was seen could not be looked at")

    async def forget_unseen(self, now_ms: int) -> None:
        """Count no more what was not seen by the time its token expired.

        Until that is looked at it counts: a cap is rather reached too early than exceeded.
        """
        over = list[tuple[bytes, Showing]]()
        for viewer_id, showing in self._pending:
            if showing.expires_ms + _SETTLED_MS > now_ms:
                break
            over.append((viewer_id, showing))
        if not over:
            return
        ids = [showing.ad_decision_id for _, showing in over]
        async with self._pool.connection() as connection:
            rows = await (await connection.execute(_SEEN_OF, (ids,))).fetchall()
        seen = {row[0] for row in rows}
        for viewer_id, showing in over:
            self._pending.popleft()
            known = self._kept.get(viewer_id)
            if known is not None:
                known.settle(showing.ad_decision_id, is_seen=showing.ad_decision_id in seen)
                self._weigh(viewer_id, known)

    def _weigh(self, viewer_id: bytes, known: Known) -> None:
        """Note how much is remembered of a viewer, and forget others if that is too much in all."""
        if self._kept.get(viewer_id) is not known:
            return  # forgotten meanwhile
        before, known.weight = known.weight, known.times
        self._times += known.weight - before
        self._make_room()

    def _make_room(self) -> None:
        """Forget those who have not been here for longest, but not who is here now."""
        while len(self._kept) > 1 and (
            len(self._kept) > self._count_max or self._times > self._times_max
        ):
            _, forgotten = self._kept.popitem(last=False)
            self._times -= forgotten.weight

    def _read_again(self, viewer_ids: Collection[bytes]) -> None:
        """Believe nothing any more of what was read of these, or is being read."""
        self._describing.change(viewer_ids)
        for viewer_id in viewer_ids:
            if (known := self._kept.get(viewer_id)) is not None:
                known.read_ms = 0

    async def _read(self, viewer_id: bytes, known: Known, now_ms: int) -> None:
        account_id = UUID(bytes=viewer_id)
        with self._describing.begin() as changed:
            told = await told_of(self._pool, account_id, now_ms)
        known.age_band, known.is_minor = told.age_band, told.age_band != _ADULTS
        known.is_contextual = not told.is_personalised
        known.interests = frozenset(map(folded, told.tags[:_INTERESTS_MAX]))
        seen = list[Showing]()
        for showing, is_seen in reversed(told.shown):
            if showing.expires_ms + _SETTLED_MS > now_ms:
                # Others' news of it may come after this: it is known by its ID until it is over.
                if known.add(showing):
                    self._pending.append((viewer_id, showing))
            elif is_seen:
                seen.append(showing)
        known.recount(seen)
        self._weigh(viewer_id, known)
        if viewer_id not in changed:
            known.read_ms = now_ms
