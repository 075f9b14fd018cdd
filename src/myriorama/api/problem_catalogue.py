"""Every code that a problem document may have: `docs/problems.md`, and the page at `/problems`."""

from collections.abc import Iterator, Sequence
from html import escape
from inspect import getdoc
from itertools import groupby
from typing import NamedTuple

from domain.errors import DomainError
from myriorama.api.problems import HTTP_CODES, OUR_CODES, STATUS, status_of

_HEAD = """# Problems

Made from the code by `myriorama problems`; a test keeps it current.

Every error is an RFC 9457 problem document (`application/problem+json`). Match on `code`, which
never changes; `detail` is for people. `type` leads to the entry below. `errors` names each part of
the request that is not right, `request_id` is what to quote when you ask for help.
"""


class Entry(NamedTuple):
    """A code, and what it means."""

    status: int
    code: str
    meaning: str


def catalogue() -> Sequence[Entry]:
    """Return every code there is, by status and name."""
    entries = {Entry(status_of(kind), kind.code, getdoc(kind) or "") for kind in _refusals()}
    entries |= {Entry(status, code, meaning) for status, (code, meaning) in HTTP_CODES.items()}
    entries |= {Entry(status, code, meaning) for code, (status, meaning) in OUR_CODES.items()}
    return sorted(entries)


def markdown() -> str:
    """Return the whole page of the docs."""
    parts = [_HEAD]
    for status, entries in groupby(catalogue(), key=lambda entry: entry.status):
        parts.append(f"\n## {status}\n\n| code | meaning |\n| --- | --- |\n")
        parts.extend(f"| `{entry.code}` | {_line(entry.meaning)} |\n" for entry in entries)
    return "".join(parts)


def page() -> str:
    """Return the page that the `type` of a problem document leads to."""
    entries = "".join(
        f"<dt id={entry.code}><code>{entry.code}</code> ({entry.status})"
        f"<dd>{escape(entry.meaning)}\n"
        for entry in catalogue()
    )
    head = "<!doctype html><html lang=en><title>Problems</title><h1>Problems</h1>"
    return f"{head}\n<dl>\n{entries}</dl>\n"


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def _refusals(root: type[DomainError] = DomainError) -> Iterator[type[DomainError]]:
    """Yield the refusals that are raised: those that only class others are told by `STATUS`."""
    for kind in root.__subclasses__():
        if kind not in STATUS or kind.__module__ != DomainError.__module__:
            yield kind
        yield from _refusals(kind)
