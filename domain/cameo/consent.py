"""Consent: the one rule that says whether an account may cast a cameo at a moment.

Asked when a generation is submitted, when a worker claims it and when its video is published.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

Audience = Literal["only_me", "approved", "mutuals", "everyone"]
Verdict = Literal["allow", "deny", "needs_approval"]
Rule = Literal[
    "revoked",
    "owner",
    "blocked",
    "denied",
    "granted",
    "everyone",
    "mutuals",
    "not_mutual",
    "approval_required",
    "only_me",
]


@dataclass(frozen=True)
class Permission:
    """What the owner said about one account, until `expires_at` (None: until it is cleared)."""

    verdict: Literal["granted", "denied"]
    expires_at: datetime | None

    def holds(self, at: datetime) -> bool:
        return self.expires_at is None or at < self.expires_at


@dataclass(frozen=True)
class Terms:
    """What the owner laid down that matters to one account; `permission` is this account's."""

    owner_id: UUID
    audience: str
    revoked: bool
    permission: Permission | None


@dataclass(frozen=True)
class Relation:
    """How the asking account and the owner stand to one another."""

    blocked: bool
    """Either blocks the other."""
    mutual: bool
    """Each follows the other."""


@dataclass(frozen=True)
class Ruling:
    """The answer, and the rule that it follows from."""

    verdict: Verdict
    rule: Rule


def rule_on(terms: Terms, relation: Relation, *, account_id: UUID, at: datetime) -> Ruling:
    """Rule whether an account may cast the cameo. The first rule that applies decides.

    What has expired counts for nothing, and an audience that is not known here is nobody.
    """
    if terms.revoked:
        return Ruling("deny", "revoked")
    if account_id == terms.owner_id:
        return Ruling("allow", "owner")
    if relation.blocked:
        return Ruling("deny", "blocked")
    if terms.permission is not None and terms.permission.holds(at):
        if terms.permission.verdict == "granted":
            return Ruling("allow", "granted")
        return Ruling("deny", "denied")
    return _rule_of_audience(terms.audience, mutual=relation.mutual)


def _rule_of_audience(audience: str, *, mutual: bool) -> Ruling:
    match audience:
        case "everyone":
            return Ruling("allow", "everyone")
        case "mutuals":
            return Ruling("allow", "mutuals") if mutual else Ruling("needs_approval", "not_mutual")
        case "approved":
            return Ruling("needs_approval", "approval_required")
        case _:
            return Ruling("deny", "only_me")
