"""The policy: data that is read strictly, or refused with what is wrong with it."""

import msgspec
import pytest

from domain.ranking.errors import ExperimentInvalid, PolicyInvalid
from ranking.active import Active
from ranking.experiments import BUCKETS, bucket, policy_in, read_arms, require_patches
from ranking.policy import ACTIONS, DEFAULT, SOURCES, UNWANTED, Policy
from ranking.sources import SOURCES as REGISTERED
from tests.ranking.crowds import Crowd

ACCOUNTS = [number.to_bytes(16) for number in range(2000)]


def test_it_is_read_as_it_was_written() -> None:
    assert Policy.decode(DEFAULT.encode()) == DEFAULT


def test_what_is_left_out_is_as_by_default() -> None:
    read = Policy.decode('{"version": "calm-1", "author_decay": {"factor": 0.7}}')

    assert read.diversity == DEFAULT.diversity
    assert read.author_decay.factor == 0.7
    assert read.author_decay.floor == DEFAULT.author_decay.floor


def test_a_label_that_is_not_named_keeps_the_rule_that_it_has_by_default() -> None:
    drop = '{"adult": "drop", "minor": "drop"}'
    text = f'{{"version": "x", "labels": {{"political": {drop}}}, "weights": {{"remix": 40}}}}'

    read = Policy.decode(text)

    assert read.labels["political"].adult == "drop"
    assert read.labels["mature"] == DEFAULT.labels["mature"]
    assert read.weights == DEFAULT.weights | {"remix": 40}
    assert read.quotas == DEFAULT.quotas


def test_a_policy_that_was_recorded_before_lines_and_topics_tired_knows_no_such_thing() -> None:
    written = msgspec.json.decode(DEFAULT.encode())
    of_then = {name: part for name, part in written.items() if name != "line_decay"}

    read = Policy.recorded(msgspec.json.encode(of_then).decode())

    assert (read.line_decay.factor, read.line_decay.floor) == (1, 1)
    assert read.topic_decay == DEFAULT.topic_decay
    assert Policy.recorded(DEFAULT.encode()) == DEFAULT


def test_slates_of_an_earlier_default_are_made_again_by_it_unless_one_is_activated() -> None:
    active = Active()

    assert active.ruling("default-1").line_decay.factor == 1
    assert active.ruling(DEFAULT.version) is DEFAULT
    active.policy = Policy.decode('{"version": "default-1"}')
    assert active.ruling("default-1") is active.policy


def test_creating_outweighs_watching() -> None:
    weights = DEFAULT.weights

    assert min(weights[action] for action in ("remix", "cameo_use", "create_24h")) > 10 * max(
        weights[action] for action in ("watch", "complete", "rewatch", "like")
    )


def test_it_knows_the_sources_that_there_are() -> None:
    assert tuple(REGISTERED) == SOURCES


REFUSED = {
    "": "read",
    "[]": "object",
    '{"version": "x"': "read",
    '{"version": "Not a name"}': "version",
    '{"quotas": {}}': "version",
    '{"version": "x", "weight": {}}': "weight",
    '{"version": "x", "weights": {"report": 1}}': "weights.report",
    '{"version": "x", "weights": {"like": -1}}': "weights.like",
    '{"version": "x", "weights": {"smile": 1}}': "weights.smile",
    '{"version": "x", "weights": {"like": 1e9}}': "weights.like",
    '{"version": "x", "quotas": {"friends": 1}}': "quotas.friends",
    '{"version": "x", "quotas": {"taste": -1}}': "quotas",
    '{"version": "x", "labels": {"rude": {"adult": "drop", "minor": "drop"}}}': "labels.rude",
    '{"version": "x", "labels": {"spam": {"adult": "drop"}}}': "minor",
    '{"version": "x", "diversity": {"author": 0.9, "line": 0.9}}': "diversity",
    '{"version": "x", "exploration": {"floor": 0.2, "pool": 20}}': "exploration",
    '{"version": "x", "exploration": {"share": 1.5}}': "share",
    '{"version": "x", "exploration": {"alpha": 1e-300}}': "alpha",
    '{"version": "x", "exploration": {"temperature": 1e-300}}': "temperature",
    '{"version": "x", "diversity": {"pool": 59}}': "diversity.pool",
    '{"version": "x", "limits": {"candidates": 1}}': "limits.candidates",
    '{"version": "x", "author_decay": {"factor": 0.2}}': "author_decay",
    '{"version": "x", "perturbation": 3}': "perturbation",
}


@pytest.mark.parametrize(("text", "named"), REFUSED.items())
def test_what_it_cannot_be_is_refused_by_name(text: str, named: str) -> None:
    with pytest.raises(PolicyInvalid, match=named):
        Policy.decode(text)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(PolicyInvalid):
        Policy.decode(b"\xff\xfe")


