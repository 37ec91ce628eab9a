"""Values and conditions as interned terms.

A term says whence a value comes: a literal, what a request holds, the result of one call at one place. Equal
terms are one object, so comparing is `is` and a value used in a hundred places costs one node. A condition is a
term too: any term stands for its truth, `and`, `or` and `not` combine them. Terms are numbered in the order of
their making, which is the order of the walk: sorting by `n` is the same in every run.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

HEAVY = 150  # a condition of more parts is given up: what is not known to hold proves nothing

_SIZED = frozenset({"dict", "set", "list", "collections.defaultdict()", "collections.deque()"})  # Python's containers
_COMPOUND = frozenset({"and", "or", "not"})
_CONDITIONS = _COMPOUND | {"compare", "exists", "present", "completed", "literal"}


class Site(NamedTuple):
    """Where a call stands. `startup`: evaluated while the module loads, so the value is one for all requests."""

    path: str
    at: int
    startup: bool = False


class Term:
    """One interned value. `kind` says which, `data` what is not a term, `args` what it is made of.

    `weight` counts the conditions within a condition, so that nobody has to walk one to see that it has grown too large.
    """

    __slots__ = ("args", "data", "kind", "n", "weight")

    def __init__(self, kind: str, data: Hashable, args: tuple[Term, ...], n: int) -> None:
        self.kind = kind
        self.data: Any = data
        self.args = args
        self.n = n
        self.weight: int = 1 + sum(arg.weight for arg in args) if kind in _COMPOUND else 1

    def __repr__(self) -> str:
        return show(self)


# What each kind holds: kind -> (data, args)
#   literal   (type name, value)            ()
#   root      (kind, type name)             ()            what a framework hands in: INPUT, SESSION, COOKIES, a request
#   parameter (unit name, name)             ()            of a unit that is walked without a known caller
#   external  (qualified name, language)    ()            a library's or the language's own object
#   load      -                             (object, key) a slot's value on entry
#   object    (type name, site, sequence)   ()            a constructed object with identity; its slots are in the state
#   function  (path, at, scopes)            (this?,)      a closure; `this` when bound
#   class     (path, at, scopes)            ()
#   native    number                        ()            a continuation of the analysis itself (`next`, `resolve`)
#   call      (name, keyword names, site)   (positional..., keywords..., receiver?)
#   text      -                             parts
#   serial    how                           (value,)      written out: json, query, text, base64, cipher, hash
#   parsed    how                           (value,)      read back
#   mapping   keys (None for a spread)      values        a frozen copy of an object's slots
#   entry     -                             (key, value)  of a mapping, under a key that is made
#   sequence  -                             items
#   op        operator                      operands
#   compare   (operator, loose)             (left, right)
#   alt       number of alternatives        (value, condition, value, condition, …)
#   not, and, or                            conditions
#   exists    -                             (load,)       the key is there
#   present   -                             (value,)      neither null nor undefined
#   completed -                             (call,)       the call came back without raising
#   pending   number                        ()            a promise or coroutine of this program
#   promise   -                             (value,)      what a library promises, before it is waited for
#   error     what                          (call?,)      an exception
#   unknown   why                           children


class Terms:
    """The table of all terms of one audit."""

    __slots__ = ("_combined", "_negated", "_none", "_table", "false", "there", "true")

    def __init__(self) -> None:
        self._table: dict[tuple[str, Hashable, tuple[Term, ...]], Term] = {}
        self._negated: dict[Term, Term] = {}
        self._combined: dict[tuple[str, tuple[Term, ...]], Term] = {}
        self.there: set[Term] = set()  # values that are neither null nor false, whatever they are: what `new` makes
        self.true = self.literal(True)
        self.false = self.literal(False)
        self._none = self.literal(None)

    @property
    def none(self) -> Term:
        """null, undefined and None."""
        return self._none

    @property
    def null(self) -> Term:
        """JavaScript's null, where it must be told from undefined: `nothing` holds for both."""
        return self.make("literal", ("null", None))

    def make(self, kind: str, data: Hashable = None, args: tuple[Term, ...] = ()) -> Term:
        """The one term of this shape."""
        key = (kind, data, args)
        found = self._table.get(key)
        if found is None:
            found = self._table[key] = Term(kind, data, args, len(self._table))
        return found

    def literal(self, value: str | float | None) -> Term:
        """A constant."""
        return self.make("literal", (type(value).__name__, value))

    def load(self, holder: Term, key: Term) -> Term:
        """What the slot holds on entry."""
        return self.make("load", None, (holder, key))

    def unknown(self, why: str, children: Iterable[Term] = ()) -> Term:
        """A value that could not be followed; it may hold any of its children."""
        return self.make("unknown", why, tuple(dict.fromkeys(children))[:8])

    def text(self, parts: Iterable[Term]) -> Term:
        """A text; neighbouring literals melt, nested texts are flattened."""
        flat: list[Term] = []
        for part in parts:
            for piece in part.args if part.kind == "text" else (part,):
                if piece.kind == "literal" and flat and flat[-1].kind == "literal":
                    flat[-1] = self.literal(plain(flat[-1]) + plain(piece))
                else:
                    flat.append(piece)
        if len(flat) == 1 and flat[0].kind == "literal":
            return self.literal(plain(flat[0]))
        return self.make("text", None, tuple(flat))

    # ------------------------------------------------------------------------------------- conditions

    def truth(self, term: Term) -> Term:
        """The condition that a value is truthy."""
        if term.kind == "literal":
            return self.true if value_of(term) else self.false
        if term.kind == "alt":
            pairs = alternatives(term)
            if len(pairs) == 2 and pairs[1][1] is self.negate(pairs[0][1]):
                (first, guard), (second, _) = pairs
                if guard is self.truth_of_simple(first):  # a or b
                    return self.any((guard, self.truth(second)))
                if guard is self.truth_of_simple(second):  # a and b
                    return self.all((guard, self.truth(first)))
            return self.any(self.all((guard, self.truth(value))) for value, guard in pairs)
        if term.kind == "op" and term.data in ("len", "bool"):
            return self.truth(term.args[0])  # what has a length of its own is there
        if term.kind in ("mapping", "sequence") and term.args:
            return self.true
        if term.kind == "text" and any(piece.kind == "literal" and plain(piece) for piece in term.args):
            return self.true  # it is as long as the pieces that are written out
        if term.kind == "object" and term.data[0] in _SIZED and term.data[1].startup:
            return term  # false while it is empty
        if term.kind in ("function", "class", "object", "root", "pending", "promise", "error") or term in self.there:
            return self.true
        return term

    def boolean(self, condition: Term) -> Term:
        """A condition as a value: true or false, and nothing of what was asked (`!!token`, `bool(token)`)."""
        return condition if condition.kind in _CONDITIONS else self.make("op", "bool", (condition,))

    def truth_of_simple(self, term: Term) -> Term:
        """`truth` for a term that is no alternative, the term itself otherwise (to compare guards without recursion)."""
        return term if term.kind == "alt" else self.truth(term)

    def negate(self, condition: Term) -> Term:
        """The opposite condition, with `not` pushed inwards."""
        found = self._negated.get(condition)
        if found is None:
            found = self._negated[condition] = self._opposite(condition)
            self._negated.setdefault(found, condition)
        return found

    def _opposite(self, condition: Term) -> Term:
        kind = condition.kind
        if kind == "not":
            return condition.args[0]
        if kind == "literal":
            return self.false if value_of(condition) else self.true
        if kind == "and":
            return self.any(self.negate(part) for part in condition.args)
        if kind == "or":
            return self.all(self.negate(part) for part in condition.args)
        return self.make("not", None, (condition,))

    def all(self, conditions: Iterable[Term]) -> Term:
        """Their conjunction."""
        return self._combine("and", conditions, unit=self.true, zero=self.false)

    def any(self, conditions: Iterable[Term]) -> Term:
        """Their disjunction."""
        return self._combine("or", conditions, unit=self.false, zero=self.true)

    def light(self, condition: Term) -> Term:
        """The condition, or true when it has grown too large to be worth keeping: a weaker one is still right."""
        return condition if condition.weight <= HEAVY else self.true

    def _combine(self, kind: str, conditions: Iterable[Term], unit: Term, zero: Term) -> Term:
        """The same few conditions are combined again and again, wherever ways meet."""
        given = tuple(conditions)
        key = (kind, given)
        found = self._combined.get(key)
        if found is None:
            found = self._combined[key] = self._combine_anew(kind, given, unit, zero)
        return found

    def _combine_anew(self, kind: str, conditions: tuple[Term, ...], unit: Term, zero: Term) -> Term:
        parts: dict[Term, None] = {}
        compound: list[Term] = []  # as they come, the opposite of each
        for condition in conditions:
            for part in condition.args if condition.kind == kind else (condition,):
                if part is unit or part in parts:
                    continue
                if part is zero:
                    return zero
                opposite = self.negate(part)
                if opposite in parts:
                    return zero
                parts[part] = None
                if opposite.kind == kind:
                    compound.append(opposite)
        for opposite in compound:  # `(a or b) and not a and not b`
            if all(one in parts for one in opposite.args):
                return zero
        if not parts:
            return unit
        if len(parts) == 1:
            return next(iter(parts))
        return self.make(kind, None, tuple(sorted(parts, key=number)))

    def alt(self, pairs: Iterable[tuple[Term, Term]], limit: int = 5) -> Term:
        """One of several values, each with the condition that holds when it is the one."""
        merged: dict[Term, Term] = {}
        for value, guard in pairs:
            inner = alternatives(value) if value.kind == "alt" else ((value, self.true),)
            for single, condition in inner:
                both = self.all((guard, condition))
                if both is not self.false:
                    merged[single] = self.light(self.any((merged[single], both)) if single in merged else both)
        if not merged:
            return self.unknown("nothing")
        if len(merged) == 1:
            return next(iter(merged))
        if len(merged) > limit:
            return self.unknown("many values", merged)
        flat = tuple(term for pair in merged.items() for term in pair)
        return self.make("alt", len(merged), flat)


