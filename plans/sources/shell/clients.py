"""Programs that carry another language inside: SQL clients, clouds, and HTTP."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib import import_module

from ...model import Change, Effect, Position
from ...taxonomy.shell import Database, Taxonomy
from .. import Options
from ..web.http import judge_request, unknown
from ..words import words
from .arguments import Arguments, is_word, sort_words
from .http_options import CURL_DATA, CURL_FORMS, CURL_VALUED, HTTPIE_VALUED, WGET_VALUED
from .mongo import MONGO_VALUED, judge_mongo
from .reached import TERMINAL, Command
from .syntax import Origin
from .walk import Walker
from .words import Field, literal

Report = Callable[..., None]
"""How a change is reported; `Commands.report` is it."""


class Clients:
    """What such programs are given, read as what it is."""

    def __init__(
        self, taxonomy: Taxonomy, report: Report, unread: Callable[[Walker, int, str, str], None]
    ) -> None:
        self.taxonomy = taxonomy
        self.report = report
        self.unread = unread

    # --- SQL

    def database(self, walker: Walker, command: Command, row: Database, name: str) -> None:
        """The SQL a client is given, by option, operand or input."""
        rest = command.fields[1:]
        arguments = sorted_for(row, rest)
        if arguments.shows_only(("--help", "--version", *row.shows)):
            self.report(walker, command, Effect.READ, name, "it only lists something")
            return
        if arguments.unsure and not all(one in arguments.operands for one in arguments.unsure):
            self.unread(walker, command.at, arguments.unsure[0].holes[0], command.text)
            return
        texts = arguments.values(row.text)
        if row.operand is not None:
            texts += arguments.operands[row.operand :]
        for text in texts:
            if row.dialect == "sqlite" and text.text.lstrip().startswith("."):
                self.sqlite_command(walker, command, text)
            else:
                self.statements(walker, command, text, row)
        files = arguments.values(row.files)
        for file in files:
            if file.text == "-" or file.text == "/dev/stdin":
                continue
            reason = (
                f"what the file `{file.text[:100]}` holds is not shown here; gate the file itself"
            )
            self.unread(walker, command.at, reason, command.text)
        from_input = any(file.text in ("-", "/dev/stdin") for file in files)
        if (texts or files) and not from_input:
            return
        fed = command.input
        if fed.text is not None:
            self.statements(walker, command, fed.text, row)
        else:
            what = fed.unknown or "what is typed"
            self.unread(walker, command.at, f"it runs {what} as SQL", command.text)

    def statements(self, walker: Walker, command: Command, text: Field, row: Database) -> None:
        """SQL for a client; where its dialect is only the nearest, what both read alike."""
        shown = text.text.strip().rstrip(";").rstrip()
        if (
            text.is_exact
            and not re.search(r";|\binto\b", shown, re.I)
            and any(is_word(shown.upper(), one) for one in row.statements)
        ):
            self.report(
                walker, command, Effect.READ, command.fields[0].text, "it only shows something"
            )
        elif row.nearest and (odd := re.search(r"[\\#$`{@]", text.text)):
            reason = (
                f"`{odd[0]}` in its SQL may mean something else to `{command.fields[0].text[:60]}`"
            )
            self.unread(walker, text.at, reason, text.text)
        else:
            self.sql(walker, text, row.dialect)

    def mongo(self, walker: Walker, command: Command) -> None:
        """JavaScript for MongoDB: plain queries are read, and everything else is not."""
        arguments = sort_words(command.fields[1:], MONGO_VALUED)
        texts = arguments.values(("--eval",))
        files = [one for one in arguments.operands if one.text.endswith((".js", ".mongodb", ".ts"))]
        if arguments.shows_only(("--help", "--version")):
            self.report(walker, command, Effect.READ, "mongosh", "it only prints help")
        elif not texts or files or arguments.unsure or arguments.has(("-f", "--file", "--shell")):
            fed = command.input.text
            if fed is None or files or arguments.unsure or texts:
                self.unread(
                    walker, command.at, "which JavaScript it runs is not shown", command.text
                )
                return
            texts = [fed]
        for text in texts:
            meaning = judge_mongo(text.text) if text.is_exact else unknown(text.holes[0])
            self.report(
                walker, command, meaning.effect, "mongosh", meaning.why, target=text.text,
                selector=meaning.selector, reversibility=meaning.reversibility,
                criticality=meaning.criticality, opaque=meaning.opaque,
            )  # fmt: skip

    def sqlite_command(self, walker: Walker, command: Command, text: Field) -> None:
        """A command of the `sqlite3` program itself, such as `.tables`."""
        word = text.text.split()[0]
        if (
            text.is_exact
            and word in _SQLITE_READS
            and "\n" not in text.text
            and "|" not in text.text
        ):
            self.report(walker, command, Effect.READ, f"sqlite3 {word}", "it reads")
        else:
            reason = f"what the command `{word[:60]}` of `sqlite3` does is not read here"
            self.unread(walker, text.at, reason, text.text)

    def sql(self, walker: Walker, text: Field, dialect: str) -> None:
        """Reads SQL with the SQL source; its changes stand where its text stands."""
        if text.holes:
            self.unread(
                walker, text.at, f"its SQL depends on something: {text.holes[0]}", text.text
            )
            return
        from ..sql.source import read

        is_exact = text.exact_at is not None
        origin = walker.origin.within(
            text.at if text.exact_at is None else text.exact_at, is_exact=is_exact
        )
        reading = read(walker.origin.lines.file, text.text, Options(dialect=dialect))
        for problem in reading.problems:
            self.unread(walker, text.at, problem.message, text.text)
        for change in reading.changes:
            walker.budget.changes.append(
                change.model_copy(update={"source": moved(change.source, text.text, origin)})
            )
        if not reading.changes and not reading.problems:
            walker_command = Command((), text.at, text.text)
            self.report(walker, walker_command, Effect.READ, "SQL", "it holds no statement")

    # --- clouds

    def cloud(self, walker: Walker, command: Command, module: str, name: str) -> None:
        """A cloud's own command line, read by the source of its calls."""
        source = import_module(f"...cloud.{module}", __name__)
        words = [None if one.holes else one.text for one in command.fields[1:]]
        at = walker.origin.position(command.at, command.text)
        changes: tuple[Change, ...] = (
            source.classify_command(words, at)
            if name in ("aws", "az", "gcloud")
            else source.classify_command(words, at, program=name)
        )
        walker.budget.changes.extend(changes)
        if not changes:
            self.unread(walker, command.at, f"what `{name}` does is not known", command.text)

    def manifest(self, walker: Walker, command: Command, rest: Sequence[Field]) -> bool:
        """`kubectl apply -f -` with a manifest at hand, read by the source of manifests."""
        words = [one.text for one in rest]
        fed = command.input.text
        if (
            fed is None
            or fed.holes
            or sorted(words) not in (sorted(["apply", "-f", "-"]), sorted(["create", "-f", "-"]))
        ):
            return False
        from ..kubernetes.source import read

        origin = walker.origin.within(
            fed.at if fed.exact_at is None else fed.exact_at, is_exact=fed.exact_at is not None
        )
        reading = read(walker.origin.lines.file, fed.text, Options())
        for problem in reading.problems:
            self.unread(walker, fed.at, problem.message, fed.text)
        walker.budget.changes.extend(
            change.model_copy(update={"source": moved(change.source, fed.text, origin)})
            for change in reading.changes
        )
        return bool(reading.changes or reading.problems)

    # --- HTTP

    def curl(self, walker: Walker, command: Command, rest: Sequence[Field]) -> None:
        arguments = sort_words(rest, CURL_VALUED)
        if arguments.shows_only(("--help", "--version")) or arguments.shows_only(("-V",)):
            self.report(walker, command, Effect.READ, "curl", "it only prints help")
            return
        if arguments.has(("-K", "--config", "-Q", "--quote", "--next", "-:")):
            self.unread(walker, command.at, "its requests are not all in its options", command.text)
            return
        if any(one.may_be_option for one in arguments.unsure) and not all(
            one in arguments.operands and not one.is_many for one in arguments.unsure
        ):
            self.unread(walker, command.at, arguments.unsure[0].holes[0], command.text)
            return
        data = arguments.values(CURL_DATA)
        forms = arguments.values(CURL_FORMS)
        uploads = arguments.values(("-T", "--upload-file"))
        methods = arguments.values(("-X", "--request"))
        addresses = [*arguments.operands, *arguments.values(("--url",))]
        as_query = any(one.name in ("-G", "--get") for one in arguments.options)
        method = "HEAD" if arguments.has(("-I", "--head")) else "GET"
        if uploads:
            method = "PUT"
        elif (data or forms) and not as_query:
            method = "POST"
        doubt = next((one.holes[0] for one in (*data, *methods) if one.holes), None)
        if (
            doubt is None
            and any(one.text.startswith("@") for one in data)
            and _input_of(data, command) is None
        ):
            doubt = "its body is in a file"
        if doubt is None and (uploads or forms):
            doubt = f"what {method} does with what is sent is not known"
        if methods:
            method = methods[-1].text
        method = overridden(arguments.values(("-H", "--header"))) or method
        body = _input_of(data, command) or "&".join(one.text for one in data) if data else None
        self.requests(walker, command, "curl", method, addresses, body, doubt)

    def written(self, rest: Sequence[Field]) -> list[Field]:
        """The files `curl` writes."""
        arguments = sort_words(rest, CURL_VALUED)
        files = arguments.values(("-o", "--output", "-D", "--dump-header", "-c", "--cookie-jar", "--trace",
                                  "--trace-ascii", "--stderr", "--etag-save", "--libcurl"))  # fmt: skip
        folders = arguments.values(("--output-dir",))
        if arguments.has(
            ("-O", "--remote-name", "--remote-name-all", "-J", "--remote-header-name")
        ):
            files += [named_by(one) for one in (*arguments.operands, *arguments.values(("--url",)))]
        return [in_folder(folders[-1], one) for one in files] if folders else files

    def httpie(self, walker: Walker, command: Command, name: str) -> None:
        """`http METHOD URL ITEM…`: an item that is data makes a POST of it."""
        arguments = sort_words(command.fields[1:], HTTPIE_VALUED)
        operands = list(arguments.operands)
        if arguments.shows_only(("--help", "--version", "--offline")):
            self.report(walker, command, Effect.READ, name, "it only prints")
            return
        if arguments.unsure or any(one.is_many for one in operands):
            self.unread(walker, command.at, "its request is not known", command.text)
            return
        named = operands and re.fullmatch(r"[A-Za-z]+", operands[0].text) and len(operands) > 1
        method = operands.pop(0).text if named else None
        items = operands[1:]
        data = [one for one in items if not re.match(r"[\w-]+(==|:(?!=))", one.text)]
        doubt = "what it sends is not read here" if data or arguments.has(("--raw",)) else None
        if command.input is not TERMINAL:
            doubt = doubt or "its body comes from its input"
        default = "POST" if doubt else "GET"
        self.requests(walker, command, name, method or default, operands[:1], None, doubt)

    def wget(self, walker: Walker, command: Command, rest: Sequence[Field]) -> None:
        arguments = sort_words(rest, WGET_VALUED)
        if (
            arguments.has(("-e", "--execute", "--config", "--use-askpass", "-i", "--input-file"))
            or arguments.unsure
        ):
            self.unread(walker, command.at, "its requests are not all in its options", command.text)
            return
        data = arguments.values(("--post-data", "--body-data"))
        files = arguments.values(("--post-file", "--body-file"))
        methods = arguments.values(("--method",))
        method = methods[-1].text if methods else "POST" if data or files else "GET"
        doubt = "its body is in a file" if files else None
        doubt = next((one.holes[0] for one in (*data, *methods) if one.holes), doubt)
        body = data[-1].text if data else None
        self.requests(walker, command, "wget", method, arguments.operands, body, doubt)

    def requests(
        self, walker: Walker, command: Command, name: str, method: str,
        addresses: Sequence[Field], body: str | None, doubt: str | None,
    ) -> None:  # fmt: skip
        if not addresses:
            self.unread(walker, command.at, "its address is not said", command.text)
        for address in addresses:
            for one in judge_request(method, address.text, body, doubt):
                operation = f"{name} {one.operation or method}"
                self.report(
                    walker, command, one.effect, operation, one.why, target=address.text,
                    selector=one.selector, reversibility=one.reversibility,
                    criticality=one.criticality, opaque=one.opaque,
                )  # fmt: skip


