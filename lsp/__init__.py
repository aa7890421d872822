"""The language server: what `interlock check`, `fmt` and `test` say, while the policy is being written."""