number: Callable[[Term], int] = operator.attrgetter("n")
"""The order of making."""


def value_of(term: Term) -> str | int | float | bool | None:
    """A literal's value."""
    return term.data[1]  # type: ignore[no-any-return]


def nothing(term: Term) -> bool:
    """Whether a term is null, undefined or None."""
    return term.kind == "literal" and term.data[1] is None


def is_text(term: Term, value: str) -> bool:
    """Whether the term is this very text."""
    return term.kind == "literal" and value_of(term) == value


def plain(term: Term) -> str:
    """A literal as the text it is written as."""
    value = value_of(term)
    return value if isinstance(value, str) else "" if value is None else str(value)


def text_of(term: Term) -> str | None:
    """The text of a literal text, else None."""
    if term.kind != "literal":
        return None
    value = value_of(term)
    return value if isinstance(value, str) else None


def alternatives(term: Term) -> tuple[tuple[Term, Term], ...]:
    """(value, condition) for each alternative; a plain term has one, under an empty `and` that holds."""
    if term.kind != "alt":
        return ((term, term),)
    return tuple(zip(term.args[::2], term.args[1::2], strict=True))


def values(term: Term) -> tuple[Term, ...]:
    """All values that the term may be."""
    return term.args[::2] if term.kind == "alt" else (term,)


