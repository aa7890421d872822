"""A policy set as Python: generated functions, what they stand on, and one file to carry them in."""
