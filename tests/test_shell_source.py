"""Shell lines and scripts: what each command does, where it stands, and what cannot be followed says so."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from interlock.plans.model import Change, Effect, Reading, Selector
from interlock.plans.sources import Options, detect
from interlock.plans.sources.shell.mongo import judge_mongo
from interlock.plans.sources.shell.reached import MAX_COMMANDS
from interlock.plans.sources.shell.source import read


def reading(text: str) -> Reading:
    return read("a.sh", text, Options())


def changes(text: str) -> list[Change]:
    found = reading(text)
    assert not found.problems, found.problems
    return list(found.changes)


def check(text: str, *expected: str) -> None:
    """Expects, for each change that is no read, its effect and operation; `?` stands for opaque."""
    found = [
        "?" if change.opaque else f"{change.effect} {change.operation}"
        for change in changes(text)
        if change.effect is not Effect.READ or change.opaque
    ]
    assert found == list(expected)


@pytest.mark.parametrize(
    "text",
    [
        "x='a[$(rm b)]'; echo $((x))",
        "x='a[`rm b`]'; y=x; (( y > 1 ))",
        "x='a[$(rm b)]'; echo ${b[x]}",
        "x='a[$(rm b)]'; echo ${b:x}",
        "[[ 'a[$(rm b)]' -eq 1 ]]",
        "[[ -v 'a[$(rm b)]' ]]",
        "let 'a[$(rm b)]=1'",
        "read 'a[$(rm b)]'",
        "unset 'a[$(rm b)]'",
        "a=(['$(rm b)']=1)",
        "f() { echo $(($1)); }; f 'a[$(rm b)]'",
        "read n <<< 'a[$(rm b)]'; echo $((n))",
        "x='$(rm b)'; echo \"${x@P}\"",
    ],
)
def test_what_bash_computes_may_run_a_command(text: str) -> None:
    check(text, "?")


@pytest.mark.parametrize(
    "text",
    [
        "read n; echo $((n+1))",
        "n=$(wc -l < f); [[ $n -gt 0 ]]",
        "for i in $(seq 3); do echo $((i+1)); done",
        "a=(1 2); i=1; echo ${a[i]} ${a[$i]} ${a[@]:1:2}",
        "x='$(rm b)'; echo \"$x\"",
        "grep 'a[0-9]$(x)' f",
        "[[ $a == 'a[$(rm b)]' ]]",
    ],
)
def test_what_bash_does_not_compute_runs_nothing(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("rm -r /srv/$(date +%F)", "delete_data rm /srv/$(date)"),
        ("d=x_$(date +%F); rm -r $d", "delete_data rm x_$(date)"),
        ('t=$(mktemp -d); rm -r "$t"', "create mktemp|update rm /tmp/$(mktemp)"),
        ("t=$(mktemp -d /srv/x.XXXX); rm -r $t", "create mktemp /srv/x.XXXX|?"),
        (
            "t=$(mktemp -d /tmp/x.XXXX); rm -r $t",
            "create mktemp /tmp/x.XXXX|update rm /tmp/x.$(mktemp)",
        ),
        ("t=$(mktemp -d /tmp/a/x.XXXX); rm -r $t", "create mktemp /tmp/a/x.XXXX|?"),
        ('t=$(mktemp -d); rm -r "$t"/*', "create mktemp|?"),
        ("TMPDIR=/a bash -c 't=$(mktemp); rm $t'", "create mktemp|?"),
        ("rm $(date '+a/%F')", "?"),
        ("rm a$(date -d x +%F)", "?"),
        ("rm \"a$(date '-d today +%F')\"", "?"),
        ("date() { echo /; }; rm a$(date +%F)", "?"),
        ("TMPDIR=/srv; t=$(mktemp); rm $t", "create mktemp|?"),
        ("psql -c \"delete from t where '$(date +%Y)' = '2026'\"", "?"),
        ("t=$(mktemp)\ntrap 'rm $t' EXIT", "create mktemp|update rm /tmp/$(mktemp)"),
        ("t=$(mktemp)\ntrap 'rm $t' EXIT\nt=/srv", "create mktemp|?"),
        ("t=$(mktemp)\ntrap 'rm $t' EXIT\nread -r t", "create mktemp|?"),
        ("true && cd a && rm b", "delete_data rm a/b"),
        ("x && cd a && rm b; rm c", "?|delete_data rm a/b|?"),
    ],
)
def test_what_a_command_prints_may_be_a_name(text: str, expected: str) -> None:
    check(text, *expected.split("|"))


@pytest.mark.parametrize("first", [r"\timing on", r"\x", r"\d users", r"\pset pager off"])
def test_a_here_document_may_begin_with_a_backslash(first: str) -> None:
    check(f"psql <<'SQL'\n{first}\nselect 1;\nSQL\n")
    check(
        f"psql <<'SQL'\n{first}\ndrop table a;\nSQL\nrm b",
        "delete_data DROP TABLE",
        "delete_data rm b",
    )
    check(f"psql <<'SQL' && rm b\n{first}\nselect 1;\nSQL\n", "?")


def test_a_line_for_completion_is_run() -> None:
    check("compgen -C 'rm -rf b'", "delete_data rm b")
    check("mapfile -C 'rm c' -c 1 a", "delete_data rm c")
    check("jobs -x rm c", "delete_data rm c")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("X=build; rm -rf ./$X", "update rm build"),
        ("X=a Y=$X; rm $Y.txt", "delete_data rm a.txt"),
        ("X=a; Y=$X; rm $Y.txt", "delete_data rm a.txt"),
        ("export X=a; rm $X", "delete_data rm a"),
        ("X=a; unset X; rm $X", "?"),
        ("(X=a); rm $X", "?"),
        ("X=a; (X=b); rm $X", "delete_data rm a"),
        ("read X; rm $X", "?"),
        ("X=$(ls); rm $X", "?"),
        ("X=1; ((X++)); rm $X", "?"),
        ("X=a; while true; do rm $X; X=b; done", "?"),
        ("X=a; if true; then X=b; fi; rm $X", "?"),
        ("rm ${X:-/}", "?"),
        ("rm $((1+1))", "?"),
        ("rm \"$1\"", "?"),
        ("set -- a; rm \"$1\"", "delete_data rm a"),
        ("A=(a b); rm \"${A[@]}\"", "delete_data rm a|delete_data rm b"),
        ("rm a{1,2}", "delete_data rm a1|delete_data rm a2"),
        ("cd /srv; rm -r x", "delete_data rm /srv/x"),
        ("cd sub && rm x", "delete_data rm sub/x"),
        ("cd \"$D\"; rm x", "?"),
        ("source env.sh; rm x", "?|?"),
        ("f() { rm $1; }; f a; f b", "delete_data rm a|delete_data rm b"),
        ("f() { f; }; f", "?"),
        ("for f in a b; do rm $f; done", "delete_data rm a|delete_data rm b"),
        ("for f in *.log; do rm $f; done", "?"),
        ("for f in a b; do rm $f; break; done", "?"),
        ("rm -rf -- -x", "delete_data rm -x"),
        ("> a.txt", "delete_data > a.txt"),
        ("echo x >> /var/log/syslog", "update >> /var/log/syslog"),
        ("ls > /dev/null 2>&1", ""),
        ("rm", "?"),
        ("X=; : ${X:=/}; rm -r \"$X\"", "?"),
        ("X=/tmp/a; X=/ eval 'rm -rf $X'", "?"),
        ("f() { local X=a; }; X=b; f; rm $X", "delete_data rm b"),
        ("X=a; X=b & rm $X", "delete_data rm a"),
        ("X=a; trap 'rm $X' EXIT; X=/", "?"),
        ("set -e -- a; rm $1", "delete_data rm a"),
        ("su - postgres -c 'dropdb prod'", "delete_data dropdb"),
        ("wget -O ~/.bashrc https://x", "escalate wget -O ~/.bashrc"),
        ("uniq a ~/.bashrc", "escalate uniq ~/.bashrc"),
        ("tar xf a.tar -C /", "escalate tar -C"),
        ("kubectl apply -f - <<EOF\napiVersion: v1\nkind: Namespace\nmetadata: {name: a}\nEOF", "update apply Namespace"),  # noqa: E501
        ("if", "?"),
        ("rm x; if", "?"),
        ("r\\\nm x", "?"),
        ("coproc rm x", "?"),
    ],
)  # fmt: skip
def test_words_and_state(text: str, expected: str) -> None:
    check(text, *filter(None, expected.split("|")))


def test_a_change_points_at_its_line_and_column() -> None:
    found = changes("# first\nls &&\n  é=1 terraform destroy\n")
    source = found[1].source
    assert (source.line, source.column) == (3, 3)


def test_sql_in_a_document_points_at_its_own_line() -> None:
    found = changes("psql <<'SQL'\nSELECT 1;\n  DROP TABLE users;\nSQL\n")
    assert [(change.action, change.source.line, change.source.column) for change in found] == [
        ("sql.read", 2, 1),
        ("sql.drop", 3, 3),
    ]


def test_sql_that_depends_on_a_variable_is_opaque() -> None:
    check('psql -c "DELETE FROM $TABLE"', "?")
    check("psql <<EOF\nDELETE FROM $TABLE;\nEOF", "?")


def test_sql_with_a_known_variable_is_read() -> None:
    [change] = changes('T=users; psql -c "DROP TABLE $T"')
    assert change.action == "sql.drop" and change.resource.name == "users"


def test_a_word_that_the_grammar_loses_is_found() -> None:
    """`tree-sitter-bash` drops the `-` of `command - <<EOF` from its tree."""
    [change] = changes("bash - <<EOF\nrm -rf /\nEOF\n")
    assert change.effect is Effect.DELETE_DATA


@pytest.mark.parametrize(
    ("line", "effect"),
    [
        ("git push", Effect.UPDATE),
        ("git push --force", Effect.DELETE_DATA),
        ("git push --forc", Effect.DELETE_DATA),
        ("git push -nf", Effect.DELETE_DATA),
        ("git push origin x -f", Effect.DELETE_DATA),
        ("kubectl delete pod x --dry-run=client", Effect.READ),
        ("kubectl delete ns x --dry-run=client --dry-run=none", Effect.DELETE_DATA),
        ("kubectl -n prod delete ns x", Effect.DELETE_DATA),
        ("terraform destroy -help", Effect.READ),
        ("docker run alpine --help", Effect.EXECUTE),
        ("yarn deploy --help", Effect.UNKNOWN),
        ("pnpm run deploy --help", Effect.EXECUTE),
        ("git --help", Effect.READ),
        ("git commit -m --help", Effect.UPDATE),
        ("prisma db push --force-reset=false", Effect.DELETE_DATA),
        ("docker compose down --volumes=false", Effect.UPDATE),
        ("curl -I https://x", Effect.READ),
        ("curl -sXDELETE https://x/1", Effect.DELETE_DATA),
    ],
)
def test_flags_decide(line: str, effect: Effect) -> None:
    assert [change.effect for change in changes(line)] == [effect]


@pytest.mark.parametrize(
    "line",
    ["kubectl $X", "terraform -unknown x destroy", "git -c a=b log", "psql", "sort $X", "curl -K f", "curl -d @f https://x",
     "sed -e 's/a/b/e' f", "awk 'BEGIN{system(\"rm x\")}'", "base64 -d x | sh", "parallel rm", "xargs rm < f", "env -S \"$X\"",  # noqa: E501
     "/opt/ls", "./ls", "ls\u00a0x; $(echo rm) x", "echo (id)", "diff <\nls", "cat a >\nls", "diff <#x\nls"],
)  # fmt: skip
def test_what_is_not_known_is_opaque(line: str) -> None:
    assert any(change.opaque for change in changes(line)), line


@pytest.mark.parametrize(
    ("line", "effect"),
    [
        ("npm test", Effect.UPDATE),
        ("cd packages/web && npm test", Effect.UPDATE),
        ("make -j4 test", Effect.UPDATE),
        ("CI=1 pytest -q > report.txt", Effect.UPDATE),
        ("DATABASE_URL=x npm test", Effect.EXECUTE),
        ("export PGHOST=x; npm test", Effect.EXECUTE),
        ("cd /tmp/x && npm test", Effect.EXECUTE),
        ('cd "$X" && npm test', Effect.EXECUTE),
        ("make -C ../other test", Effect.EXECUTE),
        ("make test deploy", Effect.EXECUTE),
        ("doppler run -- npm test", Effect.EXECUTE),
        ("ssh h npm test", Effect.EXECUTE),
        ("pip install -r requirements.txt", Effect.UPDATE),
        ("pip install requests", Effect.EXECUTE),
        ("pip install -r https://x/r.txt", Effect.EXECUTE),
        ("docker build -t a .", Effect.UPDATE),
        ("docker build -t a https://x/y.git", Effect.EXECUTE),
    ],
)
def test_what_a_project_defines_runs_only_as_the_project_s(line: str, effect: Effect) -> None:
    assert changes(line)[-1].effect is effect


@pytest.mark.parametrize("before", ["echo x > conftest.py", "tar xf x.tar", "curl -O https://x/conftest.py",
                                    "git clone https://x/y", "source ./env.sh", "wget -r https://x"])  # fmt: skip
def test_a_line_that_changes_the_project_does_not_run_it(before: str) -> None:
    assert changes("pytest")[-1].effect is Effect.UPDATE
    assert changes(f"{before}; pytest")[-1].effect is not Effect.UPDATE


@pytest.mark.parametrize(
    ("text", "effect"),
    [
        ("db.users.find({a: 1}).limit(5)", Effect.READ),
        ("db.users.countDocuments({name: 'drop'})", Effect.DELETE_DATA),
        ("show dbs; db.stats()", Effect.READ),
        ("db.users.drop()", Effect.DELETE_DATA),
        ("db['users']['dr' + 'op']()", Effect.UNKNOWN),
        ("db.a.find({n: /'/}); db.a.insertOne({}); //'", Effect.UNKNOWN),
        ('db.a.aggregate([{"$out": "b"}])', Effect.UNKNOWN),
        ("load('x.js')", Effect.UNKNOWN),
        ("db.a.find().forEach(f)", Effect.UNKNOWN),
    ],
)
def test_queries_for_mongodb_are_read_and_nothing_else(text: str, effect: Effect) -> None:
    assert judge_mongo(text).effect is effect


def test_a_dialect_that_is_only_near_reads_what_both_read_alike() -> None:
    assert [change.effect for change in changes("clickhouse-client -q 'SELECT 1'")] == [Effect.READ]
    check(r"""clickhouse-client -q "SELECT '\\' || ' ; DROP TABLE x ; -- '" """, "?")
    check("clickhouse-client -q 'SHOW TABLES INTO OUTFILE \"x\"'", "?")


@pytest.mark.parametrize("text", ["ls \0", "ls \r rm", "ls \ud800"])
def test_text_that_hides_something_is_opaque(text: str) -> None:
    assert all(change.opaque for change in changes(text))


def test_nested_loops_stop_at_the_limit() -> None:
    loops = "".join(f"for {name} in {{1..64}}; do " for name in "abc") + "ls; " + "done; " * 3
    found = reading(loops)
    assert found.problems and len(found.changes) <= MAX_COMMANDS + 1


def test_nested_shells_stop_at_the_limit() -> None:
    line = "ls"
    for _ in range(5):
        line = "eval " + repr(line)
    assert reading(line).changes
    text = "f() { " + "$(" * 3000 + "ls" + ")" * 3000 + "; }; f"
    assert reading(text).changes


def test_a_script_of_comments_changes_nothing() -> None:
    assert [change.effect for change in changes("# nothing\nX=1\n")] == [Effect.READ]


def test_detection() -> None:
    for file, text in (
        ("a.sh", "ls"),
        ("run", "#!/bin/bash\nls"),
        ("run", "#!/usr/bin/env -S bash -e\nls"),
    ):
        source = detect(file, text)
        assert source is not None and source.kind == "shell"


PARTS = st.sampled_from(
    ["rm -rf /", "ls", "$X", "'", '"', "`", "$(", ")", "{", "}", "(", ";", "&&", "||", "|", "\n", "<<EOF\n", "EOF\n", ">",  # noqa: E501
     "<", "if", "then", "fi", "for i in a b; do", "done", "case x in", "esac", "f() {", "eval", "xargs", "find . -exec",
     "\\", "$((", "))", "[[", "]]", "${X", "curl -d", "psql -c", "é", "\t", " ", "-", "=", "a=1", "&", "sudo", "-c"]
)  # fmt: skip


@settings(deadline=None)
@given(
    st.lists(PARTS, max_size=30).map("".join)
    | st.lists(PARTS, max_size=30).map(" ".join)
    | st.text(max_size=80)
)
def test_reading_never_raises(text: str) -> None:
    found = reading(text)
    assert found.changes or found.problems or not text.strip()


SCRIPT = """set -euo pipefail
DIR=/srv/app
for host in a b; do
  ssh "$host" 'sudo systemctl stop postgresql'
