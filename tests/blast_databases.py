"""Databases to lose things in: the sample databases, one with everything, and random ones; each filled with rows."""

import random
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

SCHEMAS = Path(__file__).parents[2] / "shared" / "corpora" / "sql" / "schemas"
SAMPLES = {
    "pagila": "pagila-schema.sql",
    "northwind": "northwind.sql",
    "chinook": "Chinook_PostgreSql.sql",
}


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; databases on it are made by name."""

    url: str

    def database(self, name: str) -> str:
        return f"{self.url} dbname={name}"

    def make(self, name: str) -> str:
        with psycopg.connect(self.url, autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return self.database(name)

    def run_file(self, url: str, path: Path) -> None:
        subprocess.run(
            ["psql", "-q", "-X", "-d", url, "-f", str(path)],
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )


def sample(server: Server, name: str, folder: Path) -> str:
    """One of the sample databases with rows in every table it has."""
    path = SCHEMAS / SAMPLES[name]
    if name == "chinook":
        # The script makes its own database.
        server.run_file(server.url, path)
        url = server.database("chinook")
    else:
        url = server.make(name)
        if name == "pagila":
            path = _older_pagila(path, folder)
            with psycopg.connect(url, autocommit=True) as connection:
                connection.execute(
                    "CREATE FUNCTION pg_catalog.uuidv7() RETURNS uuid LANGUAGE sql AS 'SELECT gen_random_uuid()'"
                )
        server.run_file(url, path)
    fill(url)
    return url


def _older_pagila(path: Path, folder: Path) -> Path:
    """Pagila without what needs PostgreSQL 18 or pgvector."""
    text = path.read_text(encoding="utf-8")
    text = text.replace(") VIRTUAL", ") STORED").replace(" VIRTUAL\n", " STORED\n")
    text = text.replace("public.vector(20)", "real[]")
    found = folder / "pagila.sql"
    found.write_text(text, encoding="utf-8")
    return found


def cascading(url: str) -> None:
    """Makes every foreign key cascade, so that a sample database shows how far a DELETE can go."""
    with psycopg.connect(url) as connection:
        keys = connection.execute(
            "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint"
            " WHERE contype = 'f' AND conparentid = 0"
        ).fetchall()
        for table, name, definition in keys:
            plain = definition.split(" ON DELETE ")[0].split(" ON UPDATE ")[0]
            connection.execute(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'.encode())
            connection.execute(
                f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {plain} ON DELETE CASCADE'.encode()
            )


ROWS = 4


def fill(url: str) -> None:
    """A few rows in every empty table: row i has i in every number, so that all references hold."""
    with psycopg.connect(url) as connection:
        connection.execute("SET session_replication_role = replica")
        tables = connection.execute(
            "SELECT c.oid, c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind = 'r' AND NOT relispartition AND nspname NOT LIKE 'pg_%'"
            " AND nspname <> 'information_schema'"
            " UNION ALL SELECT oid, oid::regclass::text FROM pg_class WHERE relkind = 'p'"
            " AND NOT relispartition"
        ).fetchall()
        empty = {
            oid
            for oid, table in tables
            if not _one(connection, f"SELECT EXISTS (SELECT FROM {table})")
        }
        for oid, table in tables:
            # Rows of its own that a sample has are not what row i refers to.
            parents = connection.execute(
                "SELECT confrelid FROM pg_constraint WHERE contype = 'f' AND conrelid = %s", (oid,)
            ).fetchall()
            if oid not in empty or any(parent not in empty for (parent,) in parents):
                continue
            columns = connection.execute(
                "SELECT attname, format_type(t.oid, NULL), typtype::text, typelem, attgenerated::text, t.oid"
                " FROM pg_attribute a JOIN pg_type t ON t.oid = atttypid"
                " WHERE attrelid = %s AND attnum > 0 AND NOT attisdropped",
                (oid,),
            ).fetchall()
            for number in range(1, ROWS + 1):
                names, values = [], []
                for name, type, kind, element, generated, type_oid in columns:
                    if generated:
                        continue
                    names.append(f'"{name}"')
                    values.append(_value(connection, type, kind, element, type_oid, number))
                row = (
                    f"INSERT INTO {table} ({', '.join(names)}) OVERRIDING SYSTEM VALUE"
                    f" VALUES ({', '.join(values)})"
                )
                connection.execute(row.encode())
        for (view,) in connection.execute(
            "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'm' ORDER BY oid"
        ).fetchall():
            connection.execute(f"REFRESH MATERIALIZED VIEW {view}".encode())
        connection.commit()
        connection.autocommit = True
        connection.execute("ANALYZE")


def _one(connection: Any, query: str) -> Any:
    return connection.execute(query).fetchone()[0]


def _value(connection: Any, type: str, kind: str, element: int, type_oid: int, number: int) -> str:
    if kind == "e":
        label = _one(
            connection,
            f"SELECT enumlabel FROM pg_enum WHERE enumtypid = {type_oid} ORDER BY enumsortorder LIMIT 1",
        )
        return f"'{label}'"
    if kind == "d":
        return str(2000 + number)
    if element and type.endswith("[]"):
        return "'{}'"
    match type:
        case "boolean":
            return "true"
        case "date" | "timestamp without time zone" | "timestamp with time zone":
            return f"'2022-0{number}-02'"
        case "uuid":
            return f"'00000000-0000-0000-0000-00000000000{number}'"
        case "bytea" | "tsvector" | "json" | "jsonb":
            return f"'{number}'"
        case _ if type in _NUMBERS:
            return str(number)
        case _:
            return f"'{number}'"


_NUMBERS = {"smallint", "integer", "bigint", "numeric", "real", "double precision"}


EVERYTHING = """
CREATE SCHEMA other;
CREATE TABLE account (id int PRIMARY KEY, name text);
CREATE TABLE orders (id int PRIMARY KEY, account_id int REFERENCES account ON DELETE CASCADE, total int);
CREATE TABLE order_line (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE CASCADE);
CREATE TABLE note (id int PRIMARY KEY, order_id int REFERENCES orders ON DELETE SET NULL, about text);
CREATE TABLE label (id int PRIMARY KEY, note_id int DEFAULT NULL REFERENCES note ON DELETE SET DEFAULT);
CREATE TABLE bill (id int PRIMARY KEY, account_id int REFERENCES account ON DELETE RESTRICT);
CREATE TABLE receipt (id int PRIMARY KEY, bill_id int REFERENCES bill);
CREATE TABLE employee (id int PRIMARY KEY, boss int REFERENCES employee ON DELETE CASCADE);
CREATE TABLE audit (id int GENERATED ALWAYS AS IDENTITY, what text);
CREATE TABLE counter (n int);
CREATE TABLE other.archive (id int, name text);
CREATE FUNCTION note_down() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO audit (what) VALUES (TG_TABLE_NAME);
  UPDATE counter SET n = n + 1;
  RETURN OLD;
