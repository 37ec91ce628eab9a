"""Plays an attack against the conditions of an exchange: can a forged callback reach it?

Two games, both of cross-site request forgery on the redirect URI (RFC 9700 section 2.1):

- *forged*: the victim began a flow, so the stored state holds a secret value; the attacker's link carries another.
- *absent*: the victim began nothing, so the stored state is not there; the attacker's link carries none, an empty
  one, or any text.

The attacker chooses everything in the request, but knows no secret. A condition that is NO under these values
blocks the path. MAYBE is within the attacker's or the world's choice. OPAQUE depends on the state through something
that could not be followed: no verdict may rest on it.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable
from typing import Literal, TypeAlias

from auditor.facts import Event, Facts, Write
from auditor.terms import Term, alternatives, contains, leaves, text_of, value_of, values


class Answer(enum.Enum):
    """Whether a condition holds in a game."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"
    OPAQUE = "opaque"


YES, NO, MAYBE, OPAQUE = Answer.YES, Answer.NO, Answer.MAYBE, Answer.OPAQUE

Received: TypeAlias = Literal["other", "absent", "empty", "any"]


@dataclasses.dataclass(frozen=True, slots=True)
class Game:
    """What the session holds and what the attacker sends."""

    stored: Literal["held", "absent"]
    received: Received


FORGED = Game("held", "other")
ABSENT_GAMES = (Game("absent", "absent"), Game("absent", "empty"), Game("absent", "any"))


@dataclasses.dataclass(frozen=True, slots=True)
class Value:
    """What a term is in a game.

    literal: a constant; nothing: null or undefined; secret: unknown to the attacker; chosen: any text of the
    attacker's; free: whatever the attacker likes, or nothing; sealed: the attacker's own validly signed content;
    fixed: something of the session or the world that the game does not decide; unseen: a slot that nothing was seen
    to write; opaque: depends on the state in a way that was not followed; map: a term with known members.
    """

    kind: Literal[
        "literal", "nothing", "secret", "chosen", "free", "sealed", "fixed", "unseen", "opaque", "map", "many"
    ]
    data: object = None


NOTHING = Value("nothing")
_ERRORS = ("error", "error_description", "error_reason", "error_message")
_PROPERTIES = frozenset({"status", "ok", "len", "type", "typeof"})  # they do not tell which value it is
_STORES = ("SESSION", "COOKIES", "STORAGE")


