"""Commands on the ranking: activate a policy or a model, start and end experiments."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from domain.ranking.aggregate import Ranking
from domain.ranking.errors import PolicyInvalid, PolicyVersionTaken
from domain.ranking.trial import Trial
from myriorama.store.identity import new_id
from myriorama.store.log import Log, retried
from ranking.experiments import read_arms, require_patches
from ranking.policy import DEFAULT, FORMER, Policy


class Rankings:
    """By what the feed is ranked. `require_usable` raises of a digest whose model cannot rank."""

    def __init__(self, log: Log, require_usable: Callable[[str], None]) -> None:
        self._log = log
        self._require_usable = require_usable

    @retried
    def activate_policy(self, policy: Policy, *, by: UUID, at: datetime) -> None:
        """Let the feed be ranked by a policy from now on. The same again changes nothing.

        Raises:
            PolicyInvalid: it cannot be like this.
            PolicyVersionTaken: another policy is known under its version.
            ExperimentInvalid: an arm of a running experiment does not go with it.
        """
        checked = policy.checked()
        known = DEFAULT if checked.version == DEFAULT.version else FORMER.get(checked.version)
        if known is not None and known != checked:
            raise PolicyVersionTaken(f"{checked.version!r} is the version of a default policy.")
        ranking = self._ranking(at)
        for arms in ranking.arms:
            require_patches(checked, read_arms(arms))
        former = ranking.policies.get(checked.version)
        text = former if former and _says(former, checked) else checked.encode()
        ranking.activate_policy(checked.version, text, by=by, at=at)
        self._log.save(ranking)

    @retried
    def activate_model(self, digest: str, *, by: UUID, at: datetime) -> None:
        """Let the feed be ranked by a model from now on, or, if `digest` is empty, by a formula.

        Raises:
            ModelDigestInvalid: it is no SHA-256.
            ModelNotFound: no model of this digest is stored.
            ModelUnusable: what is stored is no model, or none that can rank here.
        """
        ranking = self._ranking(at)
        ranking.activate_model(digest, by=by, at=at)
        if digest:
            self._require_usable(digest)
        self._log.save(ranking)

    @retried
    def start(self, trial: Trial, *, by: UUID, at: datetime) -> UUID:
        """Start an experiment; return its ID.

        Raises:
            ExperimentInvalid: it cannot be like this.
            BucketsTaken: another experiment of the layer has some of the buckets.
        """
        ranking = self._ranking(at)
        policy = Policy.recorded(ranking.policy) if ranking.policy else DEFAULT
        require_patches(policy, read_arms(trial.arms))
        experiment_id = new_id()
        ranking.start(experiment_id, trial, by=by, at=at)
        self._log.save(ranking)
        return experiment_id

    @retried
    def end(self, experiment_id: UUID, *, by: UUID, at: datetime) -> None:
        """End an experiment: who took part is served as all others are.

        Raises:
            ExperimentNotFound: none that is running has this ID.
        """
        ranking = self._ranking(at)
        ranking.end(experiment_id, by=by, at=at)
        self._log.save(ranking)

    def _ranking(self, at: datetime) -> Ranking:
        return self._log.find(Ranking, Ranking.identify()) or Ranking.open(at=at)


def _says(recorded: str, policy: Policy) -> bool:
    """Tell whether a policy of the log, maybe of an earlier release, is this one."""
    try:
        return Policy.recorded(recorded) == policy
    except PolicyInvalid:
        return False
