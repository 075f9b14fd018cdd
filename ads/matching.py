"""Which targeting of a line a viewer matched: what they are told, and what receipts say."""

from ads.lines import Line
from ads.viewer import Viewer

EVERYBODY = "everybody"


def reasons_of(line: Line, viewer: Viewer) -> tuple[str, ...]:
    """Return what the line asks for that the viewer is, as "axis:value"; or that it is for all."""
    asked = line.targeting
    single = (
        ("country", asked.countries, viewer.country),
        ("language", asked.languages, viewer.language),
        ("age", asked.age_bands, viewer.age_band),
        ("platform", asked.platforms, viewer.platform),
    )
    reasons = [f"{axis}:{value}" for axis, values, value in single if value in values]
    reasons += [f"interest:{each}" for each in sorted(asked.interests & viewer.interests)]
    return tuple(reasons) or (EVERYBODY,)
