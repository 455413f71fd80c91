"""The one filter language: what a person types, as a tree of terms.

Knows the grammar and tells where a text is wrong and what was expected there;
refuses to know rows (``terms``) and how to be fast (``search``).

    term term      both            a|b        either           !term    not
    word "a word"  in name, namespace, kind, reason, message, searchable facts
    /regex/        the same places                ~abc   cluster names, letters in order
    label:k=v  label:k!=v  label:k  -l k=v        paused  deleting
    kind: health: ns: ctx: cluster: name: reason: message: provider: owner: version:
    age<2h  since>1h       values: a,b  ~part  /regex/  glo*   version: <1.30 >=1.31 1.32
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from fleettui.errors import UsageError
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
from fleettui.kinds.record import Verdict

TEXT_FIELDS: Final = {
    "kind": "kind",
    "name": "name",
    "ns": "namespace",
    "namespace": "namespace",
    "ctx": "context",
    "context": "context",
    "cluster": "cluster",
    "reason": "reason",
    "message": "message",
    "provider": "provider",
    "owner": "owner",
}
TIME_FIELDS: Final = ("age", "since")
FLAG_WORDS: Final = ("paused", "deleting")
UNITS_S: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
HEALTH_WORDS: Final = {
    **{verdict.value: (verdict.rank,) for verdict in Verdict},
    "bad": (0, 1),
    "progressing": (2,),
    "ok": (4,),
}


class QueryError(UsageError):
    """A filter that cannot be understood, with the place and what was expected there."""

    def __init__(self, text: str, position: int, expected: str) -> None:
        """Keep where it is wrong.

        Args:
            text: the whole filter.
            position: first character that is wrong, from 0; its length for the end.
            expected: what could stand there.
        """
        super().__init__(
            f"filter, character {position + 1}: expected {expected}",
            hint=f"{text}\n{' ' * position}^",
        )
        self.text = text
        self.position = position
        self.expected = expected


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed filter."""

    text: str
    term: Term

    @property
    def is_empty(self) -> bool:
        """Whether it wants everything."""
        return self.term == All(())

    def kinds(self) -> frozenset[Value] | None:
        """Return the kinds that it asks for, None when any kind may match."""
        return _kinds_of(self.term)


def _kinds_of(term: Term) -> frozenset[Value] | None:
    if isinstance(term, Field) and term.name == "kind":
        return frozenset(term.values)
    if isinstance(term, All):
        found = [kinds for part in term.terms if (kinds := _kinds_of(part)) is not None]
        return found[0] if found else None
    if isinstance(term, Either):
        parts = [_kinds_of(part) for part in term.terms]
        return None if None in parts else frozenset().union(*(part for part in parts if part))
    return None


def parse(text: str) -> Query:
    """Return the filter that the text says.

    Raises:
        QueryError: it is not one; tells the place and what was expected.
    """
    return Query(text, _Parser(text).whole())


_WORD_END: Final = re.compile(r"[\s|]|$")
_FIELD: Final = re.compile(r"([a-z]+):")
_MEANT: Final = re.compile(r"([a-z]+)([:=])", re.IGNORECASE)
_TIME: Final = re.compile(r"(age|since)([<>])([^\s|]*)")
_VERSION: Final = re.compile(r"(<=|>=|<|>|=)?v?(\d+(?:\.\d+){0,2})(?:[-+].*)?$")
_GLOB: Final = re.compile(r"[*?]")


