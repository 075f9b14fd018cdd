"""The rules of the ranking: one policy and one model at a time; experiments share no account."""

import re
from datetime import datetime
from typing import Self, assert_never
from uuid import UUID

from domain.aggregate import Aggregate
from domain.identity import named
from domain.ranking.errors import (
    BucketsTaken,
    ExperimentInvalid,
    ExperimentNotFound,
    ModelDigestInvalid,
    PolicyVersionTaken,
)
from domain.ranking.events import (
    ExperimentEnded,
    ExperimentStarted,
    RankingEvent,
    RankingModelActivated,
    RankingOpened,
    RankingPolicyActivated,
)
from domain.ranking.trial import Trial
from domain.text import is_name

BUCKETS = 10_000

_DIGEST = re.compile(r"(?:[0-9a-f]{64})?")
_NAME_LENGTH_MAX = 64


class Ranking(Aggregate):
    """The one of the house. What a policy or an arm may say, who reads them knows."""

    TOPIC = "ranking"

    def __init__(self) -> None:
        self.policy: str | None = None
        # Every policy that was ever active, by its version.
        self.policies: dict[str, str] = {}
        self.model_digest = ""
        # The running experiments: layer, first bucket, buckets and arms of each, by ID.
        self._running: dict[str, list[str | int]] = {}

    @staticmethod
    def identify() -> UUID:
        """Return the ID of the house's ranking."""
        return named("ranking", "feed")

    @classmethod
    def open(cls, *, at: datetime) -> Self:
        return cls.begin(RankingOpened, cls.identify(), at)

    @property
    def arms(self) -> list[str]:
        """The arms of every running experiment, as JSON."""
        return [str(arms) for *_, arms in self._running.values()]

    def activate_policy(self, version: str, policy: str, *, by: UUID, at: datetime) -> None:
        """Let the feed be ranked by a policy. The same again records nothing.

        Raises:
            PolicyVersionTaken: another policy was active under this version.
        """
        if self.policies.get(version, policy) != policy:
            raise PolicyVersionTaken(
                f"Another policy was activated as {version!r}; give this one a version of its own."
            )
        if policy != self.policy:
            self.trigger(RankingPolicyActivated, at, version=version, policy=policy, by=by)

    def activate_model(self, digest: str, *, by: UUID, at: datetime) -> None:
        """Let the feed be ranked by a model, or by none. The same again records nothing.

        Raises:
            ModelDigestInvalid: it is no SHA-256.
        """
        if not _DIGEST.fullmatch(digest):
            raise ModelDigestInvalid("A digest has 64 digits, 0 to 9 and a to f, or is empty.")
        if digest != self.model_digest:
            self.trigger(RankingModelActivated, at, digest=digest, by=by)

    def start(self, experiment_id: UUID, trial: Trial, *, by: UUID, at: datetime) -> None:
        """Start an experiment. The accounts are dealt out to its arms by its ID.

        Raises:
            ExperimentInvalid: it has no name, or its buckets are none of the 10,000.
            BucketsTaken: another experiment of the layer has some of them.
        """
        if not (is_name(trial.name) and is_name(trial.layer)):
            raise ExperimentInvalid("An experiment and its layer have names, of one line each.")
        if max(len(trial.name), len(trial.layer)) > _NAME_LENGTH_MAX:
            raise ExperimentInvalid(f"A name has {_NAME_LENGTH_MAX} characters at most.")
        end = trial.bucket_first + trial.buckets
        if trial.bucket_first < 0 or trial.buckets < 1 or end > BUCKETS:
            raise ExperimentInvalid(f"The buckets are some of 0 to {BUCKETS - 1}.")
        for layer, first, buckets, _ in self._running.values():
            overlaps = trial.bucket_first < int(first) + int(buckets) and int(first) < end
            if layer == trial.layer and overlaps:
                raise BucketsTaken("An experiment of this layer has some of these buckets.")
        self.trigger(
            ExperimentStarted,
            at,
            experiment_id=experiment_id,
            name=trial.name,
            layer=trial.layer,
            salt=experiment_id.hex,
            bucket_first=trial.bucket_first,
            buckets=trial.buckets,
            arms=trial.arms,
            by=by,
        )

    def end(self, experiment_id: UUID, *, by: UUID, at: datetime) -> None:
        """End an experiment.

        Raises:
            ExperimentNotFound: none that is running has this ID.
        """
        if str(experiment_id) not in self._running:
            raise ExperimentNotFound("No experiment that is running has this ID.")
        self.trigger(ExperimentEnded, at, experiment_id=experiment_id, by=by)

    def evolve(self, event: RankingEvent) -> None:
        match event:
            case RankingOpened():
                pass
            case RankingPolicyActivated():
                self.policy = event.policy
                self.policies[event.version] = event.policy
            case RankingModelActivated():
                self.model_digest = event.digest
            case ExperimentStarted():
                self._running[str(event.experiment_id)] = [
                    event.layer,
                    event.bucket_first,
                    event.buckets,
                    event.arms,
                ]
            case ExperimentEnded():
                self._running.pop(str(event.experiment_id), None)
            case _:
                assert_never(event)
