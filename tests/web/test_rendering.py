"""The words for numbers on pages, and the rules that keep pages within the content policy."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from myriorama.web.rendering import STATIC, ago, compact, fingerprint, hue, tagged

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
TEMPLATES = sorted((STATIC.parent / "templates").glob("*.html"))
MODULES = sorted(STATIC.glob("*.js"))
ALONE = {"beacons.js", "session.js", "toast.js", "typed.js", "wrong.js"}

INLINE = re.compile(r"(?i)<style|<script(?![^>]*\ssrc=)|\sstyle=|\son[a-z]+=|javascript:")
FOREIGN = re.compile(r"""(?:src|href|action)=["']?(?:https?:)?//|url\(["']?(?:https?:)?//""")
IMPORTED = re.compile(r'from "\./([a-z]+\.js)"|^import "\./([a-z]+\.js)"', re.MULTILINE)


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "0"), (999, "999"), (1000, "1K"), (1250, "1.2K"), (34_567, "34K"), (2_000_000, "2M")],
)
def test_counts_are_said_in_few_letters(number: int, said: str) -> None:
    assert compact(number) == said


@pytest.mark.parametrize(
    ("moment", "said"),
    [
        ("2026-11-22T11:59:30Z", "now"),
        ("2026-11-22T11:55:00Z", "5 min"),
        ("2026-11-22T09:00:00Z", "3 h"),
        ("2026-11-20T12:00:00+00:00", "2 d"),
        ("2026-11-01T12:00:00Z", "3 w"),
        ("2024-11-01T12:00:00Z", "2 y"),
        ("2026-11-22T12:00:05Z", "now"),
    ],
)
def test_moments_are_said_by_how_long_ago_they_were(moment: str, said: str) -> None:
    assert ago(moment, NOON) == said


def test_an_account_without_a_picture_always_has_the_same_colour() -> None:
    assert hue("alice") == hue("alice")
    assert {hue(f"bob_{number}") for number in range(200)} == set(range(8))


def test_a_file_that_changes_gets_another_address(tmp_path: Path) -> None:
    (tmp_path / "page.css").write_text("a {}")
    before = fingerprint({"own": tmp_path})

    (tmp_path / "page.css").write_text("b {}")

    assert fingerprint({"own": tmp_path}) != before


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_runs_and_styles_nothing_inline_and_fetches_nothing_foreign(
    template: Path,
) -> None:
    text = template.read_text()

    assert not INLINE.search(text)
    assert not FOREIGN.search(text)


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.name)
def test_a_module_imports_only_what_is_served_beside_it(module: Path) -> None:
    imported = {name for pair in IMPORTED.findall(module.read_text()) for name in pair if name}

    assert imported <= {path.name for path in MODULES}
    assert imported or module.name in ALONE


def test_a_hashtag_of_any_script_is_a_link_as_a_whole() -> None:
    assert list(tagged("a #हिन्दी, #cafe\u0301!")) == [
        ("a ", None),
        ("#हिन्दी", "हिन्दी"),
        (", ", None),
        ("#cafe\u0301", "cafe"),
        ("!", None),
    ]


def test_a_caption_is_taken_apart_at_its_hashtags_and_nowhere_else() -> None:
    caption = "A #Fox, a #5 and a&#b; #snow"

    pieces = list(tagged(caption))

    assert "".join(text for text, _ in pieces) == caption
    assert [piece for piece in pieces if piece[1]] == [("#Fox", "fox"), ("#snow", "snow")]
