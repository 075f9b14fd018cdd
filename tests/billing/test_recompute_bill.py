"""The script that advertisers recompute their bill with: alone, short, and deceived by nothing."""

import ast
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from hashlib import sha256
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from myriorama.billing import recompute_bill
from myriorama.billing.exports import NO_HEAD, SCRIPT
from myriorama.billing.recompute_bill import main

Lines = list[dict[str, Any]]

EXPORT = {"type": "export", "campaign_id": "c", "number": 1}
FOX = {
    "type": "decision",
    "again": False,
    "decision_id": "fox",
    "line_id": "berlin",
    "kind": "cpm",
    "day": "2026-10-25",
    "expires_ms": 900,
    "price_micros": 4000,
    "bid_micros": 4200,
}
SEEN = {
    "type": "report",
    "again": False,
    "decision_id": "fox",
    "beacon": "viewable",
    "reported_ms": 500,
    "mark": None,
}
CHARGED = {
    "type": "charge",
    "again": False,
    "decision_id": "fox",
    "beacon": "viewable",
    "micros": 4000,
    "leaked_micros": 0,
    "source": "event:1",
}
SETTLED = {"type": "settled", "source": "event:1", "sum_micros": 4000}
CREDITED = {
    "type": "credit",
    "again": False,
    "decision_id": "fox",
    "beacon": "viewable",
    "micros": -4000,
    "day": "2026-10-25",
    "kind": "cpm",
}
END = {"type": "end", "net_micros": 4000}
OWL = {**FOX, "decision_id": "owl", "kind": "cpc"}
OWL_CLICKED = {**SEEN, "decision_id": "owl", "beacon": "click"}
OWL_CHARGED = {**CHARGED, "decision_id": "owl", "beacon": "click"}

TOO_SOON = {**SEEN, "reported_ms": 100, "mark": "view_too_soon"}

HONEST: Lines = [EXPORT, FOX, SEEN, CHARGED, SETTLED, END]


def chained(lines: Sequence[dict[str, Any]], head: str = NO_HEAD) -> bytes:
    """Return lines as a file that whoever forged it would have chained anew."""
    written = b""
    for line in lines:
        raw = json.dumps({**line, "prev": head}, sort_keys=True, separators=(",", ":"))
        head = sha256(f"{raw}\n".encode()).hexdigest()
        written += f"{raw}\n".encode()
    return written


def without(line: dict[str, Any]) -> Lines:
    return [each for each in HONEST if each is not line]


def with_line(number: int, **differing: Any) -> Lines:
    return [{**each, **differing} if n == number else each for n, each in enumerate(HONEST)]


def refused(file: bytes, head: str = "") -> str:
    with pytest.raises(SystemExit) as exit_info:
        main(BytesIO(file), head)
    assert isinstance(exit_info.value.code, str)
    return exit_info.value.code


def test_it_is_short_and_takes_nothing_but_the_standard_library() -> None:
    source = SCRIPT.read_text()
    tree = ast.parse(source)

    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        for name in (
            [each.name for each in node.names]
            if isinstance(node, ast.Import)
            else [str(node.module)]
            if isinstance(node, ast.ImportFrom)
            else []
        )
    }

    assert imported <= sys.stdlib_module_names
    assert len(source.splitlines()) <= 60
    assert Path(str(recompute_bill.__file__)) == SCRIPT


def test_it_tells_the_bill_by_day_and_kind_and_the_head(tmp_path: Path) -> None:
    file = tmp_path / "export.jsonl"
    file.write_bytes(chained(HONEST))

    with file.open("rb") as export:
        told = subprocess.run(  # noqa: S603 - our own script
            [sys.executable, "-I", SCRIPT], stdin=export, capture_output=True, text=True, check=True
        ).stdout

    head = sha256(file.read_bytes().splitlines(keepends=True)[-1]).hexdigest()
    assert told == f"2026-10-25 cpm charge 4000 micros\nhead {head}\n"


def test_a_report_that_is_known_for_invalid_takes_nothing_from_the_true_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(BytesIO(chained([EXPORT, FOX, TOO_SOON, SEEN, CHARGED, SETTLED, END])))

    assert capsys.readouterr().out.startswith("2026-10-25 cpm charge 4000 micros\n")


