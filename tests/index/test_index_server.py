"""Any interleaving of news leaves the index equal to the server."""

from hypothesis import given, settings
from hypothesis import strategies as st

from fleettui.index.index import Index
from fleettui.index.rollup import unpack
from fleettui.index.spine import feeds
from fleettui.kinds.batch import Batch, Mark
from fleettui.kinds.record import Verdict

NAMES = ["a", "b", "c"]
KINDS = ["Cluster", "MachineDeployment", "MachineSet", "Machine", "Box", "MachinePool", "BoxPool"]
OWNERS = {
    "MachineDeployment": "Cluster",
    "MachineSet": "MachineDeployment",
    "Machine": "MachineSet",
    "Box": "Machine",
    "MachinePool": "Cluster",
}


class Server:
    """What a server holds, and what a client of it has been told."""

    def __init__(self, make, index):
        self.make, self.index = make, index
        self.version = 0
        self.objects = {}
        self.log = []
        self.told = {}
        self.listing = {}
        self.followed = set()

    def write(self, kind, name, verdict, owner, reborn):
        self.version += 1
        key = (kind, name)
        uid = f"uid-{self.version}" if reborn or key not in self.objects else self.objects[key].uid
        if key in self.objects and uid != self.objects[key].uid:
            self.delete(kind, name)
            self.version += 1
        more = {"owner": f"{OWNERS[kind]}/{owner}"} if kind in OWNERS and owner else {}
        if kind in ("Machine", "MachinePool") and owner:
            more["refs"] = [f"infrastructure={'Box' if kind == 'Machine' else 'BoxPool'}/{owner}"]
        record = self.make.record(kind, name, verdict, rv=self.version, uid=uid, **more)
        self.objects[key] = record
        self.log.append((self.version, kind, record))

    def delete(self, kind, name):
        record = self.objects.pop((kind, name), None)
        if record is not None:
            self.version += 1
            self.log.append((self.version, kind, self.make.deleted(record)))

    def apply(self, kind, *events):
        if events:
            self.index.apply(Batch(self.make.scope(kind), list(events)), self.make.now)

    def begin_list(self, kind):
        """A list at this version: its first half now, the rest when it is finished."""
        records = [record for (own, _), record in self.objects.items() if own == kind]
        half = len(records) // 2
        self.followed.add(kind)
        self.apply(kind, Mark.INIT, *records[:half])
        self.listing[kind] = (self.version, records[half:])

    def end_list(self, kind):
        if kind in self.listing:
            self.told[kind], rest = self.listing.pop(kind)
            self.apply(kind, *rest, Mark.INIT_DONE)

    def watch(self, kind, limit):
        """Deliver what happened since; a kind that was never listed is not watched."""
        if kind in self.listing or kind not in self.told:
            return
        news = [entry for entry in self.log if entry[1] == kind and entry[0] > self.told[kind]]
        for version, _, event in news[:limit]:
            self.told[kind] = version
            self.apply(kind, event)

    def disconnect(self, kind):
        """The list that was under way is lost; a new one must follow."""
        self.listing.pop(kind, None)
        self.told.pop(kind, None)

    def forget(self, kind):
        self.disconnect(kind)
        self.followed.discard(kind)
        self.apply(kind, Mark.FORGET)

    def settle(self):
        for kind in list(self.followed):
            self.end_list(kind)
            if kind not in self.told:
                self.begin_list(kind)
                self.end_list(kind)
            self.watch(kind, 10_000)


STEP = st.one_of(
    st.tuples(
        st.just("write"),
        st.sampled_from(KINDS),
        st.sampled_from(NAMES),
        st.sampled_from([verdict.value for verdict in Verdict]),
        st.sampled_from(["", *NAMES]),
        st.booleans(),
    ),
    st.tuples(st.just("delete"), st.sampled_from(KINDS), st.sampled_from(NAMES)),
    st.tuples(st.sampled_from(["begin_list", "end_list", "disconnect"]), st.sampled_from(KINDS)),
    st.tuples(st.just("watch"), st.sampled_from(KINDS), st.integers(1, 3)),
    st.tuples(st.just("forget"), st.sampled_from(KINDS)),
)


