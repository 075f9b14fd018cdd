"""What every route of the API is expected to ask for: the scope, and the relation to what it names.

A route that is not here fails the tests: add its line.
"""

from enum import Enum, auto

from myriorama.api.tokens import Scope


class Relation(Enum):
    """Who, among those with the scope, may use a route on what its path names."""

    NOTHING = auto()
    """The path names nothing, or the caller's own alone."""
    ANYBODY = auto()
    """Whoever asks: a rule of the domain may refuse."""
    OWNER = auto()
    """The one whom it belongs to; others are told that it is not theirs, or that there is none."""
    AUDIENCE = auto()
    """Whoever may see the video, or the cameo; others are told that there is none."""


Expectation = tuple[Scope, Relation]

NOTHING, ANYBODY, OWNER, AUDIENCE = Relation
PUBLIC, VIEWER, CREATOR = Scope.PUBLIC, Scope.VIEWER, Scope.CREATOR

ROUTES: dict[str, Expectation] = {
    # Operations, and the files themselves (the signature is the permission)
    "GET /health": (PUBLIC, NOTHING),
    "GET /metrics": (PUBLIC, NOTHING),
    "GET /problems": (PUBLIC, NOTHING),
    "GET /ready": (PUBLIC, NOTHING),
    "GET /media/{key:path}": (PUBLIC, ANYBODY),
    "HEAD /media/{key:path}": (PUBLIC, ANYBODY),
    "GET /v1/models": (PUBLIC, NOTHING),
    # Accounts
    "POST /v1/accounts": (PUBLIC, NOTHING),
    "GET /v1/accounts/{handle:str}": (PUBLIC, ANYBODY),
    "GET /v1/accounts/{handle:str}/videos": (PUBLIC, ANYBODY),
    "PUT /v1/accounts/{account_id:uuid}/scopes": (Scope.ADMIN, ANYBODY),
    "GET /v1/me": (VIEWER, NOTHING),
    "PATCH /v1/me": (VIEWER, NOTHING),
    "PUT /v1/me/password": (VIEWER, NOTHING),
    "POST /v1/sessions": (PUBLIC, NOTHING),
    "DELETE /v1/sessions": (VIEWER, NOTHING),
    "POST /v1/sessions/refresh": (PUBLIC, NOTHING),
    "DELETE /v1/sessions/current": (VIEWER, NOTHING),
    "GET /v1/invitations": (VIEWER, NOTHING),
    "POST /v1/invitations": (VIEWER, NOTHING),
    "DELETE /v1/invitations/{code:str}": (VIEWER, OWNER),
    # Following
    "PUT /v1/accounts/{handle:str}/follow": (VIEWER, ANYBODY),
    "DELETE /v1/accounts/{handle:str}/follow": (VIEWER, ANYBODY),
    "PUT /v1/accounts/{handle:str}/block": (VIEWER, ANYBODY),
    "DELETE /v1/accounts/{handle:str}/block": (VIEWER, ANYBODY),
    "PUT /v1/accounts/{handle:str}/mute": (VIEWER, ANYBODY),
    "DELETE /v1/accounts/{handle:str}/mute": (VIEWER, ANYBODY),
    "GET /v1/accounts/{handle:str}/followers": (VIEWER, ANYBODY),
    "GET /v1/accounts/{handle:str}/following": (VIEWER, ANYBODY),
    "GET /v1/me/blocked": (VIEWER, NOTHING),
    "GET /v1/me/muted": (VIEWER, NOTHING),
    "GET /v1/me/mutuals": (VIEWER, NOTHING),
    # Uploads
    "GET /v1/uploads": (VIEWER, NOTHING),
    "POST /v1/uploads": (VIEWER, NOTHING),
    "GET /v1/uploads/{upload_id:uuid}": (VIEWER, OWNER),
    # Cameos
    "GET /v1/cameos": (VIEWER, NOTHING),
    "POST /v1/cameos": (CREATOR, NOTHING),
    "GET /v1/cameos/usable": (VIEWER, NOTHING),
    "POST /v1/cameos/check": (VIEWER, NOTHING),
    "GET /v1/cameos/{cameo_id:uuid}": (VIEWER, AUDIENCE),
    "PATCH /v1/cameos/{cameo_id:uuid}": (CREATOR, OWNER),
    "PUT /v1/cameos/{cameo_id:uuid}/voice": (CREATOR, OWNER),
    "DELETE /v1/cameos/{cameo_id:uuid}": (CREATOR, OWNER),
    "GET /v1/cameos/{cameo_id:uuid}/permissions": (VIEWER, OWNER),
    "PUT /v1/cameos/{cameo_id:uuid}/permissions/{account_id:uuid}": (CREATOR, OWNER),
    "DELETE /v1/cameos/{cameo_id:uuid}/permissions/{account_id:uuid}": (CREATOR, OWNER),
    "GET /v1/cameos/{cameo_id:uuid}/requests": (VIEWER, OWNER),
    "POST /v1/cameos/{cameo_id:uuid}/requests": (CREATOR, ANYBODY),
    "DELETE /v1/cameos/{cameo_id:uuid}/requests/{account_id:uuid}": (CREATOR, OWNER),
    # Generations
    "GET /v1/allowance": (CREATOR, NOTHING),
    "GET /v1/costs": (Scope.ANALYST, NOTHING),
    "GET /v1/generations": (CREATOR, NOTHING),
    "POST /v1/generations": (CREATOR, NOTHING),
    "POST /v1/generations/preview": (CREATOR, NOTHING),
    "POST /v1/generations/stitch": (CREATOR, NOTHING),
    "POST /v1/generations/{generation_id:uuid}/remake": (CREATOR, OWNER),
    "POST /v1/generations/{generation_id:uuid}/reroll": (CREATOR, OWNER),
    "GET /v1/generations/{generation_id:uuid}": (CREATOR, OWNER),
    "GET /v1/generations/{generation_id:uuid}/events": (CREATOR, OWNER),
    "POST /v1/generations/{generation_id:uuid}/cancel": (CREATOR, OWNER),
    "POST /v1/generations/{generation_id:uuid}/appeal": (CREATOR, OWNER),
    "GET /v1/drafts": (CREATOR, NOTHING),
    "DELETE /v1/drafts/{generation_id:uuid}": (CREATOR, OWNER),
    # Moderation
    "GET /v1/moderation/appeals": (Scope.MODERATOR, NOTHING),
    "PUT /v1/moderation/videos/{video_id:uuid}/labels": (Scope.MODERATOR, ANYBODY),
    "POST /v1/moderation/appeals/{generation_id:uuid}/decision": (Scope.MODERATOR, ANYBODY),
    "GET /v1/moderation/reports": (Scope.MODERATOR, NOTHING),
    # Work
    "POST /v1/work/{generation_id:uuid}/claim": (Scope.WORKER, ANYBODY),
    "POST /v1/work/{generation_id:uuid}/complete": (Scope.WORKER, ANYBODY),
    "POST /v1/work/{generation_id:uuid}/fail": (Scope.WORKER, ANYBODY),
    "POST /v1/work/{generation_id:uuid}/heartbeat": (Scope.WORKER, ANYBODY),
    # Videos
    "POST /v1/videos": (CREATOR, NOTHING),
    "GET /v1/videos/{video_id:uuid}": (PUBLIC, AUDIENCE),
    "PATCH /v1/videos/{video_id:uuid}": (CREATOR, OWNER),
    "DELETE /v1/videos/{video_id:uuid}": (VIEWER, OWNER),
    "GET /v1/videos/{video_id:uuid}/hls/{playlist:str}": (PUBLIC, AUDIENCE),
    "GET /v1/videos/{video_id:uuid}/thumbnails.vtt": (PUBLIC, AUDIENCE),
    "GET /v1/videos/{video_id:uuid}/lineage": (PUBLIC, AUDIENCE),
    "GET /v1/videos/{video_id:uuid}/remixes": (PUBLIC, AUDIENCE),
    "GET /v1/videos/{video_id:uuid}/comments": (PUBLIC, AUDIENCE),
    "POST /v1/videos/{video_id:uuid}/comments": (VIEWER, AUDIENCE),
    "DELETE /v1/videos/{video_id:uuid}/comments/{comment_id:uuid}": (VIEWER, OWNER),
    "PUT /v1/videos/{video_id:uuid}/like": (VIEWER, AUDIENCE),
    "DELETE /v1/videos/{video_id:uuid}/like": (VIEWER, ANYBODY),
    "PUT /v1/videos/{video_id:uuid}/bookmark": (VIEWER, AUDIENCE),
    "DELETE /v1/videos/{video_id:uuid}/bookmark": (VIEWER, ANYBODY),
    "POST /v1/videos/{video_id:uuid}/share": (VIEWER, AUDIENCE),
    "POST /v1/videos/{video_id:uuid}/report": (VIEWER, AUDIENCE),
    "GET /v1/bookmarks": (VIEWER, NOTHING),
    # Billing (strangers to what is topped up: tests/api/test_billing.py)
    "GET /v1/advertisers/{advertiser_id:uuid}/billing/balance": (Scope.ADVERTISER, OWNER),
    "POST /v1/advertisers/{advertiser_id:uuid}/billing/top-ups": (Scope.ADVERTISER, ANYBODY),
    "GET /v1/advertisers/{advertiser_id:uuid}/billing/top-ups": (Scope.ADVERTISER, OWNER),
    "GET /v1/advertisers/{advertiser_id:uuid}/billing/top-ups/{top_up_id:uuid}": (
        Scope.ADVERTISER,
        ANYBODY,
    ),
    "GET /v1/advertisers/{advertiser_id:uuid}/billing/ledger": (Scope.ADVERTISER, OWNER),
    "POST /v1/advertisers/{advertiser_id:uuid}/billing/sandbox-top-ups": (
        Scope.ADVERTISER,
        ANYBODY,
    ),
    "POST /v1/advertisers/{advertiser_id:uuid}/simulations": (Scope.ADVERTISER, ANYBODY),
    "GET /v1/advertisers/{advertiser_id:uuid}/simulations": (Scope.ADVERTISER, OWNER),
    "GET /v1/advertisers/{advertiser_id:uuid}/simulations/{simulation_id:uuid}": (
        Scope.ADVERTISER,
        ANYBODY,
    ),
    "DELETE /v1/advertisers/{advertiser_id:uuid}/simulations/{simulation_id:uuid}": (
        Scope.ADVERTISER,
        ANYBODY,
    ),
    "GET /v1/advertisers/{advertiser_id:uuid}/billing/statements": (Scope.ADVERTISER, OWNER),
    "POST /v1/stripe-events": (PUBLIC, NOTHING),
    # Ads
    "GET /v1/me/ad-preferences": (VIEWER, NOTHING),
    "PATCH /v1/me/ad-preferences": (VIEWER, NOTHING),
    "DELETE /v1/me/ad-preferences": (VIEWER, NOTHING),
    "POST /v1/ad-events": (VIEWER, NOTHING),
    "GET /v1/ads/{ad_decision_id:uuid}/why": (VIEWER, OWNER),
    "POST /v1/ads/{ad_decision_id:uuid}/hide": (VIEWER, OWNER),
    "POST /v1/ads/{ad_decision_id:uuid}/report": (VIEWER, OWNER),
    "GET /v1/ad-events/{token:str}/{pixel:str}": (PUBLIC, ANYBODY),
    "GET /v1/ads/repository": (PUBLIC, NOTHING),
    "GET /ads.txt": (PUBLIC, NOTHING),
    "GET /app-ads.txt": (PUBLIC, NOTHING),
    "GET /sellers.json": (PUBLIC, NOTHING),
    "POST /openrtb2/auction": (Scope.SELLER, NOTHING),
    "GET /openrtb2/billing/{bid:str}": (PUBLIC, ANYBODY),
    "GET /v1/vast/{document:str}": (PUBLIC, ANYBODY),
    # Advertising
    "GET /v1/advertisers": (Scope.ADVERTISER, NOTHING),
    "POST /v1/advertisers": (Scope.ADVERTISER, NOTHING),
    "GET /v1/advertisers/{advertiser_id:uuid}": (Scope.ADVERTISER, OWNER),
    "PATCH /v1/advertisers/{advertiser_id:uuid}": (Scope.ADVERTISER, OWNER),
    "GET /v1/advertisers/{advertiser_id:uuid}/reports": (Scope.ADVERTISER, OWNER),
    "GET /v1/advertisers/{advertiser_id:uuid}/decisions": (Scope.ADVERTISER, OWNER),
    "POST /v1/advertisers/{advertiser_id:uuid}/webhooks": (Scope.ADVERTISER, OWNER),
    "GET /v1/advertisers/{advertiser_id:uuid}/webhooks": (Scope.ADVERTISER, OWNER),
    "POST /v1/advertisers/{advertiser_id:uuid}/webhooks/{webhook_id:uuid}/rotate": (
        Scope.ADVERTISER,
        OWNER,
    ),
    "DELETE /v1/advertisers/{advertiser_id:uuid}/webhooks/{webhook_id:uuid}": (
        Scope.ADVERTISER,
        OWNER,
    ),
    "GET /v1/advertisers/{advertiser_id:uuid}/webhooks/{webhook_id:uuid}/deliveries": (
        Scope.ADVERTISER,
        OWNER,
    ),
    "POST /v1/advertisers/{advertiser_id:uuid}/webhooks/{webhook_id:uuid}/deliveries"
    "/{notice_id:uuid}/redeliver": (Scope.ADVERTISER, OWNER),
    "GET /v1/advertisers/{advertiser_id:uuid}/decisions/{ad_decision_id:uuid}": (
        Scope.ADVERTISER,
        OWNER,
    ),
    "POST /v1/campaigns/{campaign_id:uuid}/exports": (Scope.ADVERTISER, OWNER),
    "GET /v1/campaigns/{campaign_id:uuid}/exports": (Scope.ADVERTISER, OWNER),
    "GET /v1/campaigns/{campaign_id:uuid}/exports/{head:str}": (Scope.ADVERTISER, OWNER),
    "GET /v1/ads/recompute_bill.py": (PUBLIC, NOTHING),
    "GET /v1/advertisers/{advertiser_id:uuid}/members": (Scope.ADVERTISER, OWNER),
    "PUT /v1/advertisers/{advertiser_id:uuid}/members/{account_id:uuid}": (Scope.ADVERTISER, OWNER),
    "DELETE /v1/advertisers/{advertiser_id:uuid}/members/{account_id:uuid}": (
        Scope.ADVERTISER,
        OWNER,
    ),
    "GET /v1/advertisers/{advertiser_id:uuid}/campaigns": (Scope.ADVERTISER, OWNER),
    "POST /v1/advertisers/{advertiser_id:uuid}/campaigns": (Scope.ADVERTISER, OWNER),
    "GET /v1/campaigns/{campaign_id:uuid}": (Scope.ADVERTISER, OWNER),
    "PATCH /v1/campaigns/{campaign_id:uuid}": (Scope.ADVERTISER, OWNER),
    "POST /v1/campaigns/{campaign_id:uuid}/pause": (Scope.ADVERTISER, OWNER),
    "POST /v1/campaigns/{campaign_id:uuid}/resume": (Scope.ADVERTISER, OWNER),
    "POST /v1/campaigns/{campaign_id:uuid}/complete": (Scope.ADVERTISER, OWNER),
    "GET /v1/campaigns/{campaign_id:uuid}/line-items": (Scope.ADVERTISER, OWNER),
    "POST /v1/campaigns/{campaign_id:uuid}/line-items": (Scope.ADVERTISER, OWNER),
    "POST /v1/campaigns/{campaign_id:uuid}/forecasts": (Scope.ADVERTISER, OWNER),
    "GET /v1/line-items/{line_item_id:uuid}/diagnostics": (Scope.ADVERTISER, OWNER),
    "GET /v1/line-items/{line_item_id:uuid}/pacing": (Scope.ADVERTISER, OWNER),
    "GET /v1/line-items/{line_item_id:uuid}": (Scope.ADVERTISER, OWNER),
    "PATCH /v1/line-items/{line_item_id:uuid}": (Scope.ADVERTISER, OWNER),
    "POST /v1/line-items/{line_item_id:uuid}/submit": (Scope.ADVERTISER, OWNER),
    "POST /v1/line-items/{line_item_id:uuid}/pause": (Scope.ADVERTISER, OWNER),
    "POST /v1/line-items/{line_item_id:uuid}/resume": (Scope.ADVERTISER, OWNER),
    "POST /v1/line-items/{line_item_id:uuid}/complete": (Scope.ADVERTISER, OWNER),
    "GET /v1/advertisers/{advertiser_id:uuid}/creatives": (Scope.ADVERTISER, OWNER),
    "POST /v1/advertisers/{advertiser_id:uuid}/creatives": (Scope.ADVERTISER, OWNER),
    "GET /v1/creatives/{creative_id:uuid}": (Scope.ADVERTISER, OWNER),
    "PATCH /v1/creatives/{creative_id:uuid}": (Scope.ADVERTISER, OWNER),
    "DELETE /v1/creatives/{creative_id:uuid}": (Scope.ADVERTISER, OWNER),
    "POST /v1/creatives/{creative_id:uuid}/submit": (Scope.ADVERTISER, OWNER),
    "POST /v1/creatives/{creative_id:uuid}/appeal": (Scope.ADVERTISER, OWNER),
    "GET /v1/ad-review/creatives": (Scope.MODERATOR, NOTHING),
    "GET /v1/ad-review/reports": (Scope.MODERATOR, NOTHING),
    "POST /v1/ad-review/creatives/{creative_id:uuid}/decision": (Scope.MODERATOR, ANYBODY),
    "GET /v1/cameos/{cameo_id:uuid}/commercial-grants": (VIEWER, OWNER),
    "PUT /v1/cameos/{cameo_id:uuid}/commercial-grants/{advertiser_id:uuid}": (CREATOR, OWNER),
    "DELETE /v1/cameos/{cameo_id:uuid}/commercial-grants/{advertiser_id:uuid}": (CREATOR, OWNER),
    # Ranking
    "GET /v1/rankings": (Scope.ANALYST, NOTHING),
    "PUT /v1/rankings/policy": (Scope.ADMIN, NOTHING),
    "PUT /v1/rankings/model": (Scope.ADMIN, NOTHING),
    "GET /v1/rankings/experiments": (Scope.ANALYST, NOTHING),
    "POST /v1/rankings/experiments": (Scope.ADMIN, NOTHING),
    "GET /v1/rankings/experiments/{experiment_id:uuid}": (Scope.ANALYST, ANYBODY),
    "DELETE /v1/rankings/experiments/{experiment_id:uuid}": (Scope.ADMIN, ANYBODY),
    # Provenance
    "POST /v1/detect": (PUBLIC, NOTHING),
    # Videos in OpenAI's shape, to which requests to /v1/videos are led
    "GET /v1/openai/videos": (CREATOR, NOTHING),
    "POST /v1/openai/videos": (CREATOR, NOTHING),
    "POST /v1/openai/videos/form": (CREATOR, NOTHING),
    "GET /v1/openai/videos/{openai_id:str}": (CREATOR, OWNER),
    "DELETE /v1/openai/videos/{openai_id:str}": (CREATOR, OWNER),
    "GET /v1/openai/videos/{openai_id:str}/content": (CREATOR, OWNER),
    "POST /v1/openai/videos/{openai_id:str}/remix": (CREATOR, OWNER),
    # Feed
    "GET /v1/feed": (VIEWER, NOTHING),
    "GET /v1/feed/{decision_id:uuid}/why/{video_id:uuid}": (VIEWER, OWNER),
    "POST /v1/views": (VIEWER, NOTHING),
    # Search
    "GET /v1/explore": (PUBLIC, NOTHING),
    "GET /v1/hashtags/{tag:str}": (PUBLIC, ANYBODY),
    "GET /v1/search": (PUBLIC, NOTHING),
    # Steering
    "GET /v1/feed/steer": (VIEWER, NOTHING),
    "POST /v1/feed/steer": (VIEWER, NOTHING),
    "DELETE /v1/feed/steer": (VIEWER, NOTHING),
    "PATCH /v1/feed/steer/{rule_id:uuid}": (VIEWER, OWNER),
    "DELETE /v1/feed/steer/{rule_id:uuid}": (VIEWER, ANYBODY),
    "POST /v1/feed/less": (VIEWER, NOTHING),
    "DELETE /v1/feed/less/{video_id:uuid}": (VIEWER, ANYBODY),
    "PUT /v1/feed/personalisation": (VIEWER, NOTHING),
    "DELETE /v1/feed/history": (VIEWER, NOTHING),
}

