"""Files say what they hold: in their name, in their first line, and by being short."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("src", "domain", "projections", "ranking", "ads")
LINES_MAX = 400
SINGULAR = ("base", "common", "data", "handler", "helper", "info", "manager", "misc", "service")
SAY_NOTHING = {*SINGULAR, *(f"{word}s" for word in SINGULAR), "util", "utils", "utilities"}

MODULES = sorted(
    path.relative_to(ROOT) for package in PACKAGES for path in (ROOT / package).rglob("*.py")
)
MIGRATIONS = sorted((ROOT / "migrations").glob("*.sql"))

every_module = pytest.mark.parametrize("module", MODULES, ids=str)


@every_module
def test_a_module_is_named_by_what_it_holds(module: Path) -> None:
    words = {word for part in module.with_suffix("").parts for word in part.split("_")}

    assert not words & SAY_NOTHING


@every_module
def test_a_module_opens_with_a_sentence_and_ends_before_it_is_long(module: Path) -> None:
    text = (ROOT / module).read_text()

    docstring = ast.get_docstring(ast.parse(text)) or ""

    assert docstring.splitlines()[0][-1] in ".:;,"
    assert len(text.splitlines()) <= LINES_MAX


def test_migrations_are_numbered_once_and_say_what_they_make() -> None:
    numbers = [path.name[:4] for path in MIGRATIONS]

    assert len(set(numbers)) == len(numbers)
    for path in MIGRATIONS:
        assert re.fullmatch(r"\d{4}_[a-z]+(_[a-z]+)*\.sql", path.name)
        assert path.read_text().startswith("-- ")
