"""Decoding: the child process that looks at foreign bytes, confined, and writes clean copies.

Started by `inspection`, which asks one question by standard input and reads one answer from
standard output. Whatever goes wrong here goes wrong for one upload alone.
"""

import logging
import os
import sys
from typing import BinaryIO

import av.error
import av.logging
import av.subtitles.codeccontext
import av.subtitles.stream
import msgspec

from myriorama.studio.asking import READY
from myriorama.studio.confinement import confine
from myriorama.studio.inspection import Decode, Decoded, Refused, Role
from myriorama.studio.pictures import clean_picture
from myriorama.studio.recordings import Unfit, clean_video, clean_voice

# Imported by PyAV when it first needs them, which would be too late.
NEEDED = (logging, av.subtitles.codeccontext, av.subtitles.stream)
# What decoders raise on broken input; av's own errors stand beside, and are none of these.
BROKEN = (OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError, ArithmeticError)


def main() -> None:
    """Read one question, give up everything that is not needed to answer it, and answer."""
    request = msgspec.json.decode(sys.stdin.buffer.read(), type=Decode)
    limits = request.limits
    av.logging.set_level(None)
    confine(
        memory_bytes=limits.memory_bytes_max,
        cpu_s=limits.cpu_s_max,
        file_bytes=limits.output_bytes_max,
    )
    sys.stdout.buffer.write(READY)  # what goes wrong from here on is the fault of the upload
    sys.stdout.buffer.flush()
    try:
        answer = decode(request)
    except Unfit as unfit:
        answer = unfit.refused
    except MemoryError:
        answer = Refused("decoding_out_of_memory", "looking at this takes too much memory")
    except (*BROKEN, av.error.FFmpegError) as error:
        # The sender is shown what it was, not what it says: that may name a place on this machine.
        detail = f"it is damaged, or not what it seems to be ({type(error).__name__})"
        answer = Refused("media_undecodable", detail)
    sys.stdout.buffer.write(msgspec.json.encode(answer))
    sys.stdout.buffer.flush()
    # Without tidying up: what is in an odd state after hostile input is never touched again.
    os._exit(0)


def decode(request: Decode) -> Decoded | Refused:
    """Write the clean copies for the purpose that the upload is meant for."""
    source = os.fdopen(request.source, "rb")
    targets: dict[Role, BinaryIO] = {
        role: os.fdopen(target, "r+b") for role, target in request.targets.items()
    }
    media_type, limits = request.media_type, request.limits
    match request.purpose:
        case "image":
            return clean_picture(source, targets["image"], media_type=media_type, limits=limits)
        case "cameo_video":
            return clean_video(source, targets, media_type=media_type, limits=limits)
        case "cameo_voice":
            return clean_voice(source, targets["voice"], media_type=media_type, limits=limits)


if __name__ == "__main__":
    main()