BODIES: dict[str, dict[str, object]] = {
    "POST /v1/advertisers/{advertiser_id:uuid}/billing/top-ups": {
        "amount_micros": 50_000_000,
        "method": "checkout",
    },
    "POST /v1/advertisers/{advertiser_id:uuid}/billing/sandbox-top-ups": {
        "amount_micros": 50_000_000
    },
    "POST /v1/advertisers/{advertiser_id:uuid}/simulations": {"pages": 100},
    "POST /v1/advertisers/{advertiser_id:uuid}/webhooks": {"url": "https://shop.example.com/hook"},
    "POST /v1/ads/{ad_decision_id:uuid}/hide": {"what": "advertiser"},
    "POST /v1/ads/{ad_decision_id:uuid}/report": {"reason": "deception"},
    "PATCH /v1/advertisers/{advertiser_id:uuid}": {"name": "Fox"},
    "PUT /v1/advertisers/{advertiser_id:uuid}/members/{account_id:uuid}": {"role": "reader"},
    "POST /v1/advertisers/{advertiser_id:uuid}/campaigns": {
        "name": "Spring",
        "objective": "visits",
        "starts_at": "2026-11-22T12:00:00Z",
    },
    "PATCH /v1/campaigns/{campaign_id:uuid}": {"name": "Summer"},
    "POST /v1/campaigns/{campaign_id:uuid}/line-items": {
        "name": "Berlin",
        "kind": "cpm",
        "bid_micros": 4_200_000,
        "lifetime_budget_micros": 100_000_000,
        "starts_at": "2026-11-22T12:00:00Z",
    },
    "POST /v1/campaigns/{campaign_id:uuid}/forecasts": {
        "name": "Berlin",
        "kind": "cpm",
        "bid_micros": 4_200_000,
        "lifetime_budget_micros": 100_000_000,
        "starts_at": "2026-11-22T12:00:00Z",
    },
    "PATCH /v1/line-items/{line_item_id:uuid}": {"bid_micros": 5_000_000},
    "POST /v1/advertisers/{advertiser_id:uuid}/creatives": {
        "name": "Fox",
        "source": {"kind": "generation", "id": "0198c6f2-7d7e-7b9a-8f53-2f6c5b1f2a10"},
        "landing_url": "https://shop.example.com/",
        "call_to_action": "shop_now",
    },
    "PATCH /v1/creatives/{creative_id:uuid}": {"name": "A fox"},
    "POST /v1/creatives/{creative_id:uuid}/appeal": {"statement": "It is a fox."},
    "PUT /v1/cameos/{cameo_id:uuid}/commercial-grants/{advertiser_id:uuid}": {"expires_at": None},
    "PATCH /v1/cameos/{cameo_id:uuid}": {"audience": "mutuals"},
    "PUT /v1/cameos/{cameo_id:uuid}/voice": {"voice": "alto"},
    "PUT /v1/cameos/{cameo_id:uuid}/permissions/{account_id:uuid}": {"verdict": "granted"},
    "POST /v1/generations/{generation_id:uuid}/reroll": {"shot": 0},
    "POST /v1/generations/{generation_id:uuid}/appeal": {"statement": "It is a bird."},
    "POST /v1/openai/videos/{openai_id:str}/remix": {"prompt": "a bear jumps over a brook"},
    "PATCH /v1/videos/{video_id:uuid}": {"caption": "Another caption"},
    "PATCH /v1/feed/steer/{rule_id:uuid}": {"strength": 75},
    "POST /v1/videos/{video_id:uuid}/report": {"reason": "likeness"},
    "POST /v1/videos/{video_id:uuid}/comments": {"text": "Which fox?"},
}
"""What is sent to the routes whose relation is tested and which need a body."""
