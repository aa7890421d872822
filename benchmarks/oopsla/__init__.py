"""The applications of the Cedar paper (OOPSLA 2024) in `.ilk` and in the languages of the peers, with their stores."""