class Attack:
    """The games over one application's facts."""

    def __init__(self, facts: Facts) -> None:
        self.facts = facts
        self._writes: dict[tuple[Term, Term], list[Write]] = {}
        self._holders: dict[Term, list[Write]] = {}
        for write in facts.writes:
            self._writes.setdefault((write.holder, write.key), []).append(write)
            self._holders.setdefault(write.holder, []).append(write)
        self.sent = frozenset(sent_leaves(facts))
        self._values: dict[tuple[Term, Game], Value] = {}
        self._answers: dict[tuple[Term, Game], Answer] = {}
        self._open: set[tuple[Term, Game]] = set()

    # -------------------------------------------------------------------------------------- conditions

    def reachable(self, conditions: Iterable[Term], game: Game) -> Answer:
        """Whether a point with these conditions can be reached: NO where any of them blocks."""
        ordered = sorted(conditions, key=lambda one: one.n)
        return conjunction(self.holds(condition, game) for condition in self._settled(ordered))

    def _settled(self, conditions: list[Term]) -> list[Term]:
        """The conditions without the ways of an `or` that another condition excludes."""
        terms = self.facts.terms
        excluded = {terms.negate(one) for one in conditions if one.kind not in ("and", "or")}

        def possible(way: Term) -> bool:
            return not any(part in excluded for part in (way.args if way.kind == "and" else (way,)))

        return [terms.any(way for way in one.args if possible(way)) if one.kind == "or" else one for one in conditions]

    def holds(self, condition: Term, game: Game) -> Answer:
        """Whether a condition holds in the game."""
        key = (condition, game)
        found = self._answers.get(key)
        if found is None:
            found = self._answers[key] = self._holds(condition, game)
        return found

    def _holds(self, term: Term, game: Game) -> Answer:
        kind = term.kind
        if kind == "and":
            return conjunction(self.holds(part, game) for part in term.args)
        if kind == "or":
            return disjunction(self.holds(part, game) for part in term.args)
        if kind == "not":
            return negation(self.holds(term.args[0], game))
        if kind == "compare":
            return self._compare(term, game)
        if kind == "exists":
            return self._exists(term.args[0], game)
        if kind == "present":
            return self._present(self.value(term.args[0], game))
        if kind == "completed":
            return self._completed(term.args[0], game)
        if kind == "object":
            return MAYBE  # a container that requests fill
        if kind == "op" and term.data in ("is-null", "is-undefined"):
            return self._is_nothing(term.args[0], term.data == "is-null", game)
        return self._true(self.value(term, game))

    def _compare(self, term: Term, game: Game) -> Answer:
        op = term.data[0]
        left, right = term.args
        if op in ("==", "same"):
            if left is right and left.kind != "unknown":
                value = self.value(left, game)
                return NO if op == "same" and value.kind == "nothing" else YES
            values = self.value(left, game), self.value(right, game)
            if any(_source(one).kind == "unknown" for one in term.args) and "secret" in (
                values[0].kind,
                values[1].kind,
            ):
                return (
                    OPAQUE  # an honest callback gets through, so the other side is the state, come by a way of its own
                )
            return self._equal(*values, strict=op == "same")
        if op == "in":
            return self._within(left, right, game)
        if op == "unknown-check":
            return OPAQUE
        return MAYBE

    def _equal(self, left: Value, right: Value, strict: bool) -> Answer:
        for one, other in ((left, right), (right, left)):
            if one.kind == "many":
                assert isinstance(one.data, tuple)
                return either(self._equal(part, other, strict) for part in one.data)
        kinds = {left.kind, right.kind}
        if "opaque" in kinds:
            return OPAQUE
        if "nothing" in kinds and strict:
            return NO  # a comparison in constant time raises on null
        if left.kind == right.kind == "literal":
            return YES if left.data == right.data else NO
        if left.kind == right.kind == "nothing":
            return YES
        if left.kind == right.kind == "secret":
            return YES if left.data == right.data else MAYBE
        if kinds == {"secret", "unseen"}:
            return OPAQUE  # what was not seen to be written may hold what was received
        if "secret" in kinds:
            return NO if kinds & {"chosen", "free", "sealed", "nothing", "literal"} else MAYBE
        if "unseen" in kinds:
            return OPAQUE if kinds & {"chosen", "free", "sealed", "nothing", "literal"} else MAYBE
        if "nothing" in kinds:
            return MAYBE if kinds & {"free", "fixed"} else NO
        if "sealed" in kinds:
            return NO if "fixed" in kinds else MAYBE  # the attacker's seal names the attacker
        return MAYBE

    def _true(self, value: Value) -> Answer:
        match value.kind:
            case "literal":
                return YES if value.data else NO
            case "nothing":
                return NO
            case "secret" | "chosen" | "map" | "sealed":
                return YES
            case "opaque":
                return OPAQUE
            case "many":
                assert isinstance(value.data, tuple)
                return either(self._true(part) for part in value.data)
            case _:
                return MAYBE

    def _present(self, value: Value) -> Answer:
        if value.kind == "literal":
            return YES
        if value.kind == "many":
            assert isinstance(value.data, tuple)
            return either(self._present(part) for part in value.data)
        return self._true(value)

    def _exists(self, load: Term, game: Game) -> Answer:
        value = self.value(load, game)
        if value.kind == "nothing" and load.kind == "load" and self._may_hold_nothing(load):
            return MAYBE  # some request writes null there: the key exists and says nothing
        return self._present(value)

    def _may_hold_nothing(self, load: Term) -> bool:
        return any(_clears(write) for write in self._writers(load))

    def _is_nothing(self, term: Term, null: bool, game: Game) -> Answer:
        """`x === null` of a look-up that gives undefined, `x === undefined` of one that gives null, either of several."""
        if term.kind == "alt":
            found = [(one, self.holds(guard, game)) for one, guard in alternatives(term)]
            sure = [one for one, answer in found if answer is YES][:1]
            return either(
                self._is_nothing(one, null, game)
                for one, answer in found
                if one in sure or (not sure and answer is not NO)
            )
        value = self.value(term, game)
        if value.kind != "nothing":
            return negation(self._present(value))
        if term.kind == "literal":
            return YES if null is (term.data[0] == "null") else NO
        return NO if term.kind == "load" and term.args[0].kind in ("root", "load") else MAYBE

    def _completed(self, call: Term, game: Game) -> Answer:
        if call.kind == "op" and call.data == "library-check":
            return NO
        if call.kind == "parsed" and call.data == "verified":
            inner = self.value(call.args[0], game)
            return NO if inner.kind in ("nothing",) or (inner.kind == "literal" and not inner.data) else MAYBE
        return MAYBE

    def _within(self, element: Term, container: Term, game: Game) -> Answer:
        value = self.value(element, game)
        if (value.kind in ("nothing", "literal") and not value.data) or value.kind == "nothing":
            return NO
        if value.kind not in ("chosen", "free", "opaque", "literal"):
            return MAYBE
        held = self.value(container, game)
        members = [*self._put_into(container), *_content(held)]
        alike = [member for member in members if same_shape(member, element)]
        if any(self.is_sent(member) for member in alike):
            return MAYBE if any(self._from_visitor(member) for member in alike) else NO
        if held.kind == "nothing":
            return NO
        if value.kind == "literal":
            return MAYBE
        return OPAQUE if held.kind in ("unseen", "opaque", "fixed") else MAYBE

    def _put_into(self, container: Term) -> list[Term]:
        """What requests put into a container: keys of a mapping, elements of a list; not what was in it already."""
        writes = (write for write in self._holders.get(container, ()) if not _again(write))
        return [write.value if write.key.kind == "element" else write.key for write in writes]

    # ------------------------------------------------------------------------------------------ values

    def value(self, term: Term, game: Game) -> Value:
        """What a term is in the game."""
        key = (term, game)
        found = self._values.get(key)
        if found is None:
            if key in self._open:
                return Value("fixed", term.n)
            self._open.add(key)
            found = self._values[key] = self._value(term, game)
            self._open.discard(key)
        return found

    def _value(self, term: Term, game: Game) -> Value:
        match term.kind:
            case "literal":
                if term in self.sent and value_of(term):
                    return Value("secret", term.n)
                return NOTHING if value_of(term) is None else Value("literal", value_of(term))
            case "load":
                return self._load(term, game)
            case "call":
                return self._call(term, game)
            case "alt":
                return self._alternatives(term, game)
            case "parsed":
                return self._parsed(term, game)
            case "mapping" | "sequence":
                return Value("map", term)
            case "text" | "serial" | "op":
                return self._derived(term, game)
            case "and" | "or" | "not" | "compare" | "exists" | "present" | "completed":
                answer = self.holds(term, game)
                if answer in (YES, NO):
                    return Value("literal", answer is YES)
                return Value("opaque") if answer is OPAQUE else Value("fixed", term.n)
            case "unknown":
                touched = any(self._touched(child, game) for child in term.args)
                return Value("opaque") if touched else Value("fixed", term.n)
            case "object":
                return Value("map", term)
            case _:
                return Value("fixed", term.n)

    def _touched(self, term: Term, game: Game) -> bool:
        """Whether a value depends on the received or the stored state."""
        return any(is_state(leaf) or leaf in self.sent for leaf in leaves(term)) or any(
            leaf.kind == "load" and self.value(leaf, game).kind == "secret" for leaf in leaves(term)
        )

    def _load(self, term: Term, game: Game) -> Value:
        holder, key = term.args
        if holder.kind == "root" and holder.data[0] == "INPUT":
            return self._input(term, text_of(key), game)
        if holder.kind == "root" and holder.data[0] in ("ENV", "REQUEST", "HEADERS"):
            return Value("secret" if term in self.sent else "fixed", term.n)
        if holder.kind == "literal":  # a letter of an alphabet is what picked it
            picked = self.value(key, game).kind
            return Value(picked, term.n) if picked in ("secret", "opaque") else Value("fixed", term.n)
        if self._from_attacker(key, game):
            return self._looked_up(term, game)
        writers = self._writers(term)
        if writers:
            return self._written(term, writers, game)
        if holder.kind in ("load", "parsed", "alt", "call", "sequence", "mapping"):
            inner = self.value(holder, game)
            if inner.kind == "map" and isinstance(inner.data, Term):
                return self._member(inner.data, key, game)
            if inner.kind in ("nothing", "chosen", "free", "sealed", "opaque", "unseen"):
                if inner.kind == "unseen" and game.stored == "absent" and self._kept(holder):
                    return NOTHING
                return Value("free") if inner.kind == "chosen" else inner
            if inner.kind == "secret":
                letter = holder.kind == "load" and key.kind == "literal" and isinstance(value_of(key), int)
                return Value("opaque") if letter else Value("secret", term.n)
            if inner.kind == "many":
                return Value("opaque") if self._touched(holder, game) else Value("fixed", term.n)
        if self._kept(holder):
            return NOTHING if game.stored == "absent" else Value("unseen", term.n)
        filled = holder.kind == "object" and holder.data[0] in ("Object", "dict")  # under keys that nobody knows
        return Value("unseen" if filled else "fixed", term.n)

    def _kept(self, holder: Term) -> bool:
        """Whether a holder outlives a request: what it holds may have been put there by an earlier one."""
        root = holder
        while root.kind == "load":
            root = root.args[0]
        if root.kind == "root":
            return root.data[0] in _STORES
        return root.kind == "object" and bool(root.data[1].startup)

    def _input(self, term: Term, name: str | None, game: Game) -> Value:
        if name in _ERRORS:
            return NOTHING
        if name == "code":
            return Value("chosen", term.n)
        if name != "state":
            return Value("free", term.n)
        match game.received:
            case "absent":
                return NOTHING
            case "empty":
                return Value("literal", "")
            case _:
                return Value("chosen", term.n)

    def _from_attacker(self, key: Term, game: Game) -> bool:
        return contains(key, is_input) and self.value(key, game).kind in (
            "chosen",
            "free",
            "nothing",
            "literal",
            "sealed",
        )

    def _looked_up(self, term: Term, game: Game) -> Value:
        """A store asked for what the attacker named: the attacker's own state was never put there."""
        holder, key = term.args
        writes = [write for write in self._holders.get(holder, ()) if same_shape(write.key, key) and not _again(write)]
        content = () if writes else _content(self.value(holder, game))
        keys = [one for one in (*(write.key for write in writes), *content) if same_shape(one, key)]
        if any(self.is_sent(one) for one in keys):
            return Value("free", term.n) if any(self._from_visitor(one) for one in keys) else NOTHING
        if any(self.is_sent(write.value) for write in writes):
            return self._written(term, writes, game)
        column = self._column(holder)
        if any(self.is_sent(one) for one in column):
            return Value("free", term.n) if any(self._from_visitor(one) for one in column) else NOTHING
        if writes or not self._kept(holder):
            return Value("opaque") if contains(term.args[1], is_state) else Value("fixed", term.n)
        return NOTHING if game.stored == "absent" else Value("unseen", term.n)

    def _column(self, holder: Term) -> list[Term]:
        """What was put into a column, by whatever name of the table."""
        if holder.kind != "load" or holder.args[0].kind != "class":
            return []
        table, key = holder.args
        return [
            write.value
            for write in self.facts.writes
            if write.key is key
            and (write.holder is table or (write.holder.kind == "load" and write.holder.args[0] is table))
        ]

    def _writers(self, term: Term) -> list[Write]:
        holder, key = term.args
        found = self._writes.get((holder, key))
        if found is None and key.kind != "literal":
            found = [write for write in self._holders.get(holder, ()) if write.key.kind != "literal"]
        if found is None and key.kind == "literal":  # written under an unknown key, or spread in
            found = [write for write in self._holders.get(holder, ()) if write.key.kind not in ("literal", "element")]
        return found or []

    def _written(self, term: Term, writers: list[Write], game: Game) -> Value:
        carrying = [write.value for write in writers if self.is_sent(write.value)]
        if carrying:
            if any(write.key is term.args[1] and self._from_visitor(write.value) for write in writers):
                return Value("chosen", term.n)  # another request lets its visitor choose it
            return NOTHING if game.stored == "absent" else self._held(term, carrying, game)
        kept = [write.value for write in writers if not write.startup and write.value.kind != "literal"]
        if any(contains(value, is_state) for value in kept):
            return Value("chosen", term.n)  # the store holds whatever some request sent
        if not kept:
            if game.stored == "absent":
                return NOTHING
            emptied = self._kept(term.args[0]) and all(_clears(write) for write in writers)
            return Value("unseen" if emptied else "fixed", term.n)  # emptied: what fills it was not seen
        if all(value.kind in ("mapping", "serial") for value in kept) and game.stored == "held":
            return self.value(kept[0], game)
        return Value("fixed", term.n)

    def _from_visitor(self, written: Term) -> bool:
        return not self.is_sent(written) and contains(written, is_input)

    def _held(self, term: Term, carrying: list[Term], game: Game) -> Value:
        """The sent state that is stored; what only keeps the slot as it is (`x = x or fresh`) says nothing new."""
        return self.value(next(one for one in values(carrying[0]) if one is not term and self.is_sent(one)), game)

    def _member(self, holder: Term, key: Term, game: Game) -> Value:
        name = text_of(key)
        if holder.kind == "mapping" and name is not None:
            for own, value in zip(holder.data, holder.args, strict=True):
                if own == name:
                    return self.value(value, game)
            return NOTHING if None not in holder.data else Value("fixed", holder.n)
        if holder.kind == "sequence" and key.kind == "literal" and isinstance(value_of(key), int):
            index = int(value_of(key) or 0)
            return self.value(holder.args[index], game) if index < len(holder.args) else NOTHING
        if holder.kind == "sequence" and key.kind == "element":
            put = [one for one in holder.args if one.kind != "unknown"]  # the others were in it before
            if (
                put
                and all(self.is_sent(one) for one in put)
                and not any(contains(one, is_input) for one in holder.args)
            ):
                return self.value(put[0], game)
        return Value("opaque") if self.is_sent(holder) else Value("fixed", holder.n)

    def _call(self, term: Term, game: Game) -> Value:
        if self.facts.kinds.get(term) in ("fresh", "weak") or term in self.sent:
            return Value("secret", term.n)
        name = str(term.data[0])
        if any(self._touched(arg, game) for arg in term.args):
            if any(contains(arg, is_state) for arg in term.args) or not any(self.is_sent(arg) for arg in term.args):
                return Value("opaque")
            return Value("secret", term.n)  # what is made of a secret alone is as secret
        # A function of this program that was not entered may look for itself.
        if (not name or name.startswith("<")) and any(whole_request(arg) for arg in term.args):
            return Value("opaque")
        return Value("unseen", term.n)  # it may well give back the stored state

    def _parsed(self, term: Term, game: Game) -> Value:
        inner = self.value(term.args[0], game)
        if term.data == "verified":
            if inner.kind == "secret":
                return inner
            return NOTHING if inner.kind == "nothing" else Value("sealed", term.n)
        if inner.kind == "map" and isinstance(inner.data, Term) and inner.data.kind == "serial":
            return self.value(inner.data.args[0], game)
        if inner.kind == "chosen":
            return Value("free", term.n)
        return inner

    def _derived(self, term: Term, game: Game) -> Value:
        if term.kind == "serial" and len(term.args) == 1:
            inner = self.value(term.args[0], game)
            if term.data == "text" and inner.kind == "nothing":
                return Value("literal", "None")  # str(None): a text like any other, which an attacker can send
            if inner.kind == "map" and isinstance(inner.data, Term) and term.data in ("json", "query"):
                return Value("map", term)
            if inner.kind != "nothing" or term.data == "bytes":  # bytes of nothing cannot be made
                return Value("secret", term.n) if inner.kind == "map" and self.is_sent(term) else inner
        if term.kind == "op" and term.data in _PROPERTIES:
            return Value("fixed", term.n)
        if term.data == "slice" and self._touched(term, game):
            made = self.is_sent(term) and not any(
                leaf.kind == "load" and self._touched(leaf, game) for leaf in leaves(term)
            )
            return Value("secret", term.n) if made else Value("opaque")
        if term.data == "shape":  # a pattern says nothing of which value it is, unless the stored one is part of it
            compares = any(
                self.value(leaf, game).kind in ("secret", "unseen") for leaf in leaves(term) if leaf is not term
            )
            return Value("opaque") if compares else Value("fixed", term.n)
        kinds = {self.value(arg, game).kind for arg in term.args}
        if "opaque" in kinds:
            return Value("opaque")
        if kinds & {"chosen", "free"}:
            return Value("chosen", term.n) if term.kind == "text" else Value("free", term.n)
        if "secret" in kinds or ("map" in kinds and self.is_sent(term)):
            return Value("secret", term.n)
        if term.kind == "text" and kinds <= {"nothing", "literal"}:
            return Value("literal", "None")
        return Value("fixed", term.n)

    def _alternatives(self, term: Term, game: Game) -> Value:
        found: list[Value] = []
        for one, guard in alternatives(term):
            answer = self.holds(guard, game)
            if answer is NO:
                continue
            value = self.value(one, game)
            if value not in found:
                found.append(value)
            if answer is YES:
                break
        if not found:
            return Value("fixed", term.n)
        return found[0] if len(found) == 1 else Value("many", tuple(found))

    def is_sent(self, term: Term) -> bool:
        """Whether a value holds a state that some authorization request sends, or is fresh random."""
        return contains(term, lambda leaf: leaf in self.sent or self.facts.kinds.get(leaf) in ("fresh", "weak"))


