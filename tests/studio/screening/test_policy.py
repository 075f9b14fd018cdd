"""The policy of the screening: a house writes its own, and is told what is wrong with it."""

from pathlib import Path
from shutil import copy

import pytest

from myriorama.bootstrap.screening import screening_of
from myriorama.settings import SettingInvalid, WorkerSettings
from myriorama.studio.screening import PolicyInvalid, Screening
from myriorama.studio.screening.policy import SHIPPED

OWN = """
version = "7"
[reasons.no_foxes]
words = "No foxes here."
[[checks]]
name = "foxes"
kind = "words"
stages = ["prompt"]
[checks.lists.no_foxes]
terms = ["fox", "vix*"]
innocent = ["fox trot"]
"""

WRONG = {
    "no toml": ("version = 7 7", "not right"),
    "no version": (OWN.replace('version = "7"', ""), "version"),
    "unknown kind": (OWN.replace('"words"', '"guesses"'), "guesses"),
    "unknown field": (OWN.replace("terms =", "colour = 1\nterms ="), "colour"),
    "no words for people": (OWN.replace("reasons.no_foxes", "reasons.foxes"), "[reasons.no_foxes]"),
    "short beginning": (OWN.replace("vix*", "vi*"), "'vi*'"),
    "no letters": (OWN.replace("vix*", "!!"), "'!!'"),
    "file elsewhere": (OWN.replace("terms =", 'file = "../../etc/passwd"\nterms ='), "own folder"),
    "file missing": (OWN.replace("terms =", 'file = "foxes.txt"\nterms ='), "foxes.txt"),
    "two of one name": (OWN + OWN[OWN.index("[[") :], "two checks of one name"),
}


def written(folder: Path, policy: str) -> Path:
    path = folder / "policy.toml"
    path.write_text(policy)
    return path


def test_a_house_screens_by_a_policy_of_its_own(tmp_path: Path) -> None:
    screening = Screening.from_policy(written(tmp_path, OWN))

    said = [screening.of_prompt(text)[0] for text in ("a FOX", "vixens", "a fox trot", "a box")]

    assert [verdict.code for verdict in said] == ["no_foxes", "no_foxes", "", ""]
    assert said[0].words == "No foxes here."
    assert said[0].version.startswith("7+")


def test_an_edit_without_a_new_version_is_seen(tmp_path: Path) -> None:
    before = Screening.from_policy(written(tmp_path, OWN)).version

    after = Screening.from_policy(written(tmp_path, OWN.replace("fox trot", "fox hole"))).version

    assert before != after


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_with_a_policy_is_said(wrong: str, tmp_path: Path) -> None:
    policy, told = WRONG[wrong]

    with pytest.raises(PolicyInvalid) as refused:
        Screening.from_policy(written(tmp_path, policy))

    assert told in str(refused.value)
    assert "policy.toml" in str(refused.value)


def test_weights_that_are_none_are_refused(tmp_path: Path) -> None:
    for name in ("policy.toml", "public_figures.txt"):
        copy(SHIPPED.parent / name, tmp_path / name)
    (tmp_path / "classifier.npz").write_bytes(b"no weights")

    with pytest.raises(PolicyInvalid, match="no weights of a classifier"):
        Screening.from_policy(tmp_path / "policy.toml")


def test_a_house_whose_policy_is_missing_does_not_start(tmp_path: Path) -> None:
    settings = WorkerSettings(
        kafka="127.0.0.1:1",
        objects=str(tmp_path),
        worker_token="a worker token of the tests, 32 bytes",  # noqa: S106 - of the tests alone
        policy=str(tmp_path / "none.toml"),
    )

    with pytest.raises(SettingInvalid, match=r"MYRIORAMA_POLICY.*none\.toml"):
        screening_of(settings)
