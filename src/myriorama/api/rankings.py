"""Routes of the ranking, for those who run it: policy, model, and the tables of experiments."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, delete, get, post, put
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody

from domain.ranking.errors import ExperimentNotFound
from domain.ranking.trial import Trial
from myriorama.api.reads import Reads
from myriorama.api.tokens import Principal, Scope
from myriorama.application.rankings import Rankings
from myriorama.store.front import Front
from ranking.comparison import METRICS, MISMATCH, Measure, Sums, dealt_by_chance, measures
from ranking.experiments import Arm, read_arms
from ranking.policy import DEFAULT, Policy

ACTIVE = """
    SELECT DISTINCT ON (kind) kind, name, policy, activated_by, activated_at
    FROM ranking_activations ORDER BY kind, position DESC
"""

EXPERIMENTS = """
    SELECT experiment_id, name, layer, bucket_first, buckets, arms, started_at, ended_at
    FROM experiments ORDER BY started_at DESC, experiment_id DESC
"""

EXPERIMENT = """
    SELECT experiment_id, name, layer, bucket_first, buckets, arms, started_at, ended_at
    FROM experiments WHERE experiment_id = %s
"""

OUTCOMES = Path(__file__).with_name("outcomes.sql").read_bytes()

SLATES = """
    SELECT arm, count(*) AS slates FROM exposed_slates WHERE experiment_id = %s GROUP BY arm
"""


class Activation(msgspec.Struct, frozen=True):
    """Who let the feed be ranked by something, and when."""

    name: str
    activated_by: UUID
    activated_at: datetime


class ActiveRanking(msgspec.Struct, frozen=True):
    """By what the feed is ranked: the policy in full, and the model's digest.

    What was never activated has no activation: then the default policy holds, and a formula ranks.
    """

    policy: Policy
    policy_activation: Activation | None
    model: str | None
    model_activation: Activation | None


class ActivationRow(msgspec.Struct, frozen=True):
    """An activation as it lies on the read side."""

    kind: str
    name: str
    policy: str | None
    activated_by: UUID
    activated_at: datetime


class ChosenModel(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which model is to rank; the empty digest: none, but a formula."""

    digest: Annotated[str, msgspec.Meta(pattern=r"^(?:[0-9a-f]{64})?$", examples=[""])]


