; Where names are bound.

[(define) (lambda) (claim)] @local.scope
(parameter name: (name) @local.definition)
(lambda parameter: (name) @local.definition)
(name) @local.reference
