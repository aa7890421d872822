"""A schema in SQL to the facts of a database, without one: what its statements define, in the order they run."""

from collections.abc import Iterable, Iterator
from typing import Any

from ..graph import Event, Fragment, Origin
from ..sources.sql.changes import joined_name
from ..sources.sql.postgres.names import name_parts
from ..sources.sql.postgres.split import MAX_NESTING, Kind, split
from ..sources.sql.tree import Complaint, Node, ast, enums, nodes, parse
from .catalog import (
    Catalog,
    Dependency,
    ForeignKey,
    Inheritance,
    Object,
    Reaction,
    Updatable,
    fragment,
    with_partitions,
)
from .database_code import effects_of_functions, rule

UNNAMED = "database"
MAX_PROBLEMS = 100


def build(name: str, files: Iterable[tuple[str, str]], dialect: str = "postgres") -> Fragment:
    """The part of the graph that a schema defines; each file is its name and its text."""
    return fragment(facts(name, files, dialect))


def facts(name: str, files: Iterable[tuple[str, str]], dialect: str = "postgres") -> Catalog:
    found = Catalog(name, Origin("ddl", name))
    if dialect == "postgres":
        reader = _Reader(found)
        for file, text in files:
            reader.read(file, text)
        reader.finish()
    else:
        from .ddl_other import read_other

        for file, text in files:
            read_other(found, file, text, dialect)
    return found


_ACTIONS = {
    "a": "no action",
    "r": "restrict",
    "c": "cascade",
    "n": "set null",
    "d": "set default",
}
_TRIGGER_EVENTS = {4: Event.INSERT, 8: Event.DELETE, 16: Event.UPDATE, 32: Event.TRUNCATE}
_RELATION_KINDS = {
    "OBJECT_TABLE": "table",
    "OBJECT_VIEW": "view",
    "OBJECT_MATVIEW": "materialized_view",
    "OBJECT_SEQUENCE": "sequence",
    "OBJECT_INDEX": "index",
    "OBJECT_FOREIGN_TABLE": "foreign_table",
}
_SERIAL = frozenset({"serial", "bigserial", "smallserial", "serial4", "serial8", "serial2"})


