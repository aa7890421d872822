"""Compiled policies kept between runs, in a folder that only this user can write, and checked before they are used."""

import hashlib
import marshal
import os
import stat
import sys
from importlib import resources
from pathlib import Path
from typing import Any

from .compiler.backends.python.load import Program, RuleFacts, Tables, compile_source
from .compiler.backends.python.program import Module
from .lang.checked import Checked
from .lang.loader import SUFFIX, bundled
from .lang.source import Fragment, Span
from .lang.syntax import Effect
from .version import __version__

_MARK = b"interlock program 2\n"
_DIGEST_BYTES = 32


def find_program(paths: list[str]) -> Program | None:
    """The program kept for these paths, if every file is as it was; anything doubtful is as good as nothing."""
    folder = _folder()
    if folder is None:
        return None
    try:
        file = folder / _name(paths)
        if not _is_ours(file):
            return None
        data = file.read_bytes()
        body = data[len(_MARK) + _DIGEST_BYTES :]
        if (
            data[: len(_MARK)] != _MARK
            or hashlib.sha256(body).digest() != data[len(_MARK) :][:_DIGEST_BYTES]
        ):
            return None
        listing, hashes, files, packed = marshal.loads(body)  # noqa: S302  # private and checked
        if [item for item in listing if item[1] != "used"] != _listing(paths):
            return None
        texts = {name: _text(name) for name, _ in listing}
        if [_hash(text) for text in texts.values()] != hashes:
            return None
        return unpacked(packed, {name: texts[name] for name in files})
    except (OSError, ValueError, EOFError, TypeError, KeyError):
        return None


def keep_program(paths: list[str], texts: dict[str, str], packed: bytes) -> None:
    """Keeps a program for the next run; where it cannot be kept, nothing happens."""
    folder = _folder()
    if folder is None:
        return
    try:
        named = _listing(paths)
        known = {name for name, _ in named}
        if not known <= texts.keys():
            return
        listing = named + [(name, "used") for name in texts if name not in known]
        hashes = [_hash(texts[name]) for name, _ in listing]
        body = marshal.dumps((listing, hashes, list(texts), packed))
        target = folder / _name(paths)
        draft = target.with_suffix(f".{os.getpid()}")
        draft.touch(mode=0o600)
        draft.write_bytes(_MARK + hashlib.sha256(body).digest() + body)
        draft.replace(target)
    except OSError:
        return


def texts_of(checked: Checked) -> dict[str, str] | None:
    """Each file that was read with its text; `None` where a file is no longer what was read."""
    texts = {}
    for module in checked.names.modules.values():
        try:
            text = _text(module.file)
        except (OSError, UnicodeDecodeError):
            return None
        place = len(text) - sum(len(item.span.fragment.text) for item in module.declarations)
        for item in module.declarations:
            fragment = item.span.fragment
            if fragment.offset != place or not text.startswith(fragment.text, place):
                return None
            place += len(fragment.text)
        texts[module.file] = text
    return texts


def packed(module: Module, digest: str, texts: dict[str, str]) -> bytes:
    """A program as bytes, which hold nothing of the terms it was made from."""
    numbers = {name: number for number, name in enumerate(texts)}

    def place(span: Span) -> tuple[int, ...]:
        fragment = span.fragment
        return (
            numbers[fragment.file],
            fragment.offset,
            len(fragment.text),
            fragment.line,
            fragment.column,
            span.start,
            span.end,
        )

    return marshal.dumps(
        (
            compile_source(module.source),
            [(rule.id, str(rule.effect), place(rule.span)) for rule in module.rules],
            [(number, place(need.span)) for number, need in module.needs],
            [place(span) for span in module.sites],
            digest,
        )
    )


def unpacked(data: bytes, texts: dict[str, str]) -> Program:
    """The program in bytes that `packed` gave, with the texts of its files."""
    code, rules, needs, sites, digest = marshal.loads(data)  # noqa: S302  # made or checked by this process
    files = list(texts)
    fragments: dict[tuple[int, int], Fragment] = {}

    def span(place: tuple[int, ...]) -> Span:
        number, offset, length, line, column, start, end = place
        fragment = fragments.get((number, offset))
        if fragment is None:
            text = texts[files[number]][offset : offset + length]
            fragment = Fragment(files[number], text, offset, line, column)
            fragments[number, offset] = fragment
        return Span(fragment, start, end)

    tables = Tables(
        tuple(RuleFacts(id, Effect(effect), span(place)) for id, effect, place in rules),
        tuple((number, span(place)) for number, place in needs),
        tuple(span(place) for place in sites),
    )
    return Program(code, tables, digest)


def _name(paths: list[str]) -> str:
    parts: list[Any] = [
        __version__,
        sys.implementation.cache_tag,
        *(str(Path(path).absolute()) for path in paths),
    ]
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogateescape")).hexdigest()


def _listing(paths: list[str]) -> list[tuple[str, str]]:
    """Every file that is named, by itself or by its folder."""
    found: list[tuple[str, str]] = []
    for path in paths:
        location = Path(path)
        if location.is_dir():
            found += [(str(file), "file") for file in sorted(location.rglob("*" + SUFFIX))]
        elif location.exists():
            found.append((path, "file"))
        elif path in bundled():
            found.append((f"interlock/{bundled()[path]}", "bundled"))
    return found


def _text(name: str) -> str:
    """The text of a file as the loader reads it."""
    if name.startswith("interlock/"):
        root = resources.files("interlock.stdlib_policies")
        return (root / name.removeprefix("interlock/")).read_text(encoding="utf-8")
    return Path(name).read_bytes().decode("utf-8").removeprefix("\ufeff")


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8")).digest()


def _folder() -> Path | None:
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = (Path(base) if base else Path.home() / ".cache") / "interlock" / "programs"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return folder if _is_ours(folder) else None
    except (OSError, RuntimeError):
        return None


def _is_ours(path: Path) -> bool:
    """Whether only this user can have written it."""
    try:
        status = path.stat()
    except OSError:
        return False
    return status.st_uid == os.getuid() and not status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
