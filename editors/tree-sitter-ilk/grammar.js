// The grammar of policies for tree-sitter, after lang/grammar.lark. It accepts a little more, such as `a < b < c`.

// Words of the language that can be names where only a name fits; no expression starts with one of the first.
const KEYWORDS = [
  "module", "use", "enum", "ordered", "abstract", "entity", "extends", "in", "type", "group", "effects", "define",
  "otherwise", "when", "unless", "need", "because", "instead", "permit", "forbid", "require", "prove", "never",
  "permitted", "fails", "always", "denied", "only", "held", "by", "for", "any", "sequence", "of", "actions", "exists",
  "where", "test", "given", "expect", "hold", "deny", "then", "else", "or", "and", "like", "is", "has", "subset_of",
  "starts_with", "ends_with", "contains", "union", "intersect", "minus",
];
const WORDS = [...KEYWORDS, "action", "principal", "resource", "context", "if", "not", "true", "false"];

const PREC = { conditional: 1, or: 2, and: 3, not: 4, compare: 5, fallback: 6, sum: 7, product: 8, minus: 9, postfix: 10, path: 11 };

const commaSep1 = (rule) => seq(rule, repeat(seq(",", rule)), optional(","));

module.exports = grammar({
  name: "ilk",
  word: ($) => $.name,
  extras: ($) => [/\s/, $.comment, $.doc_comment],
  supertypes: ($) => [$._declaration, $._expression, $._type],

  rules: {
    source_file: ($) => repeat(seq(repeat($.annotation), $._declaration)),

    annotation: ($) => seq("@", field("name", $.name), "(", $.string, ")"),

    _declaration: ($) =>
      choice($.module, $.use, $.enum, $.entity, $.alias, $.group, $.action, $.define, $.rule, $.prove, $.test),

    module: ($) => seq("module", field("name", $.path)),
    use: ($) => seq("use", field("module", $.path), optional(seq("(", $._references, ")"))),
    enum: ($) =>
      seq("enum", field("name", $.name), optional("ordered"), "{", commaSep1(field("member", $.name)), "}"),
    entity: ($) =>
      seq(
        optional("abstract"), "entity", field("name", $.path),
        optional(seq("extends", field("extends", $.path))),
        optional(seq("in", $._alternatives)),
        optional($.record_type),
      ),
    alias: ($) => seq("type", field("name", $.name), "=", $._type),
    group: ($) => seq("action", "group", $._references, optional(seq("in", $._references))),
    action: ($) =>
      seq("action", $._references, optional(seq("in", $._references)), "{", repeat($.signature), "}"),
    signature: ($) =>
      choice(
        seq(choice("principal", "resource"), $._alternatives),
        seq("context", $.record_type),
        seq("effects", "{", commaSep1($.assignment), "}"),
      ),
    assignment: ($) => seq($._expression, "=", $._expression),

    define: ($) =>
      seq(
        "define", field("name", $.name), "(", optional(commaSep1($.parameter)), ")", "->",
        field("type", $._type), "=", field("body", choice($._expression, $.table)),
      ),
    parameter: ($) => seq(field("name", $.name), ":", field("type", $._type)),
    table: ($) => seq(repeat1($.row), "otherwise", $._expression),
    row: ($) => seq($._expression, "when", $._expression, ","),

    rule: ($) =>
      seq(
        choice("permit", "forbid", "require"), field("name", $.name), "{",
        repeat(choice($.scope, $.action_scope, $.condition, $.need, $.because, $.instead)), "}",
      ),
    scope: ($) =>
      seq(
        choice("principal", "resource"),
        choice(seq($._alternatives, optional(seq("in", $._entities))), seq("in", $._entities), $._entities),
      ),
    action_scope: ($) => seq("action", $._alternatives),
    condition: ($) => seq(choice("when", "unless"), $._expression),
    need: ($) => seq("need", $._expression, optional($.string)),
    because: ($) => seq("because", $.string),
    instead: ($) => seq("instead", $.string),
    _entities: ($) => seq($.entity_reference, repeat(seq("|", $.entity_reference))),

    prove: ($) =>
      seq(
        "prove", field("name", $.name), "{",
        repeat(choice($.scope, $.action_scope, $.condition, $.claim)), "}",
      ),
    claim: ($) =>
      choice(
        seq("never", choice("permitted", "fails")),
        seq("always", choice("denied", "permitted")),
        seq("permitted", "only", "if", $._expression),
        seq("held", "unless", $._expression),
        seq("denied", "by", $.path),
        seq("for", "any", "sequence", "of", "permitted", "actions"),
        seq("always", "exists", $.parameter, "where", $._expression),
      ),

    test: ($) =>
      seq("test", field("name", $.name), "{", repeat(choice($.given, $.test_action, $.test_context, $.expect)), "}"),
    given: ($) =>
      seq(
        choice("given", "principal", "resource"), $.entity_reference,
        optional(seq("in", $.entity_reference, repeat(seq(",", $.entity_reference)))),
        optional($.record),
      ),
    test_action: ($) => seq("action", $.path),
    test_context: ($) => seq("context", $.record),
    expect: ($) => seq("expect", choice("permit", "hold", "deny"), optional(seq("by", $._references))),

    // Types
    _type: ($) => choice($.named_type, $.set_type, $.record_type, $.optional_type),
    optional_type: ($) => seq(choice($.named_type, $.set_type, $.record_type), "?"),
    named_type: ($) => $._alternatives,
    set_type: ($) => seq("Set", "<", $._type, ">"),
    record_type: ($) => seq("{", repeat(seq($.field, optional(","))), "}"),
    field: ($) => seq(field("name", $._word), ":", field("type", $._type)),
    _alternatives: ($) => seq($.path, repeat(seq("|", $.path))),

    // Expressions
    _expression: ($) =>
      choice(
        $.conditional, $.binary, $.unary, $.like, $.is_type, $.has, $.access, $.method_call, $.call, $.name,
        $.request_variable, $.boolean, $.integer, $.decimal, $.duration, $.string, $.entity_reference,
        $.parenthesised, $.set, $.record,
      ),
    conditional: ($) =>
      prec.right(PREC.conditional, seq("if", $._expression, "then", $._expression, "else", $._expression)),
    binary: ($) =>
      choice(
        ...[
          [PREC.or, "or"],
          [PREC.and, "and"],
          [PREC.compare, choice("==", "!=", "<", ">", "<=", ">=")],
          [PREC.compare, choice("in", "subset_of", "starts_with", "ends_with", "contains")],
          [PREC.fallback, "??"],
          [PREC.sum, choice("+", "-", "union", "intersect", "minus")],
          [PREC.product, "*"],
        ].map(([level, operator]) =>
          prec.left(level, seq($._expression, field("operator", operator), $._expression)),
        ),
      ),
    unary: ($) =>
      choice(prec(PREC.not, seq("not", $._expression)), prec(PREC.minus, seq("-", $._expression))),
    like: ($) => prec.left(PREC.compare, seq($._expression, "like", $.string)),
    is_type: ($) => prec.left(PREC.compare, seq($._expression, "is", field("type", $.path))),
    has: ($) => prec.left(PREC.compare, seq($._expression, "has", field("attribute", $.path))),
    access: ($) => prec.left(PREC.postfix, seq($._expression, ".", field("attribute", $.name))),
    method_call: ($) =>
      prec.left(PREC.postfix, seq($._expression, ".", field("method", $.name), $.arguments)),
    call: ($) => prec(PREC.postfix, seq(field("function", $.name), $.arguments)),
    arguments: ($) => seq("(", optional(commaSep1(choice($.lambda, $._expression))), ")"),
    lambda: ($) => seq(field("parameter", $.name), "=>", $._expression),
    parenthesised: ($) => seq("(", $._expression, ")"),
    set: ($) =>
      seq(
        "{", choice($._expression, alias(choice(...KEYWORDS), $.name)),
        repeat(seq(",", $._expression)), optional(","), "}",
      ),
    record: ($) => choice(seq("{", "}"), seq("{", commaSep1($.pair), "}")),
    pair: ($) => seq(field("name", $._word), ":", $._expression),
    request_variable: () => choice("action", "principal", "resource", "context"),
    boolean: () => choice("true", "false"),

    // Names
    _word: ($) => choice($.name, alias(choice(...WORDS), $.name)),
    path: ($) => prec.right(PREC.path, seq($.name, repeat(seq(".", $.name)))),
    _references: ($) => commaSep1($.path),

    name: () => /[A-Za-z_][A-Za-z0-9_]*/,
    entity_reference: () =>
      token(prec(3, /[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*::"([^"\\\r\n]|\\[^\r\n])*"/)),
    string: () => token(/"([^"\\\r\n]|\\[^\r\n])*"/),
    duration: () => token(prec(2, /[0-9]+(w|d|h|ms|m|s|us|ns)([0-9]+(d|h|ms|m|s|us|ns))*/)),
    decimal: () => token(prec(2, /[0-9][0-9_]*\.[0-9]+/)),
    integer: () => /[0-9][0-9_]*/,
    doc_comment: () => token(prec(2, /\/\/\/[^\r\n]*/)),
    comment: () => token(prec(1, /\/\/[^\r\n]*/)),
  },
});
