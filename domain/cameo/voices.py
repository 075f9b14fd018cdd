"""Voices: the synthetic ones in which dialogue of a cameo can be spoken; nobody's own is."""

from typing import Final

VOICES: Final = ("narrator", "bass", "tenor", "alto", "soprano", "child")
