"""What a term of a filter means for a row, and for a whole home tree at a glance.

Knows how rows are compared with terms; refuses to know the grammar (``query``)
and where text is kept (``search``).
"""

import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final, assert_never

from fleettui.index.perspectives import provider_of
from fleettui.index.rollup import BITS, MASK
from fleettui.index.rows import Row
from fleettui.index.standing import FROM_BELOW, OVERDUE, RANK, STUCK, UNREAD
from fleettui.index.syntax import (
    All,
    Either,
    Field,
    FlagTerm,
    Fuzzy,
    Health,
    Label,
    Not,
    Regex,
    Term,
    Text,
    Time,
    Value,
    Version,
)
from fleettui.index.upgrades import shown_version
from fleettui.kinds.spec import KindSpec, Role

Test = Callable[[Row], bool]
Glance = Callable[[Row, str], bool]
"""Whether a home tree may hold a match, from its root and its text."""
CLUSTER_ROLES: Final = frozenset({Role.CLUSTER, Role.CLOUD_CLUSTER})
TOLD_BY_OTHERS: Final = FROM_BELOW | OVERDUE | STUCK | UNREAD
"""Bits of rows whose reason is not that of their own document."""
_NUMBER: Final = re.compile(r"\d+")
_CROSSING: Final = re.compile(r"\\[sWDn]|\[\^|\(\?")
"""What lets an expression match across two fields, which stand elsewhere in a tree's text."""


def fields_of(row: Row) -> list[str]:
    """Return the texts that plain words are looked for in, lower case, empty ones left out."""
    place = row.place
    if row.standing & TOLD_BY_OTHERS:
        found = [row.name, place.namespace, place.kind, row.reason, row.message]
    else:
        told = row.blamed or row.state
        found = [row.name, place.namespace, place.kind, told.reason, told.message]
    wanted = searchable_facts(place.spec)
    if wanted:
        found += [
            value
            for name, value in zip(row.state.fact_names, row.fact_values, strict=True)
            if name in wanted
        ]
    return [text.lower() for text in found if text]


@lru_cache(maxsize=1024)
def _searchable(columns: tuple[object, ...]) -> frozenset[str]:
    return frozenset(
        getattr(column, "name", "") for column in columns if getattr(column, "searchable", False)
    )


def searchable_facts(spec: KindSpec) -> frozenset[str]:
    """Return the names of the facts of this kind that plain words are looked for in."""
    return _searchable(spec.columns) if spec.columns else frozenset()


def test_of(term: Term, now: int) -> Test:
    """Return the function that tells whether a row is meant.

    Args:
        term: what is wanted.
        now: Unix seconds, for ages.
    """
    match term:
        case All(terms):
            tests = [test_of(part, now) for part in terms]
            return lambda row: all(test(row) for test in tests)
        case Either(terms):
            tests = [test_of(part, now) for part in terms]
            return lambda row: any(test(row) for test in tests)
        case Not(part):
            test = test_of(part, now)
            return lambda row: not test(row)
        case Text(needle):
            return lambda row: (
                needle in row.name.lower() or any(needle in text for text in fields_of(row))
            )
        case Regex(pattern):
            return lambda row: pattern.search("\n".join(fields_of(row))) is not None
        case Fuzzy(letters):
            return lambda row: row.place.spec.role in CLUSTER_ROLES and is_fuzzy(letters, row.name)
        case Field(name, values):
            return _field_test(name, values)
        case Health(ranks):
            return lambda row: row.standing & RANK in ranks
        case Time(name, is_longer, limit_s):
            return _time_test(name, now - limit_s, is_longer=is_longer)
        case Version(operator, parts):
            return lambda row: fits_version(shown_version(row), operator, parts)
        case Label(name, value, is_equal):
            return _label_test(name, value, is_equal=is_equal)
        case FlagTerm(name):
            if name == "paused":
                return lambda row: row.is_paused
            return lambda row: row.is_deleting
        case _:
            assert_never(term)


def _field_test(name: str, values: tuple[Value, ...]) -> Test:
    if name == "kind":
        return _kind_test(values)
    if name == "cluster":
        return lambda row: any(value.fits(_cluster_of(row)) for value in values)
    if name == "provider":
        return lambda row: any(value.fits(provider_of(row)) for value in values)
    if name == "owner":
        return lambda row: any(value.fits(owner.name) for owner in row.owners for value in values)
    return lambda row: any(value.fits(getattr(row, name)) for value in values)


def _kind_test(values: tuple[Value, ...]) -> Test:
    known: dict[tuple[str, str], bool] = {}

    def test(row: Row) -> bool:
        place = row.place
        found = known.get((place.group, place.kind))
        if found is None:
            found = any(fits_kind(value, place.spec) for value in values)
            known[place.group, place.kind] = found
        return found

    return test


