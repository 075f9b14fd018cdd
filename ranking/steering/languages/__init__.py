"""The languages in which a feed can be steered, each a table beside this file."""

from collections.abc import Sequence
from pathlib import Path

from ranking.steering.languages.lexicon import Lexicon

# Of two in which as much of a sentence is known, the first is taken.
LANGUAGES: Sequence[Lexicon] = tuple(
    Lexicon.read(Path(__file__).with_name(f"{language}.toml"))
    for language in ("english", "german", "french", "spanish")
)
