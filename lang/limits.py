"""Every limit on policy text, in one place; reaching one is a diagnostic with its name."""

MAX_FILE_CHARACTERS = 2 * 1024 * 1024
MAX_NESTING = 64
"""Depth of an expression, a type, a dotted name or a chain of `extends`, counted in nested nodes."""
MAX_STRING_CHARACTERS = 10_000
MAX_SET_ELEMENTS = 10_000
MAX_NUMBER_DIGITS = 1_000
MAX_TYPE_PARTS = 10_000
"""Parts of a type after every alias is written out."""
MAX_EXPANDED_TERMS = 100_000
"""Terms of one rule after every `define` is written out."""
MAX_EXPANDED_NESTING = 128
"""Depth of the terms of one rule after every `define` is written out."""
