"""One file for each question that an editor asks; each answer is a pure function of a view and a place."""