def check_counts(index):
    """Compare every count and every derived health with a recount from nothing."""

    def recount(row):
        numbers = [0] * 5
        numbers[row.health.rank] = 1
        for child in row.children:
            assert child.parent is row
            for place, number in enumerate(recount(child)):
                numbers[place] += number
        assert list(unpack(row.counts)[:5]) == numbers
        return numbers

    totals = [0] * 5
    for root in index.roots():
        totals = [a + b for a, b in zip(totals, recount(root), strict=True)]
    assert list(index.rollup_of("one")[:5]) == totals
    assert sum(totals) == len(index) == len(list(index.rows()))
    for row in index.rows():
        below = [child.health.rank for child in row.children if feeds(child, row)]
        own = row.verdict.rank
        if row.kind == "MachinePool" and row.verdict is Verdict.UNKNOWN and below:
            own = min(below)
        assert row.health.rank == min([own, *below])


@given(steps=st.lists(STEP, max_size=60))
@settings(max_examples=150, deadline=None)
def test_index_any_interleaving_equals_the_server_and_a_recount(table, make, steps):
    """What is on screen must be what the cluster holds, whatever the connection went through."""
    index = Index(table)
    server = Server(make, index)
    for name, *arguments in steps:
        getattr(server, name)(*arguments)
        check_counts(index)
    server.settle()
    expected = {
        key: (record.uid, record.resource_version, record.verdict)
        for key, record in server.objects.items()
        if key[0] in server.followed
    }
    found = {
        (row.kind, row.name): (row.uid, row.resource_version, row.verdict) for row in index.rows()
    }
    assert found == expected
    check_counts(index)
    fresh = Index(table)
    make.put(fresh, *[server.objects[key] for key in sorted(expected)])
    homes = {row.ref: row.parent and row.parent.ref for row in index.rows()}
    assert homes == {row.ref: row.parent and row.parent.ref for row in fresh.rows()}


@given(steps=st.lists(STEP, max_size=40))
@settings(max_examples=50, deadline=None)
def test_changes_slow_and_fast_readers_can_rebuild_the_same_rows(table, make, steps):
    """Two screens that read at their own pace must end up showing the same fleet."""
    index = Index(table)
    server = Server(make, index)
    fast, slow = index.cursor(), index.cursor()
    assert index.changes(fast).reset
    assert index.changes(slow).reset
    seen = {}
    for name, *arguments in steps:
        getattr(server, name)(*arguments)
        for ref in (change := index.changes(fast)).removed.values():
            seen.pop(ref, None)
        seen.update({row.ref: row for row in change.added})
    server.settle()
    for cursor, rows in ((fast, seen), (slow, {})):
        change = index.changes(cursor)
        for ref in change.removed.values():
            rows.pop(ref, None)
        rows.update({row.ref: row for row in change.added})
        assert rows == {row.ref: row for row in index.rows()}
        assert index.changes(cursor).is_empty


def test_list_unfinished_sweeps_nothing_and_finished_only_its_scope(table, make):
    """A connection lost in mid-list must not empty the screen, nor that of other namespaces."""
    index = Index(table)
    make.list(index, "Box", make.record("Box", "a", ns="x"), make.record("Box", "a", ns="y"))
    narrow = make.scope("Box", "x")
    index.apply(Batch(narrow, [Mark.INIT]), make.now)
    assert len(index) == 2
    index.apply(Batch(narrow, [Mark.INIT, Mark.INIT_DONE]), make.now)
    assert [row.namespace for row in index.rows()] == ["y"]


@given(steps=st.lists(STEP, max_size=40), every=st.integers(1, 3))
@settings(max_examples=60, deadline=None)
def test_index_applied_in_slices_is_the_same_index(table, make, steps, every):
    """A first list that is taken over between two frames must end as one taken at once."""

    class Sliced(Index):
        def apply(self, batch, now):
            return [one for part in self.applying(batch, now, every=every) for one in part]

    whole, sliced = Server(make, Index(table)), Server(make, Sliced(table))
    for name, *arguments in steps:
        for server in (whole, sliced):
            getattr(server, name)(*arguments)
    rows = [
        {row.ref: (row.uid, row.resource_version, row.health) for row in server.index.rows()}
        for server in (whole, sliced)
    ]
    assert rows[0] == rows[1]
    check_counts(sliced.index)


