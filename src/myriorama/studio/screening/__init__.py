"""Screening: what may be asked for, shown and said, by a policy that is stated in a file."""

from myriorama.studio.screening.chain import Screening
from myriorama.studio.screening.policy import PolicyInvalid

__all__ = ["PolicyInvalid", "Screening"]