def test_what_nobody_wants_can_be_worth_nothing_but_never_more() -> None:
    zero = DEFAULT.patched({"weights": dict.fromkeys(UNWANTED, 0)})

    assert all(zero.weights[action] == 0 for action in UNWANTED)
    with pytest.raises(PolicyInvalid, match="report"):
        DEFAULT.patched({"weights": {"report": 0.001}})


def test_the_weights_of_a_viewer_stand_off_by_sigma_and_stay_the_same() -> None:
    policy = DEFAULT.patched({"perturbation": 0.1})

    factors = {
        round(policy.for_viewer(viewer)[action] / DEFAULT.weights[action], 6)
        for viewer in ACCOUNTS[:50]
        for action in ACTIONS
    }

    assert factors == {1.105171, 0.904837}
    assert policy.for_viewer(ACCOUNTS[3]) == policy.for_viewer(ACCOUNTS[3])
    assert DEFAULT.for_viewer(ACCOUNTS[3]) == DEFAULT.weights


def test_each_weight_is_raised_for_half_of_the_viewers_whatever_the_others_are() -> None:
    policy = DEFAULT.patched({"perturbation": 0.1})
    drawn = [policy.for_viewer(viewer) for viewer in ACCOUNTS]

    raised = {
        action: [abs(each[action]) > abs(DEFAULT.weights[action]) for each in drawn]
        for action in ("like", "remix")
    }

    assert all(900 < sum(those) < 1100 for those in raised.values())
    both = sum(a and b for a, b in zip(raised["like"], raised["remix"], strict=True))
    assert 430 < both < 570


TWO_ARMS = '[{"name": "as-is"}, {"name": "more", "policy": {"weights": {"remix": 40}}}]'


def test_an_experiment_deals_accounts_out_evenly_and_for_good() -> None:
    crowd = Crowd()
    crowd.try_out(TWO_ARMS)
    experiments = crowd.state.active.experiments

    dealt = [policy_in(DEFAULT, experiments, account) for account in ACCOUNTS]

    more = sum(list(arms.values()) == ["more"] for _, arms in dealt)
    assert 900 < more < 1100
    assert {policy.weights["remix"] for policy, arms in dealt if "more" in arms.values()} == {40}
    assert {policy.weights["remix"] for policy, arms in dealt if "as-is" in arms.values()} == {20}
    assert dealt == [policy_in(DEFAULT, experiments, account) for account in ACCOUNTS]


def test_only_the_accounts_of_its_buckets_take_part() -> None:
    crowd = Crowd()
    crowd.try_out(TWO_ARMS, buckets=500)
    (experiment,) = crowd.state.active.experiments

    taking_part = [account for account in ACCOUNTS if experiment.arm(account)]

    assert 60 < len(taking_part) < 140
    assert all(bucket("weights", account) < 500 for account in taking_part)
    assert {bucket("weights", account) // 1000 for account in ACCOUNTS} == set(range(10))
    assert all(bucket("weights", account) < BUCKETS for account in ACCOUNTS)


def test_experiments_of_two_layers_are_dealt_out_without_regard_to_one_another() -> None:
    crowd = Crowd()
    crowd.try_out(TWO_ARMS)
    crowd.try_out(TWO_ARMS.replace("weights", "quotas").replace("remix", "taste"), layer="other")

    dealt = [policy_in(DEFAULT, crowd.state.active.experiments, account) for account in ACCOUNTS]

    both = sum(list(arms.values()) == ["more", "more"] for _, arms in dealt)
    assert 430 < both < 570
    assert {policy.weights["remix"] for policy, arms in dealt if arms} == {20, 40}


@pytest.mark.parametrize(
    "arms",
    ["", "[]", '[{"name": "alone"}]', '[{"name": "a"}, {"name": "a"}]', '[{"name": "A b"}, {}]'],
)
def test_arms_that_cannot_be_compared_are_refused(arms: str) -> None:
    with pytest.raises(ExperimentInvalid):
        read_arms(arms)


@pytest.mark.parametrize("patch", [{"weights": {"report": 2}}, {"version": "mine"}, {"colour": 1}])
def test_an_arm_that_makes_no_policy_is_refused(patch: dict[str, object]) -> None:
    arms = read_arms(msgspec.json.encode([{"name": "a"}, {"name": "b", "policy": patch}]))

    with pytest.raises(ExperimentInvalid, match="b"):
        require_patches(DEFAULT, arms)


def test_what_a_newer_release_wrote_leaves_the_policy_as_it_was() -> None:
    crowd, active = Crowd(), Active()
    crowd.try_out('[{"name": "a", "unheard": 1}, {"name": "b"}]')

    for recorded in crowd.log:
        active.fold(recorded.event)

    assert (active.policy, active.experiments) == (DEFAULT, ())
