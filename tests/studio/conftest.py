"""What the tests of the studio share: one tiny model, built and loaded once."""

import pytest

from myriorama.studio.catalogue import TINY, Models
from myriorama.studio.ltx2 import LTX2Renderer


@pytest.fixture(scope="session")
def ltx2(tmp_path_factory: pytest.TempPathFactory) -> LTX2Renderer:
    """The tiny model of random weights, as the catalogue opens it."""
    renderer = Models("ltx2", TINY, tmp_path_factory.mktemp("home")).open_renderer("ltx2-tiny")
    assert isinstance(renderer, LTX2Renderer)
    return renderer
