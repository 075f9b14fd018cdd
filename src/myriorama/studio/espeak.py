"""Speaks lines with espeak-ng: a child process, since text of strangers is read by a C library.

Started by `synthesis`, which sends JSON by standard input: a list of `[text, language, variant,
pitch, rate]`. For each it writes the number of bytes, four of them, and as many of mono 16-bit
samples.
"""

import ctypes
import json
import resource
import struct
import sys

import espeakng_loader  # pyright: ignore[reportMissingTypeStubs] - it has none

HZ = 22_050


def main() -> None:
    """Speak what is asked for, and end."""
    lines = json.loads(sys.stdin.buffer.read())
    for what, limit in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_AS, 2**30),
        (resource.RLIMIT_CPU, 20),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
    ):
        resource.setrlimit(what, (limit, limit))
    library = ctypes.CDLL(espeakng_loader.get_library_path())
    folder = espeakng_loader.get_data_path().encode()
    for line in lines:
        samples = _spoken(library, folder, line)
        sys.stdout.buffer.write(struct.pack(">I", len(samples)) + samples)


_SYNCHRONOUS = 2
_DO_NOT_EXIT = 0x8000
_UTF8 = 1
_RATE, _PITCH, _RANGE = 1, 3, 4
_SEED = 1


def _spoken(library: ctypes.CDLL, folder: bytes, line: "tuple[str, str, str, int, int]") -> bytes:
    """Return the samples of a line. A fresh start and a fixed seed make them the same each time."""
    text, language, variant, pitch, rate = line
    parts: list[bytes] = []

    def keep(samples: int | None, count: int, _: int | None) -> int:
        if samples and count > 0:
            parts.append(ctypes.string_at(samples, 2 * count))
        return 0

    kind = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
    callback = kind(keep)  # held by this name until the library is done with it
    if library.espeak_Initialize(_SYNCHRONOUS, 0, folder, _DO_NOT_EXIT) != HZ:
        raise RuntimeError("espeak-ng did not start")
    library.espeak_ng_SetRandSeed(ctypes.c_long(_SEED))
    library.espeak_SetSynthCallback(callback)
    if library.espeak_SetVoiceByName(f"{language}+{variant}".encode()):
        raise RuntimeError(f"espeak-ng has no voice {language}+{variant}")
    for parameter, value in ((_RATE, rate), (_PITCH, pitch), (_RANGE, 60)):
        library.espeak_SetParameter(parameter, value, 0)
    content = text.encode()
    library.espeak_Synth(content, len(content) + 1, 0, 0, 0, _UTF8, None, None)
    library.espeak_Synchronize()
    library.espeak_Terminate()
    return b"".join(parts)


if __name__ == "__main__":
    main()
