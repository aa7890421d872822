"""Proofs: what a policy set can never permit, with counterexamples that the reference evaluator reproduces."""
