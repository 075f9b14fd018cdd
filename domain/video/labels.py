"""What a video can be labelled: facts of moderation, which say nothing of who may see it.

What follows from a label (nothing, a word of warning, or that the video is not recommended) is a
matter of the ranking's policy, and of whom it is shown to.
"""

from typing import Literal, get_args

# The order is for good: a label's place in it is its bit.
Label = Literal[
    "mature",
    "graphic",
    "disturbing",
    "flashing",
    "political",
    "misleading",
    "spam",
]
LABELS: tuple[str, ...] = get_args(Label)
