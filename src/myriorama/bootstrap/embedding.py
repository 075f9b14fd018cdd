"""The prompt vectors of this process: some megabytes that come with the program, read once."""

from functools import cache

from ranking.embedding import PromptVectors


@cache
def prompt_vectors() -> PromptVectors:
    """Return what reads prompts."""
    return PromptVectors.load()
