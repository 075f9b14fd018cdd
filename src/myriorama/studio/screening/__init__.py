"""Screening: what may be asked for, shown and said, by a policy that is stated in a file."""

from myriorama.studio.screening.chain import FAILED_RENDER, Screening
from myriorama.studio.screening.policy import PolicyInvalid

__all__ = ["FAILED_RENDER", "PolicyInvalid", "Screening"]
