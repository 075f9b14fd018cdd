"""What follows from labels in feeds that are not ranked: the same as the ranking's filters say."""

from collections.abc import Collection, Mapping
from typing import LiteralString, NamedTuple, Self

from psycopg import AsyncConnection
from psycopg.rows import TupleRow

LABEL_RULES: LiteralString = "SELECT label, adult, minor FROM label_rules()"


class LabelRules(NamedTuple):
    """The verdict on each label, for those who are of age and for everybody else."""

    adult: Mapping[str, str]
    minor: Mapping[str, str]

    @classmethod
    async def read(cls, connection: AsyncConnection[TupleRow]) -> Self:
        """Read the rules as they are now."""
        rows = await (await connection.execute(LABEL_RULES)).fetchall()
        return cls({row[0]: row[1] for row in rows}, {row[0]: row[2] for row in rows})

    def withholds(self, labels: Collection[str], *, is_of_age: bool) -> bool:
        """Tell whether a video with labels is in no list: `withheld_labels` of the database."""
        return any(
            self.adult.get(label) == "drop" or (not is_of_age and self.minor.get(label) == "drop")
            for label in labels
        )

    def warning(self, labels: Collection[str], *, is_of_age: bool) -> str | None:
        """Return the rule why a warning stands before a video: `label_warning` of the database."""
        if any(self.adult.get(label, "allow") != "allow" for label in labels):
            return "labelled"
        if not is_of_age and any(self.minor.get(label, "allow") != "allow" for label in labels):
            return "age"
        return None