@given(steps=st.lists(STEP, max_size=40), looks=st.lists(st.integers(0, 3), max_size=40))
@settings(max_examples=60, deadline=None)
def test_index_that_looks_at_rows_later_ends_as_the_same_index(table, make, steps, looks):
    """What a huge list or outage leaves for later must not be lost, whatever comes meanwhile."""
    whole, late = Server(make, Index(table)), Server(make, Index(table, at_once=0))
    work = late.index.catching_up(make.now)
    for place, (name, *arguments) in enumerate(steps):
        for server in (whole, late):
            getattr(server, name)(*arguments)
        for _ in range(looks[place % len(looks)] if looks else 0):
            if next(work, None) is None:
                work = late.index.catching_up(make.now)
    work.close()
    late.index.advance(make.now)
    assert not late.index.is_behind
    rows = [
        {row.ref: (row.uid, row.resource_version, row.health) for row in server.index.rows()}
        for server in (whole, late)
    ]
    assert rows[0] == rows[1]
    check_counts(late.index)


def test_list_of_thousands_is_swept_later_and_not_twice(table, make):
    """The end of a list of 200,000 machines must not hold up a key."""
    index = Index(table, at_once=3)
    make.list(index, "Box", *[make.record("Box", name) for name in "abcd"])
    index.advance(make.now)
    index.apply(Batch(make.scope("Box"), [Mark.INIT, Mark.INIT_DONE]), make.now)
    assert index.is_behind
    assert len(index) == 4
    work = index.catching_up(make.now)
    next(work)
    index.advance(make.now)
    assert index.is_behind
    for _ in work:
        pass
    assert not index.is_behind
    assert len(index) == 0


def test_backlog_taken_halfway_is_finished_by_the_next_one(table, make):
    """A program that drops background work must not leave deleted machines on the screen."""
    index = Index(table, at_once=0)
    make.list(index, "Box", *[make.record("Box", f"b{number}") for number in range(300)])
    index.advance(make.now)
    index.apply(Batch(make.scope("Box"), [Mark.INIT, Mark.INIT_DONE]), make.now)
    work = index.catching_up(make.now)
    next(work)
    assert 0 < len(index) < 300
    work.close()
    index.advance(make.now)
    assert len(index) == 0


def test_forget_in_slices_keeps_what_is_followed_again(table, make):
    """Opening a cluster again while it is being closed must not lose its machines."""
    index = Index(table)
    records = [make.record("Box", name) for name in "abcd"]
    make.list(index, "Box", *records)
    scope = make.scope("Box")
    parts = index.applying(Batch(scope, [Mark.FORGET]), make.now, every=1)
    next(parts)
    make.put(index, *records)
    for _ in parts:
        pass
    assert {row.name for row in index.rows()} == set("abcd")


def test_forget_narrow_scope_keeps_rows_that_a_wider_one_holds(table, make):
    """Closing one cluster's leaves must not blank what the full list has read."""
    index = Index(table)
    make.status(index, "Box", "live")
    make.status(index, "Box", "live", cluster="c1")
    make.list(index, "Box", make.record("Box", "a", cluster="c1"))
    index.apply(Batch(make.scope("Box", cluster="c1"), [Mark.FORGET]), make.now)
    assert len(index) == 1
    index.apply(Batch(make.scope("Box"), [Mark.FORGET]), make.now)
    assert len(index) == 0


def test_parent_of_thousands_takes_them_over_in_pieces(table, make):
    """A git repository read after its two thousand Kustomizations must not hold up a key."""
    index = Index(table, at_once=80)
    names = [f"k{number}" for number in range(300)]
    records = [make.record("Kustomization", name, refs=["source=Repo/r"]) for name in names]
    make.list(index, "Kustomization", *records)
    index.advance(make.now)
    make.put(index, make.record("Repo", "r"))
    repo = index.get(make.ref("Repo", "r"))
    assert index.is_behind
    assert index.rollup(repo).total == 1
    work = index.catching_up(make.now)
    next(work)
    assert 1 < index.rollup(repo).total < 301
    for _ in work:
        pass
    assert index.rollup(repo).total == 301
    assert not index.is_behind
