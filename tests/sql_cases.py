"""Statements that tools have misread, each with its dialects: the cases that every reader here is held against."""
# ruff: noqa: E501 - A statement is shown as it is.

# `@null@` stands for a NUL character; `all` for PostgreSQL, MySQL, Snowflake and T-SQL.
CASES = r"""
del_true | postgres | DELETE FROM users WHERE TRUE
del_id_eq_id | all | DELETE FROM users WHERE id = id
del_or_true | all | DELETE FROM users WHERE id = 5 OR 1=1
del_in_self | all | DELETE FROM users WHERE id IN (SELECT id FROM users)
del_like_pct | all | DELETE FROM users WHERE name LIKE '%'
del_ge0 | all | DELETE FROM users WHERE id >= 0
del_tsql_alias | tsql | DELETE u FROM users u JOIN orders o ON o.uid=u.id
upd_nowhere | all | UPDATE users SET active = 0
upd_1eq1 | all | UPDATE users SET active = 0 WHERE 1=1
truncate_bare | postgres | TRUNCATE users, orders
drop_db | all | DROP DATABASE prod
drop_db_force | postgres | DROP DATABASE prod WITH (FORCE)
drop_role | postgres | DROP ROLE app_user
drop_tablespace | postgres | DROP TABLESPACE ts1
drop_sub | postgres | DROP SUBSCRIPTION sub
drop_trigger | postgres | DROP TRIGGER audit_trg ON users
drop_matview | postgres | DROP MATERIALIZED VIEW mv
alter_drop_col_c | postgres | ALTER TABLE users DROP COLUMN email CASCADE
alter_type | postgres | ALTER TABLE users ALTER COLUMN id TYPE int USING id::int
alter_detach | postgres | ALTER TABLE m DETACH PARTITION m_2020
alter_set_unlogged | postgres | ALTER TABLE users SET UNLOGGED
alter_rename | postgres | ALTER TABLE users RENAME TO users_old
mysql_drop_part | mysql | ALTER TABLE m DROP PARTITION p2020
mysql_trunc_part | mysql | ALTER TABLE m TRUNCATE PARTITION p2020
tsql_switch_part | tsql | ALTER TABLE a SWITCH PARTITION 1 TO b
alter_system | postgres | ALTER SYSTEM SET fsync = off
alter_role_su | postgres | ALTER ROLE app SUPERUSER
cte_delete | postgres | WITH d AS (DELETE FROM users RETURNING *) SELECT * FROM d
merge_delete | postgres | MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN DELETE
do_block | postgres | DO $$ BEGIN EXECUTE 'DROP TABLE users'; END $$
do_block_concat | postgres | DO $$ BEGIN EXECUTE 'DR' || 'OP TABLE ' || quote_ident('users'); END $$
do_block_static | postgres | DO $$ BEGIN DELETE FROM users; END $$ LANGUAGE plpgsql
create_func | postgres | CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS $$ BEGIN DELETE FROM users; END $$
create_rule | postgres | CREATE RULE r AS ON INSERT TO users DO INSTEAD DELETE FROM users
create_replace_table | snowflake | CREATE OR REPLACE TABLE users (id INT)
sf_undrop | snowflake | UNDROP TABLE users
sf_exec_imm_block | snowflake | EXECUTE IMMEDIATE $$ BEGIN DROP TABLE users; END; $$
sf_insert_overwrite | snowflake | INSERT OVERWRITE INTO t SELECT 1
sf_call | snowflake | CALL wipe_all()
sf_drop_wh | snowflake | DROP WAREHOUSE wh
sel_terminate | postgres | SELECT pg_terminate_backend(pid) FROM pg_stat_activity
sel_pg_file | postgres | SELECT pg_read_file('/etc/passwd')
sel_setval | postgres | SELECT setval('users_id_seq', 1)
sel_drop_slot | postgres | SELECT pg_drop_replication_slot('s')
sel_into | postgres | SELECT * INTO newt FROM users
sel_for_update | postgres | SELECT * FROM users FOR UPDATE
copy_program | postgres | COPY t FROM PROGRAM 'rm -rf /'
copy_to_program | postgres | COPY (SELECT 1) TO PROGRAM 'curl x'
copy_stdin | postgres | COPY t FROM STDIN
set_repl_role | postgres | SET session_replication_role = replica
set_search_path | postgres | SET search_path TO evil, public
set_role | postgres | SET ROLE postgres
set_sess_auth | postgres | SET SESSION AUTHORIZATION postgres
reset_all | postgres | RESET ALL
grant | all | GRANT ALL PRIVILEGES ON users TO bob
grant_role | postgres | GRANT admin TO bob
execute | postgres | EXECUTE p
mysql_exec_comment | mysql | SELECT 1 /*!50000 ; DROP TABLE users */
mysql_exec_comment2 | mysql | /*!DROP TABLE users */
mysql_exec_comment3 | mysql | DELETE FROM users /*! WHERE id = 1 */
mysql_exec_comment4 | mysql | DELETE FROM users WHERE id=1 /*!50000 OR 1=1 */
mariadb_comment | mysql | /*M! DROP TABLE users */
mysql_hint_comment | mysql | DELETE /*+ NO_MERGE(u) */ FROM users
mysql_dashdash | mysql | DELETE FROM users WHERE id=1 --1
nested_comment | postgres | DELETE FROM users /* a /* b */ WHERE id=1 */
dollar_comment | postgres | SELECT $$ ; DROP TABLE users; -- $$
backslash_std | postgres | SELECT 'a\'; DROP TABLE users; --'
multi_stmt | all | SELECT 1; DROP TABLE users
txn_wrap | postgres | BEGIN; DELETE FROM users; COMMIT
mysql_replace | mysql | REPLACE INTO users (id) VALUES (1)
upsert | postgres | INSERT INTO users(id) VALUES (1) ON CONFLICT (id) DO UPDATE SET deleted = true
mysql_load_data | mysql | LOAD DATA INFILE '/data/x' REPLACE INTO TABLE users
mysql_set_fk | mysql | SET FOREIGN_KEY_CHECKS = 0
mysql_set_safe | mysql | SET sql_safe_updates = 0
mysql_drop_user | mysql | DROP USER 'app'@'%'
mysql_rename_table | mysql | RENAME TABLE users TO users_old
mysql_flush | mysql | FLUSH TABLES WITH READ LOCK
mysql_shutdown | mysql | SHUTDOWN
mysql_delimiter | mysql | CREATE PROCEDURE p() BEGIN DELETE FROM users; END
tsql_exec | tsql | EXEC('DROP TABLE users')
tsql_exec_sp | tsql | EXEC sp_executesql N'DROP TABLE users'
tsql_msforeach | tsql | EXEC sp_MSforeachtable 'DROP TABLE ?'
tsql_begin | tsql | BEGIN DELETE FROM users END
tsql_dbcc | tsql | DBCC SHRINKDATABASE (prod)
tsql_drop_col | tsql | ALTER TABLE users DROP COLUMN email
tsql_output_into | tsql | DELETE FROM users OUTPUT deleted.* INTO arch
tsql_nosemi | tsql | SELECT 1 DROP TABLE users
tsql_shutdown | tsql | SHUTDOWN WITH NOWAIT
del_cursor | postgres | DELETE FROM users WHERE CURRENT OF c
reindex | postgres | REINDEX DATABASE prod
refresh_mv | postgres | REFRESH MATERIALIZED VIEW mv
import_fs | postgres | IMPORT FOREIGN SCHEMA s FROM SERVER x INTO y
create_ext | postgres | CREATE EXTENSION plpython3u
create_lang | postgres | CREATE LANGUAGE plpython3u
load | postgres | LOAD 'evil.so'
security_label | postgres | SECURITY LABEL FOR x ON TABLE t IS NULL
comment_on | postgres | COMMENT ON TABLE users IS 'x'
fk_cascade | postgres | ALTER TABLE o ADD CONSTRAINT f FOREIGN KEY (uid) REFERENCES users(id) ON DELETE CASCADE
explain_create_as | postgres | CREATE TABLE x AS EXECUTE p
psql_i | postgres | \i evil.sql
drop_index | all | DROP INDEX i
drop_server | postgres | DROP SERVER s CASCADE
null_byte | postgres | SELECT 1;@null@ DROP TABLE users
delete_only | postgres | DELETE FROM ONLY users
delete_schema | postgres | DELETE FROM pg_catalog.pg_class
update_catalog | postgres | UPDATE pg_class SET relname='x'
graph_table | postgres | SELECT * FROM t WHERE f(x)
"""

