"""Throws damaged artifacts at every parser of untrusted input: no crash, no hang, nothing lost in silence.

    python tests/fuzz_sources.py [--seconds 600] [--only sql-mysql shell] [--seed 1]

Each target runs in a process of its own for the given time, on copies of seeds that are cut, spliced, nested and
salted with its own words. Two more things are held against a reader of plans than that it returns:
the writes that it reads of damaged JSON are never fewer than of the whole without an opaque part or a problem, and
a destroying command on the last line of any text is a change, or something before it is unread.
"""

import argparse
import itertools
import multiprocessing
import random
import re
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

sys.path.insert(0, str(Path(__file__).resolve().parent))

from interlock.lang.loader import load_texts
from interlock.plans.model import Effect, Reading
from interlock.plans.sources import Options, source_named
from interlock.plans.sources.kubernetes.source import compare
from interlock.plans.sources.sql.source import DIALECTS
from interlock.plans.taxonomy.tables import KINDS, taxonomies

TESTS = Path(__file__).resolve().parent
CORPORA = TESTS.parents[1] / "shared" / "corpora"
MAX_LETTERS = 20_000
PROCESSOR_SECONDS = 10.0
"""An input of `MAX_LETTERS` is read in less of the processor's time, or it hangs."""
SEEDS = 300


class Hang(BaseException):
    """Nothing that catches exceptions may catch it."""


class Lost(AssertionError):
    """Something is not there that has to be."""


@dataclass(frozen=True)
class Target:
    name: str
    read: Callable[[str], Reading | None]
    seeds: Callable[[], Iterator[str]]
    words: tuple[str, ...]
    canary: str | None = None
    """A last line that destroys."""
    silencing: str = r"(?!)"
    """What makes a last line no command; a text with it is not asked for the canary."""
    is_structured: bool = False
    """Damage shows: a copy that says less is seen to be one."""
    may_be_cut: bool = False
    """What is left of a cut may be a whole, as where a document of YAML ends."""


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--seed", type=int, default=1)
    told = parser.parse_args()
    failures = 0
    print(f"{'target':<20}{'inputs':>9}{'unread':>9}{'slowest ms':>12}  found")
    for target in TARGETS:
        if told.only and target.name not in told.only:
            continue
        line, failed = _in_a_process(target, told.seconds, told.seed)
        failures += failed
        print(line, flush=True)
    return min(failures, 1)


def _in_a_process(target: Target, seconds: float, seed: int) -> tuple[str, bool]:
    """The line of the table; a process that died leaves its last input behind."""
    folder = Path(tempfile.mkdtemp(prefix=f"fuzz-{target.name}-"))
    context = multiprocessing.get_context("spawn")
    process = context.Process(target=_mutated, args=(target.name, seconds, seed, folder))
    process.start()
    process.join(seconds * 1.5 + 120)
    if process.is_alive():
        process.kill()
        return f"{target.name:<20}{'hangs in native code':>30}  {folder / 'last'}", True
    report = folder / "report"
    if not report.exists():
        return f"{target.name:<20}{f'died ({process.exitcode})':>30}  {folder / 'last'}", True
    line, _, found = report.read_text(encoding="utf-8").partition("\n")
    return line + found, bool(found)


