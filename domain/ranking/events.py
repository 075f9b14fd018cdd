"""What can happen to the ranking of the feed: a policy, a model or an experiment takes effect."""

from dataclasses import dataclass
from uuid import UUID

from domain.aggregate import Event, InitialEvent


@dataclass(frozen=True)
class RankingOpened(InitialEvent):
    """The house decides by which policy and model its feed is ranked, from now on."""

    TOPIC = "ranking.opened"


@dataclass(frozen=True)
class RankingPolicyActivated(Event):
    """The feed is ranked by this policy from now on. `policy` is JSON; `version` its name."""

    TOPIC = "ranking.policy_activated"

    version: str
    policy: str
    by: UUID


@dataclass(frozen=True)
class RankingModelActivated(Event):
    """The feed is ranked by this model from now on; an empty digest: by none, but by a formula.

    `digest` is the SHA-256, in hexadecimal, of the model's file.
    """

    TOPIC = "ranking.model_activated"

    digest: str
    by: UUID


@dataclass(frozen=True)
class ExperimentStarted(Event):
    """Some accounts are shown a feed that is ranked otherwise than that of others.

    An account falls into one of the 10,000 buckets of a layer by the hash of its ID; those from
    `bucket_first` on, `buckets` of them, take part. Experiments of one layer share no account.
    `arms` is JSON: what each arm changes in the policy, and its share; `salt` deals them out.
    """

    TOPIC = "ranking.experiment_started"

    experiment_id: UUID
    name: str
    layer: str
    salt: str
    bucket_first: int
    buckets: int
    arms: str
    by: UUID


@dataclass(frozen=True)
class ExperimentEnded(Event):
    """Whoever took part is shown the feed that all others are shown again."""

    TOPIC = "ranking.experiment_ended"

    experiment_id: UUID
    by: UUID


RankingEvent = (
    RankingOpened
    | RankingPolicyActivated
    | RankingModelActivated
    | ExperimentStarted
    | ExperimentEnded
)
