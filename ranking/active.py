"""What is active: by which policy and model the feed is ranked, and what is tried out in it.

A fold of the domain log: at each of its positions there is one answer.
"""

from typing import assert_never

from domain.ranking.errors import ExperimentInvalid, PolicyInvalid
from domain.ranking.events import (
    ExperimentEnded,
    ExperimentStarted,
    RankingEvent,
    RankingModelActivated,
    RankingOpened,
    RankingPolicyActivated,
)
from ranking.experiments import Experiment
from ranking.policy import DEFAULT, FORMER, Policy


class Active:
    """The active policy, model (its digest; empty: none) and experiments, in order of beginning."""

    def __init__(self) -> None:
        self.policy: Policy = DEFAULT
        self.model_digest = ""
        self.experiments: tuple[Experiment, ...] = ()

    def ruling(self, version: str) -> Policy:
        """Return the policy by which a slate was made in the release whose policy has a version.

        It is the active one, but where none was activated and the default was another then.
        """
        return FORMER.get(version, self.policy) if self.policy is DEFAULT else self.policy

    def fold(self, event: RankingEvent) -> None:
        """Apply one event. What this release cannot read leaves all as it was."""
        match event:
            case RankingOpened():
                pass
            case RankingPolicyActivated():
                try:
                    self.policy = Policy.recorded(event.policy)
                except PolicyInvalid:
                    return
            case RankingModelActivated():
                self.model_digest = event.digest
            case ExperimentStarted():
                try:
                    self.experiments = (*self.experiments, Experiment.of(event))
                except ExperimentInvalid:
                    return
            case ExperimentEnded():
                self.experiments = tuple(
                    each for each in self.experiments if each.experiment_id != event.experiment_id
                )
            case _:
                assert_never(event)
