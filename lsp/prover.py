"""The process that proves claims for the editor: reads policy texts as JSON lines, answers claim by claim.

It is a process of its own, so that the editor answers while it works, and so that it can be ended at any moment.
It makes way for the editor before it loads what it needs.
"""

import ctypes
import json
import os
import resource
import signal
import sys
from typing import Any, TextIO

NICENESS = 10
_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serves until standard input ends."""
    os.nice(NICENESS)
    _end_with_parent()
    from .proving import MEMORY_BYTES, answers

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    _say(sys.stdout, {"ready": True})
    for line in sys.stdin:
        for answer in answers(json.loads(line)):
            _say(sys.stdout, answer)


def _say(stream: TextIO, document: dict[str, Any]) -> None:
    stream.write(json.dumps(document) + "\n")
    stream.flush()


def _end_with_parent() -> None:
    """Where the system can, ends this process when the server does, even in the middle of a proof."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    main()
