"""The automatic checks of a creative: what they allow, doubt and refuse."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from domain.generation.work import Verdict
from myriorama.application.ad_checks import AdChecks
from myriorama.studio.screening import Screening
from tests.advertising import CONTENT

KNOWN: dict[str, Any] = {"website": "shop.example.com", "labels": (), "ungranted": ()}


@pytest.fixture(scope="module")
def checks() -> AdChecks:
    return AdChecks(Screening.from_policy().of_prompt)


def test_a_plain_ad_raises_no_doubt(checks: AdChecks) -> None:
    assert {check.verdict for check in checks.of(CONTENT, **KNOWN)} == {"allow"}


@pytest.mark.parametrize(
    ("shown", "known", "verdict", "code"),
    [
        ({"category": "alcohol"}, {}, "doubt", "restricted_category"),
        ({"landing_url": "https://shop.example.org/"}, {}, "doubt", "deceptive"),
        ({}, {"labels": ("political",)}, "doubt", "mislabelled"),
        ({}, {"labels": ("mature",)}, "refuse", "adult"),
        ({}, {"labels": ("flashing",)}, "refuse", "unsafe"),
        ({}, {"labels": ("spam",)}, "refuse", "deceptive"),
        ({}, {"ungranted": (uuid4(),)}, "refuse", "cameo_not_granted"),
    ],
)
def test_what_is_not_plain_is_doubted_or_refused(
    checks: AdChecks, shown: dict[str, Any], known: dict[str, Any], verdict: str, code: str
) -> None:
    said = checks.of(replace(CONTENT, **shown), **{**KNOWN, **known})

    assert [(each.verdict, each.code) for each in said if each.verdict != "allow"] == [
        (verdict, code)
    ]


def test_what_the_screening_refuses_in_a_headline_is_refused() -> None:
    def refusing(text: str) -> Sequence[Verdict]:
        return [Verdict("prompt", "terms", "7", "refuse", "sexual_content", text)]

    said = AdChecks(refusing).of(CONTENT, **KNOWN)

    (refused,) = [each for each in said if each.verdict == "refuse"]
    assert (refused.check, refused.version, refused.code) == ("words.terms", "7", "words")
