"""What follows from labels, in SQL and in memory: the twins of the ranking's policy and filters."""

from datetime import UTC, datetime
from itertools import combinations
from uuid import UUID, uuid4

import numpy as np
import psycopg
import pytest

from domain.video.labels import LABELS
from myriorama.feed.label_rules import LABEL_RULES, LabelRules
from ranking.filters.labels import verdicts_of
from ranking.filters.verdict import ALLOW, DROP
from ranking.policy import DEFAULT, LabelRule, Policy, Verdict

STRICT = DEFAULT.patched(
    {
        "version": "strict-1",
        "labels": {
            "political": {"adult": "interstitial", "minor": "allow"},
            "graphic": {"adult": "drop", "minor": "allow"},
            "flashing": {"adult": "allow", "minor": "interstitial"},
        },
    }
)
ACTIVATE = """
    INSERT INTO ranking_activations (position, kind, name, policy, activated_by, activated_at)
    VALUES (%s, 'policy', %s, %s, gen_random_uuid(), now())
"""
ACCOUNT = """
    INSERT INTO accounts (account_id, handle, display_name, bio, age_band, scopes,
                          invitations_left, opened_at, version, position)
    VALUES (%s, %s, '', '', %s, '{}', 0, %s, 1, 1)
"""
VERDICT = """
    SELECT %(labels)s && withheld_labels(%(id)s), label_warning(%(labels)s, %(id)s)
"""
ALICE, BOB = uuid4(), uuid4()


def rules(database: psycopg.Connection) -> LabelRules:
    rows = database.execute(LABEL_RULES).fetchall()
    return LabelRules({row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows})


def as_rules(policy: Policy) -> LabelRules:
    return LabelRules(
        {label: rule.adult for label, rule in policy.labels.items()},
        {label: rule.minor for label, rule in policy.labels.items()},
    )


def test_until_a_policy_is_activated_labels_are_ruled_by_the_default_one(database_url: str) -> None:
    with psycopg.connect(database_url) as database:
        assert rules(database) == as_rules(DEFAULT)

        database.execute(ACTIVATE, (1, DEFAULT.version, DEFAULT.encode()))
        database.execute(ACTIVATE, (2, STRICT.version, STRICT.encode()))
        assert rules(database) == as_rules(STRICT)

        partial = '{"labels": {"spam": {"adult": "allow", "minor": "drop"}}}'
        database.execute(ACTIVATE, (3, "partial", partial))
        spam = LabelRule(adult="allow", minor="drop")
        assert rules(database) == as_rules(
            Policy("partial", labels={**DEFAULT.labels, "spam": spam})
        )


@pytest.mark.parametrize("policy", [DEFAULT, STRICT], ids=["default", "strict"])
def test_the_database_memory_and_the_filters_say_the_same(
    database_url: str, policy: Policy
) -> None:
    sets = [labels for size in range(3) for labels in combinations(LABELS, size)]
    viewers: dict[UUID | None, bool] = {ALICE: True, BOB: False, uuid4(): False, None: False}

    with psycopg.connect(database_url) as database:
        database.execute(ACTIVATE, (1, policy.version, policy.encode()))
        for account_id, handle, band in ((ALICE, "alice", "18+"), (BOB, "bob", "16-17")):
            database.execute(ACCOUNT, (account_id, handle, band, datetime.now(UTC)))
        memory = rules(database)
        for viewer_id, is_of_age in viewers.items():
            for labels in sets:
                asked = {"labels": list(labels), "id": viewer_id}
                row = database.execute(VERDICT, asked).fetchone()

                withheld = memory.withholds(labels, is_of_age=is_of_age)
                warning = memory.warning(labels, is_of_age=is_of_age)

                assert row == (withheld, warning)
                verdict = filtered(policy, labels, is_of_age=is_of_age)
                assert withheld is (verdict == DROP)
                assert (warning is not None) is (verdict != ALLOW)


def filtered(policy: Policy, labels: tuple[str, ...], *, is_of_age: bool) -> int:
    bits = np.array([sum(1 << LABELS.index(label) for label in labels)], np.uint32)
    adult: dict[str, Verdict] = {label: rule.adult for label, rule in policy.labels.items()}
    minor: dict[str, Verdict] = {label: rule.minor for label, rule in policy.labels.items()}
    verdicts = [verdicts_of(adult, bits), *(() if is_of_age else (verdicts_of(minor, bits),))]
    return max(int(verdict[0]) for verdict in verdicts)