@dataclass
class Run:
    """One target at work in its own process."""

    target: Target
    folder: Path
    inputs: int = 0
    unread: int = 0
    slowest: float = 0.0
    found: int = 0
    kinds: set[str] = field(default_factory=set)

    def check(self, text: str, whole: str | None = None) -> None:
        """Reads one text, and keeps it where something is wrong with that."""
        (self.folder / "last").write_bytes(text.encode("utf-8", "surrogatepass"))
        self.inputs += 1
        start = time.process_time()
        signal.setitimer(signal.ITIMER_VIRTUAL, PROCESSOR_SECONDS)
        try:
            self._check(text, whole)
        except (Exception, Hang) as error:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            self._keep(text, error)
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        taken = time.process_time() - start
        if taken > self.slowest:
            self.slowest = taken
            (self.folder / "slowest").write_bytes(text.encode("utf-8", "surrogatepass"))

    def _check(self, text: str, whole: str | None) -> None:
        target = self.target
        if target.canary is not None and not re.search(target.silencing, text, re.I):
            text = f"{text}\n{target.canary}\n"
        reading = target.read(text)
        if reading is None:
            return
        is_unread = bool(reading.problems) or any(change.opaque for change in reading.changes)
        self.unread += is_unread
        if is_unread:
            return
        if target.is_structured and whole is not None:
            before = target.read(whole)
            if before is not None and _writes(reading) < _writes(before):
                raise Lost(f"{_writes(before)} changes became {_writes(reading)}")
        if text.endswith(f"\n{target.canary}\n") and not any(
            change.effect is Effect.DELETE_DATA for change in reading.changes
        ):
            raise Lost("the last line is no change")

    def _keep(self, text: str, error: BaseException) -> None:
        frames = traceback.extract_tb(error.__traceback__)
        place = next(
            (f for f in reversed(frames) if "interlock" in f.filename or "plans" in f.filename),
            frames[-1],
        )
        kind = f"{type(error).__name__} {place.filename}:{place.lineno}"
        if kind in self.kinds and not isinstance(error, Lost):
            return
        self.kinds.add(kind)
        self.found += 1
        if self.found <= 20:
            kept = self.folder / f"found-{self.found}"
            kept.write_bytes(text.encode("utf-8", "surrogatepass"))
            (self.folder / f"found-{self.found}.why").write_text(
                "".join(traceback.format_exception(error)), encoding="utf-8"
            )

    def report(self) -> None:
        found = f"\n{self.found} in {self.folder}" if self.found else ""
        line = (
            f"{self.target.name:<20}{self.inputs:>9}{self.unread:>9}{self.slowest * 1000:>12.0f}  "
        )
        (self.folder / "report").write_text(line + found, encoding="utf-8")


def _writes(reading: Reading) -> int:
    """The changes that do something. A read may go: text that is run nowhere is told only where it would do harm."""
    return sum(change.effect is not Effect.READ for change in reading.changes)


def _start(name: str, folder: Path) -> Run:
    def stop(_: int, __: FrameType | None) -> None:
        raise Hang(f"more than {PROCESSOR_SECONDS} seconds of the processor")

    signal.signal(signal.SIGVTALRM, stop)
    return Run(next(target for target in TARGETS if target.name == name), folder)


def _mutated(name: str, seconds: float, seed: int, folder: Path) -> None:
    """Copies of seeds, damaged by chance."""
    run = _start(name, folder)
    chance = random.Random(f"{seed} {name}")  # noqa: S311  # The same inputs for the same seed.
    seeds = _sampled(run.target, chance)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        whole = chance.choice(seeds)
        if run.target.is_structured and chance.random() < 0.5:
            run.check(_damaged(whole, chance, run.target.may_be_cut), whole)
        else:
            run.check(_mutant(whole, seeds, run.target.words, chance))
    run.report()


def _sampled(target: Target, chance: random.Random) -> list[str]:
    seeds = [text for text in target.seeds() if 0 < len(text) <= MAX_LETTERS]
    assert seeds, target.name
    return chance.sample(seeds, min(SEEDS, len(seeds)))


# What is done to a seed


def _damaged(text: str, chance: random.Random, may_be_cut: bool) -> str:
    """A copy that was cut, or in which one bit changed: what happens to files."""
    if not may_be_cut and chance.random() < 0.4:
        return text[: chance.randrange(len(text))]
    data = bytearray(text.encode("utf-8", "surrogatepass"))
    at = chance.randrange(len(data))
    data[at] ^= 1 << chance.randrange(8)
    return data.decode("utf-8", "replace")


_ODD = (
    "\x00",
    "\ufeff",
    "\u2028",
    "\ud800",
    "\r",
    "\t",
    "\u0130",
    "𝄞",
    "\x1b[31m",
    "\u202e",
    "'",
    '"',
    "`",
    "\\",
)
_NESTING = (
    ("(", ")"),
    ("[", "]"),
    ("{", "}"),
    ("$(", ")"),
    ("/*", "*/"),
    ("BEGIN ", " END"),
    ('{"a":', "}"),
    ("- ", ""),
)


