"""The ranking's rules: one policy and model at a time, and experiments that share no account."""

from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.ranking.aggregate import Ranking
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
    RankingModelActivated,
    RankingOpened,
    RankingPolicyActivated,
)
from domain.ranking.trial import Trial

ALICE = uuid4()
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ARMS = '[{"name": "a"}, {"name": "b"}]'


def opened() -> Ranking:
    return Ranking.open(at=NOON)


def trial(first: int = 0, buckets: int = 1000, *, layer: str = "weights") -> Trial:
    return Trial("more remixes", layer, first, buckets, ARMS)


def recorded(ranking: Ranking) -> list[type]:
    return [type(event) for event in ranking.collect_events()]


def test_the_same_policy_and_model_again_record_nothing() -> None:
    ranking = opened()

    for _ in range(2):
        ranking.activate_policy("calm-1", '{"version": "calm-1"}', by=ALICE, at=NOON)
        ranking.activate_model("ab" * 32, by=ALICE, at=NOON)

    assert recorded(ranking) == [RankingOpened, RankingPolicyActivated, RankingModelActivated]


def test_a_version_is_of_one_policy_for_good_and_may_rule_again() -> None:
    ranking = opened()
    ranking.activate_policy("calm-1", '{"version": "calm-1"}', by=ALICE, at=NOON)
    ranking.activate_policy("calm-2", '{"version": "calm-2"}', by=ALICE, at=NOON)

    with pytest.raises(PolicyVersionTaken):
        ranking.activate_policy("calm-1", '{"version": "calm-1", "size": 30}', by=ALICE, at=NOON)
    ranking.activate_policy("calm-1", '{"version": "calm-1"}', by=ALICE, at=NOON)

    assert recorded(ranking) == [RankingOpened, *[RankingPolicyActivated] * 3]
    assert ranking.policy == '{"version": "calm-1"}'


def test_a_formula_can_take_the_place_of_a_model() -> None:
    ranking = opened()
    ranking.activate_model("ab" * 32, by=ALICE, at=NOON)

    ranking.activate_model("", by=ALICE, at=NOON)

    assert ranking.model_digest == ""


@pytest.mark.parametrize("digest", ["ab", "AB" * 32, "../" + "a" * 61, "ab" * 32 + "\n"])
def test_a_model_is_named_by_its_digest(digest: str) -> None:
    with pytest.raises(ModelDigestInvalid):
        opened().activate_model(digest, by=ALICE, at=NOON)


@pytest.mark.parametrize("first", [0, 500, 999])
def test_experiments_of_one_layer_share_no_account(first: int) -> None:
    ranking = opened()
    ranking.start(uuid4(), trial(0, 1000), by=ALICE, at=NOON)

    with pytest.raises(BucketsTaken):
        ranking.start(uuid4(), trial(first, 1000), by=ALICE, at=NOON)


def test_other_buckets_and_other_layers_are_free() -> None:
    ranking = opened()
    ranking.start(uuid4(), trial(0, 1000), by=ALICE, at=NOON)

    ranking.start(uuid4(), trial(1000, 9000), by=ALICE, at=NOON)
    ranking.start(uuid4(), trial(0, 10_000, layer="sources"), by=ALICE, at=NOON)

    assert len(ranking.arms) == 3


def test_what_has_ended_gives_its_buckets_back() -> None:
    ranking, experiment_id = opened(), uuid4()
    ranking.start(experiment_id, trial(), by=ALICE, at=NOON)

    ranking.end(experiment_id, by=ALICE, at=NOON)
    ranking.start(uuid4(), trial(), by=ALICE, at=NOON)

    kinds = [RankingOpened, ExperimentStarted, ExperimentEnded, ExperimentStarted]
    assert recorded(ranking) == kinds


def test_only_what_is_running_can_be_ended() -> None:
    ranking, experiment_id = opened(), uuid4()
    ranking.start(experiment_id, trial(), by=ALICE, at=NOON)
    ranking.end(experiment_id, by=ALICE, at=NOON)

    for unknown in (experiment_id, uuid4()):
        with pytest.raises(ExperimentNotFound):
            ranking.end(unknown, by=ALICE, at=NOON)


@pytest.mark.parametrize(
    "wrong",
    [
        trial(-1),
        trial(0, 0),
        trial(9_500, 501),
        trial(layer=""),
        trial(layer="a\nb"),
        trial(layer="a" * 65),
    ],
)
def test_an_experiment_has_names_and_some_of_the_buckets(wrong: Trial) -> None:
    with pytest.raises(ExperimentInvalid):
        opened().start(uuid4(), wrong, by=ALICE, at=NOON)
