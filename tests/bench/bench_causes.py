"""How well causes are found, and what keeping them current costs.

Run as ``python tests/bench/bench_causes.py [--load] [--shared FOLDER]``. Prints every
incident of the pretend fleet with the place of its true cause, then the shares beside
those of the recordings of real controllers, plain and with every reason and message
replaced; false alarms on healthy fleets; with ``--load`` the cost at 600,000 objects.
"""

import argparse
import random
import sys
import time
from pathlib import Path

import msgspec

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "support")]

import bench_index  # noqa: E402  found through the path above
from demo_truth import every_incident, outcomes, plant  # noqa: E402
from incidents import all_incidents, findings_of, place_of, told  # noqa: E402
from incidents import false_alarms as alarms_of  # noqa: E402
from mutations import MUTATIONS, stressed, stressed_merged  # noqa: E402
from truth import Score, score_clusters, score_gitops, tell  # noqa: E402

from fleettui.index import Index  # noqa: E402
from fleettui.index.causes import CauseBoard, CauseState  # noqa: E402
from fleettui.kinds.batch import Batch, Mark, Phase, Scope, ScopeStatus  # noqa: E402
from fleettui.kinds.record import Record, Verdict  # noqa: E402

LOAD_CLUSTERS = 10_000
EVENTS = 1000


def show_catalogue(*, scramble: bool) -> str:
    """Prints the incidents of the pretend fleet and returns their shares as a line."""
    found = list(outcomes(plant(every_incident(), scramble=scramble)))
    if not scramble:
        print(f"{'incident':28} {'state':12} place line keys text  first explanation")
        for outcome in sorted(found, key=lambda o: o.truth.incident):
            text = "yes" if outcome.is_readable else outcome.truth.readable_in
            print(
                f"{outcome.truth.incident:28} {outcome.truth.state:12} {outcome.place:5} "
                f"{outcome.line:4} {outcome.keys:4} {text:9} {outcome.told[:110]}"
            )
    top_1 = sum(o.place == 1 for o in found)
    top_3 = sum(0 < o.place <= 3 for o in found)
    keys = max(o.keys for o in found)
    return f"top-1 {top_1}/{len(found)}  top-3 {top_3}/{len(found)}  most keys {keys}"


def line_of(score: Score) -> str:
    """A score in words."""
    wrong = f"  wrong: {', '.join(score.wrong)}" if score.wrong else ""
    return f"top-1 {len(score.right)}/{score.total}  top-3 {len(score.third)}/{score.total}{wrong}"


def unrecorded(*, scramble: bool) -> str:
    """How incidents in the shapes of further controllers are explained, as a line."""
    places = {}
    alarms = 0
    for incident in all_incidents():
        found = told(incident, scramble=scramble)
        if incident.roots:
            places[incident.name] = place_of(incident, findings_of(incident, found))
        else:
            alarms += len(list(alarms_of(found)))
    top_1 = sum(place == 1 for place in places.values())
    top_3 = sum(0 < place <= 3 for place in places.values())
    wrong = [name for name, place in places.items() if place != 1]
    return (
        f"top-1 {top_1}/{len(places)}  top-3 {top_3}/{len(places)}  "
        f"false alarms of ordinary changes {alarms}{'  wrong: ' if wrong else ''}{', '.join(wrong)}"
    )


def false_alarms(shared: Path) -> None:
    """Prints failing causes of fleets in which nothing is wrong."""
    for name, incidents in (("healthy", []), ("upgrade under way", ["upgrade-in-progress"])):
        planted = plant(incidents)
        failing = [c for c in planted.causes if c.state is CauseState.FAILING]
        print(
            f"false alarms, pretend fleet, {name:18} {len(failing)} of {len(planted.index)} objects"
        )
    for folder in ("capi/states/1-healthy", "flux/healthy"):
        path = shared / "recordings" / folder
        if path.exists():
            failing = [c for c in tell(path).board.causes() if c.state is CauseState.FAILING]
            print(f"false alarms, recording {folder:24} {len(failing)}")