def fits_kind(value: Value, spec: KindSpec) -> bool:
    """Whether the value means the kind: its name, plural (with its group, too) or short name."""
    names = (spec.kind, spec.plural, f"{spec.plural}.{spec.group}", *spec.short_names)
    return any(value.fits(name) for name in names)


def _cluster_of(row: Row) -> str:
    return row.name if row.place.spec.role in CLUSTER_ROLES else row.cluster


def _time_test(name: str, moment: int, *, is_longer: bool) -> Test:
    def test(row: Row) -> bool:
        at = row.created_at if name == "age" else row.since
        return at > 0 and (at < moment if is_longer else at > moment)

    return test


def _label_test(name: str, value: str | None, *, is_equal: bool) -> Test:
    if value is None:
        return lambda row: row.label(name) is not None
    return lambda row: (row.label(name) == value) is is_equal


def fits_version(version: str, operator: str, parts: tuple[int, ...]) -> bool:
    """Whether a version stands in this relation to a whole or partial one.

    ``1.30`` means every patch of it: ``=1.30`` holds for 1.30.2, ``>1.30`` does not.
    """
    numbers = tuple(int(part) for part in _NUMBER.findall(version)[: len(parts)])
    if len(numbers) < len(parts):
        return False
    return {
        "=": numbers == parts,
        "<": numbers < parts,
        "<=": numbers <= parts,
        ">": numbers > parts,
        ">=": numbers >= parts,
    }[operator]


def is_fuzzy(letters: str, name: str) -> bool:
    """Whether the letters stand in the name in this order."""
    at = 0
    low = name.lower()
    for letter in letters:
        at = low.find(letter, at) + 1
        if not at:
            return False
    return True


def glance_of(term: Term, kinds: Sequence[KindSpec] = ()) -> Glance | None:
    """Return the function that rules out home trees; None when the term cannot rule out any.

    Args:
        term: what is wanted.
        kinds: all of which there are rows; without them kinds rule nothing out.
    """
    match term:
        case Field("kind", values) if kinds:
            names = _names_of(values, kinds)
            return lambda root, text: any(name in text for name in names)
        case Text(needle):
            return lambda root, text: needle in text
        case Regex(pattern):
            if _CROSSING.search(pattern.pattern):
                return None
            return lambda root, text: pattern.search(text) is not None
        case Health(ranks):
            mask = sum(MASK << (BITS * rank) for rank in ranks)
            return lambda root, text: bool(root.counts & mask)
        case Fuzzy(letters):
            return lambda root, text: (
                root.place.spec.role in CLUSTER_ROLES and is_fuzzy(letters, root.name)
            )
        case Field("context", values):
            return lambda root, text: any(value.fits(root.place.context) for value in values)
        case FlagTerm(name):
            mask = MASK << (BITS * (5 if name == "paused" else 6))
            return lambda root, text: bool(root.counts & mask)
        case All(terms):
            glances = [found for part in terms if (found := glance_of(part, kinds)) is not None]
            if not glances:
                return None
            return lambda root, text: all(glance(root, text) for glance in glances)
        case Either(terms):
            parts = [glance_of(part, kinds) for part in terms]
            known = [glance for glance in parts if glance is not None]
            if len(known) < len(parts):
                return None
            return lambda root, text: any(glance(root, text) for glance in known)
        case _:
            return None


def _names_of(values: tuple[Value, ...], kinds: Sequence[KindSpec]) -> tuple[str, ...]:
    """Return the kinds that values mean, as texts hold them."""
    meant = (spec for spec in kinds if any(fits_kind(value, spec) for value in values))
    return tuple({spec.kind.lower() for spec in meant})


def text_test_of(term: Term, kinds: Sequence[KindSpec] = ()) -> Callable[[str], bool] | None:
    """Return what rules many home trees out by all their texts in one; None when nothing can.

    True for every text that contains one it is true for.
    """
    match term:
        case Field("kind", values) if kinds:
            names = _names_of(values, kinds)
            return lambda text: any(name in text for name in names)
        case Text(needle):
            return lambda text: needle in text
        case Regex(pattern):
            if _CROSSING.search(pattern.pattern):
                return None
            return lambda text: pattern.search(text) is not None
        case All(terms):
            tests = [test for part in terms if (test := text_test_of(part, kinds)) is not None]
            return (lambda text: all(test(text) for test in tests)) if tests else None
        case Either(terms):
            parts = [text_test_of(part, kinds) for part in terms]
            known = [test for test in parts if test is not None]
            if len(known) < len(parts):
                return None
            return lambda text: any(test(text) for test in known)
        case _:
            return None


def reads_text(term: Term) -> bool:
    """Whether a glance at a home tree looks at its text at all."""
    match term:
        case Text() | Regex() | Field("kind"):
            return True
        case All(terms) | Either(terms):
            return any(map(reads_text, terms))
        case _:
            return False
