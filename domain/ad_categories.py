"""What is advertised, by category: for separation of competitors, for suitability, for review."""

from typing import Literal, get_args

from domain.errors import Invalid

Category = Literal[
    "alcohol",
    "apparel",
    "automotive",
    "beauty",
    "books",
    "crypto",
    "dating",
    "education",
    "electronics",
    "entertainment",
    "finance",
    "food",
    "gambling",
    "games",
    "government",
    "health",
    "home",
    "nonprofit",
    "other",
    "pets",
    "politics",
    "software",
    "sports",
    "telecom",
    "toys",
    "travel",
]
CATEGORIES: frozenset[str] = frozenset(get_args(Category))

# A person looks at each of these, whatever the automatic checks say.
SENSITIVE: frozenset[str] = frozenset(
    {"alcohol", "crypto", "dating", "finance", "gambling", "government", "health", "politics"}
)

# Whoever is younger than 18 is shown none of these.
ADULTS_ONLY: frozenset[str] = frozenset({"alcohol", "crypto", "dating", "gambling", "politics"})


class CategoryUnknown(Invalid):
    """There is no such category of ads; the detail names those that there are."""


def check_category(category: str) -> None:
    """Let a category pass that there is.

    Raises:
        CategoryUnknown: there is none.
    """
    if category not in CATEGORIES:
        raise CategoryUnknown(f"The categories are {', '.join(sorted(CATEGORIES))}.")
