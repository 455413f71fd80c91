"""How long documents take to become records, and what the parser alone would take.

Run as ``python -m tests.bench.bench_decode`` from the project's folder; prints one line for each
kind of the recordings beside the project, and the mean weighted by how many there are. Times are
processor time, the best of several rounds.
"""

import gc
import gzip
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec

from fleettui.kinds import load_table

ROUNDS = 15
LISTS = Path(__file__).resolve().parents[2].parent / "shared/recordings/capi/states/2-before/lists"


def documents() -> dict[tuple[str, str, str], list[bytes]]:
    """Recorded objects without managedFields, by group, version and kind."""
    found: dict[tuple[str, str, str], list[bytes]] = {}
    for path in sorted(LISTS.glob("*_v1beta2_*.json.gz")):
        for item in json.loads(gzip.decompress(path.read_bytes()))["items"]:
            group, _, version = item["apiVersion"].partition("/")
            found.setdefault((group, version, item["kind"]), []).append(json.dumps(item).encode())
    return found


def best_us(work: Callable[[bytes], object], items: Sequence[bytes]) -> float:
    """Microseconds for each item, best round; what is made is kept until the round ends."""
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.process_time()
        kept = [work(item) for item in items]
        best = min(best, time.process_time() - start)
        del kept
    return best / len(items) * 1e6


def main() -> None:
    """Print the figures."""
    if not LISTS.is_dir():
        sys.exit("no ../shared/recordings beside the project")
    gc.disable()
    table = load_table()
    totals = [0.0, 0.0, 0.0, 0]
    print(f"{'kind':24} {'n':>4} {'bytes':>6} {'dict':>7} {'struct':>7} {'record':>7}  ratio")
    for (group, version, kind), items in documents().items():
        if table.spec_for(group, kind) is None:
            continue
        reader = table.reader(group, version, kind)
        plain = best_us(msgspec.json.decode, items)
        struct = best_us(reader.decode, items)
        record = best_us(reader.read, items)
        size = sum(map(len, items)) // len(items)
        print(
            f"{kind:24} {len(items):4} {size:6} {plain:7.1f} {struct:7.1f} {record:7.1f}"
            f"  {record / struct:.1f}"
        )
        for position, value in enumerate((plain, struct, record)):
            totals[position] += value * len(items)
        totals[3] += len(items)
    count = totals[3]
    plain, struct, record = (value / count for value in totals[:3])
    print(
        f"{'mean, µs an object':24} {count:4} {'':6} {plain:7.1f} {struct:7.1f} {record:7.1f}"
        f"  {record / struct:.1f}"
    )


if __name__ == "__main__":
    main()