def leaves(term: Term) -> Iterator[Term]:
    """The term and all terms within it, each once; the conditions of alternatives are not values and stay out."""
    return reach(term, parts)


def parts(term: Term) -> Sequence[Term]:
    """What a term is made of; the conditions of alternatives are not values and stay out."""
    return values(term) if term.kind == "alt" else term.args


def reach(term: Term, inner: Callable[[Term], Sequence[Term]]) -> Iterator[Term]:
    """The term, what `inner` gives of it, and so on, each once."""
    seen: set[Term] = set()
    stack = [term]
    while stack:
        one = stack.pop()
        if one not in seen:
            seen.add(one)
            yield one
            stack.extend(reversed(inner(one)))


def contains(term: Term, wanted: Callable[[Term], bool]) -> bool:
    """Whether any value within the term is wanted."""
    return any(wanted(leaf) for leaf in leaves(term))


def show(term: Term, depth: int = 6) -> str:
    """A short text for tests and explanations; literals are shown only where they are keys or small constants."""
    if depth == 0:
        return "…"
    kind, args = term.kind, term.args
    sub = [show(arg, depth - 1) for arg in args] if kind != "literal" else []
    match kind:
        case "literal":
            value = value_of(term)
            return repr(value) if not isinstance(value, str) or len(value) <= 12 else "'…'"
        case "root":
            return str(term.data[0])
        case "external":
            return str(term.data[0])
        case "parameter":
            return f"<{term.data[1]}>"
        case "load":
            key = text_of(args[1])
            return f"{sub[0]}.{key}" if key is not None else f"{sub[0]}[{sub[1]}]"
        case "call":
            return f"{term.data[0]}({', '.join(sub)})"
        case "text":
            return "text(" + " ".join(sub) + ")"
        case "compare":
            return " ".join([*([sub[0], str(term.data[0]), sub[1]])])
        case "not":
            return f"not {sub[0]}"
        case "and" | "or":
            return "(" + f" {kind} ".join(sorted(sub)) + ")"
        case "exists" | "present" | "completed":
            return f"{kind}({sub[0]})"
        case "alt":
            return "{" + " | ".join(sub[::2]) + "}"
        case "mapping":
            return "{" + ", ".join(f"{key}: {value}" for key, value in zip(term.data, sub, strict=True)) + "}"
        case "object":
            return f"{term.data[0]}#"
        case "function":
            return "function"
        case _:
            return f"{kind}({', '.join(sub)})"
