"""The evaluator that a gateway embeds: load policies once, then decide in microseconds, from any thread."""

import gc
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, TypedDict

from .compiler import compile_policies
from .compiler.backends.python.load import Program, load_module, typed_entities
from .compiler.backends.python.program import generate
from .compiler.backends.python.runtime import Entities, entities_of
from .compiler.decision import Decision, Outcome, Problem
from .compiler.documents import Misfit, decode, decode_items
from .compiler.explain import Explanation, near_misses
from .compiler.ir import PolicySet
from .compiler.wire import read_request
from .lang.diagnostics import Diagnostic, has_errors
from .lang.loader import load as load_checked
from .lang.render import render_all
from .program_cache import find_program, keep_program, packed, texts_of, unpacked

__all__ = ["Decision", "Entities", "Explanation", "Policies", "PolicyError", "load"]


class Reference(TypedDict):
    """The name of an entity, or of an action with the type `Action`."""

    type: str
    id: str


class _RequestNeeds(TypedDict):
    principal: Reference
    action: Reference
    resource: Reference


class RequestDocument(_RequestNeeds, total=False):
    """A request as JSON says it."""

    context: Mapping[str, Any]


class PolicyError(Exception):
    """Policies that do not compile; `problems` says why, and the message shows it with the lines."""

    def __init__(self, problems: list[Diagnostic]) -> None:
        super().__init__(render_all(problems))
        self.problems = problems


def load(*paths: str | Path, cache: bool = True) -> "Policies":
    """The policies of files, folders or bundled packs; raises `PolicyError` when they do not compile.

    With `cache`, compiled code is kept in a private folder of the user and used while no file has changed.
    """
    return Policies([str(path) for path in paths], cache=cache)


class Policies:
    """A compiled policy set. Every method may be called from any thread, and none blocks an event loop for long."""

    def __init__(self, paths: Sequence[str], *, cache: bool = True) -> None:
        self._paths = list(paths)
        self._cache = cache
        self._lock = Lock()
        self._policy_set: PolicySet | None = None
        program, problems = self._compile()
        if program is None:
            raise PolicyError(problems)
        self._program = program
        self.warnings = problems
        """What the check had to say; empty for policies that were compiled by an earlier run."""

    def _compile(self) -> tuple[Program | None, list[Diagnostic]]:
        if self._cache and (found := find_program(self._paths)) is not None:
            return found, []
        with _collector_resting() as collect:
            made, texts, problems = self._made()
            collect()
            return unpacked(made, texts) if isinstance(made, bytes) else made, problems

    def _made(self) -> tuple[Program | bytes | None, dict[str, str], list[Diagnostic]]:
        """The program of the files, as bytes unless a file changed meanwhile; their texts; the problems."""
        checked, problems = load_checked(self._paths)
        policies, more = compile_policies(checked)
        problems += more
        if has_errors(problems):
            return None, {}, problems
        module = generate(policies)
        texts = texts_of(checked)
        if texts is None:
            return load_module(module, policies.digest), {}, problems
        program = packed(module, policies.digest, texts)
        if self._cache:
            keep_program(self._paths, texts, program)
        return program, texts, problems

    @property
    def digest(self) -> str:
        """SHA-256 that names the meaning of the policies, in hexadecimal."""
        return self._program.digest

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of all rules, in order."""
        return tuple(rule.id for rule in self._program.tables.rules)

    def entities(self, described: str | bytes | Iterable[Any]) -> Entities:
        """A store of entities, checked once: JSON text, or a list of `{"uid", "attrs", "parents"}`.

        An entity that does not fit the schema is kept out, and whatever reads it denies with the reason.
        Raises `ValueError` where entities cannot even be told apart.
        """
        try:
            if isinstance(described, str | bytes):
                return entities_of(self._program.world, decode_items(described))
            return entities_of(self._program.world, map(_plain, described))
        except Misfit as misfit:
            raise ValueError(str(misfit)) from misfit

    def decide(
        self, request: RequestDocument | Mapping[str, Any] | Any, entities: Entities
    ) -> Decision:
        """The decision about a request. Never raises: what cannot be read is denied with the reason."""
        return self._program.decide(request if type(request) is dict else _plain(request), entities)

    def decide_many(self, requests: Iterable[Any], entities: Entities) -> list[Decision]:
        """The decisions about several requests, all by the same version of the policies."""
        decide = self._program.decide
        return [decide(_plain(request), entities) for request in requests]

    def decide_json(self, request: str | bytes, entities: Entities) -> Decision:
        """The decision about a request as JSON text."""
        try:
            document = decode(request)
        except Misfit as misfit:
            return self._program.refuse(Problem(str(misfit)))
        return self._program.decide(document, entities)

    def allows(
        self, request: RequestDocument | Mapping[str, Any] | Any, entities: Entities
    ) -> bool:
        """Whether a request is permitted, faster than `decide` since it does not say why."""
        return self._program.allows(request if type(request) is dict else _plain(request), entities)

    def explain(
        self, request: RequestDocument | Mapping[str, Any] | Any, entities: Entities
    ) -> Explanation:
        """The decision, and what would have to hold for a permit to apply.

        For people: the first time it reads the files again, and where they have changed it names only the decision.
        """
        document = _plain(request)
        decision = self.decide(document, entities)
        if decision.outcome is not Outcome.DENY or decision.reasons or decision.problems:
            return Explanation(decision, ())
        policies = self._policy_set
        if policies is None or policies.digest != decision.policy_digest:
            # A program keeps no terms, so that ten thousand rules stay small; the files still have them.
            checked, _ = load_checked(self._paths)
            self._policy_set = policies = compile_policies(checked)[0]
        if policies.digest != decision.policy_digest:
            return Explanation(decision, ())
        asked = read_request(policies.schema, document)
        return Explanation(decision, tuple(near_misses(policies, asked, typed_entities(entities))))

    def reload(self) -> list[Diagnostic]:
        """Reads the files again. Where anything is wrong, the old policies stay and the problems are returned."""
        with self._lock:
            program, problems = self._compile()
            if program is not None:
                # Entities stay valid as long as the schema is the same.
                self._program = program.over(self._program.world)
            return problems


@contextmanager
def _collector_resting() -> Iterator[Callable[[], int]]:
    """Nothing that compiling makes is garbage before it ends, so looking for cycles would be a third of its time.

    Gives a function that collects what was made and looks at nothing older: a program made after it is small.
    """
    running, alone = gc.isenabled(), gc.get_freeze_count() == 0
    gc.disable()
    if alone:
        gc.freeze()
    try:
        yield gc.collect if alone else lambda: gc.collect(0)
    finally:
        if alone:
            gc.unfreeze()
        if running:
            gc.enable()


def _plain(document: Any) -> Any:
    """A document as plain data; models of pydantic are taken too."""
    if isinstance(document, dict) or not hasattr(document, "model_dump"):
        return document
    return document.model_dump(mode="json", exclude_none=True)
