"""The vocabulary that policies are written in, one module for each source of plans."""