def load(clusters: int) -> None:
    """Prints what the board costs over so many clusters under changes."""
    index, records = _loaded(clusters)
    board = CauseBoard(index)
    slices = _sliced(board, bench_index.NOW)
    print(f"{len(index)} objects: first look {sum(slices):.2f} s, {_spread(slices)}")
    rng = random.Random(3)
    total: list[float] = []
    for second in range(5):
        _change(index, records, rng, bench_index.NOW + second)
        part = _sliced(board, bench_index.NOW + second)
        total += part
        print(f"  {EVENTS} events: causes current after {sum(part) * 1000:.0f} ms, {_spread(part)}")
    print(f"  causes {len(board.causes())}, all slices: {_spread(total)}")


def _loaded(clusters: int) -> tuple[Index, list[Record]]:
    rng = random.Random(1)
    index = Index(bench_index.Table())
    records: list[Record] = []
    by_kind: dict[tuple[str, str], list[Record]] = {}
    for number in range(clusters):
        for record in bench_index.cluster_records(number, rng):
            by_kind.setdefault((record.group, record.kind), []).append(record)
            if number % 7 == 0:
                records.append(record)
    for (group, kind), found in by_kind.items():
        status = ScopeStatus(phase=Phase.LIVE, loaded=len(found))
        scope = Scope("bench", group, kind)
        index.apply(Batch(scope, [Mark.INIT, *found, Mark.INIT_DONE, status]), bench_index.NOW)
    return index, records


def _change(index: Index, records: list[Record], rng: random.Random, now: int) -> None:
    for record in rng.sample(records, EVENTS):
        turns = rng.random() < 0.05
        changed = msgspec.structs.replace(
            record,
            resource_version=str(rng.randrange(10**9, 10**10)),
            verdict=Verdict.FAILED if turns else record.verdict,
            reason="Broken" if turns else record.reason,
        )
        index.apply(Batch(Scope("bench", record.group, record.kind), [changed]), now)


def _sliced(board: CauseBoard, now: int) -> list[float]:
    slices = []
    work = board.work(now)
    while True:
        start = time.thread_time()
        if next(work, work) is work:
            slices.append(time.thread_time() - start)
            return slices
        slices.append(time.thread_time() - start)


def _spread(slices: list[float]) -> str:
    ordered = sorted(slices)
    p99 = ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]
    return f"{len(ordered)} slices, p99 {p99 * 1000:.2f} ms, longest {ordered[-1] * 1000:.2f} ms"


def main() -> None:
    """Prints every figure asked for."""
    parser = argparse.ArgumentParser()
    shared = Path(__file__).resolve().parents[3] / "shared"
    parser.add_argument("--shared", type=Path, default=shared)
    parser.add_argument("--load", type=int, nargs="?", const=LOAD_CLUSTERS, default=0)
    asked = parser.parse_args()
    if asked.load:
        load(asked.load)
        return
    plain = show_catalogue(scramble=False)
    print(f"\npretend fleet, plain           {plain}")
    print(f"pretend fleet, texts replaced  {show_catalogue(scramble=True)}")
    print(f"unrecorded, plain              {unrecorded(scramble=False)}")
    print(f"unrecorded, texts replaced     {unrecorded(scramble=True)}")
    if (asked.shared / "recordings").exists():
        for name, score in (("Cluster API", score_clusters), ("Flux", score_gitops)):
            print(f"recorded {name:12} plain    {line_of(score(asked.shared))}")
            print(f"recorded {name:12} replaced {line_of(score(asked.shared, scramble=True))}")
        for name in MUTATIONS:
            print(f"recorded, {name:22} {line_of(stressed(asked.shared, name))}")
        print(f"recorded, {'many in one fleet':22} {line_of(stressed_merged(asked.shared)[1])}")
    false_alarms(asked.shared)


if __name__ == "__main__":
    main()
