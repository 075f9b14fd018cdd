"""Routes of ad preferences: choose ads by context alone, and hide advertisers and categories."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import msgspec
from litestar import Router, delete, get, patch
from litestar.di import NamedDependency
from litestar.params import JSONBody

from domain.ad_categories import Category
from domain.ad_preferences.bounds import HIDDEN_ADVERTISERS_MAX
from myriorama.api.reads import Reads
from myriorama.api.tokens import Principal, Scope
from myriorama.application.ad_opinions import AdOpinions, PreferenceEdit
from myriorama.store.front import Front

MINE = """
    SELECT coalesce(p.contextual_only, false) AS contextual_only,
           NOT is_of_age(a.account_id) AS contextual_always,
           coalesce(p.hidden_advertisers, '{}') AS hidden_advertisers,
           coalesce(p.hidden_categories, '{}') AS hidden_categories
    FROM accounts a LEFT JOIN ad_preferences p USING (account_id) WHERE a.account_id = %s
"""

NAMES = "SELECT advertiser_id, name FROM advertisers WHERE advertiser_id = ANY(%s)"

Categories = Annotated[list[Category], msgspec.Meta(max_length=100, examples=[["gambling"]])]
Advertisers = Annotated[list[UUID], msgspec.Meta(max_length=HIDDEN_ADVERTISERS_MAX)]


class HiddenAdvertiser(msgspec.Struct, frozen=True):
    """An advertiser whose ads you are not shown."""

    advertiser_id: UUID
    name: str


class AdPreferences(msgspec.Struct, frozen=True):
    """What you said of your ads, in the order that you said it.

    Contextual ads are chosen by the country, language, app and videos that they are shown in, and
    never by your age, your interests or what you did. `contextual_always`: you are not known to be
    of age, so that all your ads are, whatever `contextual_only` says.
    """

    contextual_only: bool
    contextual_always: bool
    hidden_advertisers: list[HiddenAdvertiser]
    hidden_categories: list[Category]


class AdPreferencesEdit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be different; what is left out stays. A list is all that is hidden from then."""

    contextual_only: bool | msgspec.UnsetType = msgspec.UNSET
    hidden_advertisers: Advertisers | msgspec.UnsetType = msgspec.UNSET
    hidden_categories: Categories | msgspec.UnsetType = msgspec.UNSET


class PreferencesRow(msgspec.Struct, frozen=True):
    """Ad preferences as they lie on the read side."""

    contextual_only: bool
    contextual_always: bool
    hidden_advertisers: list[UUID]
    hidden_categories: list[Category]


@get("/ad-preferences", opt={"scope": Scope.VIEWER})
async def read_ad_preferences(
    principal: NamedDependency[Principal], reads: NamedDependency[Reads]
) -> AdPreferences:
    """Read what you said of your ads."""
    row = await reads.one(PreferencesRow, MINE, (principal.account_id,))
    if row is None:
        # An account that is not on the read side yet has said nothing, and is not known of age.
        row = PreferencesRow(
            contextual_only=False,
            contextual_always=True,
            hidden_advertisers=[],
            hidden_categories=[],
        )
    named = await reads.many(HiddenAdvertiser, NAMES, (row.hidden_advertisers,))
    by_id = {each.advertiser_id: each for each in named}
    return AdPreferences(
        row.contextual_only,
        row.contextual_always,
        [by_id[each] for each in row.hidden_advertisers if each in by_id],
        row.hidden_categories,
    )


@patch("/ad-preferences", opt={"scope": Scope.VIEWER}, status_code=204)
async def change_ad_preferences(
    data: JSONBody[AdPreferencesEdit],
    principal: NamedDependency[Principal],
    ad_opinions: NamedDependency[AdOpinions],
    front: NamedDependency[Front],
) -> None:
    """Say by what your ads may be chosen, and which you do not want; your next page keeps to it."""
    edit = PreferenceEdit(
        contextual_only=None if data.contextual_only is msgspec.UNSET else data.contextual_only,
        hidden_advertisers=(
            None if data.hidden_advertisers is msgspec.UNSET else data.hidden_advertisers
        ),
        hidden_categories=(
            None if data.hidden_categories is msgspec.UNSET else data.hidden_categories
        ),
    )
    await front.command(ad_opinions.change, edit, by=principal.account_id, at=datetime.now(UTC))


@delete("/ad-preferences", opt={"scope": Scope.VIEWER})
async def reset_ad_preferences(
    principal: NamedDependency[Principal],
    ad_opinions: NamedDependency[AdOpinions],
    front: NamedDependency[Front],
) -> None:
    """Take back all that you said of your ads."""
    await front.command(ad_opinions.reset, by=principal.account_id, at=datetime.now(UTC))


router = Router(
    "/v1/me",
    route_handlers=[read_ad_preferences, change_ad_preferences, reset_ad_preferences],
    tags=["Ads"],
)
