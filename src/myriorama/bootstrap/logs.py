"""The logs, and the projections that follow them."""

from collections.abc import Mapping, Sequence

from myriorama.bootstrap.embedding import prompt_vectors
from myriorama.replay.folding import Source
from myriorama.store.event_source import EventSource
from myriorama.store.objects import Objects
from myriorama.store.postgres import (
    Pool,
)
from myriorama.store.view_source import ViewSource
from projections.account_deeds import AccountDeeds
from projections.accounts import Accounts as AccountsProjection
from projections.ad_decisions import AdDecisions
from projections.ad_preferences import AdPreferences as AdPreferencesProjection
from projections.ad_reports import AdReports as AdReportsProjection
from projections.ad_repository import AdRepository
from projections.ad_webhooks import AdWebhooks
from projections.advertisers import Advertisers as AdvertisersProjection
from projections.appeals import Appeals
from projections.cameo_permissions import CameoPermissions
from projections.cameo_voices import CameoVoices
from projections.cameos import Cameos as CameosProjection
from projections.campaigns import Campaigns as CampaignsProjection
from projections.comments import Comments as CommentsProjection
from projections.commercial_grants import CommercialGrants
from projections.creatives import Creatives as CreativesProjection
from projections.engagement_counts import EngagementCounts
from projections.engagement_hours import EngagementHours
from projections.exposures import Exposures
from projections.generation_costs import GenerationCosts
from projections.generations import Generations as GenerationsProjection
from projections.gpu_budgets import GpuBudgets as GpuBudgetsProjection
from projections.hashtags import Hashtags
from projections.invitations import Invitations as InvitationsProjection
from projections.ledger import Ledger
from projections.line_items import LineItems as LineItemsProjection
from projections.projection import AnyProjection
from projections.provenance import Provenance
from projections.queue_entries import QueueEntries
from projections.rankings import Rankings as RankingsProjection
from projections.reactions import Reactions as ReactionsProjection
from projections.recipes import Recipes
from projections.relations import Relations
from projections.reports import Reports
from projections.revocations import Revocations as RevocationsProjection
from projections.steering import Steering
from projections.top_ups import TopUps as TopUpsProjection
from projections.uploads import Uploads as UploadsProjection
from projections.video_documents import Embed, VideoDocuments
from projections.videos import Videos as VideosProjection
from projections.view_counts import ViewCounts
from projections.view_hours import ViewHours


def projections() -> Sequence[AnyProjection]:
    """Return every projection, each to be run by one process at a time."""
    return (
        AccountDeeds(),
        AccountsProjection(),
        AdDecisions(),
        AdPreferencesProjection(),
        AdReportsProjection(),
        AdRepository(),
        AdWebhooks(),
        AdvertisersProjection(),
        Appeals(),
        CameoPermissions(),
        CameoVoices(),
        CameosProjection(),
        CampaignsProjection(),
        CommentsProjection(),
        CommercialGrants(),
        CreativesProjection(),
        EngagementCounts(),
        EngagementHours(),
        Exposures(),
        GenerationCosts(),
        GenerationsProjection(),
        GpuBudgetsProjection(),
        Hashtags(),
        InvitationsProjection(),
        Ledger(),
        LineItemsProjection(),
        QueueEntries(),
        Provenance(),
        RankingsProjection(),
        ReactionsProjection(),
        Recipes(),
        Relations(),
        Reports(),
        RevocationsProjection(),
        Steering(),
        TopUpsProjection(),
        UploadsProjection(),
        VideoDocuments(embedding),
        VideosProjection(),
        ViewCounts(),
        ViewHours(),
    )


def embedding() -> Embed:
    """Return what reads prompts; its vectors are loaded now."""
    return prompt_vectors().embed


def following(log: str) -> Sequence[str]:
    """Return the names of the projections that follow a log."""
    return [projection.name for projection in projections() if projection.log == log]


def sources(pool: Pool, objects: Objects) -> Mapping[str, Source]:
    """Return the logs by the names under which projections follow them."""
    return {"domain": EventSource(pool), "views": ViewSource(pool, objects)}
