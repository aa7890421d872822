"""The command `interlock`, also `python -m interlock`."""

import sys

from .version import __version__


def main() -> None:
    """Runs the command line; asking for the version loads nothing else."""
    if sys.argv[1:] == ["--version"]:
        print(f"interlock {__version__}")
        return
    from .cli import cli

    cli(prog_name="interlock")


if __name__ == "__main__":
    main()
