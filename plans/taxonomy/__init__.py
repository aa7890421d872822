"""Knowledge as data: which kinds of asset hold state, which are a way back, and which updates disarm."""
