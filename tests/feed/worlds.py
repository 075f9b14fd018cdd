"""Random worlds of the feed: tables of the read side that change, one thing at a time."""

from random import Random
from typing import Any, LiteralString
from uuid import UUID

from psycopg import Connection

from myriorama.feed.feeds import Kind

FLAGS = {"follows": 0.6, "blocks": 0.1, "mutes": 0.15}
PEOPLE = [UUID(int=number) for number in range(1, 8)]

REFERENCE = """
    SELECT v.video_id, v.caption, a.display_name, coalesce(e.likes, 0), coalesce(w.views, 0)
    FROM videos v JOIN accounts a ON a.account_id = v.author_id
    LEFT JOIN engagement_counts e USING (video_id) LEFT JOIN view_counts w USING (video_id)
    WHERE v.state = 'live'
      AND CASE WHEN %(kind)s = 'latest' THEN v.visibility = 'public'
          ELSE v.visibility IN ('public', 'followers') AND (v.author_id = %(viewer)s OR EXISTS (
              SELECT FROM relations r WHERE r.account_id = %(viewer)s
              AND r.other_id = v.author_id AND r.follows)) END
      AND NOT EXISTS (SELECT FROM relations r WHERE
          r.account_id = %(viewer)s AND r.other_id = v.author_id AND (r.blocks OR r.mutes)
          OR r.account_id = v.author_id AND r.other_id = %(viewer)s AND r.blocks)
    ORDER BY v.published_position DESC
"""

ACCOUNT = """
    INSERT INTO accounts (account_id, handle, display_name, bio, age_band, scopes,
                          invitations_left, opened_at, version, position)
    VALUES (%(id)s, 'account_' || %(n)s, 'Name ' || %(n)s, '', '18+', '{}', 0, now(), 1, %(n)s)
    ON CONFLICT (account_id) DO UPDATE
    SET display_name = excluded.display_name, position = excluded.position
"""

VIDEO = """
    INSERT INTO videos (video_id, author_id, generation_id, caption, visibility, remixable, prompt,
                        cameo_ids, root_id, depth, video_key, poster_key, thumbnail_key, width,
                        height, duration_ms, state, published_at, published_position, version,
                        position)
    VALUES (%(id)s, %(author)s, %(id)s, 'caption ' || %(n)s, %(visibility)s, true, '', '{}',
            %(id)s, 0, 'v', 'p', 't', 1, 1, 1, 'live', now(), %(n)s, 1, %(n)s)
"""

EDIT = """
    UPDATE videos SET caption = 'caption ' || %(n)s, visibility = %(visibility)s, state = %(state)s,
                      position = %(n)s
    WHERE video_id = %(id)s
"""

RELATE = """
    INSERT INTO relations (account_id, other_id, follows, blocks, mutes, position)
    VALUES (%(account)s, %(other)s, %(follows)s, %(blocks)s, %(mutes)s, %(n)s)
    ON CONFLICT (account_id, other_id) DO UPDATE
    SET follows = excluded.follows, blocks = excluded.blocks, mutes = excluded.mutes,
        position = excluded.position
"""

LIKE = """
    INSERT INTO engagement_counts AS e (video_id, likes, position) VALUES (%(id)s, 1, %(n)s)
    ON CONFLICT (video_id) DO UPDATE SET likes = e.likes + 1, position = excluded.position
"""

VIEW = """
    INSERT INTO view_counts AS c (video_id, views, position) VALUES (%(id)s, 1, %(n)s)
    ON CONFLICT (video_id) DO UPDATE SET views = c.views + 1, position = excluded.position
"""


class World:
    """A read side that changes at random, each time at the next position."""

    def __init__(self, database: Connection[Any], random: Random) -> None:
        self._database = database
        self._random = random
        self._position = 0
        self._video_ids: list[UUID] = []
        for account_id in PEOPLE:
            self._do(ACCOUNT, id=account_id)

    def change(self) -> None:
        """Let one thing happen."""
        choose = self._random.choice
        if not self._video_ids or self._random.random() < 0.3:
            self._video_ids.append(UUID(int=self._random.getrandbits(128)))
            visibility = choose(["public", "public", "followers", "link"])
            self._do(VIDEO, id=self._video_ids[-1], author=choose(PEOPLE), visibility=visibility)
            return
        video_id = choose(self._video_ids)
        match choose(["edit", "relate", "relate", "like", "view", "rename"]):
            case "edit":
                visibility = choose(["public", "followers", "link"])
                state = choose(["live", "live", "live", "deleted"])
                self._do(EDIT, id=video_id, visibility=visibility, state=state)
            case "relate":
                account, other = self._random.sample(PEOPLE, 2)
                flags = {n: self._random.random() < p for n, p in FLAGS.items()}
                self._do(RELATE, account=account, other=other, **flags)
            case "like":
                self._do(LIKE, id=video_id)
            case "view":
                self._do(VIEW, id=video_id)
            case _:
                self._do(ACCOUNT, id=choose(PEOPLE))

    def expected(self, viewer_id: UUID, kind: Kind) -> list[tuple[Any, ...]]:
        return self._database.execute(REFERENCE, {"viewer": viewer_id, "kind": kind}).fetchall()

    def _do(self, statement: LiteralString, **fields: Any) -> None:
        self._position += 1
        self._database.execute(statement, {**fields, "n": self._position})