# Cases that change nothing for the worse, and why.
HARMLESS = {
    "alter_rename": "the inverse brings the name back",
    "comment_on": "a comment",
    "copy_stdin": "adds rows",
    "create_func": "a body runs when it is called",
    "del_cursor": "one row",
    "dollar_comment": "a string",
    "drop_index": "comes back from its definition",
    "drop_matview": "comes back from its definition",
    "drop_server": "comes back from its definition",
    "drop_tablespace": "PostgreSQL drops only an empty one",
    "fk_cascade": "adds a constraint",
    "import_fs": "adds foreign tables",
    "mysql_delimiter": "a body runs when it is called",
    "mysql_exec_comment3": "one row by its key",
    "mysql_rename_table": "the inverse brings the name back",
    "mysql_replace": "one row by its key",
    "refresh_mv": "computed again from its definition",
    "sel_for_update": "a read",
    "sel_into": "makes a table",
    "sel_setval": "one counter",
    "set_search_path": "what follows is judged under it",
    "sf_drop_wh": "comes back from its definition",
    "sf_undrop": "brings a table back",
    "tsql_dbcc": "moves pages",
    "upsert": "one row by its key",
}


def cases() -> list[tuple[str, str, str]]:
    """Each case with one dialect: its name, the dialect, the text."""
    found = []
    for line in CASES.strip().split("\n"):
        name, dialects, text = line.split(" | ", 2)
        several = ("postgres", "mysql", "snowflake", "tsql")
        for dialect in several if dialects == "all" else (dialects,):
            found.append((name, dialect, text.replace("@null@", "\x00")))
    return found


