SELECT l.line_item_id, l.campaign_id, l.advertiser_id, l.kind, l.bid_micros, l.category,
       l.guaranteed, l.pacing, l.daily_budget_micros, l.lifetime_budget_micros, l.hours,
       l.targeting, l.suitability, l.caps, l.bidder, c.caps AS campaign_caps, a.caps AS advertiser_caps,
       a.zone, a.currency, greatest(l.starts_at, c.starts_at) AS starts_at,
       least(l.ends_at, c.ends_at) AS ends_at, shown.creatives
FROM line_items l
JOIN campaigns c USING (campaign_id)
JOIN advertisers a ON a.advertiser_id = l.advertiser_id
JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object(
        'creative_id', v.creative_id, 'video_key', v.video_key, 'duration_ms', v.duration_ms,
        'landing_url', v.landing_url, 'call_to_action', v.call_to_action, 'category', v.category,
        'cameo_ids', v.cameo_ids, 'ai_label', v.ai_label, 'caps', v.caps
    ) ORDER BY v.creative_id) AS creatives
    FROM creatives v
    WHERE v.creative_id = ANY(l.creative_ids) AND v.advertiser_id = l.advertiser_id
      AND v.state = 'approved' AND NOT v.recalled
      -- Of every cameo, and now: a grant that is over or withdrawn stops the ad by the next reading.
      AND NOT EXISTS (
          SELECT FROM unnest(v.cameo_ids) AS used (cameo_id)
          WHERE NOT EXISTS (
              SELECT FROM commercial_grants g
              WHERE g.cameo_id = used.cameo_id AND g.advertiser_id = v.advertiser_id
                AND (g.expires_at IS NULL OR g.expires_at > %(at)s)))
) shown ON shown.creatives IS NOT NULL
WHERE l.stage = 'submitted' AND l.exhausted_micros < l.lifetime_budget_micros
  AND c.state = 'active'
  -- A sandbox is of nobody's market, and in its own it sees no bid of anybody's.
  AND CASE WHEN %(sandbox)s::uuid IS NULL THEN NOT a.sandbox
           ELSE a.sandbox AND a.advertiser_id = %(sandbox)s END
  AND (l.ends_at IS NULL OR l.ends_at > %(at)s) AND (c.ends_at IS NULL OR c.ends_at > %(at)s)
ORDER BY l.line_item_id