_FETCHES = words("cp sync mv rsync get-object invoke download get-job-output")

_FOLDERS = words("sync rsync --recursive -r -R")


def fetched(rest: Sequence[Field]) -> list[Field]:
    """The files which a cloud's command writes where its last operand says so, but for the directory itself."""
    found: list[Field] = []
    for takes_next in (False, True):
        operands = sort_words(rest, (), takes_next=takes_next).operands
        if operands and any(one.text in _FETCHES for one in operands[:3]):
            is_local = operands[-1].text.startswith(("/", "~", ".")) and operands[-1].text not in (
                ".",
                "./",
            )
            found += [operands[-1]] if is_local else []
    if any(one.text in _FOLDERS for one in rest):
        return [in_folder(one, literal("…", one.at)) for one in dict.fromkeys(found)]
    return list(dict.fromkeys(found))


def overridden(headers: Sequence[Field]) -> str | None:
    """The method that a header puts in the place of the one of the request."""
    found = [one.text.partition(":") for one in headers]
    methods = [value.strip() for name, _, value in found if name.strip().lower() in _OVERRIDES]
    return methods[-1] if methods else None


_OVERRIDES = words("x-http-method-override x-http-method x-method-override")


def emptied(rest: Sequence[Field]) -> list[Field]:
    """The directories in which a cloud's command deletes what the other side does not have."""
    mirrors = any(sort_words(rest, ()).has((one,)) for one in _MIRRORING) and any(
        one.text in ("sync", "rsync") for one in rest
    )
    if not mirrors or sort_words(rest, ()).shows_only(("--dryrun", "--dry-run", "-n")):
        return []
    found = [sort_words(rest, (), takes_next=each).operands[-1:] for each in (False, True)]
    folders = [one for operands in found for one in operands if "://" not in one.text]
    return list(dict.fromkeys(folders))


