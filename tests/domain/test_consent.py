"""Who may cast a cameo: the whole rule, as a table, and what no order of events can get around."""

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.cameo.consent import Permission, Relation, Ruling, Terms, rule_on

ALICE, BOB = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
SOON, BEFORE = NOON + timedelta(seconds=1), NOON - timedelta(seconds=1)

STRANGERS = Relation(blocked=False, mutual=False)
MUTUALS = Relation(blocked=False, mutual=True)
BLOCKED = Relation(blocked=True, mutual=False)

BY_AUDIENCE = {
    ("only_me", STRANGERS): Ruling("deny", "only_me"),
    ("only_me", MUTUALS): Ruling("deny", "only_me"),
    ("approved", STRANGERS): Ruling("needs_approval", "approval_required"),
    ("approved", MUTUALS): Ruling("needs_approval", "approval_required"),
    ("mutuals", STRANGERS): Ruling("needs_approval", "not_mutual"),
    ("mutuals", MUTUALS): Ruling("allow", "mutuals"),
    ("everyone", STRANGERS): Ruling("allow", "everyone"),
    ("everyone", MUTUALS): Ruling("allow", "everyone"),
}
AUDIENCES = ("only_me", "approved", "mutuals", "everyone")
COUNTING = (
    (Permission("granted", None), Ruling("allow", "granted")),
    (Permission("granted", SOON), Ruling("allow", "granted")),
    (Permission("denied", None), Ruling("deny", "denied")),
    (Permission("denied", SOON), Ruling("deny", "denied")),
)
COUNTING_FOR_NOTHING = (
    None,
    Permission("granted", NOON),
    Permission("granted", BEFORE),
    Permission("denied", NOON),
    Permission("denied", BEFORE),
)
PERMISSIONS = (*(permission for permission, _ in COUNTING), *COUNTING_FOR_NOTHING)


def ruling(
    audience: str,
    relation: Relation = STRANGERS,
    permission: Permission | None = None,
    *,
    revoked: bool = False,
    account_id: UUID = BOB,
) -> Ruling:
    terms = Terms(ALICE, audience, revoked, permission)
    return rule_on(terms, relation, account_id=account_id, at=NOON)


@pytest.mark.parametrize("permission", COUNTING_FOR_NOTHING)
@pytest.mark.parametrize(("audience", "relation"), list(BY_AUDIENCE))
def test_without_a_permission_that_holds_the_audience_decides(
    audience: str, relation: Relation, permission: Permission | None
) -> None:
    assert ruling(audience, relation, permission) == BY_AUDIENCE[audience, relation]


@pytest.mark.parametrize(("permission", "expected"), COUNTING)
@pytest.mark.parametrize(("audience", "relation"), list(BY_AUDIENCE))
def test_a_permission_that_holds_decides_before_the_audience(
    audience: str, relation: Relation, permission: Permission, expected: Ruling
) -> None:
    assert ruling(audience, relation, permission) == expected


@pytest.mark.parametrize(("audience", "permission"), [*product(AUDIENCES, PERMISSIONS)])
def test_a_block_decides_before_any_permission(
    audience: str, permission: Permission | None
) -> None:
    assert ruling(audience, BLOCKED, permission) == Ruling("deny", "blocked")


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("account_id", [ALICE, BOB])
def test_nobody_casts_what_was_revoked_its_owner_neither(audience: str, account_id: UUID) -> None:
    revoked = ruling(audience, permission=COUNTING[0][0], revoked=True, account_id=account_id)

    assert revoked == Ruling("deny", "revoked")


@pytest.mark.parametrize(("audience", "relation"), [*product(AUDIENCES, (STRANGERS, BLOCKED))])
def test_the_owner_casts_their_own(audience: str, relation: Relation) -> None:
    assert ruling(audience, relation, account_id=ALICE) == Ruling("allow", "owner")


def test_an_audience_that_nobody_knows_is_nobody() -> None:
    assert ruling("friends_of_friends", MUTUALS).verdict == "deny"


MOMENTS = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - hypothesis adds the time zone
    datetime(2027, 1, 1),  # noqa: DTZ001
    timezones=st.just(UTC),
)


@given(
    audience=st.sampled_from(AUDIENCES) | st.text(max_size=5),
    permission=st.none()
    | st.builds(Permission, st.sampled_from(["granted", "denied"]), st.none() | MOMENTS),
    relation=st.builds(Relation, blocked=st.booleans(), mutual=st.booleans()),
    revoked=st.booleans(),
    account_id=st.sampled_from([ALICE, BOB]),
    at=MOMENTS,
)
def test_nobody_is_allowed_in_spite_of_a_revocation_a_block_or_a_denial(  # noqa: PLR0913 - all that the rule looks at
    *,
    audience: str,
    permission: Permission | None,
    relation: Relation,
    revoked: bool,
    account_id: UUID,
    at: datetime,
) -> None:
    terms = Terms(ALICE, audience, revoked, permission)

    verdict = rule_on(terms, relation, account_id=account_id, at=at).verdict

    denied = permission is not None and permission.verdict == "denied" and permission.holds(at)
    if revoked or (account_id != ALICE and (relation.blocked or denied)):
        assert verdict == "deny"
    elif account_id == ALICE:
        assert verdict == "allow"