class _Reader:
    """Names are resolved by the search path as the script sets it; refs are `kind:id`."""

    def __init__(self, found: Catalog) -> None:
        self.found = found
        self.path = "public"
        self.objects: dict[str, Object] = {}
        self.relations: dict[str, str] = {}
        """Id → ref, of tables, views, sequences and indexes, which share their names."""
        self.functions: list[str] = []
        self.function_refs: dict[str, str] = {}
        self.types: dict[str, str] = {}
        self.triggers: list[tuple[str, str, int, str]] = []
        self.rules: list[str] = []
        self.views: list[tuple[str, Node]] = []
        self.file = ""
        self.line = 1

    def read(self, file: str, text: str) -> None:
        self.file = file
        for piece in split(text):
            if piece.kind is not Kind.STATEMENT:
                continue
            self.line = text.count("\n", 0, piece.start) + 1
            if piece.nesting > MAX_NESTING:
                self.complain("the statement is nested too deeply")
                continue
            parsed = parse(piece.text)
            if isinstance(parsed, Complaint):
                self.complain(parsed.message)
                continue
            for statement in parsed:
                self.statement(statement, piece.text)

    def complain(self, reason: str) -> None:
        if len(self.found.problems) < MAX_PROBLEMS:
            self.found.problems.append(f"{self.file}:{self.line}: {reason}")

    def statement(self, node: Node, text: str) -> None:
        """What defines nothing, as a row or a right, is of no concern here."""
        match node:
            case ast.CreateSchemaStmt():
                self.schema(node.schemaname or "public")
            case ast.CreateStmt():
                self.table(node, "table")
            case ast.CreateForeignTableStmt():
                self.table(node.base, "foreign_table")
            case ast.ViewStmt():
                self.view(node.view, node.query, "view")
            case ast.CreateTableAsStmt():
                kind = "table" if node.objtype == enums.ObjectType.OBJECT_TABLE else ""
                self.view(node.into.rel, node.query, kind or "materialized_view")
            case ast.AlterTableStmt():
                self.alter(node)
            case ast.IndexStmt():
                self.index(node)
            case ast.CreateSeqStmt():
                self.add("sequence", self.id(node.sequence))
            case ast.AlterSeqStmt():
                self.own(node)
            case ast.CreateFunctionStmt():
                self.function(node, text)
            case ast.CreateTrigStmt():
                self.trigger(node)
            case ast.RuleStmt():
                self.rules.append(text)
            case ast.CreatePolicyStmt():
                self.policy(node)
            case ast.CreateEnumStmt():
                self.type(node.typeName)
            case ast.CompositeTypeStmt():
                self.type(node.typevar)
            case ast.CreateDomainStmt():
                self.type(node.domainname)
            case ast.DropStmt():
                self.drop(node)
            case ast.RenameStmt():
                self.rename(node)
            case ast.VariableSetStmt() if node.name == "search_path":
                values = [getattr(arg.val, "sval", "") for arg in node.args or ()]
                self.path = next((value for value in values if value), "public")
            case _:
                pass

    # Names

    def id(self, relation: Node) -> str:
        return joined_name((relation.schemaname or self.path, relation.relname))

    def qualified(self, parts: list[str]) -> str:
        return joined_name(parts[-2:] if len(parts) > 1 else (self.path, *parts))

    def schema(self, name: str) -> str:
        ref = f"schema:{name}"
        self.objects.setdefault(ref, Object(ref, "schema", joined_name((name,)), name))
        return ref

    def add(self, kind: str, id: str, owner: str | None = None, part: bool = False) -> str:
        """Notes an object; one that is `part` of its owner goes with it by itself."""
        parts = _parts(id)
        ref = f"{kind}:{id}"
        schema = self.schema(parts[0]) if len(parts) > 1 else None
        self.objects[ref] = Object(ref, kind, id, parts[-1], schema, owner)
        if kind in _RELATION_KINDS.values() or kind in ("partition", "partitioned_table"):
            self.relations[id] = ref
        if owner is not None and part:
            self.depend(ref, owner, automatic=True)
        return ref

    def depend(self, ref: str, on: str, *, automatic: bool) -> None:
        self.found.dependencies.append(Dependency(ref, on, automatic))

    def relation(self, node: Node) -> str | None:
        return self.relations.get(self.id(node))

    # Statements

    def table(self, node: Node, kind: str) -> None:
        if node.relation.relpersistence == "t":
            return
        id = self.id(node.relation)
        if node.if_not_exists and id in self.relations:
            return
        if node.partspec is not None:
            kind = "partitioned_table"
        elif node.partbound is not None:
            kind = "partition"
        ref = self.add(kind, id)
        for parent in node.inhRelations or ():
            self.inherit(ref, parent, is_partition=node.partbound is not None)
        for element in node.tableElts or ():
            match element:
                case ast.ColumnDef():
                    self.column(ref, id, element)
                case ast.Constraint():
                    self.constraint(ref, id, element, [])
                case _:
                    pass

    def inherit(self, child: str, parent: Node, *, is_partition: bool) -> None:
        above = self.relation(parent)
        if above is None:
            self.complain(f"there is no table `{self.id(parent)}` to be a part of")
            return
        self.found.inheritances.append(Inheritance(child, above, is_partition))
        self.depend(child, above, automatic=is_partition)

    def column(self, ref: str, id: str, node: Node) -> None:
        type_name = name_parts(node.typeName)
        if type_name and type_name[-1] in _SERIAL:
            schema, table = _parts(id)[0], _parts(id)[-1]
            name = joined_name((schema, f"{table}_{node.colname}_seq"))
            self.add("sequence", name, ref, part=True)
        used = self.types.get(self.qualified(type_name)) if type_name else None
        if used is not None:
            column = self.add("column", f"{id}.{node.colname}", ref, part=True)
            self.depend(column, used, automatic=False)
        for constraint in node.constraints or ():
            self.constraint(ref, id, constraint, [node.colname])
            if constraint.contype == enums.ConstrType.CONSTR_DEFAULT:
                self.default(ref, id, node.colname, constraint.raw_expr)

    def default(self, ref: str, id: str, column: str, expression: Node) -> None:
        for sequence in self.sequences_in(expression):
            default = self.add("default_value", f"{id}.{column} default", ref, part=True)
            self.depend(default, sequence, automatic=False)

    def sequences_in(self, expression: Node) -> Iterator[str]:
        for call in nodes(expression):
            if isinstance(call, ast.FuncCall) and name_parts(call.funcname)[-1:] == ["nextval"]:
                for constant in nodes(call.args or ()):
                    if isinstance(constant, ast.A_Const) and isinstance(constant.val, ast.String):
                        text = constant.val.sval.replace('"', "")
                        ref = self.relations.get(self.qualified(text.split(".")))
                        if ref is not None:
                            yield ref

    def constraint(self, ref: str, id: str, node: Node, columns: list[str]) -> None:
        kind = enums.ConstrType
        table = _parts(id)[-1]
        if node.contype == kind.CONSTR_FOREIGN:
            columns = [key.sval for key in node.fk_attrs or ()] or columns
            name = node.conname or "_".join((table, *columns, "fkey"))
            constraint = self.add("table_constraint", f"{id}.{name}", ref, part=True)
            parent = self.relation(node.pktable)
            if parent is None:
                self.complain(f"`{name}` refers to `{self.id(node.pktable)}`, which is not defined")
                return
            if parent != ref:
                self.depend(constraint, parent, automatic=False)
            self.found.foreign_keys.append(
                ForeignKey(
                    name,
                    ref,
                    parent,
                    _ACTIONS.get(node.fk_del_action or "a", "cascade"),
                    _ACTIONS.get(node.fk_upd_action or "a", "cascade"),
                    constraint=constraint,
                )
            )
        elif node.contype in (kind.CONSTR_PRIMARY, kind.CONSTR_UNIQUE, kind.CONSTR_CHECK):
            suffix = {kind.CONSTR_PRIMARY: ["pkey"], kind.CONSTR_UNIQUE: [*columns, "key"]}
            name = node.conname or "_".join((table, *suffix.get(node.contype, [*columns, "check"])))
            self.add("table_constraint", f"{id}.{name}", ref, part=True)

    def view(self, relation: Node, query: Node, kind: str) -> None:
        if relation.relpersistence == "t":
            return
        ref = self.add(kind, self.id(relation))
        if kind == "table":
            return
        for used in self.used_in(query):
            if used != ref:
                self.depend(ref, used, automatic=False)
        if kind == "view":
            self.views.append((ref, query))

    def used_in(self, query: Node) -> Iterator[str]:
        names = {cte.ctename for cte in nodes(query) if isinstance(cte, ast.CommonTableExpr)}
        found: dict[str, None] = {}
        for relation in nodes(query):
            if isinstance(relation, ast.RangeVar):
                if not relation.schemaname and relation.relname in names:
                    continue
                ref = self.relation(relation)
                if ref is not None:
                    found[ref] = None
            elif isinstance(relation, ast.FuncCall):
                ref = self.function_refs.get(self.qualified(name_parts(relation.funcname)))
                if ref is not None:
                    found[ref] = None
        yield from found

    def alter(self, node: Node) -> None:
        ref = self.relation(node.relation)
        if ref is None:
            return
        id = self.id(node.relation)
        kind = enums.AlterTableType
        for command in node.cmds:
            match command.subtype:
                case kind.AT_AddConstraint:
                    self.constraint(ref, id, command.def_, [])
                case kind.AT_AddColumn:
                    self.column(ref, id, command.def_)
                case kind.AT_AttachPartition:
                    child = self.relation(command.def_.name)
                    if child is not None and self.objects[child].kind == "index":
                        self.depend(child, ref, automatic=True)
                    elif child is not None:
                        self.inherit(child, node.relation, is_partition=True)
                case kind.AT_DropConstraint:
                    gone = f"table_constraint:{id}.{command.name}"
                    self.objects.pop(gone, None)
                    self.found.foreign_keys = [
                        key for key in self.found.foreign_keys if key.constraint != gone
                    ]
                case kind.AT_ColumnDefault if command.def_ is not None:
                    self.default(ref, id, command.name, command.def_)
                case _:
                    pass

    def index(self, node: Node) -> None:
        table = self.relation(node.relation)
        if table is not None and node.idxname:
            schema = _parts(self.id(node.relation))[0]
            self.add("index", joined_name((schema, node.idxname)), table, part=True)

    def own(self, node: Node) -> None:
        sequence = self.relation(node.sequence)
        for option in node.options or ():
            parts = name_parts(option.arg) if option.defname == "owned_by" else []
            table = self.relations.get(self.qualified(parts[:-1])) if len(parts) > 1 else None
            if sequence is not None and table is not None:
                self.depend(sequence, table, automatic=True)

    def function(self, node: Node, text: str) -> None:
        id = self.qualified(name_parts(node.funcname))
        ref = f"routine:{id}"
        self.add("routine", id)
        self.function_refs[id] = ref
        self.functions.append(text)
        used = [node.returnType, *(one.argType for one in node.parameters or ())]
        for each in used:
            parts = name_parts(each)
            of = self.qualified(parts) if parts else ""
            on = self.relations.get(of) or self.types.get(of)
            if on is not None:
                self.depend(ref, on, automatic=False)

    def trigger(self, node: Node) -> None:
        table = self.relation(node.relation)
        if table is None:
            return
        id = self.id(node.relation)
        trigger = self.add("trigger", f"{id}.{node.trigname}", table, part=True)
        parts = name_parts(node.funcname)
        function = self.qualified(parts)
        if function not in self.function_refs and len(parts) == 1:
            function = f"pg_catalog.{parts[0]}"
        if function in self.function_refs:
            self.depend(trigger, self.function_refs[function], automatic=False)
        events = node.events | (64 if node.timing == 64 else 0)
        self.triggers.append((node.trigname, table, events, function))

    def policy(self, node: Node) -> None:
        table = self.relation(node.table)
        if table is None:
            return
        policy = self.add("policy", f"{self.id(node.table)}.{node.policy_name}", table, part=True)
        for used in self.used_in((node.qual, node.with_check)):
            if used != table:
                self.depend(policy, used, automatic=False)

    def type(self, name: Node) -> None:
        parts = name_parts(name)
        id = self.id(name) if isinstance(name, ast.RangeVar) else self.qualified(parts)
        self.types[id] = self.add("type", id)

    def drop(self, node: Node) -> None:
        if node.removeType.name not in _RELATION_KINDS:
            return
        for target in node.objects:
            ref = self.relations.pop(self.qualified(name_parts(target)), None)
            if ref is not None:
                self.objects.pop(ref, None)

    def rename(self, node: Node) -> None:
        if node.renameType.name in ("OBJECT_TABLE", "OBJECT_VIEW") and node.relation is not None:
            self.complain("renames a table; give the schema as it is, for instance of pg_dump")

    # The end

    def finish(self) -> None:
        found = self.found
        found.objects += self.objects.values()
        known = self.objects.keys()
        found.dependencies = [
            each
            for each in dict.fromkeys(found.dependencies)
            if each.ref in known and each.on in known
        ]
        keys = [each for each in found.foreign_keys if {each.child, each.parent} <= known]
        found.foreign_keys = list(with_partitions(keys, found.inheritances))
        effects = effects_of_functions((each[3] for each in self.triggers), self.functions)
        for name, table, events, function in self.triggers:
            does = effects[function]
            for bit, event in _TRIGGER_EVENTS.items():
                if events & bit and table in known:
                    both = [event, *([Event.TRUNCATE_CASCADE] if bit == 32 else [])]
                    found.reactions += [
                        Reaction(
                            f"trigger `{name}`",
                            table,
                            each,
                            does.writes,
                            does.unread,
                            replaces=bool(events & 64),
                        )
                        for each in both
                    ]
        for text in self.rules:
            read = rule(text)
            if isinstance(read, str):
                self.complain(f"a rule cannot be read: {read}")
            elif read is not None and read.table in self.relations:
                found.reactions.append(
                    Reaction(
                        read.name,
                        self.relations[read.table],
                        read.event,
                        read.effects.writes,
                        read.effects.unread,
                        read.replaces,
                    )
                )
        found.updatable += self._updatable()

    def _updatable(self) -> Iterator[Updatable]:
        """Views that PostgreSQL writes through: one relation, no grouping, no set operation."""
        for ref, query in self.views:
            if not isinstance(query, ast.SelectStmt) or query.larg is not None:
                continue
            sources: tuple[Any, ...] = tuple(query.fromClause or ())
            plain = len(sources) == 1 and isinstance(sources[0], ast.RangeVar)
            collects = (
                query.groupClause,
                query.havingClause,
                query.distinctClause,
                query.limitCount,
            )
            if plain and not any(collects) and query.withClause is None:
                table = self.relation(sources[0])
                aggregates = any(
                    isinstance(one, ast.FuncCall) and (one.agg_star or one.over is not None)
                    for one in nodes(query.targetList or ())
                )
                if table is not None and not aggregates and ref in self.objects:
                    yield Updatable(ref, table)


def _parts(id: str) -> list[str]:
    """The parts of a joined name, without the quotes that only keep them apart."""
    parts: list[str] = []
    current, quoted = "", False
    for letter in id:
        if letter == '"':
            quoted = not quoted
        elif letter == "." and not quoted:
            parts.append(current)
            current = ""
        else:
            current += letter
    return [*parts, current]
