"""Experiments: who takes part in which, in which arm, and what the arm changes in the policy.

It follows from the account's ID alone, so nothing has to be stored about it: that an account was
exposed stands in the slate log, each slate of which names the arms it was made by.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import accumulate
from typing import Annotated, Any
from uuid import UUID

import msgspec

from domain.ranking.errors import ExperimentInvalid, PolicyInvalid
from domain.ranking.events import ExperimentStarted
from ranking.policy import Policy

BUCKETS = 10_000


class Arm(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the ways in which an experiment ranks: a merge patch (RFC 7396) of the policy.

    `share` is its part of the accounts that take part, relative to those of the other arms.
    """

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")]
    share: Annotated[int, msgspec.Meta(ge=1, le=BUCKETS)] = 1
    policy: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])


class Experiment(msgspec.Struct, frozen=True):
    """What is tried out with the accounts of some buckets of a layer."""

    experiment_id: UUID
    name: str
    layer: str
    salt: str
    bucket_first: int
    buckets: int
    arms: tuple[Arm, ...]

    @classmethod
    def of(cls, event: ExperimentStarted) -> "Experiment":
        """Return the experiment that an event started."""
        return cls(
            event.experiment_id,
            event.name,
            event.layer,
            event.salt,
            event.bucket_first,
            event.buckets,
            read_arms(event.arms),
        )

    def arm(self, account: bytes) -> Arm | None:
        """Return the arm that an account (16 bytes) is in, None if it takes no part."""
        place = bucket(self.layer, account) - self.bucket_first
        if not 0 <= place < self.buckets:
            return None
        shares = list(accumulate(arm.share for arm in self.arms))
        return self.arms[bisect_right(shares, _hash(self.salt, account) % shares[-1])]


def bucket(layer: str, account: bytes) -> int:
    """Return which of the 10,000 buckets of a layer an account (16 bytes) is in."""
    return _hash(layer, account) % BUCKETS


def read_arms(text: str | bytes) -> tuple[Arm, ...]:
    """Read the arms of an experiment from JSON.

    Raises:
        ExperimentInvalid: they are none, or too many, or not like this.
    """
    try:
        arms = msgspec.json.decode(text, type=tuple[Arm, ...])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ExperimentInvalid(f"The arms cannot be read: {error}") from error
    names = {arm.name for arm in arms}
    if not 2 <= len(names) == len(arms) <= 16:  # noqa: PLR2004 - two to compare, few enough to read
        raise ExperimentInvalid("An experiment has 2 to 16 arms, each with a name of its own.")
    return arms


def require_patches(policy: Policy, arms: Iterable[Arm]) -> None:
    """Let pass arms each of which makes a policy of `policy`.

    Raises:
        ExperimentInvalid: one does not, or changes what is not an arm's to change.
    """
    for arm in arms:
        if "version" in arm.policy:
            raise ExperimentInvalid(f"Arm {arm.name}: a policy keeps its version in every arm.")
        try:
            policy.patched(arm.policy)
        except PolicyInvalid as error:
            raise ExperimentInvalid(f"Arm {arm.name}: {error}") from error


def taken_part(
    experiments: Sequence[Experiment], account: bytes
) -> Sequence[tuple[Experiment, Arm]]:
    """Return the experiments that an account takes part in, with its arm of each."""
    found = ((experiment, experiment.arm(account)) for experiment in experiments)
    return [(experiment, arm) for experiment, arm in found if arm is not None]


def policy_in(
    policy: Policy, experiments: Sequence[Experiment], account: bytes
) -> tuple[Policy, Mapping[str, str]]:
    """Return the policy by which an account is served, and its arms by the experiments' IDs.

    Where the arms of two layers do not go together, the later experiment's changes nothing.
    """
    arms: dict[str, str] = {}
    for experiment, arm in taken_part(experiments, account):
        arms[str(experiment.experiment_id)] = arm.name
        policy = (
            _patched(policy.encode(), msgspec.json.encode(arm.policy)) if arm.policy else policy
        )
    return policy, arms


@lru_cache(maxsize=256)
def _patched(policy: str, patch: bytes) -> Policy:
    base = Policy.decode(policy)
    try:
        return base.patched(msgspec.json.decode(patch))
    except PolicyInvalid:
        return base


def _hash(salt: str, account: bytes) -> int:
    return int.from_bytes(blake2b(account, digest_size=8, key=salt.encode()[:64]).digest())
