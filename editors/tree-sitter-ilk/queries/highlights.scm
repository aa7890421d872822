; Colours. The words are those of lang/grammar.lark.

[(comment) (doc_comment)] @comment
(doc_comment) @comment.documentation
(string) @string
(entity_reference) @string.special
[(integer) (decimal) (duration)] @number
(boolean) @boolean
(request_variable) @variable.builtin

["module" "use"] @keyword.import
["if" "then" "else" "otherwise"] @keyword.conditional
["and" "or" "not" "in" "like" "is" "has" "subset_of" "starts_with" "ends_with" "contains" "union" "intersect" "minus"] @keyword.operator
["enum" "entity" "type" "define" "abstract" "ordered" "extends" "group"] @keyword
["permit" "forbid" "require" "prove" "test" "hold" "deny"] @keyword
["effects" "when" "unless" "need" "because" "instead" "given" "expect"] @keyword
["never" "always" "permitted" "fails" "denied" "held" "only" "by" "for" "any" "sequence" "of" "actions" "exists" "where"] @keyword
(signature ["principal" "resource" "context"] @keyword)
(scope ["principal" "resource"] @keyword)
(given ["principal" "resource"] @keyword)
(test_context "context" @keyword)
[(group "action" @keyword) (action "action" @keyword) (action_scope "action" @keyword) (test_action "action" @keyword)]

["==" "!=" "<" ">" "<=" ">=" "??" "+" "-" "*" "=" "=>" "->" "|" "?"] @operator
["{" "}" "(" ")"] @punctuation.bracket
["," ":" "."] @punctuation.delimiter

(annotation "@" @attribute name: (name) @attribute)
(module name: (path) @module)
(use module: (path) @module)
(enum name: (name) @type member: (name) @constant)
(entity name: (path) @type)
(alias name: (name) @type)
(named_type (path) @type)
(is_type type: (path) @type)
(set_type "Set" @type.builtin)
((named_type (path) @type.builtin)
  (#any-of? @type.builtin "Bool" "Int" "Decimal" "String" "Instant" "Duration" "IpRange" "Action"))

[(rule name: (name) @function) (prove name: (name) @function) (test name: (name) @function)]
(define name: (name) @function)
(call function: (name) @function.call)
(method_call method: (name) @function.method.call)
(access attribute: (name) @property)
(has attribute: (path) @property)
(field name: (name) @property)
(pair name: (name) @property)
[(parameter name: (name) @variable.parameter) (lambda parameter: (name) @variable.parameter)]
