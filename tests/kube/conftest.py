"""Fixtures of the kube tests."""

import sys
from pathlib import Path

# Tests are imported by path; their small servers and readers live beside them.
sys.path.insert(0, str(Path(__file__).parent))
