"""Statements that want more than they may have: each is refused with a sentence, or answers what is open anyway."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from werkzeug.test import TestResponse

from catalog.db import db
from catalog.models.vocabulary import ColumnAccess, ColumnType
from catalog.permissions import SCHEDULER
from catalog.services import sql, table_columns
from catalog.settings import Settings
from tests.make_portal import Served, make_served
from tests.make_table import Row, make_columns
from wsgi import create_app

HIDDEN, MASKED, CLOSED = "withheld-7b1e", "13912345678", "closed-99aa"
SECRETS = (HIDDEN, MASKED, CLOSED, MASKED[3:7], "root:", "secret_key", "/pytest-", "catalog.sqlite")
SHOP = make_columns(
    shop=ColumnType.STRING,
    phone=ColumnType.STRING,
    owner=ColumnType.STRING,
    turnover=ColumnType.INTEGER,
    rent=ColumnType.INTEGER,
)
ROWS: tuple[Row, ...] = tuple(
    {
        "shop": f"shop {at}",
        "phone": MASKED,
        "owner": f"{HIDDEN} {at}",
        "turnover": 424_242 + at,
        "rent": at,
    }
    for at in range(5)
)
PRIVATE = make_columns(name=ColumnType.STRING)


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Served, Served]]:
    """An open table with a hidden and a masked column of each kind, and a closed table."""
    folder: Path = tmp_path_factory.mktemp("portal")
    given_ = Settings(
        data_dir=str(folder / "var"),
        queue_url="immediate:",
        secret_key="x",
        log_level="ERROR",
        limit_anonymous="1000000/minute",
        sql_timeout_seconds=2.0,
        sql_memory_mb=200,
    )
    app = create_app(given_)
    with app.app_context():
        db.create_all()
        shops = make_served(folder, columns=SHOP, rows=ROWS, name="Shops")
        closed = make_served(
            folder, columns=PRIVATE, rows=({"name": CLOSED},), name="Closed", access="closed"
        )
        withhold(shops.table)
        db.session.remove()
    yield app, shops, closed
    with app.app_context():
        db.engine.dispose()


def withhold(table_id: str) -> None:
    """Hide the owner and the turnover, mask the phone and the rent."""
    for name in ("owner", "turnover"):
        table_columns.set_access(SCHEDULER, table_id, name, ColumnAccess.HIDDEN)
    for name in ("phone", "rent"):
        mask = {"first": 3, "last": 4}
        table_columns.set_access(SCHEDULER, table_id, name, ColumnAccess.MASKED, mask)


def ask(app: Flask, statement: str, **more: Any) -> TestResponse:
    with app.app_context():
        return app.test_client().post("/api/v1/sql", json={"sql": statement, **more})


REFUSED = """
SELECT * FROM read_csv('/etc/passwd')
SELECT * FROM read_csv_auto('/etc/passwd')
SELECT * FROM read_text('/etc/passwd')
SELECT * FROM read_blob('/etc/passwd')
SELECT * FROM read_json('/etc/passwd')
SELECT * FROM read_parquet('/etc/passwd')
SELECT * FROM parquet_scan('/etc/passwd')
SELECT * FROM parquet_metadata('/etc/passwd')
SELECT * FROM sniff_csv('/etc/passwd')
SELECT * FROM glob('/*')
SELECT * FROM glob('weft*://*')
SELECT * FROM '/etc/passwd'
SELECT * FROM "/etc/passwd"
SELECT * FROM 'data.parquet'
SELECT * FROM 'https://example.org/x.csv'
SELECT * FROM 's3://bucket/x.parquet'
SELECT * FROM ('/etc/passwd')
SELECT * FROM "shops.parquet"
COPY shops TO '/tmp/x'
COPY (SELECT 1) TO '/tmp/x.csv'
COPY shops FROM '/etc/passwd'
EXPORT DATABASE '/tmp/x'
IMPORT DATABASE '/tmp/x'
ATTACH '/tmp/x.db'
ATTACH 'catalog.sqlite' AS c (TYPE sqlite)
DETACH memory
USE memory
INSTALL httpfs
LOAD httpfs
LOAD '/tmp/x.so'
PRAGMA database_list
PRAGMA table_info('shops')
SELECT * FROM pragma_version()
SELECT * FROM pragma_table_info('shops')
SET memory_limit = '100GB'
SET lock_configuration = false
RESET ALL
CALL pragma_version()
CHECKPOINT
EXPLAIN SELECT * FROM shops
EXPLAIN ANALYZE SELECT * FROM shops
DESCRIBE shops
SUMMARIZE shops
SHOW TABLES
SHOW ALL TABLES
SELECT * FROM (DESCRIBE shops)
SELECT * FROM (SHOW TABLES)
SELECT * FROM (SUMMARIZE shops)
CREATE TABLE x AS SELECT * FROM shops
CREATE VIEW x AS SELECT 1
CREATE MACRO f() AS 1
CREATE SECRET (TYPE s3)
INSERT INTO shops VALUES (1)
UPDATE shops SET shop = 'x'
DELETE FROM shops
DROP TABLE shops
TRUNCATE shops
MERGE INTO shops USING shops s ON true WHEN MATCHED THEN DELETE
BEGIN
PREPARE p AS SELECT 1
EXECUTE p
VACUUM
SELECT 1; SELECT 2
SELECT 1; DROP TABLE shops
SELECT 1;; COPY shops TO '/tmp/x'
/* SELECT 1 */
-- SELECT 1
;
SELECT * FROM closed
SELECT * FROM Closed
SELECT * FROM "{closed}"
SELECT * FROM closed.data
SELECT * FROM shops, closed
SELECT (SELECT max(name) FROM closed)
WITH a AS (SELECT * FROM closed) SELECT 1
SELECT 1 FROM shops WHERE EXISTS (SELECT 1 FROM closed WHERE name LIKE 'c%')
SELECT * FROM information_schema.tables
SELECT * FROM information_schema.columns
SELECT * FROM pg_catalog.pg_class
SELECT * FROM sqlite_master
SELECT * FROM duckdb_settings()
SELECT * FROM duckdb_tables()
SELECT * FROM duckdb_views()
SELECT * FROM duckdb_columns()
SELECT * FROM duckdb_functions()
SELECT * FROM duckdb_secrets()
SELECT * FROM duckdb_logs()
SELECT * FROM duckdb_variables()
SELECT * FROM duckdb_memory()
SELECT * FROM system.duckdb_views()
SELECT * FROM main.shops
SELECT * FROM weft.t0
SELECT * FROM memory.weft.t0
SELECT * FROM t0
SELECT * FROM covered0
SELECT * FROM temp.covered0
SELECT * FROM query('SELECT 1')
SELECT * FROM query_table('covered0')
SELECT * FROM query_table(['t0'])
SELECT * FROM seq_scan('t0')
SELECT * FROM arrow_scan(1, 2, 3)
SELECT * FROM python_map_function(1)
SELECT * FROM json_execute_serialized_sql('x')
SELECT json_serialize_sql('SELECT 1')
SELECT json_serialize_plan('SELECT * FROM covered0')
SELECT json_deserialize_sql('x')
SELECT current_setting('temp_directory')
SELECT current_setting('secret_directory')
SELECT getenv('HOME')
SELECT "getenv"('HOME')
SELECT main.getenv('HOME')
SELECT system.main.getenv('HOME')
SELECT 'HOME'.getenv()
SELECT getvariable('x')
SELECT current_query()
SELECT current_schemas(true)
SELECT nextval('x')
SELECT pg_sleep(100)
SELECT sleep_ms(100000)
SELECT write_log('x')
SELECT setseed(0.5)
SELECT stats(rent) FROM shops
SELECT vector_type(rent) FROM shops
SELECT pg_get_viewdef('t0')
SELECT which_secret('x', 's3')
SELECT version()
SELECT list_transform([1], x -> getenv('HOME'))
SELECT list_aggregate([1], 'getenv', 'HOME') FROM read_text('/etc/passwd')
SELECT * FROM shops ORDER BY getenv('HOME')
SELECT * FROM shops LIMIT (SELECT count(*) FROM read_text('/etc/passwd'))
SELECT sum(rent) FILTER (getenv('HOME') = 'x') FROM shops
SELECT sum(1) OVER (PARTITION BY getenv('HOME')) FROM shops
SELECT getenv('HOME') OVER () FROM shops
SELECT * REPLACE (getenv('HOME') AS shop) FROM shops
SELECT columns(x -> getenv(x) IS NULL) FROM shops
SELECT CASE WHEN getenv('HOME') = 'x' THEN 1 END
SELECT * FROM (VALUES (getenv('HOME'))) v(a)
SELECT * FROM unnest([getenv('HOME')])
SELECT * FROM shops JOIN shops s ON getenv('HOME') = 'x'
SELECT 1 GROUP BY getenv('HOME')
SELECT 1 HAVING getenv('HOME') = 'x'
SELECT 1 FROM shops QUALIFY getenv('HOME') = 'x'
WITH a AS (SELECT getenv('HOME')) SELECT 1
SELECT DISTINCT ON (getenv('HOME')) 1
SELECT CAST(1 AS main.x)
SELECT * FROM shops TABLESAMPLE 10% WHERE owner = 'x'
PIVOT shops ON shop
SELECT * FROM (PIVOT shops ON shop USING sum(rent))
SELECT * FROM (UNPIVOT shops ON shop)
SELECT * FROM range(1000000000)
SELECT * FROM range(0, (SELECT 10))
SELECT * FROM generate_series(1, 1e12)
SELECT * FROM repeat('x', 10)
SELECT * FROM test_all_types()
SELECT * FROM shops AT (VERSION => 99)
SELECT * FROM shops AT (VERSION => (SELECT 1))
SELECT * FROM shops AT (TIMESTAMP => 'x')
SELECT * FROM shops.data.x.y
SELECT * FROM a.b.c.d.e
SELECT owner FROM shops
SELECT shops.owner FROM shops
SELECT s.turnover FROM shops s
SELECT shop FROM shops WHERE owner LIKE 'w%'
SELECT shop FROM shops WHERE turnover > 0
SELECT shop FROM shops ORDER BY owner
SELECT count(*) FROM shops GROUP BY turnover
SELECT max(owner) FROM shops
SELECT * EXCLUDE (owner) FROM shops
SELECT * REPLACE ('x' AS turnover) FROM shops
SELECT columns('owner') FROM shops
SELECT columns(['owner', 'turnover']) FROM shops
SELECT struct_pack(a := owner) FROM shops
SELECT * FROM shops JOIN shops s USING (owner)
SELECT * FROM shops JOIN shops s ON shops.turnover = s.turnover
SELECT (shops).owner FROM shops
SELECT shops['owner'] FROM shops
SELECT struct_extract(shops, 'owner') FROM shops
SELECT c2 FROM shops
SELECT c3 FROM shops
SELECT file_row_number FROM shops
SELECT rowid FROM shops
SELECT filename FROM shops
SELECT sum(rent) FROM shops
SELECT phone::BIGINT FROM shops
SELECT error(owner) FROM shops
SELECT o_c1 FROM shops
FROM shops SELECT owner
FROM shops s, LATERAL (SELECT s.owner)
SELECT columns(* EXCLUDE (turnover)) FROM shops
SELECT unnest(shops).owner FROM shops
SELECT count(*) FROM shops GROUP BY GROUPING SETS ((owner), ())
SELECT count(*) FROM shops GROUP BY CUBE (turnover)
SELECT sum(1) OVER w FROM shops WINDOW w AS (ORDER BY owner)
SELECT s.owner.x FROM shops s
SELECT list(x.owner) FROM (SELECT shops AS x FROM shops)
SELECT (SELECT s.turnover) FROM shops s
SELECT shop FROM shops ASOF JOIN shops s ON shops.turnover >= s.turnover
SELECT * FROM shops POSITIONAL JOIN closed
SELECT * FROM shops SEMI JOIN closed ON true
SELECT * FROM shops ANTI JOIN shops s USING (owner)
WITH RECURSIVE r(n) AS (SELECT owner FROM shops UNION SELECT n FROM r) SELECT * FROM r
WITH RECURSIVE r(n) AS (SELECT 1 UNION SELECT rent FROM closed) SELECT * FROM r
SELECT * FROM shops WHERE (owner, 1) IN (VALUES ('x', 1))
SELECT * FROM read_csv(shop) FROM shops
SELECT * FROM read_csv_auto(['/etc/passwd'], columns = {'a': 'VARCHAR'})
SELECT * FROM read_json_objects('/proc/self/environ')
SELECT * FROM read_ndjson_auto('/proc/self/maps')
SELECT * FROM '/proc/self/fd/3'
SELECT * FROM "weft://0.parquet"
SELECT * FROM parquet_kv_metadata('*')
SELECT * FROM parquet_bloom_probe('*', 'owner', 'x')
SELECT * FROM which_secret('x', 's3')
SELECT * FROM duckdb_extensions()
SELECT * FROM duckdb_databases()
SELECT * FROM duckdb_indexes()
SELECT * FROM duckdb_temporary_files()
SELECT * FROM duckdb_prepared_statements()
SELECT * FROM information_schema.schemata
SELECT * FROM pg_catalog.pg_attribute
SELECT * FROM pg_tables
SELECT * FROM storage_info('t0')
SELECT * FROM pragma_storage_info('covered0')
SELECT * FROM checkpoint()
SELECT * FROM sql_auto_complete('SELECT * FROM ')
SELECT current_setting('memory_limit')
SELECT current_database()
SELECT txid_current()
SELECT pg_typeof(rent) FROM shops
SELECT col_description(1, 1)
SELECT in_search_path('a', 'b')
SELECT can_cast_implicitly(1, '1')
SELECT add_parquet_key('a', 'b')
SELECT create_sort_key(owner, 'ASC') FROM shops
SELECT parse_path('/etc/passwd')
SELECT * FROM shops AT (VERSION => 2)
SELECT * FROM shops AT (VERSION => -1)
COMMENT ON TABLE shops IS 'x'
ANALYZE shops
ALTER TABLE shops ADD COLUMN x INT
FORCE CHECKPOINT
KILL 1
EXPLAIN (FORMAT JSON) SELECT owner FROM shops
SET VARIABLE a = (SELECT owner FROM shops)
ATTACH ':memory:' AS x
ATTACH 'postgres://localhost/x' AS p (TYPE postgres)
INSTALL httpfs FROM community
UPDATE EXTENSIONS
COPY (SELECT * FROM shops) TO '/dev/stdout'
COPY shops TO 's3://bucket/x.parquet'
CREATE OR REPLACE TEMP FUNCTION f(x) AS getenv(x)
SELECT * FROM shops WHERE shop = $1 AND owner = $2
""".strip().splitlines()

HARMLESS = """
SELECT * FROM shops
SELECT shops FROM shops
SELECT s FROM shops s
SELECT shops.* FROM shops
SELECT COLUMNS('.*') FROM shops
SELECT COLUMNS(*) FROM shops
SELECT to_json(shops) FROM shops
SELECT row(shops) FROM shops
SELECT struct_keys(shops) FROM shops
SELECT list(shops) FROM shops
SELECT hash(shops) FROM shops
SELECT shops::VARCHAR FROM shops
SELECT * FROM shops NATURAL JOIN shops s
SELECT * FROM shops s(a, b, c)
SELECT #1, #2, #3 FROM shops
SELECT max(phone), min(phone), max(rent), count(DISTINCT phone), count(DISTINCT rent) FROM shops
SELECT phone, count(*) FROM shops GROUP BY phone ORDER BY phone
SELECT count(*) FROM shops WHERE phone = '13912345678'
SELECT count(*) FROM shops WHERE phone LIKE '%1234%' OR phone LIKE '139_______8'
SELECT count(*) FROM shops WHERE rent = '3' OR rent > '2'
SELECT count(*) FROM shops JOIN (VALUES ('13912345678')) v(phone) USING (phone)
SELECT length(phone), reverse(phone), md5(phone), hex(phone), phone || '' FROM shops
SELECT try(phone::BIGINT) FROM shops
SELECT regexp_extract(phone, '[0-9]{4,}') FROM shops
SELECT typeof(rent), typeof(phone) FROM shops
SELECT arg_max(phone, shop), first(rent), any_value(phone) FROM shops
SELECT shop FROM shops ORDER BY phone, rent
SELECT lag(phone) OVER (ORDER BY rent) FROM shops
SELECT * FROM shops USING SAMPLE 2
SELECT * FROM shops AT (VERSION => 1)
SELECT * FROM shops UNION ALL SELECT * FROM shops
SELECT DISTINCT ON (phone) * FROM shops
SELECT current_user, current_schema, current_date IS NOT NULL
SELECT 1 -- '; DROP TABLE shops
SELECT 1 /* nested /* comment */ */
SELECT 1;
SELECT 1 /* */; -- x
SELECT 'a;b', $$;$$, E'\\x41', '--', "shop" FROM shops
SELECT ＊ FROM shops
SELECT * FROM ｓｈｏｐｓ
SELECT 'ｇｅｔｅｎｖ', '\u202e\u0000', '\ufeff'
SELECT * FROM (FROM shops)
TABLE shops
VALUES (1), (2)
SELECT * FROM range(5), generate_series(1, 3), unnest([1, 2])
SELECT (WITH a AS (SELECT 1 AS x) SELECT x FROM a)
SELECT unnest(shops) FROM shops
SELECT unnest(s, recursive := true) FROM shops s
SELECT format('{}', shops::VARCHAR), printf('%s', shops::VARCHAR) FROM shops
SELECT * LIKE 'o%' FROM shops
SELECT shops.* LIKE '%n%' FROM shops
SELECT COLUMNS(c -> c LIKE '%o%') FROM shops
SELECT row_to_json(s), json_object('a', s) FROM shops s
SELECT map_from_entries([(1, shops)]) FROM shops
SELECT struct_values(shops), struct_pack(a := shops) FROM shops
SELECT * FROM shops s JOIN shops t ON s = t
SELECT * FROM shops ORDER BY ALL
SELECT shops FROM shops GROUP BY ALL
SELECT DISTINCT shops FROM shops
SELECT min(shops), max(shops), mode(shops), histogram(phone) FROM shops
SELECT string_agg(shops::VARCHAR, '|') FROM shops
SELECT list_transform([phone], x -> x || '!') FROM shops
SELECT CAST(shops AS STRUCT(shop VARCHAR, phone VARCHAR, rent VARCHAR)) FROM shops
SELECT array_to_string(string_split(phone, ''), '-') FROM shops
SELECT levenshtein(phone, '13912345678') AS a, jaccard(phone, '13912345678') AS b FROM shops
SELECT * RENAME (owner AS x) FROM shops
SELECT approx_quantile(length(rent), 0.5), approx_top_k(phone, 9) FROM shops
SELECT * FROM shops QUALIFY row_number() OVER (PARTITION BY phone ORDER BY rent) < 3
WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 9) SELECT * FROM r, shops
SELECT * FROM shops LIMIT 50%
SELECT strptime(phone, '%Y') FROM shops
SELECT phone::DATE FROM shops
SELECT rent::INT[] FROM shops
SELECT phone::STRUCT(a INT) FROM shops
SELECT 1 / (rent = '3')::INT FROM shops
SELECT substring(shop, rent::INT) FROM shops
SELECT json_extract(phone, '$') FROM shops
SELECT from_json(phone, '"BIGINT"') FROM shops
SELECT unhex(phone), from_base64(phone), decode(phone::BLOB) FROM shops
""".strip().splitlines()


@pytest.mark.parametrize("statement", REFUSED)
def test_what_may_not_be_had_is_refused(
    portal: tuple[Flask, Served, Served], statement: str
) -> None:
    app, _, closed = portal
    answer = ask(app, statement.replace("{closed}", closed.table))
    assert answer.status_code in (400, 401, 404), answer.text
    assert answer.content_type == "application/problem+json"
    assert not [word for word in SECRETS if word in answer.text and word not in statement]


@pytest.mark.parametrize("statement", HARMLESS)
@pytest.mark.parametrize("form", ["objects", "csv"])
def test_what_is_harmless_gives_nothing_away(
    portal: tuple[Flask, Served, Served], statement: str, form: str
) -> None:
    answer = ask(portal[0], statement, format=form)
    assert answer.status_code in (200, 400), answer.text
    shown = answer.get_data(as_text=True)
    assert not [secret for secret in (*SECRETS, "42424") if secret in shown], shown


ENDLESS = {
    "cross joins": "SELECT count(*) FROM range(1000000) a, range(1000000) b, range(1000000) c",
    "self joins": "SELECT count(*) FROM " + ", ".join(f"shops s{at}" for at in range(30)),
    "recursion": "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
    "doubling": "WITH RECURSIVE r AS (SELECT 'x' AS t UNION ALL SELECT t || t FROM r) SELECT count(*) FROM r",
    "long texts": "SELECT repeat('x', 1000000000) FROM range(100)",
    "long lists": "SELECT list_sum(range(1000000000))",
    "many tables": "SELECT 1 FROM " + ", ".join(f"t{at}" for at in range(300)),
    "exponential with": "WITH "
    + ", ".join(
        f"a{at} AS (SELECT * FROM a{at - 1} x, a{at - 1} y)" if at else "a0 AS (FROM shops)"
        for at in range(40)
    )
    + " SELECT count(*) FROM a39",
    "huge in": f"SELECT 1 WHERE 1 IN ({','.join(['2'] * 20_000)})",
    "parentheses": "SELECT " + "(" * 20_000 + "1" + ")" * 20_000,
    "minus signs": "SELECT " + "- " * 20_000 + "1",
    "not": "SELECT " + "NOT " * 10_000 + "true",
    "nested selects": "SELECT " + "(SELECT " * 5_000 + "1" + ")" * 5_000,
    "nested from": "SELECT * FROM " + "(SELECT * FROM " * 2_000 + "shops" + ")" * 2_000,
    "nested lists": "SELECT " + "[" * 20_000 + "]" * 20_000,
    "nested case": "SELECT " + "CASE WHEN true THEN " * 2_000 + "1" + " END" * 2_000,
    "nested calls": "SELECT " + "abs(" * 10_000 + "1" + ")" * 10_000,
    "long sum": "SELECT " + " + ".join(["1"] * 10_000),
    "long union": " UNION ALL ".join(["SELECT 1"] * 3_000),
    "many columns": "SELECT " + ", ".join(["shop"] * 8_000) + " FROM shops",
    "joins of values": "SELECT count(*) FROM "
    + " CROSS JOIN ".join(["(VALUES (1), (2), (3), (4)) v"] * 25),
    "growing recursion": "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT x.n + y.n FROM r x, r y) SELECT count(*) FROM r",
    "keyed recursion": "WITH RECURSIVE r(a, b) USING KEY (a) AS (SELECT 1, 1 UNION SELECT a + 1, b FROM r) FROM r",
    "one long text": "SELECT repeat('x', 1000000000)",
    "long padding": "SELECT lpad('x', 2000000000, 'y'), rpad('x', 2000000000, 'y')",
    "long replacement": "SELECT replace(repeat('x', 1000000), 'x', repeat('y', 1000000))",
    "long list of lists": "SELECT list_resize([1], 2000000000)",
    "growing json": "SELECT to_json(range(100000000))",
    "wide answer": "SELECT repeat('x', 1000000) FROM range(1000000)",
    "slow pattern": "SELECT regexp_matches(repeat('a', 1000000), '(a*)*b')",
    "big numbers": "SELECT factorial(100000), pow(10, 100000), 10::HUGEINT ** 100",
    "aggregates of all": "SELECT list(a.range) FROM range(1000000) a, range(1000) b",
    "sorting": "SELECT * FROM range(1000000) a, range(1000) b ORDER BY hash(a.range + b.range) LIMIT 1 OFFSET 900000000",
    "windows": "SELECT sum(a.range) OVER (ORDER BY hash(b.range)) FROM range(1000000) a, range(1000) b",
    "distances": "SELECT sum(levenshtein(repeat('ab', 100000), repeat('ba', 100000 + range::INT))) FROM range(1000)",
    "open quote": "SELECT 'x",
    "too long": "SELECT 1 -- " + "x" * 60_000,
    "lone surrogate": "SELECT '\ud800'",
    "control characters": "SELECT \x01\x02 \x1b",
}


@pytest.mark.parametrize("name", ENDLESS)
def test_what_takes_too_much_ends_with_a_sentence(
    portal: tuple[Flask, Served, Served], name: str
) -> None:
    answer = ask(portal[0], ENDLESS[name])
    assert answer.status_code in (200, 400, 422, 503), answer.text
    assert ask(portal[0], "SELECT 1 AS a").json["rows"] == [{"a": 1}]


_WORDS = """
SELECT * FROM shops WHERE phone rent owner turnover shop ( ) , = > LIKE '%9%' '1%' 1 0 AND OR NOT count( max( min( list(
GROUP BY ORDER ALL LIMIT s . IN AS || ::BIGINT ::VARCHAR + - CASE WHEN THEN END DISTINCT JOIN USING
"""


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck), database=None)
@given(
    words=st.lists(st.sampled_from(_WORDS.split()), max_size=10),
    start=st.sampled_from(HARMLESS[:20]),
)
def test_no_statement_shows_what_is_withheld(
    portal: tuple[Flask, Served, Served], words: list[str], start: str
) -> None:
    answer = ask(portal[0], f"{start} {' '.join(words)}")
    assert answer.status_code in (200, 400, 401, 404, 503), answer.text
    shown = answer.get_data(as_text=True)
    assert not [secret for secret in (*SECRETS, "42424") if secret in shown], shown


def test_the_names_of_hidden_columns_are_not_told(portal: tuple[Flask, Served, Served]) -> None:
    answer = ask(portal[0], "SELECT own FROM shops")
    assert "shop" in answer.json["detail"]
    assert "owner" not in answer.text
    assert "turnover" not in ask(portal[0], "SELECT * FROM shops").text


def test_who_may_edit_sees_what_is_withheld_and_what_is_closed(
    portal: tuple[Flask, Served, Served],
) -> None:
    app, _, _ = portal
    with app.test_request_context():
        answer = sql.run(SCHEDULER, "SELECT max(owner), sum(turnover) > 0, max(phone) FROM shops")
        assert [column[0].as_py() for column in answer.data.columns] == [
            f"{HIDDEN} 4",
            True,
            MASKED,
        ]
        assert sql.run(SCHEDULER, "FROM closed").data["name"].to_pylist() == [CLOSED]
