"""Words are what bash makes of them: generated scripts are run by the real bash and compared, word by word."""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from interlock.plans.sources.shell.commands import hooks as commands
from interlock.plans.sources.shell.reached import Budget, Command, Input, Redirect
from interlock.plans.sources.shell.state import State
from interlock.plans.sources.shell.syntax import Lines, Origin
from interlock.plans.sources.shell.walk import Hooks, Walker
from interlock.plans.taxonomy.shell import shipped

BASH = shutil.which("bash")

PIECES = st.sampled_from(
    [
        "a", "b.c", "-r", "x=1", "'q s'", "'$X'", '"d $X e"', '"$X"', "$X", "${X}", "$Y", '"$Y$X"', "\\ ", "\\$X",
        "\\'", '"\\"\\$X\\`\\n"', "{a,b}", "{1..3}", "{c..a}", "{x,}", "a{b,'c d',\"$X\"}", "$'\\t\\x41\\'\\101'",
        "''", '""', "*", "[ab]", "?", "#c", "%", "@", "é", "'ü ß'", '"$@"', '"$*"', "$@", "$1", '"$2"', "${Y:-z}",
        '"${X:-z}"', "$Z", '"$Z"', "{}", "{a}", "a,b", "}", "{a,{b,c}}", "~x", ":", '"a\\\nb"', "\\\\", "$",
        '"${A[@]}"', "${A[*]}", '"${A[*]}"', "$A",
    ]
)  # fmt: skip
WORDS = st.lists(PIECES, min_size=1, max_size=4).map("".join)
ARGUMENTS = st.lists(WORDS, min_size=1, max_size=4).map(" ".join)
PREAMBLE = "X='one  two'; Y=three; Z=; A=(p 'q r'); set -- 'first arg' second\n"


def ours(script: str) -> list[list[str]] | None:
    """The words of each call of `show`; `None` where anything is not known."""
    calls: list[list[str] | None] = []

    def command(walker: Walker, one: Command) -> Input:
        if one.fields[0].text == "show":
            exact = all(field.is_exact for field in one.fields)
            calls.append([field.text for field in one.fields[1:]] if exact else None)
        else:
            real.command(walker, one)
        return Input(unknown="it prints")

    def unread(walker: Walker, at: int, reason: str, text: str) -> None:
        calls.append(None)

    real = commands(shipped())
    walker_hooks = Hooks(
        command, lambda walker, redirect: _nothing(redirect), unread, lambda *_: None
    )
    origin = Origin(Lines("a.sh", script.encode()))
    Walker(walker_hooks, origin, Budget(), State()).run_text(script)
    return None if None in calls else [call for call in calls if call is not None]


def _nothing(redirect: Redirect) -> None:
    return None


def of_bash(script: str, folder: Path) -> list[list[str]] | None:
    """The words as bash gives them to `show`; `None` when it refuses the script."""
    assert BASH is not None
    show = 'show() { printf \'%s\\0\' "$#" "$@"; }\n'
    done = subprocess.run(
        [BASH, "--norc", "--noprofile", "-c", show + script], capture_output=True, cwd=folder, check=False,
        timeout=10, env={"HOME": "~", "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    if done.returncode != 0 or done.stderr:
        return None
    words = done.stdout.decode("utf-8", "replace").split("\0")[:-1]
    calls = []
    while words:
        count = int(words.pop(0))
        calls.append(words[:count])
        del words[:count]
    return calls


@pytest.mark.skipif(BASH is None, reason="no bash to compare with")
@settings(max_examples=300, deadline=None)
@given(ARGUMENTS)
@example("{a,b}{1..2}")
@example('a"$@"b')
@example("r\\\nm x")
@example('a$$"b"')
@example("$@{1..3} $@#c")
@example('$$"b" $$')
def test_words_are_those_of_bash(arguments: str) -> None:
    script = f"{PREAMBLE}show {arguments}\nshow end\n"
    found = ours(script)
    if found is not None:
        import tempfile

        with tempfile.TemporaryDirectory() as folder:
            expected = of_bash(script, Path(folder))
        assert expected is None or found == expected


@pytest.mark.skipif(BASH is None, reason="no bash to compare with")
@pytest.mark.parametrize(
    "script",
    [
        "for i in a 'b c' {1..3}; do show $i \"$i\"; done",
        'f() { show "$1" $#; shift; show "$@"; }; f \'x y\' z',
        "X=1; (X=2; show $X); show $X",
        "X=a; X+=b; show $X",
        'X=\'a b\'; set -- $X; show "$2" "$1"',
        "show a; show b | cat; show c",
        "if true; then X=1; else X=1; fi; show $X",
        "A=(a 'b c'); A+=(d); show \"${A[@]}\"",
    ],
)
def test_scripts_run_as_in_bash(script: str, tmp_path: Path) -> None:
    found = ours(script)
    expected = of_bash(script, tmp_path)
    assert expected is not None
    assert found is None or found == expected
