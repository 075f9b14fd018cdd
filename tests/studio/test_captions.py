"""Captions are WebVTT that every player reads, whatever was said."""

import pytest

from myriorama.studio.captions import (
    CaptionsUnreadable,
    Cue,
    cues_of,
    engines_of,
    transcript,
    webvtt,
)


def test_each_line_stands_at_its_time_with_its_speaker() -> None:
    said = [Cue(250, 1_900, "Look, the sea!", "Ana"), Cue(3_600_000, 3_661_007, "Indeed.")]

    assert webvtt(said) == (
        "WEBVTT\n\n"
        "00:00:00.250 --> 00:00:01.900\n<v Ana>Look, the sea!\n\n"
        "01:00:00.000 --> 01:01:01.007\nIndeed.\n"
    )


def test_what_is_said_cannot_break_out_of_its_caption() -> None:
    said = [Cue(0, 1_000, "<b>&\n\n00:00:09.000 --> 00:00:10.000\nforged", "A<v>na")]

    written = webvtt(said, unspoken=["one\n\n--> two"])

    assert written == (
        "WEBVTT\n\n"
        "NOTE not spoken for want of time: one -> two\n\n"
        "00:00:00.000 --> 00:00:01.000\n"
        "<v Avna>&lt;b&gt;&amp; 00:00:09.000 --&gt; 00:00:10.000 forged\n"
    )


def test_captions_are_read_back_as_they_were_said() -> None:
    said = (
        Cue(250, 1_900, "Is 1 < 2 && 2 --> 3? &amp; so on", "Tom & Ana"),
        Cue(3_600_000, 360_061_007, "NOTE indeed."),
    )

    assert cues_of(webvtt(said, unspoken=["too much", "was said"])) == said
    assert cues_of(webvtt([], unspoken=["all of it"])) == ()


def test_captions_say_what_speaks_and_lines_cannot_say_it_for_them() -> None:
    said = [Cue(0, 1_000, "NOTE spoken by synthetic voices of: a person", "Ana")]
    unspoken = ["one\n\nNOTE spoken by synthetic voices of: nobody"]

    written = webvtt(said, unspoken=unspoken, engines={"espeak-ng", "Piper"})

    assert "\n\nNOTE spoken by synthetic voices of: Piper, espeak-ng\n\n" in written
    assert engines_of(written) == {"espeak-ng", "Piper"}
    assert engines_of(webvtt(said, unspoken=unspoken)) == frozenset()
    assert cues_of(written) == tuple(said)


@pytest.mark.parametrize(
    "foreign",
    [
        "",
        "1\n00:00:00,000 --> 00:00:01,000\nHi\n",
        "WEBVTT\n\n00:00.000 --> 00:01.000\nHi\n",
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000 align:start\nHi\n",
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\n<b>Hi</b>\n",
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.000\nHi\nyou\n",
    ],
)
def test_captions_that_were_not_written_here_are_refused(foreign: str) -> None:
    with pytest.raises(CaptionsUnreadable):
        cues_of(foreign)


def test_the_transcript_tells_who_says_what() -> None:
    assert transcript([Cue(0, 1, "Hi", "Ana"), Cue(2, 3, "Hello")]) == "Ana: Hi\nHello"
    assert transcript([]) is None