def _mutant(text: str, seeds: list[str], words: tuple[str, ...], chance: random.Random) -> str:
    """A copy with up to six changes that somebody who means harm would try."""
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        at = chance.randint(0, len(text))
        end = min(len(text), at + chance.choice((1, 2, 8, 50, 400)))
        match chance.randrange(9):
            case 0:
                text = text[:at] + text[end:]
            case 1:
                text = text[:end] + text[at:end] * chance.choice((1, 2, 30)) + text[end:]
            case 2:
                other = chance.choice(seeds)
                start = chance.randint(0, len(other))
                text = text[:at] + other[start : start + chance.choice((5, 50, 500))] + text[end:]
            case 3:
                text = text[:at] + chance.choice(words) + text[end:]
            case 4:
                text = text[:at] + f" {chance.choice(words)} " + text[at:]
            case 5:
                text = text[:at] + chance.choice(_ODD) + text[at:]
            case 6:
                opening, closing = chance.choice(_NESTING)
                depth = chance.choice((1, 3, 40, 1500))
                text = text[:at] + opening * depth + text[at:end] + closing * depth + text[end:]
            case 7:
                lines = text.split("\n")
                chance.shuffle(lines)
                text = "\n".join(lines)
            case _:
                text = (
                    text[:at]
                    + str(chance.choice((0, -1, 2**31, 2**63, 10**400, 1e308)))
                    + text[end:]
                )
    return text[:MAX_LETTERS]


# What is read


def _reader(kind: str, dialect: str = "postgres") -> Callable[[str], Reading]:
    source = source_named(kind)
    assert source is not None
    return lambda text: source.read(f"a.{kind}", text, Options(dialect))


def _compared(text: str) -> Reading | None:
    """Both halves of a text, as the state before and after."""
    at = len(text) // 2
    compare([("before.yaml", text[:at])], [("after.yaml", text[at:])], Options())
    return None


def _policies(text: str) -> None:
    load_texts({"policy.ilk": text})


def _tables(text: str) -> None:
    taxonomies([(f"{kind}.yaml", text) for kind in KINDS])


# What they start from


def _spec_blocks(*kinds: str) -> Iterator[str]:
    for path in sorted((TESTS / "specs").rglob("*.md")):
        for match in re.finditer(
            r"^```(\w+)[^\n]*\n(.*?)^```$", path.read_text("utf-8"), re.M | re.S
        ):
            if match[1] in kinds:
                yield match[2]


def _files(pattern: str, folder: Path = CORPORA) -> Iterator[str]:
    for path in sorted(folder.glob(pattern)):
        yield path.read_text(encoding="utf-8", errors="replace")


def _sql_seeds(dialect: str) -> Iterator[str]:
    from sql_cases import cases

    yield from _spec_blocks("sql")
    yield from (text for _, spoken, text in cases() if spoken == dialect)
    if dialect == "postgres":
        for script in _files("sql/*_regress/*.sql"):
            pieces = re.split(r"(?<=;)\n", script)
            yield from ("\n".join(pieces[at : at + 12]) for at in range(0, len(pieces), 12))


def _cloud_seeds(cloud: str) -> Iterator[str]:
    import json

    from cloud_cases import BENIGN, DANGEROUS

    calls = [*DANGEROUS[cloud], *BENIGN[cloud]]
    yield from map(json.dumps, calls)
    yield from (json.dumps(calls[at : at + 5]) for at in range(0, len(calls), 5))
    yield from _spec_blocks(cloud)


def _shell_seeds() -> Iterator[str]:
    from test_shell_gate import BENIGN, DANGEROUS

    lines = [*DANGEROUS.splitlines(), *BENIGN.splitlines()]
    yield from filter(None, lines)
    yield from ("\n".join(lines[at : at + 6]) for at in range(0, len(lines), 6))
    yield from _spec_blocks("shell")


def _terraform_seeds() -> Iterator[str]:
    yield from _spec_blocks("terraform")
    yield from _files("terraform/*.json")


def _policy_seeds() -> Iterator[str]:
    yield from _spec_blocks("ilk")
    yield from _files("**/*.ilk", TESTS.parent / "stdlib_policies")


