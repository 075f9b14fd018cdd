-- What follows from the labels of videos wherever they are listed, as it does where they are ranked.

-- label_rules: what the policy says of each label, for those who are of age and for everybody else; as long
-- as no policy was activated, or where it does not name one, as by default (ranking/policy.py: a test
-- holds both together).
CREATE FUNCTION label_rules() RETURNS TABLE (label text, adult text, minor text)
LANGUAGE sql STABLE AS $$
    SELECT said.key, said.value ->> 'adult', said.value ->> 'minor'
    FROM jsonb_each('{
        "mature":     {"adult": "interstitial", "minor": "drop"},
        "graphic":    {"adult": "interstitial", "minor": "drop"},
        "disturbing": {"adult": "interstitial", "minor": "drop"},
        "flashing":   {"adult": "interstitial", "minor": "interstitial"},
        "political":  {"adult": "allow",        "minor": "allow"},
        "misleading": {"adult": "interstitial", "minor": "drop"},
        "spam":       {"adult": "drop",         "minor": "drop"}
    }'::jsonb || coalesce((
        SELECT policy::jsonb -> 'labels' FROM ranking_activations WHERE kind = 'policy'
        ORDER BY position DESC LIMIT 1
    ), '{}'::jsonb)) AS said
$$;

-- is_of_age: whoever is not known to be is not.
CREATE FUNCTION is_of_age(viewer_id uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT EXISTS (SELECT FROM accounts WHERE account_id = viewer_id AND age_band = '18+')
$$;

-- withheld_labels: videos with one of these are in no list that the viewer is shown.
CREATE FUNCTION withheld_labels(viewer_id uuid) RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT coalesce(array_agg(label), '{}') FROM label_rules()
    WHERE adult = 'drop' OR minor = 'drop' AND NOT is_of_age(viewer_id)
$$;

-- label_warning: the rule why a warning stands before a video with these labels, NULL if none does.
CREATE FUNCTION label_warning(labels text[], viewer_id uuid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN bool_or(adult <> 'allow') THEN 'labelled'
                WHEN bool_or(minor <> 'allow') AND NOT is_of_age(viewer_id) THEN 'age' END
    FROM label_rules() WHERE label = ANY(labels)
$$;

DROP FUNCTION discoverable_videos(uuid);
DROP FUNCTION listed_videos(uuid);
DROP FUNCTION visible_videos(uuid);

-- The rule of domain/video/visibility.py: `may_see` of one account, or of a visitor (NULL). These are
-- inlined into the query that reads from them.
CREATE FUNCTION visible_videos(viewer_id uuid) RETURNS TABLE (
    video_id uuid, author_id uuid, visibility text, remix_of uuid, published_position bigint,
    version bigint, labels text[]
) LANGUAGE sql STABLE AS $$
    SELECT v.video_id, v.author_id, v.visibility, v.remix_of, v.published_position, v.version, v.labels
    FROM videos v
    LEFT JOIN relations mine ON mine.account_id = viewer_id AND mine.other_id = v.author_id
    LEFT JOIN relations theirs ON theirs.account_id = v.author_id AND theirs.other_id = viewer_id
    WHERE v.state = 'live' AND (
        v.author_id = viewer_id
        OR NOT coalesce(mine.blocks, false) AND NOT coalesce(theirs.blocks, false)
           AND (v.visibility IN ('public', 'link') OR coalesce(mine.follows, false))
    )
$$;

-- What somebody may be shown who asks for it by name: who is of age is shown all that they may see.
CREATE FUNCTION shown_videos(viewer_id uuid) RETURNS TABLE (
    video_id uuid, author_id uuid, visibility text, remix_of uuid, published_position bigint,
    version bigint
) LANGUAGE sql STABLE AS $$
    SELECT v.video_id, v.author_id, v.visibility, v.remix_of, v.published_position, v.version
    FROM visible_videos(viewer_id) v
    WHERE v.labels = '{}' OR v.author_id = viewer_id OR (SELECT is_of_age(viewer_id))
       OR NOT v.labels && (SELECT withheld_labels(viewer_id))
$$;

-- `may_list` of the same rule, less what is withheld for its labels; from an author nothing is.
CREATE FUNCTION listed_videos(viewer_id uuid) RETURNS TABLE (
    video_id uuid, author_id uuid, visibility text, remix_of uuid, published_position bigint,
    version bigint
) LANGUAGE sql STABLE AS $$
    SELECT v.video_id, v.author_id, v.visibility, v.remix_of, v.published_position, v.version
    FROM visible_videos(viewer_id) v
    WHERE v.author_id = viewer_id
       OR v.visibility <> 'link'
          AND (v.labels = '{}' OR NOT v.labels && (SELECT withheld_labels(viewer_id)))
$$;

-- What somebody may come upon without having been led to it: as in lists, and nothing of whom they have
-- muted.
CREATE FUNCTION discoverable_videos(viewer_id uuid) RETURNS TABLE (
    video_id uuid, author_id uuid, visibility text, published_position bigint
) LANGUAGE sql STABLE AS $$
    SELECT v.video_id, v.author_id, v.visibility, v.published_position
    FROM listed_videos(viewer_id) v
    LEFT JOIN relations m ON m.account_id = viewer_id AND m.other_id = v.author_id
    WHERE NOT coalesce(m.mutes, false)
$$;
