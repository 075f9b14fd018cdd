"""Each line is spoken by the engine that suits it, the same each time, whatever it says."""

import json
import struct
import subprocess
import sys

import numpy as np
import pytest

from myriorama.studio.dialogue import Line
from myriorama.studio.sound import SOUND_HZ
from myriorama.studio.synthesis import ESPEAK, PIPER, RATE, installed, spoken
from myriorama.studio.voices import VOICES, voice_of
from tests.studio.spoken import lufs, pitch_hz, said_by

NARRATOR = VOICES["narrator"]
ENGLISH = "The quick brown fox jumps over the lazy dog, and it was a good day."
FRENCH = "Bonjour, les amis, et bonne nuit."


def test_english_is_spoken_by_piper_and_what_it_does_not_speak_by_espeak() -> None:
    said = [(Line(ENGLISH), NARRATOR), (Line(FRENCH), NARRATOR), (Line("Indeed."), NARRATOR)]

    heard = spoken(said, RATE, installed())

    assert [one.engine for one in heard] == [PIPER, ESPEAK, PIPER]
    assert [len(one.samples) / SOUND_HZ > 0.3 for one in heard] == [True, True, True]


@pytest.mark.parametrize(
    ("preset", "voice_hz", "engine"),
    [
        ("bass", None, PIPER),
        ("bass", 80.0, PIPER),
        ("tenor", 110.0, PIPER),
        ("tenor", None, ESPEAK),
        ("alto", None, ESPEAK),
        ("soprano", 200.0, ESPEAK),
        ("child", None, ESPEAK),
        ("", 100.0, PIPER),
        ("", 220.0, ESPEAK),
    ],
)
def test_a_chosen_voice_is_pipers_where_it_comes_near_and_espeaks_where_not(
    preset: str, voice_hz: float | None, engine: str
) -> None:
    assert said_by(voice_of(preset, voice_hz), "Good morning.").engine == engine


@pytest.mark.parametrize("wanted_hz", [82.0, 95.0, 118.0])
def test_piper_speaks_at_the_pitch_that_was_measured_and_no_slower(wanted_hz: float) -> None:
    at_own = said_by(voice_of("tenor", 97.0), ENGLISH)

    at_another = said_by(voice_of("bass", wanted_hz), ENGLISH)

    assert at_another.engine == PIPER
    assert pitch_hz(at_another.samples) == pytest.approx(wanted_hz, rel=0.15)
    assert len(at_another.samples) == pytest.approx(len(at_own.samples), rel=0.12)


def test_piper_speaks_faster_when_it_is_asked_to() -> None:
    usual, hurried = said_by(NARRATOR, ENGLISH), said_by(NARRATOR, ENGLISH, rate=230)

    assert len(usual.samples) / len(hurried.samples) == pytest.approx(230 / 165, rel=0.1)


def test_piper_speaks_a_line_the_same_each_time_alone_or_among_others() -> None:
    alone = said_by(NARRATOR, ENGLISH)

    among = spoken([(Line("Well!"), NARRATOR), (Line(ENGLISH), NARRATOR)], RATE, installed())

    assert alone.engine == among[1].engine == PIPER
    assert np.array_equal(alone.samples, among[1].samples)


def test_piper_sounds_as_loud_as_espeak_and_like_a_voice() -> None:
    one, other = said_by(NARRATOR, ENGLISH), said_by(NARRATOR, ENGLISH, engines=frozenset({ESPEAK}))

    assert (one.engine, other.engine) == (PIPER, ESPEAK)
    assert lufs(one.samples) == pytest.approx(lufs(other.samples), abs=4)
    assert len(one.samples) == pytest.approx(len(other.samples), rel=0.35)
    power = np.abs(np.fft.rfft(one.samples)) ** 2
    hz = np.fft.rfftfreq(len(one.samples), 1 / SOUND_HZ)
    assert power[(hz > 80) & (hz < 4_000)].sum() > 0.9 * power.sum()
    assert power[hz > 14_000].sum() < 0.001 * power.sum()


@pytest.mark.parametrize("engines", [frozenset({ESPEAK}), frozenset({ESPEAK, PIPER})])
def test_markup_and_phoneme_codes_are_only_text(engines: frozenset[str]) -> None:
    plain = said_by(NARRATOR, "speak no", engines=engines)
    marked = said_by(NARRATOR, "<speak>no</speak> [[h@]] [[]] ]] \x1b \U0001f389", engines=engines)

    assert plain.engine == marked.engine
    assert len(marked.samples) > len(plain.samples)


def test_brackets_are_no_phoneme_codes_for_piper() -> None:
    bare, bracketed = said_by(NARRATOR, "Say   sUm   now"), said_by(NARRATOR, "Say [[sUm]] now")

    assert bare.engine == bracketed.engine == PIPER
    assert np.array_equal(bare.samples, bracketed.samples)


def test_what_cannot_be_spoken_at_all_is_silent() -> None:
    assert len(said_by(NARRATOR, "...").samples) == 0


def test_pipers_program_leaves_out_what_no_clip_has_room_for() -> None:
    endless = "1234567890 " * 180
    asked = [["Good morning.", RATE], [endless, RATE], ["Good night.", RATE]]

    answered = subprocess.run(
        [sys.executable, "-I", "-m", "myriorama.studio.piper"],
        input=json.dumps(asked).encode(),
        capture_output=True,
        check=True,
        env={},
    ).stdout

    lengths = list[int]()
    while answered:
        (length,) = struct.unpack(">I", answered[:4])
        lengths.append(length)
        answered = answered[4 + length :]
    assert [length > 10_000 for length in lengths] == [True, False, True]
    assert lengths[1] == 0
