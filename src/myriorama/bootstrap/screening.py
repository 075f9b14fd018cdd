"""The screening that the settings choose."""

from pathlib import Path

from myriorama.settings import SettingInvalid, WorkerSettings
from myriorama.studio.screening import PolicyInvalid, Screening


def screening_of(settings: WorkerSettings) -> Screening:
    """Return the screening by the policy of the house.

    Raises:
        SettingInvalid: the policy cannot be used; the message says where it is wrong.
    """
    try:
        return Screening.from_policy(Path(settings.policy) if settings.policy else None)
    except PolicyInvalid as invalid:
        raise SettingInvalid(f"MYRIORAMA_POLICY: {invalid}") from invalid
