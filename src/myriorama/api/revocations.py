"""Sessions that have ended while their access tokens still run: kept in memory, told by the log."""

from collections.abc import Iterable
from uuid import UUID

from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from psycopg_pool import AsyncConnectionPool

from myriorama.api.tokens import ACCESS_TOKEN_S, Principal

# A token older than its life is refused anyhow, so older revocations need not be kept.
_RECENT = """
    SELECT subject_id, extract(epoch FROM revoked_at) FROM revocations
    WHERE revoked_at > now() - make_interval(secs => %s)
"""


class Revocations:
    """Knows the sessions whose tokens are void, and the accounts whose are if issued until then."""

    def __init__(self) -> None:
        self._revoked_at: dict[UUID, float] = {}

    def revoked(self, principal: Principal) -> bool:
        # A session that has ended never comes back: of two who refreshed it at once, the one who
        # was told so may have asked before the token of the other was issued.
        if principal.session_id in self._revoked_at:
            return True
        revoked_at = self._revoked_at.get(principal.account_id)
        return revoked_at is not None and principal.issued_at <= revoked_at

    async def load(self, pool: AsyncConnectionPool[AsyncConnection[TupleRow]]) -> None:
        """Read the revocations of the last minutes from the read side."""
        async with pool.connection() as connection:
            cursor = await connection.execute(_RECENT, (ACCESS_TOKEN_S + 60,))
            self._replace(await cursor.fetchall())

    def _replace(self, rows: Iterable[tuple[UUID, float]]) -> None:
        self._revoked_at = {subject_id: float(at) for subject_id, at in rows}
