"""``python -m fleettui`` and the console script."""

import sys


def main() -> None:
    """Runs the command line and leaves with its exit code."""
    from fleettui.cli.app import run

    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
