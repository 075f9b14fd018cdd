-- Sums of each metric over the accounts of each arm. An account belongs to the arm that it was first
-- shown, and counts from then on to the end; what is known by the day alone, from that day on. What
-- a skip is, is told by ranking/signals.py.
WITH exposed AS (
    SELECT DISTINCT ON (account_id) account_id, arm, served_at,
           (served_at AT TIME ZONE 'UTC')::date AS day
    FROM exposed_slates WHERE experiment_id = %(experiment_id)s
    ORDER BY account_id, position
), watched AS (
    SELECT s.account_id, count(*) AS views, sum(w.watched_ms) / 1000.0 AS watched_s,
           count(*) FILTER (
               WHERE w.loops = 0 AND w.watched_ms < 0.95 * v.duration_ms
                 AND w.watched_ms < greatest(1000, 0.15 * v.duration_ms)
           ) AS skips
    FROM exposed_slates s JOIN exposed_showings w USING (decision_id)
         LEFT JOIN videos v ON v.video_id = w.video_id
    WHERE s.experiment_id = %(experiment_id)s GROUP BY s.account_id
), done AS (
    SELECT e.account_id, sum(d.creations) AS creations, sum(d.remixes) AS remixes,
           sum(d.likes) AS likes, sum(d.comments) AS comments, sum(d.shares) AS shares,
           sum(d.less) AS less, sum(d.reports) AS reports
    FROM exposed e JOIN account_deeds d ON d.account_id = e.account_id AND d.day >= e.day
        AND d.day <= coalesce(%(ended_at)s AT TIME ZONE 'UTC', 'infinity')::date
    GROUP BY e.account_id
), later AS (
    SELECT e.account_id,
           EXISTS (SELECT FROM videos v WHERE v.author_id = e.account_id
                   AND v.published_at >= e.served_at
                   AND v.published_at < e.served_at + interval '1 day')::int AS created_24h,
           EXISTS (SELECT FROM exposed_slates s WHERE s.experiment_id = %(experiment_id)s
                   AND s.account_id = e.account_id
                   AND s.served_at >= e.served_at + interval '1 day')::int AS returned
    FROM exposed e
)
SELECT e.arm, m.metric, count(*) AS accounts, sum(m.value)::float8 AS total,
       sum(m.value * m.value)::float8 AS squares
FROM exposed e JOIN later USING (account_id) LEFT JOIN watched USING (account_id)
     LEFT JOIN done USING (account_id),
     LATERAL (VALUES ('created_24h', created_24h), ('returned', returned),
                     ('creations', coalesce(creations, 0)), ('remixes', coalesce(remixes, 0)),
                     ('likes', coalesce(likes, 0)), ('comments', coalesce(comments, 0)),
                     ('shares', coalesce(shares, 0)), ('views', coalesce(views, 0)),
                     ('watched_s', coalesce(watched_s, 0)), ('skips', coalesce(skips, 0)),
                     ('less', coalesce(less, 0)),
                     ('reports', coalesce(reports, 0))) AS m (metric, value)
GROUP BY e.arm, m.metric
