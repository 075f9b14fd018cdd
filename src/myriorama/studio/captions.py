"""Captions: what is said in a clip and when, as WebVTT and as a transcript.

Read by people who cannot or do not want to hear; a side file, never burnt into the picture.
"""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import unescape


@dataclass(frozen=True)
class Cue:
    """One line while it is spoken, in milliseconds from the start of the clip."""

    start_ms: int
    end_ms: int
    text: str
    speaker: str | None = None


class CaptionsUnreadable(Exception):
    """These are no captions that were written here; it says why."""


def webvtt(
    cues: Sequence[Cue], *, unspoken: Sequence[str] = (), engines: Collection[str] = ()
) -> str:
    """Return a WebVTT file. Notes in it say what speaks, and what found no room in the clip."""
    speaking = [_SPEAKING + ", ".join(sorted(engines))] if engines else []
    # A note ends at an empty line, and may not hold the arrow that begins a cue.
    left_out = [_one_line(text).replace("-->", "->") for text in unspoken]
    unsaid = (f"NOTE not spoken for want of time: {text}" for text in left_out)
    blocks = ["WEBVTT", *speaking, *unsaid]
    for cue in cues:
        voice = f"<v {_name(cue.speaker)}>" if cue.speaker else ""
        times = f"{_timestamp(cue.start_ms)} --> {_timestamp(cue.end_ms)}"
        blocks.append(f"{times}\n{voice}{_escaped(_one_line(cue.text))}")
    return "\n\n".join(blocks) + "\n"


def cues_of(content: str) -> tuple[Cue, ...]:
    """Return what a file of `webvtt` says and when, without its notes.

    Raises:
        CaptionsUnreadable: it is none of ours.
    """
    header, *blocks = content.removesuffix("\n").split("\n\n")
    if header != "WEBVTT":
        raise CaptionsUnreadable("no captions of ours begin like this")
    return tuple(_cue(block) for block in blocks if not block.startswith("NOTE "))


def engines_of(content: str) -> frozenset[str]:
    """Return what speaks, as a file of `webvtt` says; nothing if it does not say."""
    notes = (block for block in content.split("\n\n") if block.startswith(_SPEAKING))
    return frozenset(
        engine for note in notes for engine in note.removeprefix(_SPEAKING).strip().split(", ")
    )


def transcript(cues: Sequence[Cue]) -> str | None:
    """Return what is said, a line each with its speaker; None if nothing is."""
    said = [f"{cue.speaker}: {cue.text}" if cue.speaker else cue.text for cue in cues]
    return "\n".join(map(_one_line, said)) or None


_SPEAKING = "NOTE spoken by synthetic voices of: "
_TIME = r"(\d{2,}):([0-5]\d):([0-5]\d)\.(\d{3})"
_CUE = re.compile(rf"{_TIME} --> {_TIME}\n(?:<v ([^<>\n]*)>)?([^<>\n]*)", re.ASCII)


def _cue(block: str) -> Cue:
    found = _CUE.fullmatch(block)
    if found is None:
        raise CaptionsUnreadable(f"no caption of ours: {block[:80]!r}")
    *times, speaker, text = found.groups()
    start_ms, end_ms = _milliseconds(times[:4]), _milliseconds(times[4:])
    return Cue(start_ms, end_ms, unescape(text), unescape(speaker) if speaker else None)


def _milliseconds(time: Sequence[str]) -> int:
    hours, minutes, seconds, ms = map(int, time)
    return ((hours * 60 + minutes) * 60 + seconds) * 1000 + ms


def _timestamp(ms: int) -> str:
    seconds, ms = divmod(ms, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ms:03}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _name(speaker: str) -> str:
    """Return a speaker as an annotation, in which `>` would end the tag and `&` begin an escape."""
    return _escaped(re.sub(r"[<>]", "", _one_line(speaker)))
