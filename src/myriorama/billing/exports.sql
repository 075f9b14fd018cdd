-- What an export has of charges: in the order of the batches; of a decision views before clicks. A
-- decision or a view that an earlier export has is told once more, for who has only this one.
SELECT c.decision_id, c.beacon, c.reported_ms, c.mark, c.micros, c.leaked_micros, c.batch, c.line_id,
       c.creative_id, c.day, c.place, c.surface, e.token, d.bid_micros,
       EXISTS (
           SELECT FROM charges x WHERE x.decision_id = c.decision_id AND x.batch <= %(after)s
             AND x.batch > 0
       ) AS is_known,
       (SELECT v.reported_ms FROM charges v
        WHERE c.beacon = 8 AND v.decision_id = c.decision_id AND v.beacon = 1 AND v.mark IS NULL
          AND v.batch <= %(after)s AND v.batch > 0) AS seen_ms
FROM budgeted_lines b JOIN charges c USING (line_id) JOIN ad_events e USING (position)
LEFT JOIN ad_decisions d ON d.ad_decision_id = c.decision_id
WHERE b.campaign_id = %(campaign_id)s AND c.batch > %(after)s AND c.batch <= %(through)s
ORDER BY c.batch, c.beacon, c.position
