"""Authors in tests: accounts that publish and never sign in."""

from datetime import UTC, datetime
from uuid import UUID, uuid4

from domain.account.aggregate import Account
from myriorama.store.log import Log


def open_account(log: Log, handle: str, *, age_band: str = "18+") -> UUID:
    """Record that somebody has an account, and return its ID."""
    account_id = uuid4()
    log.save(
        Account.open(
            account_id,
            handle=handle,
            display_name=handle.title(),
            email=f"{handle}@example.org",
            password_hash="$argon2id$",  # noqa: S106 - of the tests alone
            age_band=age_band,
            scopes=("viewer",),
            invitation_id=None,
            invited_by=None,
            at=datetime.now(UTC),
        )
    )
    return account_id
