"""Where the previews of a render lie: three pictures, over which the next attempt draws its own."""

from contextlib import suppress
from uuid import UUID

from myriorama.store.objects import Objects

QUARTERS = (1, 2, 3)
"""A quarter, half and three quarters of the way something can be seen."""


def preview_key(generation_id: UUID, quarter: int) -> str:
    """Name the picture that is drawn after so many quarters of the way."""
    return f"previews/{generation_id}-{quarter}.webp"


def remove_previews(objects: Objects, generation_id: UUID) -> None:
    """Remove what was shown of a render that has ended. What stays for now harms nobody."""
    with suppress(OSError):
        for quarter in QUARTERS:
            objects.delete(preview_key(generation_id, quarter))
