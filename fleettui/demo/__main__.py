"""`python -m fleettui.demo`: the demo's servers without the user interface."""

import sys

from fleettui.demo.serve import main

__all__ = ["main"]

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
