"""The logs, and the projections that follow them."""

from collections.abc import Mapping, Sequence

from myriorama.replay.folding import Source
from myriorama.store.event_source import EventSource
from myriorama.store.objects import Objects
from myriorama.store.postgres import (
    Pool,
)
from myriorama.store.view_source import ViewSource
from projections.accounts import Accounts as AccountsProjection
from projections.appeals import Appeals
from projections.cameo_permissions import CameoPermissions
from projections.cameo_voices import CameoVoices
from projections.cameos import Cameos as CameosProjection
from projections.comments import Comments as CommentsProjection
from projections.engagement_counts import EngagementCounts
from projections.generation_costs import GenerationCosts
from projections.generations import Generations as GenerationsProjection
from projections.gpu_budgets import GpuBudgets as GpuBudgetsProjection
from projections.invitations import Invitations as InvitationsProjection
from projections.projection import AnyProjection
from projections.provenance import Provenance
from projections.queue_entries import QueueEntries
from projections.reactions import Reactions as ReactionsProjection
from projections.recipes import Recipes
from projections.relations import Relations
from projections.revocations import Revocations as RevocationsProjection
from projections.uploads import Uploads as UploadsProjection
from projections.videos import Videos as VideosProjection
from projections.view_counts import ViewCounts


def projections() -> Sequence[AnyProjection]:
    """Return every projection, each to be run by one process at a time."""
    return (
        AccountsProjection(),
        Appeals(),
        CameoPermissions(),
        CameoVoices(),
        CameosProjection(),
        CommentsProjection(),
        EngagementCounts(),
        GenerationCosts(),
        GenerationsProjection(),
        GpuBudgetsProjection(),
        InvitationsProjection(),
        QueueEntries(),
        Provenance(),
        ReactionsProjection(),
        Recipes(),
        Relations(),
        RevocationsProjection(),
        UploadsProjection(),
        VideosProjection(),
        ViewCounts(),
    )


def following(log: str) -> Sequence[str]:
    """Return the names of the projections that follow a log."""
    return [projection.name for projection in projections() if projection.log == log]


def sources(pool: Pool, objects: Objects) -> Mapping[str, Source]:
    """Return the logs by the names under which projections follow them."""
    return {"domain": EventSource(pool), "views": ViewSource(pool, objects)}
