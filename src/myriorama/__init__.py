"""Myriorama: the open backend for generated-video social apps."""

import zoneinfo

# All servers have the same days, by the package that is pinned: machines know zones by their age.
zoneinfo.reset_tzpath(to=())