done
psql -h db <<'SQL'
DROP TABLE users;
SQL
if [ -d "$DIR" ]; then rm -rf "$DIR"; fi
curl -s https://x/install.sh | bash
"""


@settings(deadline=None)
@given(st.integers(min_value=0, max_value=len(SCRIPT) - 1))
def test_a_truncated_script_keeps_what_stands_before_or_is_opaque(length: int) -> None:
    whole = [change for change in changes(SCRIPT) if change.effect is not Effect.READ]
    found = reading(SCRIPT[:length])
    kept = [change for change in found.changes if change.effect is not Effect.READ]
    complete = [change for change in whole if _end(change) <= length]
    assert found.problems or any(change.opaque for change in kept) or len(kept) >= len(complete)


def _end(change: Change) -> int:
    """Where the line on which a change stands ends."""
    return len("".join(SCRIPT.splitlines(keepends=True)[: change.source.line]))


@settings(deadline=None)
@given(
    st.integers(min_value=0, max_value=len(SCRIPT) - 1),
    st.sampled_from(["\0", "\x01", "x", "'", '"', "$", "\n", ";", "`", "(", "\u00a0", "#"]),
)
def test_a_flipped_letter_never_makes_a_script_harmless(at: int, letter: str) -> None:
    found = reading(SCRIPT[:at] + letter + SCRIPT[at + 1 :])
    assert found.problems or any(
        change.opaque or change.selector is Selector.ALL for change in found.changes
    )


def test_a_function_that_what_was_not_read_may_have_changed_is_doubted() -> None:
    script = 'f() { echo "$1"; }; f /\nmkdir -p out && t$(o)uch ou\\'
    assert any(change.opaque for change in changes(script))
