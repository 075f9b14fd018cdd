"""The shape of a projection's tables: how to make others alike, and what keeps them from moving.

Indexes and constraints of the copies have the names of the first, in a schema of their own: when
they come to take their places, the next migration finds what it names.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import Connection, Cursor
from psycopg.rows import TupleRow
from psycopg.sql import SQL, Identifier

# What LIKE copies, each column and check as one line.
_LIKENESS = """
    SELECT a.attnum, concat_ws(' ', a.attname, format_type(a.atttypid, a.atttypmod),
                     a.attcollation, a.attnotnull, a.attidentity, a.attgenerated, a.attstorage,
                     a.attcompression, a.attacl, pg_get_expr(d.adbin, d.adrelid))
    FROM pg_attribute a
    LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE a.attrelid = %(table)s::regclass AND a.attnum > 0 AND NOT a.attisdropped
    UNION ALL
    SELECT 10000, concat_ws(' ', conname, pg_get_constraintdef(oid)) FROM pg_constraint
    WHERE conrelid = %(table)s::regclass AND contype = 'c'
    ORDER BY 1, 2
"""

# What LIKE does not copy, or not by its name, each as the statement that makes it, in order.
_BEYOND = """
    SELECT 1, format('ALTER TABLE %%I ADD CONSTRAINT %%I %%s', %(table)s::text, conname,
                     pg_get_constraintdef(oid))
    FROM pg_constraint WHERE conrelid = %(table)s::regclass AND contype IN ('p', 'u', 'x')
    UNION ALL
    SELECT 2, pg_get_indexdef(i.indexrelid, 0, true) FROM pg_index i
    WHERE i.indrelid = %(table)s::regclass AND i.indisvalid
      AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)
    UNION ALL
    SELECT 3, format('ALTER TABLE %%I SET (%%s)', relname, array_to_string(reloptions, ', '))
    FROM pg_class WHERE oid = %(table)s::regclass AND reloptions IS NOT NULL
    UNION ALL
    SELECT 4, pg_get_triggerdef(oid, true) FROM pg_trigger
    WHERE tgrelid = %(table)s::regclass AND tgconstraint <> 0 AND NOT tgisinternal
    ORDER BY 1, 2
"""

_RIGHTS = """
    SELECT 1, format('ALTER TABLE %%I OWNER TO %%s', relname, relowner::regrole)
    FROM pg_class WHERE oid = %(table)s::regclass
    UNION ALL
    SELECT 2, format('GRANT %%s ON %%I TO %%s%%s', g.privilege_type, relname,
                     CASE g.grantee WHEN 0 THEN 'PUBLIC' ELSE g.grantee::regrole::text END,
                     CASE WHEN g.is_grantable THEN ' WITH GRANT OPTION' END)
    FROM pg_class, aclexplode(relacl) g WHERE oid = %(table)s::regclass
    ORDER BY 1, 2
"""

# A table takes its own indexes, constraints (triggers that are some, too), defaults and row type
# along when it moves. Whatever else knows it by its OID would go on with the table that was moved
# away.
_HELD_BY = """
    SELECT DISTINCT pg_describe_object(d.classid, d.objid, 0)
    FROM pg_class t JOIN pg_depend d
      ON d.refclassid = 'pg_class'::regclass AND d.refobjid = t.oid
      OR d.refclassid = 'pg_type'::regclass AND d.refobjid IN (
          SELECT o.oid FROM pg_type o WHERE o.oid = t.reltype OR o.typelem = t.reltype)
    LEFT JOIN pg_constraint k ON d.classid = 'pg_constraint'::regclass AND k.oid = d.objid
    LEFT JOIN pg_class c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
    LEFT JOIN pg_trigger g ON d.classid = 'pg_trigger'::regclass AND g.oid = d.objid
    WHERE t.oid = ANY(%s::regclass[]) AND d.classid <> 'pg_attrdef'::regclass
      AND NOT (d.classid = 'pg_type'::regclass AND d.deptype = 'i')
      AND (k.oid IS NULL OR k.conrelid <> t.oid OR k.contype = 'f')
      AND (c.oid IS NULL OR c.relkind NOT IN ('i', 't'))
      AND (g.oid IS NULL OR g.tgrelid <> t.oid OR g.tgconstraint = 0 OR g.tgisinternal)
    ORDER BY 1
"""

_PATH = "SELECT set_config('search_path', %s, true)"


def copy_shape(connection: Connection[TupleRow], tables: Iterable[str], schema: str) -> None:
    """Make empty tables like those in `public` in a schema that is there and has none."""
    with connection.transaction(), connection.cursor() as cursor:
        for table in tables:
            look_into(cursor, "public")
            beyond = [*_lines(cursor, _BEYOND, table), *_lines(cursor, _RIGHTS, table)]
            look_into(cursor, schema)
            cursor.execute(
                SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL EXCLUDING INDEXES)").format(
                    Identifier(schema, table), Identifier("public", table)
                )
            )
            for statement in beyond:
                cursor.execute(statement.encode())
        look_into(cursor, "public")


def shape(connection: Connection[TupleRow], tables: Iterable[str], schema: str) -> Sequence[str]:
    """Return all there is to say of the tables but their rows; equal shapes can be exchanged."""
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        look_into(cursor, schema)
        return [
            f"{table}: {line}"
            for table in tables
            for query in (_LIKENESS, _BEYOND, _RIGHTS)
            for line in _lines(cursor, query, table)
        ]


def held_by(connection: Connection[TupleRow], tables: Iterable[str]) -> Sequence[str]:
    """Return what depends on the tables in `public` by more than their names, as PostgreSQL says.

    Views, foreign keys, triggers, publications, functions that return their rows.
    """
    names = [f"public.{table}" for table in tables]
    return [name for (name,) in connection.execute(_HELD_BY, (names,))]


def look_into(cursor: Cursor[TupleRow], schema: str) -> None:
    """Have names of tables mean those of a schema first, until the transaction ends."""
    path = SQL("{}, public").format(Identifier(schema)).as_string(cursor)
    cursor.execute(_PATH, (path,))


def _lines(cursor: Cursor[Any], query: str, table: str) -> list[str]:
    return [row[-1] for row in cursor.execute(query.encode(), {"table": table}).fetchall()]
