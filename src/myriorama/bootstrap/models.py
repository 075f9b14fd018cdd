"""The models that the settings choose."""

from myriorama.settings import SettingInvalid, WorkerSettings
from myriorama.studio.catalogue import Models
from myriorama.studio.weights import WeightsMissing


def models_of(settings: WorkerSettings) -> Models:
    """Return the models; neither looks for weights nor loads any.

    Raises:
        SettingInvalid: a family is chosen, and no weights.
    """
    models = Models(
        settings.renderer, settings.model, settings.home, precision=settings.model_precision
    )
    try:
        _ = models.default
    except WeightsMissing as missing:
        raise SettingInvalid(str(missing)) from missing
    return models


def require_weights(settings: WorkerSettings) -> None:
    """See that the weights are there, before any work is taken.

    Raises:
        SettingInvalid: they are not; the message says what to set.
    """
    try:
        models_of(settings).check()
    except WeightsMissing as missing:
        raise SettingInvalid(str(missing)) from missing
