"""Memory of pages that were read is given back."""

import subprocess
import sys

import pytest

from fleettui.fleet.blocks import map_large_blocks

PROGRAM = """
from fleettui.fleet.blocks import map_large_blocks
def resident():
    return int(open("/proc/self/statm").read().split()[1]) * 4096
map_large_blocks()
rows, largest = [], 0
for _ in range(4):
    pages = []
    for _ in range(20):
        pages.append(b"x" * 3_000_000)
        rows.append(b"r" * 2000)
    largest = max(largest, resident())
    pages.clear()
print(largest - resident())
"""


@pytest.mark.skipif(not map_large_blocks(), reason="the C library has no such switch")
def test_blocks_of_pages_go_back_though_rows_made_between_them_stay() -> None:
    """After the first lists of a large fleet hundreds of megabytes would stay for nothing."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    assert int(done.stdout) > 50_000_000