# ------------------------------------------------------------------------------------------------ answers


def conjunction(answers: Iterable[Answer]) -> Answer:
    """NO where one is NO; else the least certain of them."""
    worst = YES
    for answer in answers:
        if answer is NO:
            return NO
        if answer is OPAQUE or (answer is MAYBE and worst is YES):
            worst = answer
    return worst


def disjunction(answers: Iterable[Answer]) -> Answer:
    """YES where one is YES; else the least certain of them."""
    worst = NO
    for answer in answers:
        if answer is YES:
            return YES
        if answer is OPAQUE or (answer is MAYBE and worst is NO):
            worst = answer
    return worst


def negation(answer: Answer) -> Answer:
    """The opposite; what is not known stays so."""
    return NO if answer is YES else YES if answer is NO else answer


def either(answers: Iterable[Answer]) -> Answer:
    """One of several values, nobody knows which: sure only where all agree."""
    seen = set(answers)
    if len(seen) == 1:
        return seen.pop()
    return OPAQUE if OPAQUE in seen else MAYBE


def same_shape(first: Term, second: Term) -> bool:
    """Whether two keys may be the same one: their fixed pieces agree."""
    if first.kind == "text" and second.kind == "text":
        ends = [(one.args[0], one.args[-1]) for one in (first, second)]
        return all(a is b or "literal" not in (a.kind, b.kind) for a, b in zip(*ends, strict=True))
    if first.kind == "literal" and second.kind == "literal":
        return first is second
    return True