END $$;
CREATE TRIGGER noted AFTER DELETE ON orders FOR EACH ROW EXECUTE FUNCTION note_down();
CREATE TRIGGER emptied AFTER TRUNCATE ON order_line FOR EACH STATEMENT EXECUTE FUNCTION note_down();
CREATE FUNCTION sweep() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  DELETE FROM other.archive WHERE id = OLD.id;
  RETURN OLD;
END $$;
CREATE TRIGGER swept AFTER DELETE ON employee FOR EACH ROW EXECUTE FUNCTION sweep();
CREATE TABLE quiet (id int PRIMARY KEY);
CREATE TABLE quiet_log (id int);
CREATE RULE quiet_delete AS ON DELETE TO quiet DO INSTEAD INSERT INTO quiet_log VALUES (OLD.id);
CREATE TABLE loud (id int PRIMARY KEY);
CREATE RULE loud_delete AS ON DELETE TO loud DO ALSO DELETE FROM quiet_log;
CREATE VIEW open_orders AS SELECT id, total FROM orders WHERE total > 0;
CREATE VIEW order_sums AS SELECT sum(total) AS total FROM open_orders;
CREATE MATERIALIZED VIEW order_counts AS SELECT count(*) AS n FROM orders;
CREATE VIEW over_all AS SELECT n FROM order_counts UNION ALL SELECT total FROM order_sums;
CREATE FUNCTION first_order() RETURNS SETOF orders LANGUAGE sql AS 'SELECT * FROM orders LIMIT 1';
CREATE TABLE event (id int, at date, account_id int, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE event_old PARTITION OF event FOR VALUES FROM ('2000-01-01') TO ('2022-03-01');
CREATE TABLE event_new PARTITION OF event FOR VALUES FROM ('2022-03-01') TO ('2100-01-01');
CREATE TABLE event_detail (id int PRIMARY KEY, event_id int, event_at date,
  FOREIGN KEY (event_id, event_at) REFERENCES event ON DELETE CASCADE);
CREATE TABLE parent (id int);
CREATE TABLE child (more int) INHERITS (parent);
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE person (id int PRIMARY KEY, feels mood);
CREATE VIEW feelings AS SELECT feels FROM person;
CREATE SEQUENCE numbers;
CREATE TABLE numbered (id int DEFAULT nextval('numbers'), plain int);
CREATE TABLE owned (id serial PRIMARY KEY);
CREATE TABLE loop_a (id int PRIMARY KEY, b int);
CREATE TABLE loop_b (id int PRIMARY KEY, a int REFERENCES loop_a ON DELETE CASCADE);
ALTER TABLE loop_a ADD FOREIGN KEY (b) REFERENCES loop_b ON DELETE CASCADE;
ALTER TABLE account ENABLE ROW LEVEL SECURITY;
CREATE POLICY only_with_orders ON account USING (EXISTS (SELECT FROM orders WHERE account_id = account.id));
"""


def random_schema(seed: int) -> Iterator[str]:
    """Tables with keys of every action, views, partitions and triggers, at random but the same for a seed."""
    choose = random.Random(seed)  # noqa: S311  (a schema, not a secret)
    count = choose.randint(4, 9)
    for number in range(count):
        columns = ["id int PRIMARY KEY"]
        for key in range(choose.randint(0, 3)):
            target = choose.randint(0, number)
            action = choose.choice(
                ["CASCADE", "CASCADE", "CASCADE", "SET NULL", "NO ACTION", "RESTRICT"]
            )
            columns.append(f"r{key} int REFERENCES t{target} ON DELETE {action}")
        yield f"CREATE TABLE t{number} ({', '.join(columns)})"
    for key in range(choose.randint(0, 2)):
        child, parent = choose.randrange(count), choose.randrange(count)
        yield f"ALTER TABLE t{child} ADD COLUMN back{key} int REFERENCES t{parent} ON DELETE CASCADE"
    relations = [f"t{number}" for number in range(count)]
    for number in range(choose.randint(0, 4)):
        one = choose.choice(relations)
        yield f"CREATE {choose.choice(['', 'MATERIALIZED '])}VIEW v{number} AS SELECT id FROM {one}"
        relations.append(f"v{number}")
    yield "CREATE TABLE log (what text)"
    for number in range(choose.randint(0, 2)):
        table = f"t{choose.randrange(count)}"
        written = choose.choice(
            [
                "INSERT INTO public.log VALUES (TG_TABLE_NAME)",
                f"DELETE FROM public.t{choose.randrange(count)}",
            ]
        )
        yield (
            f"CREATE FUNCTION f{number}() RETURNS trigger LANGUAGE plpgsql"
            f" AS $$ BEGIN IF pg_trigger_depth() < 3 THEN {written}; END IF; RETURN NULL; END $$"
        )
        yield f"CREATE TRIGGER g{number} AFTER DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION f{number}()"
