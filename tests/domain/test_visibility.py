"""Who may see a video: the whole rule, as a table."""

import pytest

from domain.video.visibility import STRANGER, Relation, may_list, may_see

AUTHOR = Relation(is_author=True)
FOLLOWER = Relation(follows_author=True)
BLOCKED = Relation(is_blocked=True)
BLOCKED_FOLLOWER = Relation(follows_author=True, is_blocked=True)

# visibility, who looks, may see it, may see it in a list
RULE = [
    ("public", AUTHOR, True, True),
    ("public", STRANGER, True, True),
    ("public", FOLLOWER, True, True),
    ("public", BLOCKED, False, False),
    ("public", BLOCKED_FOLLOWER, False, False),
    ("followers", AUTHOR, True, True),
    ("followers", STRANGER, False, False),
    ("followers", FOLLOWER, True, True),
    ("followers", BLOCKED, False, False),
    ("followers", BLOCKED_FOLLOWER, False, False),
    ("link", AUTHOR, True, True),
    ("link", STRANGER, True, False),
    ("link", FOLLOWER, True, False),
    ("link", BLOCKED, False, False),
    ("link", BLOCKED_FOLLOWER, False, False),
    ("of another release", STRANGER, False, False),
    ("of another release", AUTHOR, True, True),
]


@pytest.mark.parametrize(("visibility", "relation", "seen", "listed"), RULE)
def test_the_rule_of_visibility(
    visibility: str, relation: Relation, *, seen: bool, listed: bool
) -> None:
    assert may_see(visibility, relation, deleted=False) is seen
    assert may_list(visibility, relation, deleted=False) is listed


@pytest.mark.parametrize("visibility", ["public", "followers", "link"])
@pytest.mark.parametrize("relation", [AUTHOR, STRANGER, FOLLOWER, BLOCKED])
def test_nobody_sees_what_was_deleted(visibility: str, relation: Relation) -> None:
    assert not may_see(visibility, relation, deleted=True)
    assert not may_list(visibility, relation, deleted=True)
