"""The vocabulary (`std/`) and the policy packs, as policy files."""
