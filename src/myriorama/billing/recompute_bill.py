"""An advertiser's bill, recomputed from an export: `python recompute_bill.py [HEAD] < EXPORT`."""

import json
import sys
from collections import Counter
from hashlib import sha256
from typing import Any, BinaryIO

BILLED = {"cpm": ("viewable",), "cpv": ("complete",), "cpc": ("click", "viewable")}


def _need(holds: object, flaw: str) -> None:
    if not holds:
        raise ValueError(flaw)


def _take(line: Any, at: Any, known: Any, due: Any, bill: Any) -> None:
    key = kind, id_, *_ = tuple[Any, ...](map(line.get, ("type", "decision_id", "beacon", "mark")))
    micros, of = line.get("micros", 0), known.get(("decision", id_, None, None), line)
    is_new = not id_ or known.setdefault(key, line) is line
    _need((kind == "export") != at["open"], "it stands outside of an export")
    _need(is_new or (line["again"] and kind in {"decision", "report"}), f"a second {kind}")
    _need(kind != "decision" or of["price_micros"] <= (of["bid_micros"] or 2**63), "above the bid")
    _need(kind != "report" or line["reported_ms"] < of["expires_ms"] * (of is not line), "too late")
    _need(kind != "settled" or due.pop(line["source"], 0) == line["sum_micros"], "another sum")
    at |= {"net": 0, "first": at.get("first", line["number"])} if kind == "export" else {}
    if kind == "charge":
        is_valid = all(("report", id_, b, None) in known for b in BILLED[of["kind"]])
        _need(is_valid and key[2] == BILLED[of["kind"]][0], "no valid report is behind it")
        _need({micros, line["leaked_micros"]} == {0, of["price_micros"]}, "it is not the price")
        due[line["source"]] += micros
    elif kind == "credit":
        charge = known.get(("charge", *key[1:]), {"micros": -micros * (at["first"] > 1)})
        _need(charge["micros"] == -micros > 0, "nothing like it was charged")
    else:
        right, micros = not any(due.values()) and line.get("net_micros") == at["net"], 0
        _need(right or kind != "end", "the sums are others")
    bill.update({(of["day"], of["kind"], kind): micros} if micros else {})
    at |= {"net": at["net"] + micros, "open": kind != "end"}


def main(file: BinaryIO, head: str = "") -> None:
    """Print the bill; or exit with what is wrong first."""
    state, prev, number = ({"open": False}, dict[Any, Any](), Counter[Any](), Counter[Any]()), "", 0
    try:
        for number, raw in enumerate(iter(lambda: file.readline(4096), b""), 1):  # noqa: B007
            line = json.loads(raw)
            plain = json.dumps(line, sort_keys=True, separators=(",", ":")).encode() + b"\n"
            _need(raw == plain and prev in {"", line["prev"]}, "it was changed, or one before it")
            _take(line, *state)
            prev = sha256(raw).hexdigest()
        _need(prev and not state[0]["open"] and head in {"", prev}, "cut off, or not the head told")
    except (ValueError, LookupError, TypeError, RecursionError) as flaw:
        sys.exit(f"line {number}: {flaw}")
    told = [f"{' '.join(of)} {micros} micros\n" for of, micros in sorted(state[3].items())]
    sys.stdout.writelines([*told, f"head {prev}\n"])


if __name__ == "__main__":
    main(sys.stdin.buffer, *sys.argv[1:])
