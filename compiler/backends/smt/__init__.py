"""A policy set as constraints: formulas over an open request and store."""
