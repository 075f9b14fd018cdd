"""The bare application: one Litestar route that answers bytes it has at hand, and nothing else."""

import os
from pathlib import Path

from litestar import Litestar, MediaType, Response, get

ANSWER = "MYRIORAMA_BENCH_ANSWER"
"""The variable that names the file with the bytes."""


def app() -> Litestar:
    """Return the application."""
    answer = Path(os.environ[ANSWER]).read_bytes()

    @get("/v1/feed")
    async def read_answer() -> Response[bytes]:
        return Response(answer, media_type=MediaType.JSON)

    return Litestar([read_answer], openapi_config=None)
