"""Dialogue is heard in the clip, in turn and in fitting voices; nothing is lost untold."""

from itertools import pairwise

import numpy as np
import pytest

from domain.cameo import voices
from myriorama.studio.sound import SOUND_HZ
from myriorama.studio.speech import Performance, Speaker, perform, track
from myriorama.studio.synthesis import ESPEAK, PIPER
from myriorama.studio.voices import VOICES, voice_of
from tests.studio.spoken import pitch_hz, said_by

DIALOGUE = 'Ana says "Good morning, my friend." The fox answers "Is it morning already?"'


@pytest.fixture(scope="module")
def performance() -> Performance:
    return perform(DIALOGUE, 6.0, cast=[Speaker("Ana", pitch_hz=210.0)])


def test_lines_are_spoken_one_after_the_other(performance: Performance) -> None:
    spans = [
        (line.start_s, line.start_s + len(line.samples) / SOUND_HZ) for line in performance.voiced
    ]

    assert [cue.speaker for cue in performance.cues] == ["Ana", "fox"]
    assert all(one[1] < other[0] for one, other in pairwise(spans))
    assert spans[0][0] > 0
    assert spans[-1][1] < 6
    assert [(cue.start_ms, cue.end_ms) for cue in performance.cues] == [
        (round(start * 1000), round(end * 1000)) for start, end in spans
    ]
    assert performance.unspoken == ()


def test_the_same_line_is_spoken_the_same_each_time(performance: Performance) -> None:
    again = perform(DIALOGUE, 6.0, cast=[Speaker("Ana", pitch_hz=210.0)])

    for one, other in zip(performance.voiced, again.voiced, strict=True):
        assert np.array_equal(one.samples, other.samples)


@pytest.mark.parametrize("wanted_hz", [95.0, 140.0, 230.0])
def test_a_cameo_speaks_at_about_the_pitch_of_their_own_voice(wanted_hz: float) -> None:
    spoken = said_by(voice_of("", wanted_hz), "Let us fly to the moon and back again")

    assert pitch_hz(spoken.samples) == pytest.approx(wanted_hz, rel=0.15)


def test_a_chosen_voice_is_the_one_that_speaks() -> None:
    bass = said_by(voice_of("bass", None), "Good morning to you all")
    child = said_by(voice_of("child", None), "Good morning to you all")

    low, high = pitch_hz(bass.samples), pitch_hz(child.samples)
    assert low is not None
    assert high is not None
    assert low < 110
    assert high > 200


def test_an_owner_chooses_among_the_voices_that_there_are() -> None:
    assert set(VOICES) == set(voices.VOICES)


def test_every_voice_speaks_every_language_that_is_guessed() -> None:
    for name in VOICES:
        assert len(said_by(voice_of(name, None), "Привет, мир").samples) > SOUND_HZ / 4


def test_what_finds_no_room_is_cut_behind_a_word_and_told() -> None:
    short = perform(DIALOGUE, 1.2)

    (cue,) = short.cues
    assert cue.end_ms <= 1_200
    assert "Good morning, my friend.".startswith(cue.text)
    assert f"{cue.text} {short.unspoken[0]}" == "Good morning, my friend."
    assert short.unspoken[1:] == ("Is it morning already?",)


def test_long_lines_are_spoken_faster_before_any_is_left_out() -> None:
    slow, fast = perform(DIALOGUE, 6.0), perform(DIALOGUE, 3.0)

    assert fast.unspoken == ()
    assert fast.cues[-1].end_ms <= 3_000
    assert len(fast.voiced[0].samples) < len(slow.voiced[0].samples)


def test_each_shot_has_its_lines_in_its_own_time() -> None:
    first = perform('Ana says "One."', 2.0, cast=[Speaker("Ana")])
    second = perform('Ana says "Two."', 2.0, start_s=2.0, cast=[Speaker("Ana")])

    whole = first.followed_by(second)

    assert [cue.text for cue in whole.cues] == ["One.", "Two."]
    assert whole.cues[0].end_ms < 2_000 < whole.cues[1].start_ms
    assert whole.voiced[1].start_s > 2


def test_without_quotations_nobody_speaks() -> None:
    assert perform("a dog on the beach", 5.0) == Performance()


def test_what_lips_are_to_follow_sounds_where_the_lines_are(performance: Performance) -> None:
    recording = track(performance, 6.0)

    assert recording is not None
    assert recording.samples.shape == (6 * SOUND_HZ,)
    for line in performance.voiced:
        begin = round(line.start_s * SOUND_HZ)
        assert np.array_equal(recording.samples[begin : begin + len(line.samples)], line.samples)
    first = performance.voiced[0]
    assert not recording.samples[: round(first.start_s * SOUND_HZ)].any()


def test_where_nobody_speaks_lips_follow_nothing() -> None:
    assert track(perform("a fox jumps", 3.0), 3.0) is None


def test_who_speaks_is_told_and_who_found_no_room_is_not() -> None:
    prompt = '"Good morning to all of you." "Bonjour, les amis."'

    both, cut = perform(prompt, 6.0), perform(prompt, 1.2)
    shots = perform('"Hello!"', 2.0).followed_by(perform('"Bonjour, les amis."', 2.0))

    assert both.engines == shots.engines == {PIPER, ESPEAK}
    assert cut.engines == {PIPER}
    assert perform("a dog on the beach", 5.0).engines == frozenset()


def test_where_piper_is_not_installed_all_lines_are_spoken_all_the_same() -> None:
    performance = perform('"Good morning to all of you."', 3.0, engines=frozenset({ESPEAK}))

    assert performance.engines == {ESPEAK}
    assert [cue.text for cue in performance.cues] == ["Good morning to all of you."]
    assert np.abs(performance.voiced[0].samples).max() > 0.05


def test_where_nothing_is_installed_that_speaks_lines_are_left_out_and_told() -> None:
    performance = perform('"Good morning to all of you."', 3.0, engines=frozenset())

    assert performance == Performance(unspoken=("Good morning to all of you.",))


def test_a_line_far_too_long_is_cut_to_its_first_words_without_speaking_it_all() -> None:
    words = " ".join(["123456"] * 50 + ["well"] * 200)

    performance = perform(f'"{words}"', 6.0)

    (cue,) = performance.cues
    assert cue.end_ms <= 6_000
    assert f"{cue.text} {performance.unspoken[0]}" == words