@pytest.mark.parametrize(
    ("lines", "flaw"),
    [
        (with_line(1, price_micros=4300), "above the bid"),
        (with_line(3, micros=4100), "it is not the price"),
        (with_line(3, micros=-4000), "it is not the price"),
        (with_line(1, price_micros=4100), "it is not the price"),
        (with_line(2, reported_ms=900), "too late"),
        (with_line(2, mark="crawler"), "no valid report is behind it"),
        (with_line(2, beacon="complete"), "no valid report is behind it"),
        (without(SEEN), "no valid report is behind it"),
        (without(FOX), "'expires_ms'"),
        (without(SETTLED), "the sums are others"),
        (without(CHARGED), "another sum"),
        (without(EXPORT), "it stands outside of an export"),
        (without(END), "cut off, or not the head told"),
        (with_line(4, sum_micros=5000), "another sum"),
        (with_line(5, net_micros=3999), "the sums are others"),
        ([EXPORT, FOX, TOO_SOON, CHARGED, SETTLED, END], "no valid report is behind it"),
        ([EXPORT, FOX, TOO_SOON, TOO_SOON, SEEN, CHARGED, SETTLED, END], "a second report"),
        ([EXPORT, FOX, SEEN, SEEN, CHARGED, SETTLED, END], "a second report"),
        ([EXPORT, FOX, SEEN, CHARGED, CHARGED, SETTLED, END], "a second charge"),
        ([EXPORT, FOX, SEEN, CHARGED, {**CHARGED, "again": True}, END], "a second charge"),
        ([EXPORT, FOX, FOX, SEEN, CHARGED, SETTLED, END], "a second decision"),
        ([EXPORT, FOX, SEEN, CHARGED, SETTLED, SETTLED, END], "another sum"),
        ([EXPORT, EXPORT, FOX, SEEN, CHARGED, SETTLED, END], "it stands outside of an export"),
        ([EXPORT, FOX, SEEN, CHARGED, SETTLED, CREDITED, CREDITED, END], "a second credit"),
        ([EXPORT, CREDITED, {**END, "net_micros": -4000}], "nothing like it was charged"),
        ([EXPORT, FOX, SEEN, CHARGED, SETTLED, {**CREDITED, "micros": 4000}, END], "nothing like"),
        ([EXPORT, OWL, OWL_CLICKED, OWL_CHARGED, SETTLED, END], "no valid report is behind it"),
        ([EXPORT, {**SEEN, "expires_ms": 2**60}, END], "too late"),
        ([], "cut off, or not the head told"),
    ],
)
def test_whoever_forges_and_chains_anew_is_found_out(lines: Lines, flaw: str) -> None:
    assert flaw in refused(chained(lines))


def changed(number: int, change: Callable[[bytes], bytes]) -> bytes:
    lines = chained(HONEST).splitlines(keepends=True)
    lines[number] = change(lines[number])
    return b"".join(lines)


@pytest.mark.parametrize(
    ("file", "line"),
    [
        (changed(1, lambda raw: raw.replace(b"4000", b"3000")), 3),
        (changed(1, lambda raw: raw.replace(b"\n", b"\r\n")), 2),
        (changed(1, lambda raw: raw.replace(b",", b", ")), 2),
        (changed(2, lambda _: b""), 3),
        (changed(2, lambda raw: b"\n" + raw), 3),
        (changed(2, lambda raw: raw + raw), 4),
        (changed(2, lambda _: b"{not JSON\n"), 3),
        (changed(2, lambda _: b"[]\n"), 3),
        (changed(2, lambda _: b"null\n"), 3),
        (changed(2, lambda _: b"\xff\xfe\n"), 3),
        (changed(2, lambda _: b"[" * 4000 + b"\n"), 3),
        (changed(5, lambda raw: raw[:-1]), 6),
        (changed(5, lambda raw: raw[:20]), 6),
        (chained(HONEST)[:-200], 5),
        (b"\xef\xbb\xbf" + chained(HONEST), 1),
    ],
)
def test_a_line_that_was_changed_removed_or_cut_is_named(file: bytes, line: int) -> None:
    assert refused(file).startswith(f"line {line}: ")


def test_lines_in_another_order_break_the_chain() -> None:
    lines = chained(HONEST).splitlines(keepends=True)
    lines[2], lines[3] = lines[3], lines[2]

    assert refused(b"".join(lines)).startswith("line 3: it was changed")


def test_a_line_of_a_gigabyte_is_refused_and_not_read() -> None:
    class Endless(BytesIO):
        """A file of one line without an end; it counts what is read of it."""

        taken = 0

        def readline(self, size: int | None = -1, /) -> bytes:
            assert size is not None
            assert 0 < size <= 4096
            self.taken += size
            assert self.taken <= 2**20
            return b'{"a":"' + b"a" * (size - 6)

    assert refused(Endless().readline(4096)).startswith("line 1: ")
    with pytest.raises(SystemExit):
        main(Endless())


def test_an_export_that_was_made_otherwise_has_another_head() -> None:
    told = sha256(chained(HONEST).splitlines(keepends=True)[-1]).hexdigest()
    other = chained(with_line(1, bid_micros=4300))

    main(BytesIO(chained(HONEST)), told)

    assert "not the head told" in refused(other, told)


def test_the_next_export_goes_on_from_the_head_and_credits_what_was_charged_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    first = chained(HONEST)
    head = sha256(first.splitlines(keepends=True)[-1]).hexdigest()
    second = chained([{**EXPORT, "number": 2}, CREDITED, {**END, "net_micros": -4000}], head)

    main(BytesIO(first + second))
    main(BytesIO(second))

    told = capsys.readouterr().out.splitlines()
    assert told[:2] == ["2026-10-25 cpm charge 4000 micros", "2026-10-25 cpm credit -4000 micros"]
    assert told[3] == "2026-10-25 cpm credit -4000 micros"
    assert "it was changed, or one before it" in refused(second + first)