class NewExperiment(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What to try out, with how many of the 10,000 buckets of which layer.

    The first arm is what the others are compared with: usually it changes nothing.
    """

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["more-remixes"])]
    layer: Annotated[str, msgspec.Meta(min_length=1, max_length=64, examples=["weights"])]
    bucket_first: Annotated[int, msgspec.Meta(ge=0, le=9_999)]
    buckets: Annotated[int, msgspec.Meta(ge=1, le=10_000, examples=[1000])]
    arms: Annotated[
        list[Arm],
        msgspec.Meta(
            min_length=2,
            max_length=16,
            examples=[[{"name": "as-is"}, {"name": "more", "policy": {"weights": {"remix": 40}}}]],
        ),
    ]


class StartedExperiment(msgspec.Struct, frozen=True):
    """The experiment that was started."""

    experiment_id: UUID


class ExperimentRow(msgspec.Struct, frozen=True):
    """An experiment as it lies on the read side."""

    experiment_id: UUID
    name: str
    layer: str
    bucket_first: int
    buckets: int
    arms: str
    started_at: datetime
    ended_at: datetime | None


class Experiment(msgspec.Struct, frozen=True):
    """What is or was tried out; `ended_at` is null as long as it runs."""

    experiment_id: UUID
    name: str
    layer: str
    bucket_first: int
    buckets: int
    arms: Sequence[Arm]
    started_at: datetime
    ended_at: datetime | None


class ArmOutcome(msgspec.Struct, frozen=True):
    """What became of an arm: who was exposed to it, and each metric by account."""

    arm: str
    accounts: int
    slates: int
    metrics: dict[str, Measure]


class Dealing(msgspec.Struct, frozen=True):
    """Whether the accounts came to the arms as their shares say.

    `p_value` is how probable numbers as uneven as these are, null without accounts. If it
    `is_mismatch`, what the arms came to is not to be trusted: find out who is missing first.
    """

    p_value: float | None
    is_mismatch: bool


class ExperimentTable(msgspec.Struct, frozen=True):
    """An experiment, and what its arms came to. `worse`: the metrics that an arm did harm to."""

    experiment: Experiment
    outcomes: list[ArmOutcome]
    worse: dict[str, list[str]]
    dealing: Dealing


class OutcomeRow(msgspec.Struct, frozen=True):
    """The sums of a metric over the accounts of an arm."""

    arm: str
    metric: str
    accounts: int
    total: float
    squares: float


class SlateRow(msgspec.Struct, frozen=True):
    """How many slates an arm had a part in."""

    arm: str
    slates: int


@get("/rankings", opt={"scope": Scope.ANALYST})
async def read_ranking(reads: NamedDependency[Reads]) -> ActiveRanking:
    """See by which policy and model the feed is ranked."""
    rows = {row.kind: row for row in await reads.many(ActivationRow, ACTIVE)}
    policy, model = rows.get("policy"), rows.get("model")
    return ActiveRanking(
        policy=Policy.recorded(policy.policy) if policy and policy.policy else DEFAULT,
        policy_activation=_activation(policy),
        model=(model.name or None) if model else None,
        model_activation=_activation(model),
    )


@put("/rankings/policy", opt={"scope": Scope.ADMIN}, status_code=204)
async def activate_policy(
    data: JSONBody[Policy],
    principal: NamedDependency[Principal],
    rankings: NamedDependency[Rankings],
    front: NamedDependency[Front],
) -> None:
    """Let the feed be ranked by another policy; a field that is left out is as by default."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(rankings.activate_policy, data, by=by, at=at)


@put("/rankings/model", opt={"scope": Scope.ADMIN}, status_code=204)
async def activate_model(
    data: JSONBody[ChosenModel],
    principal: NamedDependency[Principal],
    rankings: NamedDependency[Rankings],
    front: NamedDependency[Front],
) -> None:
    """Let the feed be ranked by another model, which is stored under its digest."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(rankings.activate_model, data.digest, by=by, at=at)


@get("/rankings/experiments", opt={"scope": Scope.ANALYST})
async def list_experiments(reads: NamedDependency[Reads]) -> list[Experiment]:
    """List what is and was tried out in the ranking, newest first."""
    return [_experiment(row) for row in await reads.many(ExperimentRow, EXPERIMENTS)]


@post("/rankings/experiments", opt={"scope": Scope.ADMIN})
async def start_experiment(
    data: JSONBody[NewExperiment],
    principal: NamedDependency[Principal],
    rankings: NamedDependency[Rankings],
    front: NamedDependency[Front],
) -> StartedExperiment:
    """Try something out: some accounts, the same ones each time, are served by other policies."""
    arms = msgspec.json.encode(data.arms).decode()
    trial = Trial(data.name, data.layer, data.bucket_first, data.buckets, arms)
    by, at = principal.account_id, datetime.now(UTC)
    return StartedExperiment(await front.command(rankings.start, trial, by=by, at=at))


@get("/rankings/experiments/{experiment_id:uuid}", opt={"scope": Scope.ANALYST})
async def read_experiment(
    experiment_id: FromPath[UUID], reads: NamedDependency[Reads]
) -> ExperimentTable:
    """See what an experiment has come to: what the accounts of each arm did, and watched."""
    row = await reads.one(ExperimentRow, EXPERIMENT, (experiment_id,))
    if row is None:
        raise ExperimentNotFound("There is no such experiment.")
    experiment = _experiment(row)
    asked = {"experiment_id": experiment_id, "ended_at": row.ended_at}
    sums = {
        (found.arm, found.metric): Sums(found.accounts, found.total, found.squares)
        for found in await reads.many(OutcomeRow, OUTCOMES, asked)
    }
    slates = {
        found.arm: found.slates for found in await reads.many(SlateRow, SLATES, (experiment_id,))
    }
    names = [arm.name for arm in experiment.arms]
    nothing = Sums(0, 0.0, 0.0)
    by_arm = [{metric: sums.get((name, metric), nothing) for metric in METRICS} for name in names]
    measured = measures(by_arm)
    outcomes = [
        ArmOutcome(name, by_arm[place]["views"].accounts, slates.get(name, 0), measured[place])
        for place, name in enumerate(names)
    ]
    worse = {
        outcome.arm: found
        for outcome in outcomes
        if (found := [name for name, each in outcome.metrics.items() if each.is_worse])
    }
    p_value = dealt_by_chance(
        [outcome.accounts for outcome in outcomes], [arm.share for arm in experiment.arms]
    )
    dealing = Dealing(p_value, is_mismatch=p_value is not None and p_value < MISMATCH)
    return ExperimentTable(experiment, outcomes, worse, dealing)


@delete("/rankings/experiments/{experiment_id:uuid}", opt={"scope": Scope.ADMIN})
async def end_experiment(
    experiment_id: FromPath[UUID],
    principal: NamedDependency[Principal],
    rankings: NamedDependency[Rankings],
    front: NamedDependency[Front],
) -> None:
    """End an experiment: who took part is served as all others are."""
    by, at = principal.account_id, datetime.now(UTC)
    await front.command(rankings.end, experiment_id, by=by, at=at)


def _activation(row: ActivationRow | None) -> Activation | None:
    return Activation(row.name, row.activated_by, row.activated_at) if row else None


def _experiment(row: ExperimentRow) -> Experiment:
    return Experiment(
        experiment_id=row.experiment_id,
        name=row.name,
        layer=row.layer,
        bucket_first=row.bucket_first,
        buckets=row.buckets,
        arms=read_arms(row.arms),
        started_at=row.started_at,
        ended_at=row.ended_at,
    )


router = Router(
    "/v1",
    route_handlers=[
        read_ranking,
        activate_policy,
        activate_model,
        list_experiments,
        start_experiment,
        read_experiment,
        end_experiment,
    ],
    tags=["Ranking"],
)
