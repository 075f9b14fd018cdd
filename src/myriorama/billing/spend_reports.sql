-- Of decisions (as kind of report 0), charges and credits, by what is asked for: a row a cell and kind
-- of report, and one a cell (its `beacon` is null) with how many viewers are in it.
WITH happened AS (
    SELECT c.day, b.campaign_id, c.line_id, c.creative_id, c.surface, c.place, c.beacon, c.micros,
           c.leaked_micros, coalesce(r.micros, 0) AS credited_micros, NULL::uuid AS viewer_id,
           c.mark IS NOT NULL OR EXISTS (
               SELECT FROM credits x WHERE x.decision_id = c.decision_id
           ) AS is_invalid
    FROM budgeted_lines b JOIN charges c USING (line_id)
    LEFT JOIN credits r USING (decision_id, beacon, is_marked)
    WHERE b.advertiser_id = %(advertiser_id)s AND c.day BETWEEN %(first)s AND %(last)s
    UNION ALL
    SELECT day, campaign_id, line_id, creative_id, surface, place, 0, 0, 0, 0, viewer_id, false
    FROM ad_decisions
    WHERE advertiser_id = %(advertiser_id)s AND day BETWEEN %(first)s AND %(last)s
      AND decided_at BETWEEN %(since)s AND %(until)s
), asked AS (
    SELECT CASE WHEN %(by_day)s::bool THEN day END AS day,
           CASE WHEN %(by_campaign)s::bool THEN h.campaign_id END AS campaign_id,
           CASE WHEN %(by_line)s::bool THEN line_id END AS line_item_id,
           CASE WHEN %(by_kind)s::bool THEN i.kind END AS kind,
           CASE WHEN %(by_creative)s::bool THEN creative_id END AS creative_id,
           CASE WHEN %(by_surface)s::bool THEN surface END AS surface,
           CASE WHEN %(by_place)s::bool THEN place END AS place,
           beacon, micros, leaked_micros, credited_micros, is_invalid, viewer_id
    FROM happened h LEFT JOIN line_items i ON i.line_item_id = h.line_id
    WHERE coalesce(h.campaign_id = %(campaign_id)s::uuid, true)
      AND coalesce(line_id = %(line_item_id)s::uuid, true)
)
SELECT day, campaign_id, line_item_id, kind, creative_id, surface, place, beacon,
       count(*) AS gross, count(*) FILTER (WHERE is_invalid) AS invalid,
       count(*) FILTER (WHERE micros > 0) AS charged,
       count(*) FILTER (WHERE credited_micros > 0) AS credited,
       count(*) FILTER (WHERE leaked_micros > 0) AS leaked,
       sum(micros)::bigint AS micros, sum(credited_micros)::bigint AS credited_micros,
       sum(leaked_micros)::bigint AS leaked_micros, count(DISTINCT viewer_id) AS viewers
FROM asked
GROUP BY GROUPING SETS (
    (day, campaign_id, line_item_id, kind, creative_id, surface, place, beacon),
    (day, campaign_id, line_item_id, kind, creative_id, surface, place)
)
