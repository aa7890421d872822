"""The grammar has no hidden conflict, and the tables that belong together name the same things."""

from lark import Lark

from interlock.compiler.lower import BINARY, METHODS
from interlock.lang.functions import FUNCTIONS, Form
from interlock.lang.parser import GRAMMAR, STARTS


def test_the_grammar_is_strictly_lalr() -> None:
    Lark(GRAMMAR.read_text(), parser="lalr", start=STARTS, strict=True, keep_all_tokens=True)


def test_every_operator_has_a_builder() -> None:
    operators = {
        (function.name, signature.reading)
        for function in FUNCTIONS
        if function.form is Form.INFIX
        for signature in function.signatures
    }
    actions = {("==", "action"), ("!=", "action"), ("in", "action")}
    assert set(BINARY) == operators | actions


def test_every_method_has_a_builder() -> None:
    assert set(METHODS) == {function.name for function in FUNCTIONS if function.form is Form.METHOD}


def test_every_function_is_documented() -> None:
    for function in FUNCTIONS:
        assert function.doc.endswith("."), function
        assert function.example, function