_MIRRORING = ("--delete", "-d", "--delete-unmatched-destination-objects")


def named_by(address: Field) -> Field:
    """The file that a download is called, by the end of its address."""
    name = (
        re.sub(r"^[a-z]+://[^/]*", "", address.text.partition("?")[0])
        .rstrip("/")
        .rpartition("/")[2]
    )
    return replace(address, text=name or "index.html", exact_at=None)


def in_folder(folder: Field, file: Field) -> Field:
    return replace(
        file,
        text=f"{folder.text.rstrip('/')}/{file.text}",
        holes=(*folder.holes, *file.holes),
        exact_at=None,
        is_path=all(one.is_path or one.is_exact for one in (folder, file)),
    )


def sorted_for(row: Database, rest: Sequence[Field]) -> Arguments:
    """The words of a client that runs SQL."""
    valued = (*row.valued, *row.text, *row.files, *row.writes)
    return sort_words(rest, valued, one_dash=row.one_dash, attached=row.attached)


_SQLITE_READS = words(
    ".tables .schema .indexes .indices .databases .dump .fullschema .help .show .version .stats "
    ".dbinfo .lint .headers .mode .timeout"
)


def _input_of(data: Sequence[Field], command: Command) -> str | None:
    """The body that `-d @-` takes from the input."""
    fed = command.input.text
    is_input = [one.text for one in data] == ["@-"]
    return fed.text if is_input and fed is not None and not fed.holes else None


def moved(place: Position, text: str, origin: Origin) -> Position:
    """A position in an inner text as a position in the artifact."""
    lines = text.split("\n")
    before = sum(len(line.encode()) + 1 for line in lines[: place.line - 1])
    line = lines[place.line - 1] if place.line <= len(lines) else ""
    return origin.position(before + len(line[: place.column - 1].encode()), place.text)
