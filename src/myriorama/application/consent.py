"""Consent, asked of the aggregates: what the owners have said up to this very moment.

Read by every command that casts a cameo: submission, claim and publication.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.cameo.aggregate import Cameo
from domain.cameo.consent import Relation, Rule, Verdict, rule_on
from domain.cameo.errors import CameoNotFound, CastingForbidden
from domain.following.aggregate import Following
from myriorama.store.log import Log


@dataclass(frozen=True)
class Decision:
    """What stands for or against the casting of one cameo."""

    cameo_id: UUID
    verdict: Verdict
    rule: Rule


class Consent:
    """Asks the owners of cameos, so to speak. Records nothing."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def decide(self, cameo_ids: Sequence[UUID], *, by: UUID, at: datetime) -> Sequence[Decision]:
        """Decide for each cameo whether an account may cast it now.

        Raises:
            CameoNotFound: one of them does not exist.
        """
        return self.weigh(cameo_ids, by=by, at=at)[0]

    def require(self, cameo_ids: Sequence[UUID], *, by: UUID, at: datetime) -> dict[UUID, int]:
        """Require that an account may cast all of the cameos now.

        Returns:
            What that rests on, by version: pass it to `Log.save(..., expect=...)`, so that nothing
            is recorded if an owner has changed their mind, or a relation has changed, since.

        Raises:
            CameoNotFound: one of them does not exist.
            CastingForbidden: one of them may not be cast.
        """
        decisions, read = self.weigh(cameo_ids, by=by, at=at)
        for decision in decisions:
            if decision.verdict != "allow":
                raise CastingForbidden(decision.cameo_id, decision.rule)
        return read

    def weigh(
        self, cameo_ids: Sequence[UUID], *, by: UUID, at: datetime
    ) -> tuple[Sequence[Decision], dict[UUID, int]]:
        """Decide as `decide` does, and return what that rests on as `require` does.

        Raises:
            CameoNotFound: one of them does not exist.
        """
        read: dict[UUID, int] = {}
        followings: dict[UUID, Following | None] = {}

        def following(account_id: UUID) -> Following | None:
            if account_id not in followings:
                identity = Following.identify(account_id)
                found = followings[account_id] = self._log.find(Following, identity)
                read[identity] = found.version if found else 0
            return followings[account_id]

        decisions: list[Decision] = []
        for cameo_id in dict.fromkeys(cameo_ids):
            cameo = self._log.find(Cameo, cameo_id)
            if cameo is None:
                raise CameoNotFound(cameo_id)
            read[cameo_id] = cameo.version
            owner_id = cameo.owner_id
            relation = (
                Relation(blocked=False, mutual=False)  # to oneself; the rule does not look at it
                if owner_id == by
                else _relation(by, following(by), owner_id, following(owner_id))
            )
            ruling = rule_on(cameo.terms(by), relation, account_id=by, at=at)
            decisions.append(Decision(cameo_id, ruling.verdict, ruling.rule))
        return decisions, read


def _relation(
    one_id: UUID, one: Following | None, other_id: UUID, other: Following | None
) -> Relation:
    """Tell how two accounts stand to one another; one who never related to anybody has none."""
    if one is None or other is None:
        blocked = (one is not None and one.is_blocking(other_id)) or (
            other is not None and other.is_blocking(one_id)
        )
        return Relation(blocked=blocked, mutual=False)
    return Relation(
        blocked=one.is_blocking(other_id) or other.is_blocking(one_id),
        mutual=one.is_following(other_id) and other.is_following(one_id),
    )
