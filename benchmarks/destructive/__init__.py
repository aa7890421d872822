"""Who may drop, empty or delete what, where and with whose approval: our own set, in `.ilk` and for the peers."""