# The shapes of the 22 queries of TPC-H, in PostgreSQL's words.
QUERIES = """
SELECT l_returnflag, l_linestatus, sum(l_quantity) AS q, sum(l_extendedprice * (1 - l_discount)) AS d, avg(l_tax) AS t, count(*) AS n FROM lineitem WHERE l_shipdate <= DATE '1998-09-02' GROUP BY l_returnflag, l_linestatus ORDER BY l_returnflag, l_linestatus
SELECT s_acctbal, s_name, n_name, p_partkey FROM part, supplier, partsupp, nation, region WHERE p_partkey = ps_partkey AND s_suppkey = ps_suppkey AND p_size = 15 AND p_type LIKE '%BRASS' AND r_name = 'EUROPE' AND ps_supplycost = (SELECT min(ps_supplycost) FROM partsupp, supplier WHERE p_partkey = ps_partkey) ORDER BY s_acctbal DESC LIMIT 100
SELECT l_orderkey, sum(l_extendedprice * (1 - l_discount)) AS revenue, o_orderdate FROM customer, orders, lineitem WHERE c_mktsegment = 'BUILDING' AND c_custkey = o_custkey AND l_orderkey = o_orderkey GROUP BY l_orderkey, o_orderdate ORDER BY revenue DESC LIMIT 10
SELECT o_orderpriority, count(*) AS n FROM orders WHERE o_orderdate >= DATE '1993-07-01' AND EXISTS (SELECT * FROM lineitem WHERE l_orderkey = o_orderkey AND l_commitdate < l_receiptdate) GROUP BY o_orderpriority ORDER BY o_orderpriority
SELECT n_name, sum(l_extendedprice * (1 - l_discount)) AS revenue FROM customer JOIN orders ON c_custkey = o_custkey JOIN lineitem ON l_orderkey = o_orderkey JOIN nation ON c_nationkey = n_nationkey GROUP BY n_name ORDER BY revenue DESC
SELECT sum(l_extendedprice * l_discount) AS revenue FROM lineitem WHERE l_shipdate >= DATE '1994-01-01' AND l_discount BETWEEN 0.05 AND 0.07 AND l_quantity < 24
SELECT supp_nation, cust_nation, l_year, sum(volume) AS revenue FROM (SELECT n1.n_name AS supp_nation, n2.n_name AS cust_nation, extract(year FROM l_shipdate) AS l_year, l_extendedprice AS volume FROM lineitem, nation n1, nation n2 WHERE (n1.n_name = 'FRANCE' AND n2.n_name = 'GERMANY') OR (n1.n_name = 'GERMANY' AND n2.n_name = 'FRANCE')) AS shipping GROUP BY supp_nation, cust_nation, l_year
SELECT o_year, sum(CASE WHEN nation = 'BRAZIL' THEN volume ELSE 0 END) / sum(volume) AS share FROM (SELECT extract(year FROM o_orderdate) AS o_year, l_extendedprice AS volume, n_name AS nation FROM orders, lineitem, nation) AS all_nations GROUP BY o_year ORDER BY o_year
SELECT nation, sum(amount) AS total FROM (SELECT n_name AS nation, l_extendedprice - ps_supplycost * l_quantity AS amount FROM part, lineitem, partsupp, nation WHERE p_name LIKE '%green%') AS profit GROUP BY nation ORDER BY nation DESC
SELECT c_custkey, c_name, sum(l_extendedprice) AS revenue FROM customer, orders, lineitem WHERE c_custkey = o_custkey AND l_returnflag = 'R' GROUP BY c_custkey, c_name ORDER BY revenue DESC LIMIT 20
SELECT ps_partkey, sum(ps_supplycost * ps_availqty) AS v FROM partsupp, supplier WHERE ps_suppkey = s_suppkey GROUP BY ps_partkey HAVING sum(ps_supplycost * ps_availqty) > (SELECT sum(ps_supplycost * ps_availqty) * 0.0001 FROM partsupp) ORDER BY v DESC
SELECT l_shipmode, sum(CASE WHEN o_orderpriority = '1-URGENT' OR o_orderpriority = '2-HIGH' THEN 1 ELSE 0 END) AS high FROM orders, lineitem WHERE o_orderkey = l_orderkey AND l_shipmode IN ('MAIL', 'SHIP') GROUP BY l_shipmode
SELECT c_count, count(*) AS custdist FROM (SELECT c_custkey, count(o_orderkey) AS c_count FROM customer LEFT JOIN orders ON c_custkey = o_custkey AND o_comment NOT LIKE '%special%requests%' GROUP BY c_custkey) AS c_orders GROUP BY c_count ORDER BY custdist DESC
SELECT 100.00 * sum(CASE WHEN p_type LIKE 'PROMO%' THEN l_extendedprice ELSE 0 END) / sum(l_extendedprice) AS promo FROM lineitem, part WHERE l_partkey = p_partkey
WITH revenue AS (SELECT l_suppkey AS supplier_no, sum(l_extendedprice) AS total FROM lineitem GROUP BY l_suppkey) SELECT s_suppkey, s_name, total FROM supplier, revenue WHERE s_suppkey = supplier_no AND total = (SELECT max(total) FROM revenue)
SELECT p_brand, p_type, count(DISTINCT ps_suppkey) AS n FROM partsupp, part WHERE p_partkey = ps_partkey AND p_brand <> 'Brand#45' AND p_size IN (49, 14, 23) AND ps_suppkey NOT IN (SELECT s_suppkey FROM supplier WHERE s_comment LIKE '%Complaints%') GROUP BY p_brand, p_type
SELECT sum(l_extendedprice) / 7.0 AS avg_yearly FROM lineitem, part WHERE p_partkey = l_partkey AND l_quantity < (SELECT 0.2 * avg(l_quantity) FROM lineitem WHERE l_partkey = p_partkey)
SELECT c_name, o_orderkey, sum(l_quantity) AS q FROM customer, orders, lineitem WHERE o_orderkey IN (SELECT l_orderkey FROM lineitem GROUP BY l_orderkey HAVING sum(l_quantity) > 300) GROUP BY c_name, o_orderkey ORDER BY q DESC LIMIT 100
SELECT sum(l_extendedprice * (1 - l_discount)) AS revenue FROM lineitem, part WHERE (p_partkey = l_partkey AND p_brand = 'Brand#12' AND l_quantity >= 1) OR (p_partkey = l_partkey AND p_brand = 'Brand#23')
SELECT s_name, s_address FROM supplier, nation WHERE s_suppkey IN (SELECT ps_suppkey FROM partsupp WHERE ps_partkey IN (SELECT p_partkey FROM part WHERE p_name LIKE 'forest%') AND ps_availqty > 5) ORDER BY s_name
SELECT s_name, count(*) AS numwait FROM supplier, lineitem l1, orders WHERE s_suppkey = l1.l_suppkey AND EXISTS (SELECT * FROM lineitem l2 WHERE l2.l_orderkey = l1.l_orderkey) AND NOT EXISTS (SELECT * FROM lineitem l3 WHERE l3.l_orderkey = l1.l_orderkey) GROUP BY s_name ORDER BY numwait DESC LIMIT 100
SELECT cntrycode, count(*) AS numcust, sum(c_acctbal) AS totacctbal FROM (SELECT substring(c_phone, 1, 2) AS cntrycode, c_acctbal FROM customer WHERE NOT EXISTS (SELECT * FROM orders WHERE o_custkey = c_custkey)) AS custsale GROUP BY cntrycode ORDER BY cntrycode
"""

# Reads that contain the words of writes.
QUOTING = """
SELECT 'DROP TABLE users; DELETE FROM users'
SELECT name AS "delete", 'it''s; TRUNCATE users' AS "drop table" FROM users
SELECT * FROM users WHERE note = 'x''; DROP TABLE users; --'
SELECT 1 -- ; DROP TABLE users
SELECT 1 /* ; DELETE FROM users; */
"""


def queries() -> list[str]:
    return list(QUERIES.strip().split("\n"))


def quoting() -> list[str]:
    return list(QUOTING.strip().split("\n"))
