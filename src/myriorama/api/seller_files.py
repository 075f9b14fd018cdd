"""The files by which buyers see who may sell our places: ads.txt, app-ads.txt, sellers.json.

They tell what is true: the house sells its own places itself, under its own domain.
"""

from litestar import Response, Router, get
from litestar.di import NamedDependency

from ads import sellers
from ads.sellers import House, SellersFile
from myriorama.api.tokens import Scope

_KEPT = {"Cache-Control": "public, max-age=3600"}


@get("/ads.txt", opt={"scope": Scope.PUBLIC}, media_type="text/plain")
async def read_ads_txt(house: NamedDependency[House]) -> Response[str]:
    """Read who may sell places on these pages: the house alone."""
    return Response(sellers.ads_txt(house), media_type="text/plain", headers=_KEPT)


@get("/app-ads.txt", opt={"scope": Scope.PUBLIC}, media_type="text/plain")
async def read_app_ads_txt(house: NamedDependency[House]) -> Response[str]:
    """Read who may sell places in apps of this house: the house alone."""
    return Response(sellers.ads_txt(house), media_type="text/plain", headers=_KEPT)


@get("/sellers.json", opt={"scope": Scope.PUBLIC})
async def read_sellers(house: NamedDependency[House]) -> Response[SellersFile]:
    """Read on whose behalf places are sold here: the house's own."""
    return Response(sellers.sellers_json(house), headers=_KEPT)


router = Router(
    "/", route_handlers=[read_ads_txt, read_app_ads_txt, read_sellers], tags=["Operations"]
)
