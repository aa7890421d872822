"""The runtime: a plan, evidence and policies become a decision."""
