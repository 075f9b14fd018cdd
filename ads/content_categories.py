"""What is advertised in the words of others: our categories as codes of the IAB's content taxonomy.

The codes are those of taxonomy 1.0 (`cattax` 1 of OpenRTB), which every buyer and player reads.
"""

from collections.abc import Mapping

AUTHORITY = "https://iabtechlab.com/standards/content-taxonomy/"

CODES: Mapping[str, str] = {
    "alcohol": "IAB8-5",
    "apparel": "IAB18-5",
    "automotive": "IAB2",
    "beauty": "IAB18-1",
    "books": "IAB1-1",
    "crypto": "IAB13-7",
    "dating": "IAB14-1",
    "education": "IAB5",
    "electronics": "IAB19",
    "entertainment": "IAB1",
    "finance": "IAB13",
    "food": "IAB8",
    "gambling": "IAB9-7",
    "games": "IAB9-30",
    "government": "IAB11",
    "health": "IAB7",
    "home": "IAB10",
    "nonprofit": "IAB14",
    "other": "IAB24",
    "pets": "IAB16",
    "politics": "IAB11-4",
    "software": "IAB19-4",
    "sports": "IAB17",
    "telecom": "IAB19-6",
    "toys": "IAB9",
    "travel": "IAB20",
}


def are_blocked(category: str, blocked: frozenset[str]) -> bool:
    """Whether a category of ours is among codes that somebody blocks; "IAB8" blocks "IAB8-5"."""
    code = CODES.get(category, CODES["other"])
    return code in blocked or code.partition("-")[0] in blocked