def _clears(write: Write) -> bool:
    """Whether a write only empties a slot."""
    return write.value.kind == "literal" and not value_of(write.value)


def _content(held: Value) -> list[Term]:
    """The keys that are made of a mapping, the elements of a sequence."""
    whole = held.data if held.kind == "map" else None
    if not isinstance(whole, Term):
        return []
    if whole.kind == "mapping":
        return [one.args[0] for one in whole.args if one.kind == "entry"]
    return list(whole.args) if whole.kind == "sequence" else []


def _again(write: Write) -> bool:
    """Whether a slot is written only where it was filled before: no new key comes to be by it."""
    slot = (write.holder, write.key)
    for condition in write.conditions:
        there = condition.args[0] if condition.kind in ("exists", "present") else condition
        if there.kind == "load" and there.args == slot:
            return True
        if there.kind == "compare" and there.data[0] == "in" and there.args == slot[::-1]:
            return True
    return False


def is_input(term: Term) -> bool:
    """A value straight from the request."""
    return term.kind == "load" and term.args[0].kind == "root" and term.args[0].data[0] == "INPUT"


def whole_request(term: Term) -> bool:
    """Whether a value is the request, the session or all that was sent, not one value of it."""
    if term.kind == "root":
        return term.data[0] in ("INPUT", "SESSION", "COOKIES", "REQUEST", "CALLBACK_URL")
    return term.kind in ("sequence", "mapping", "alt", "unknown") and any(whole_request(one) for one in term.args)


