-- The cameos that an account may cast, newest first: its own, those granted to it, those of mutuals
-- and everyone's; less the revoked, the blocked and the denied. Of the same sense as the rule in
-- domain/cameo/consent.py, which alone is binding; a test holds both together.
WITH candidates AS (
    SELECT cameo_id FROM cameos WHERE owner_id = %(account_id)s
    UNION
    SELECT cameo_id FROM cameo_permissions
    WHERE account_id = %(account_id)s AND verdict = 'granted'
    UNION
    SELECT c.cameo_id
    FROM relations mine
    JOIN relations theirs
        ON theirs.account_id = mine.other_id AND theirs.other_id = mine.account_id
    JOIN cameos c ON c.owner_id = mine.other_id
    WHERE mine.account_id = %(account_id)s AND mine.follows AND theirs.follows
        AND c.audience = 'mutuals'
    UNION
    (
        SELECT c.cameo_id
        FROM cameos c
        LEFT JOIN cameo_permissions p
            ON p.cameo_id = c.cameo_id AND p.account_id = %(account_id)s AND p.verdict = 'denied'
            AND (p.expires_at IS NULL OR p.expires_at > %(at)s)
        WHERE c.audience = 'everyone' AND c.state = 'active' AND c.cameo_id < %(before)s
            AND p.cameo_id IS NULL
            AND NOT EXISTS (
                SELECT FROM relations r WHERE r.blocks
                    AND (r.account_id, r.other_id) IN ((%(account_id)s, c.owner_id),
                                                       (c.owner_id, %(account_id)s))
            )
        ORDER BY c.cameo_id DESC LIMIT %(limit)s
    )
)
SELECT c.cameo_id, c.owner_id, a.handle, a.display_name, c.name, c.audience, c.face_key,
    c.voice_key, c.recorded_at
FROM candidates
JOIN cameos c USING (cameo_id)
JOIN accounts a ON a.account_id = c.owner_id
LEFT JOIN cameo_permissions p
    ON p.cameo_id = c.cameo_id AND p.account_id = %(account_id)s
    AND (p.expires_at IS NULL OR p.expires_at > %(at)s)
WHERE c.state = 'active' AND c.cameo_id < %(before)s
    AND (
        c.owner_id = %(account_id)s
        OR (
            NOT EXISTS (
                SELECT FROM relations r WHERE r.blocks
                    AND (r.account_id, r.other_id) IN ((%(account_id)s, c.owner_id),
                                                       (c.owner_id, %(account_id)s))
            )
            AND p.verdict IS DISTINCT FROM 'denied'
            AND (
                p.verdict = 'granted'
                OR c.audience = 'everyone'
                OR (c.audience = 'mutuals' AND 2 = (
                    SELECT count(*) FROM relations r WHERE r.follows
                        AND (r.account_id, r.other_id) IN ((%(account_id)s, c.owner_id),
                                                           (c.owner_id, %(account_id)s))
                ))
            )
        )
    )
ORDER BY c.cameo_id DESC LIMIT %(limit)s