def _kubernetes_seeds() -> Iterator[str]:
    yield from _spec_blocks("kubernetes")
    if CORPORA.is_dir():
        from test_kubernetes_corpus import ARCHIVES, files

        for archive in ARCHIVES:
            yield from (text for _, text in itertools.islice(files(archive), 150))


def _mcp_seeds() -> Iterator[str]:
    import json

    yield from _spec_blocks("mcp")
    for tool, arguments in (
        ("mcp__postgres__query", {"sql": "DELETE FROM users"}),
        ("mcp__bash__Bash", {"command": "rm -rf / && echo $(id)"}),
        ("mcp__filesystem__write_file", {"path": "/etc/passwd", "content": "x"}),
    ):
        call = {"name": tool, "arguments": arguments}
        yield json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call})
        yield json.dumps(
            {
                "tools": [{"name": tool, "annotations": {"readOnlyHint": True}}],
                "calls": [call, call],
            }
        )


def _split(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_JSON_WORDS = (
    '"',
    "null",
    "true",
    '"a":',
    "{}",
    "[]",
    "1e999",
    "\\u0000",
    "\\ud800",
    ",",
    ":",
    '"name"',
    '"actions"',
)
_SQL_WORDS = _split(r"""
DELETE UPDATE DROP WHERE TRUNCATE SELECT FROM AND OR NOT NULL BEGIN END $$ $a$ ; -- /* */ ' " ( ) MERGE USING WITH
AS EXECUTE IMMEDIATE PREPARE DECLARE GO DELIMITER /*! ` [ ] CASE WHEN THEN 1=1 IN EXISTS UNION ALL CASCADE TABLE INTO
VALUES RETURNING EXPLAIN ANALYZE DO CALL IF LOOP N'x' E'\\' :: @x := REPLACE ON CONFLICT
""")
_SHELL_WORDS = _split(r"""
; && || | & $( ) ` ' " $x ${x} ${x:-/} ${!x} $'\x72' * ? [a-z] {a,b} {1..9} ~ > >> 2>&1 <( >( if then fi for do done
case esac while () { } eval sudo env xargs sh -c bash -- = == [[ ]] (( )) # \ ! @
""")
_YAML_WORDS = (
    "---",
    "- ",
    ": ",
    "kind: ",
    "&a",
    "*a",
    "<<: *a",
    "!!binary",
    "|",
    ">",
    "{",
    "}",
    "%YAML 1.1",
    "? ",
    "null",
    "~",
    "=",
)
_LANGUAGE_WORDS = _split("""
permit forbid require prove test entity action enum use module when unless because instead principal resource context
in has is and or not == <= { } [ ] ( ) => ?? . , " // /* */ never always given expect define schedule
""")

TARGETS: tuple[Target, ...] = (
    *(
        Target(f"sql-{dialect}", _reader("sql", dialect), partial(_sql_seeds, dialect),
               _SQL_WORDS, canary=";\nDROP TABLE canary;", silencing=r"\\|copy|delimiter|\bstdin\b")
        for dialect in DIALECTS
    ),
    Target("shell", _reader("shell"), _shell_seeds, _SHELL_WORDS, canary="terraform destroy -auto-approve",
           silencing=r"<<|exit|exec|return|logout|kill|terraform|\\\s*$|set|break|continue|help|version"),
    Target("terraform", _reader("terraform"), _terraform_seeds,
           _JSON_WORDS, is_structured=True),
    Target("kubernetes", _reader("kubernetes"), _kubernetes_seeds, _YAML_WORDS, is_structured=True, may_be_cut=True),
    Target("kubernetes-compare", _compared, _kubernetes_seeds, _YAML_WORDS),
    Target("mcp", _reader("mcp"), _mcp_seeds, _JSON_WORDS, is_structured=True),
    *(
        Target(cloud, _reader(cloud), partial(_cloud_seeds, cloud), _JSON_WORDS, is_structured=True)
        for cloud in ("aws", "google", "azure")
    ),
    Target("tables", _tables, lambda: _files("*.yaml", TESTS.parent / "plans" / "taxonomy"), _YAML_WORDS),
    Target("policies", _policies, _policy_seeds,
           _LANGUAGE_WORDS),
)  # fmt: skip
"""Every parser of what others wrote."""

if __name__ == "__main__":
    raise SystemExit(main())