def is_state(term: Term) -> bool:
    """A value from the request that may be the received state: any but the code and the error."""
    return is_input(term) and text_of(term.args[1]) not in ("code", *_ERRORS)


def _source(term: Term) -> Term:
    """What a value was read out of."""
    while term.kind == "load":
        term = term.args[0]
    return term


def is_named_state(term: Term) -> bool:
    """A value from the request under the name that the received state has."""
    return is_input(term) and text_of(term.args[1]) == "state"


def sent_leaves(facts: Facts) -> list[Term]:
    """What makes a sent state the one it is: fresh values within it, or the constant or slot itself."""
    out: list[Term] = []
    for event in facts.events:
        state = event.details.get("state") if event.action == "authorize" else None
        if state is None:
            continue
        for one in values(state):
            random = [leaf for leaf in leaves(one) if facts.kinds.get(leaf) in ("fresh", "weak")]
            if random:
                out.extend(random)
            elif one.kind in ("load", "call", "text", "parameter", "external") or (
                one.kind == "literal" and value_of(one)
            ):
                out.append(one)
    return out


def verdict(attack: Attack, event: Event) -> tuple[Literal["pass", "fail", "absent", "review"], tuple[Answer, ...]]:
    """What the games say of an exchange: pass, fail (forged), absent (both sides missing), or review."""
    forged = attack.reachable(event.conditions, FORGED)
    holes = tuple(attack.reachable(event.conditions, game) for game in ABSENT_GAMES)
    answers = (forged, *holes)
    if forged in (YES, MAYBE):
        return "fail", answers
    if any(hole in (YES, MAYBE) for hole in holes):
        return "absent", answers
    if OPAQUE in answers:
        return "review", answers
    return "pass", answers
