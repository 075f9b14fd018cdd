"""Lists of people, page by page, and who it is that has a handle, for the one who asks."""

from uuid import UUID

import msgspec
from psycopg.abc import QueryNoTemplate

from domain.account.errors import AccountNotFound
from myriorama.api.paging import FROM_NEWEST, Cursors, Page
from myriorama.api.reads import Reads

# An account is not there for those with whom there is a block, whoever blocks.
FOUND = """
    SELECT account_id FROM accounts WHERE handle = %s AND NOT are_blocked(account_id, %s)
"""

FOLLOWERS = """
    SELECT a.account_id, a.handle, a.display_name, r.followed_position AS position
    FROM relations r JOIN accounts a ON a.account_id = r.account_id
    WHERE r.other_id = %(account_id)s AND r.follows AND r.followed_position < %(before)s
      AND NOT are_blocked(a.account_id, %(viewer_id)s)
    ORDER BY r.followed_position DESC LIMIT %(limit)s
"""

FOLLOWING = """
    SELECT a.account_id, a.handle, a.display_name, r.followed_position AS position
    FROM relations r JOIN accounts a ON a.account_id = r.other_id
    WHERE r.account_id = %(account_id)s AND r.follows AND r.followed_position < %(before)s
      AND NOT are_blocked(a.account_id, %(viewer_id)s)
    ORDER BY r.followed_position DESC LIMIT %(limit)s
"""

MUTUALS = """
    SELECT a.account_id, a.handle, a.display_name, r.followed_position AS position
    FROM relations r
    JOIN relations back ON back.account_id = r.other_id AND back.other_id = r.account_id
    JOIN accounts a ON a.account_id = r.other_id
    WHERE r.account_id = %(account_id)s AND r.follows AND back.follows
      AND r.followed_position < %(before)s
    ORDER BY r.followed_position DESC LIMIT %(limit)s
"""

BLOCKED = """
    SELECT a.account_id, a.handle, a.display_name, r.blocked_position AS position
    FROM relations r JOIN accounts a ON a.account_id = r.other_id
    WHERE r.account_id = %(account_id)s AND r.blocks AND r.blocked_position < %(before)s
    ORDER BY r.blocked_position DESC LIMIT %(limit)s
"""

MUTED = """
    SELECT a.account_id, a.handle, a.display_name, r.muted_position AS position
    FROM relations r JOIN accounts a ON a.account_id = r.other_id
    WHERE r.account_id = %(account_id)s AND r.mutes AND r.muted_position < %(before)s
    ORDER BY r.muted_position DESC LIMIT %(limit)s
"""


class Somebody(msgspec.Struct, frozen=True):
    """An account in a list of people."""

    account_id: UUID
    handle: str
    display_name: str


async def find_account(reads: Reads, handle: str, viewer_id: UUID | None) -> UUID:
    """Return the ID of who has a handle.

    Raises:
        AccountNotFound: nobody has it, or they and the viewer have blocked one another.
    """
    found = await reads.one(_Found, FOUND, (handle.lower(), viewer_id))
    if found is None:
        raise AccountNotFound("There is no such account.")
    return found.account_id


class People:
    """Reads lists of people, page by page, in the order of the log."""

    def __init__(self, reads: Reads, cursors: Cursors) -> None:
        self._reads = reads
        self._cursors = cursors

    async def followers(
        self, handle: str, viewer_id: UUID, limit: int, cursor: str | None
    ) -> Page[Somebody]:
        """Return followers of the account that has the handle, the newest first."""
        account_id = await find_account(self._reads, handle, viewer_id)
        return await self._page("followers", FOLLOWERS, (account_id, viewer_id), limit, cursor)

    async def following(
        self, handle: str, viewer_id: UUID, limit: int, cursor: str | None
    ) -> Page[Somebody]:
        """Return whom the account that has the handle follows, the newest first."""
        account_id = await find_account(self._reads, handle, viewer_id)
        return await self._page("following", FOLLOWING, (account_id, viewer_id), limit, cursor)

    async def mutuals(self, account_id: UUID, limit: int, cursor: str | None) -> Page[Somebody]:
        return await self._page("mutuals", MUTUALS, (account_id, account_id), limit, cursor)

    async def blocked(self, account_id: UUID, limit: int, cursor: str | None) -> Page[Somebody]:
        return await self._page("blocked", BLOCKED, (account_id, account_id), limit, cursor)

    async def muted(self, account_id: UUID, limit: int, cursor: str | None) -> Page[Somebody]:
        return await self._page("muted", MUTED, (account_id, account_id), limit, cursor)

    async def _page(
        self,
        name: str,
        query: QueryNoTemplate,
        ids: tuple[UUID, UUID],
        limit: int,
        cursor: str | None,
    ) -> Page[Somebody]:
        """Return a page of the list of an account (the first) for a viewer (the second)."""
        account_id, viewer_id = ids
        listing = f"{name}:{account_id}"
        (before,) = self._cursors.read(listing, cursor) or FROM_NEWEST
        params = {
            "account_id": account_id,
            "viewer_id": viewer_id,
            "before": before,
            "limit": limit + 1,
        }
        found = await self._reads.many(_Listed, query, params)
        return self._cursors.page(
            listing,
            found,
            limit,
            item=lambda row: Somebody(row.account_id, row.handle, row.display_name),
            place=lambda row: (row.position,),
        )


class _Listed(Somebody, frozen=True):
    position: int


class _Found(msgspec.Struct, frozen=True):
    account_id: UUID