class _Parser:
    """Walks over one text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def whole(self) -> Term:
        """Alternatives of conjunctions, up to the end."""
        alternatives: list[Term] = []
        while True:
            terms = list(self.terms())
            if self.at < len(self.text):
                if not terms:
                    raise self.wrong("a term before |")
                self.at += 1
                alternatives.append(_all(terms))
                continue
            if alternatives and not terms:
                raise self.wrong("a term after |")
            alternatives.append(_all(terms))
            return alternatives[0] if len(alternatives) == 1 else Either(tuple(alternatives))

    def terms(self) -> Iterator[Term]:
        """Terms up to ``|`` or the end."""
        while True:
            while self.at < len(self.text) and self.text[self.at].isspace():
                self.at += 1
            if self.at >= len(self.text) or self.text[self.at] == "|":
                return
            yield self.term()

    def term(self) -> Term:
        """One term, perhaps negated."""
        text, at = self.text, self.at
        if text[at] == "!":
            self.at += 1
            if self.at >= len(text) or text[self.at].isspace() or text[self.at] == "|":
                raise self.wrong("a term after !")
            return Not(self.term())
        if text[at] == "/":
            return Regex(self.regex())
        if text[at] == '"':
            return Text(self.quoted().lower())
        if text[at] == "~":
            self.at += 1
            return Fuzzy(self.word("letters of a cluster's name").lower())
        if text.startswith("-l", at) and text[at + 2 : at + 3].isspace():
            self.at += 2
            while self.text[self.at : self.at + 1].isspace():
                self.at += 1
            return self.label()
        if (found := _TIME.match(text, at)) is not None:
            return self.time(found)
        field = _FIELD.match(text, at)
        if field is not None and (field[1] in TEXT_FIELDS or field[1] in OTHER_FIELDS):
            self.at = field.end()
            return self.field(field[1])
        self.doubt()
        word = self.word("a term")
        return FlagTerm(word) if word in FLAG_WORDS else Text(word.lower())

    def doubt(self) -> None:
        """Refuses a word that was meant as a field: as a text it would find nothing, silently.

        Raises:
            QueryError: a field's name is misspelt, or stands before ``=``.
        """
        found = _MEANT.match(self.text, self.at)
        if found is None:
            return
        from difflib import get_close_matches  # only needed for what may be a mistake

        name, fields = found[1], (*TEXT_FIELDS, *OTHER_FIELDS)
        near = get_close_matches(name, fields, n=1, cutoff=0.75)
        if near and not (found[2] == "=" and near[0] != name):
            raise self.wrong(f"{near[0]}: instead of {found[0]}, or quotes around a text")

    def field(self, name: str) -> Term:
        """What follows ``name:``."""
        if name == "label":
            return self.label()
        if name == "health":
            return self.health()
        if name == "version":
            return self.version()
        values = [self.value(name)]
        while self.text[self.at : self.at + 1] == ",":
            self.at += 1
            values.append(self.value(name))
        return Field(TEXT_FIELDS[name], tuple(values))

    def value(self, name: str) -> Value:
        """One value of a text field."""
        what = f"a value for {name}:"
        head = self.text[self.at : self.at + 1]
        if head == "/":
            return Value("/", "", self.regex())
        how = "="
        if head == "~":
            self.at += 1
            how = "~"
        word = self.word(what, stop=",").lower()
        if how == "=" and _GLOB.search(word):
            parts = [{"*": ".*", "?": "."}.get(part, re.escape(part)) for part in word]
            return Value("/", word, re.compile(f"^(?:{''.join(parts)})$", re.IGNORECASE))
        return Value(how, word)

    def health(self) -> Term:
        """One or more words for health."""
        ranks: set[int] = set()
        while True:
            start = self.at
            word = self.word("a health", stop=",")
            if word not in HEALTH_WORDS:
                self.at = start
                raise self.wrong("one of " + ", ".join(HEALTH_WORDS))
            ranks.update(HEALTH_WORDS[word])
            if self.text[self.at : self.at + 1] != ",":
                return Health(frozenset(ranks))
            self.at += 1

    def version(self) -> Term:
        """A comparison with a version."""
        start = self.at
        found = _VERSION.match(self.word("a version such as <1.30"))
        if found is None:
            self.at = start
            raise self.wrong("a version such as <1.30, >=1.31.2 or 1.32")
        return Version(found[1] or "=", tuple(int(part) for part in found[2].split(".")))

    def label(self) -> Term:
        """``k``, ``k=v`` or ``k!=v``."""
        start = self.at
        name, sign, value = self.word("a label such as team=a").partition("=")
        is_equal = not name.endswith("!") or not sign
        name = name if is_equal else name[:-1]
        if not name:
            self.at = start
            raise self.wrong("a label such as team=a")
        return Label(name, value.removeprefix("=") if sign else None, is_equal)

    def time(self, found: re.Match[str]) -> Term:
        """``age`` or ``since`` compared with a duration."""
        parts = re.findall(r"(\d+)([smhdw])", found[3])
        if not parts or "".join(number + unit for number, unit in parts) != found[3]:
            self.at = found.start(3)
            raise self.wrong("a duration such as 90s, 2h or 1d12h")
        self.at = found.end()
        limit_s = sum(int(number) * UNITS_S[unit] for number, unit in parts)
        return Time(found[1], found[2] == ">", limit_s)

    def word(self, expected: str, *, stop: str = "") -> str:
        """A word up to a space, ``|`` or ``stop``; quotes hold it together."""
        if self.text[self.at : self.at + 1] == '"':
            return self.quoted()
        end = _WORD_END.search(self.text, self.at)
        stop_at = end.start() if end is not None else len(self.text)
        word = self.text[self.at : stop_at]
        if stop:
            word = word.partition(stop)[0]
        if not word:
            raise self.wrong(expected)
        self.at += len(word)
        return word

    def quoted(self) -> str:
        """What stands between two quotes."""
        end = self.text.find('"', self.at + 1)
        if end < 0:
            self.at = len(self.text)
            raise self.wrong('a closing "')
        word = self.text[self.at + 1 : end]
        if not word:
            self.at += 1
            raise self.wrong('a word between the "')
        self.at = end + 1
        return word

    def regex(self) -> re.Pattern[str]:
        """What stands between two slashes; a slash inside is written ``\\/``."""
        start = self.at + 1
        end = start
        while end < len(self.text) and self.text[end] != "/":
            end += 2 if self.text[end] == "\\" else 1
        if end >= len(self.text):
            self.at = len(self.text)
            raise self.wrong("a closing /")
        source = self.text[start:end].replace("\\/", "/")
        try:
            pattern = re.compile(source, re.IGNORECASE | re.MULTILINE)
        except re.error as error:
            self.at = start + (error.pos or 0)
            raise self.wrong(f"a regular expression ({error.msg})") from error
        self.at = end + 1
        return pattern

    def wrong(self, expected: str) -> QueryError:
        """The error at the current place."""
        return QueryError(self.text, self.at, expected)


OTHER_FIELDS: Final = ("label", "health", "version")


def _all(terms: list[Term]) -> Term:
    return terms[0] if len(terms) == 1 else All(tuple(terms))
