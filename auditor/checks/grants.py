"""Which slots hold an application's tokens: those that some request writes a token to, grant by grant.

A token is known by whence it comes, the answer of an exchange or a refresh, and by the member that is taken of it. The
slots of one grant belong together: to forget the grant, all of them must be emptied.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator, Sequence

from auditor.facts import Event, Facts
from auditor.terms import Term, alternatives, leaves, parts, plain, reach, text_of, value_of, values

_TOKEN = re.compile(r"access|refresh|bearer|^token$|oauth_?token$|^tokens$|credential")
_OTHER = re.compile(r"expir|scope|type|id_?token|lifetime|^user|athlete|account|owner|issued|session_?state")
_UNUSABLE = re.compile(r"revoke|disconnect|connect|active|enable|valid|status|state|re_?auth|expired|broken|link")
_FACTS = ("len", "typeof", "type", "status", "ok", "shape", "is-null", "library-check")


@dataclasses.dataclass(frozen=True, slots=True, eq=False)
class Slot:
    """A place that outlives the request and holds a token of the grants that `results` gave."""

    holder: Term
    key: Term
    results: frozenset[Term]
    event: Event


class Grants:
    """The slots in which one application keeps tokens."""

    def __init__(self, facts: Facts) -> None:
        self.results = facts.tokens | frozenset(
            event.details["call"]
            for event in facts.events
            if event.action in ("exchange", "refresh") and "call" in event.details
        )
        self._stores = [event for event in facts.events if event.action == "store"]
        found: dict[tuple[Term, Term], Slot] = {}
        for event in self._stores:
            results = frozenset(self.tokens_in(event.details["value"]))
            if results:
                key = event.details["holder"], event.details["key"]
                before = found.get(key)
                found[key] = Slot(*key, results | (before.results if before is not None else frozenset()), event)
        self.slots = tuple(found.values())

    def tokens_in(self, value: Term) -> Iterator[Term]:
        """The exchanges and refreshes whose token a value holds, bare, sealed or within something larger."""
        return (one for one in reach(value, self._carried) if one in self.results)

    def _carried(self, one: Term) -> Sequence[Term]:
        """Through what a token comes into a value."""
        if one in self.results or (one.kind == "op" and one.data in _FACTS):
            return ()
        if one.kind == "load":
            name = text_of(one.args[1])
            other = name is not None and _OTHER.search(name.lower()) and not _TOKEN.search(name.lower())
            return () if other else one.args[:1]
        return parts(one)

    def of_token(self, token: Term) -> tuple[Slot, ...] | None:
        """All slots of the grant that a used token belongs to; None where nobody was seen to store it."""
        loads = [leaf for leaf in leaves(token) if leaf.kind == "load"]
        mine = {slot for slot in self.slots if any(_reads(load, slot) for load in loads)}
        if not mine:
            return None
        while True:  # the slots that the same answer was written to, and so on
            results = {result for slot in mine for result in slot.results}
            more = {slot for slot in self.slots if slot.results & results} - mine
            if not more:
                return tuple(slot for slot in self.slots if slot in mine)
            mine |= more

    def reads(self, load: Term) -> bool:
        """Whether a load reads a slot that holds a token."""
        return any(_reads(load, slot) for slot in self.slots)

    @functools.cached_property
    def may_refresh(self) -> bool:
        """Whether a refresh token may be kept: the stores that were seen do not rule it out."""
        named = [event for event in self._stores if names_a_token(event.details["key"])]
        names = {
            text for event in named for leaf in leaves(event.details["value"]) if (text := text_of(leaf)) is not None
        }
        names |= {plain(event.details["key"]) for event in named}
        return not named or any("refresh" in name.lower() for name in names)


def _reads(load: Term, slot: Slot) -> bool:
    """Whether a load reads a slot: the same one, or that column of any row of the same table."""
    holder, key = load.args
    return _same_key(key, slot.key) and same_holder(holder, slot.holder)


def _same_key(one: Term, other: Term) -> bool:
    """Equal keys; two keys that are worked out (the number of a user) may be equal."""
    if one is other:
        return True
    return one.kind != "literal" and other.kind != "literal"


def same_holder(one: Term, other: Term) -> bool:
    """The same object, or rows and queries of one table."""
    return one is other or not _tables(one).isdisjoint(_tables(other))


@functools.lru_cache(maxsize=4096)
def _tables(term: Term) -> frozenset[Term]:
    """What tells the table of a row, a query or a model: the classes it is asked for, else what its calls are made on."""
    if term.kind == "alt":
        return frozenset().union(*(_tables(one) for one in values(term)))
    if term.kind not in ("class", "call", "load"):
        return frozenset()
    classes = frozenset(leaf for leaf in leaves(term) if leaf.kind == "class")
    return classes or frozenset(_receivers(term))


def _receivers(term: Term) -> Iterator[Term]:
    """A value and what it was called on, up to a member or a library's own object."""
    one = term
    while one.kind == "call":
        yield one
        if not one.data[3]:
            return
        one = one.args[-1]
    if one.kind == "load":
        yield one


def empties(event: Event, slot: Slot) -> bool:
    """Whether an event leaves nothing in a slot: it is emptied, or all of what it lies in is."""
    holder, key = event.details.get("holder"), event.details.get("key")
    if holder is None:
        return False
    if event.action == "store":
        return same_holder(holder, slot.holder) and marks_unusable(event)
    if key is None:
        return _within(slot.holder, holder) or same_holder(holder, slot.holder)
    if same_holder(holder, slot.holder) and any(_same_key(one, slot.key) for one in keys_emptied(event)):
        return True
    return any(  # the slot lies within the one that is emptied
        one.kind == "load" and one.args[0] is holder and _same_key(one.args[1], key) for one in _around(slot.holder)
    )


def keys_emptied(event: Event) -> tuple[Term, ...]:
    """The keys that an event empties: all of them where a loop takes one after the other and leaves none out."""
    key = event.details["key"]
    if key.kind != "alt":
        return (key,)
    turns = {guard for _, guard in alternatives(key)}
    if any(guard.kind != "compare" or guard.data[0] != "turn" for guard in turns):
        return (key,)
    asked = {part for condition in event.conditions for part in leaves(condition)}
    return (key,) if key in asked or asked & turns else values(key)


def marks_unusable(event: Event) -> bool:
    """Whether a store marks a grant as one that cannot be used any more: `revoked = True`, `status = "expired"`."""
    key, value = event.details.get("key"), event.details.get("value")
    if key is None or value is None or value.kind != "literal":
        return False
    return isinstance(value_of(value), (bool, str)) and bool(_UNUSABLE.search(plain(key).lower()))


def _read(token: Term) -> list[Term]:
    """The loads that a token comes from; what a row was looked up with is not among them."""
    return [one for one in reach(token, _whence) if one.kind == "load"]


def _whence(one: Term) -> Sequence[Term]:
    """What a value was taken from: of the result of a call only what it was called on."""
    if one.kind != "load":
        return parts(one)
    base = one.args[0]
    if base.kind != "call":
        return (base,)
    return base.args[-1:] if base.data[3] else ()


def _is_kept(holder: Term) -> bool:
    """Whether it is known what a token was read from: a session, an object of a library, a row of a model."""
    if holder.kind == "root":
        return bool(holder.data[0] != "ENV")  # the key of a cipher is no token
    return holder.kind == "external" or any(leaf.kind == "class" for leaf in leaves(holder))


def _around(term: Term) -> Iterator[Term]:
    one = term
    while one.kind == "load":
        yield one
        one = one.args[0]


def _within(term: Term, holder: Term) -> bool:
    return any(one.args[0] is holder for one in _around(term))


def names_a_token(key: Term) -> bool:
    """Whether a key is called like something that holds a token."""
    return bool(_TOKEN.search(plain(key).lower())) if key.kind == "literal" else False


def emptied(required: Iterable[Slot], events: Iterable[Event]) -> str:
    """all, some or none of the slots are left empty by these events."""
    slots, events = list(required), list(events)
    empty = [slot for slot in slots if any(empties(one, slot) for one in events)]
    return "all" if len(empty) == len(slots) else "some" if empty else "none"


def emptied_by_name(token: Term, events: Iterable[Event], may_refresh: bool) -> str:
    """The same where nobody was seen to store the token that is used: as far as the names of what is emptied tell.

    `may_refresh`: a refresh token may lie in some slot that was not followed.
    """
    loads = _read(token)
    around = {one for load in loads for one in _around(load)}
    kept = {one for one in around if _is_kept(one.args[0])}
    used = refresh = False
    for event in events:
        holder, key = event.details.get("holder"), event.details.get("key")
        if holder is None or (kept and not any(same_holder(holder, one.args[0]) for one in kept)):
            continue  # something else is emptied
        if event.action == "store":
            if marks_unusable(event):
                return "all"
        elif key is None:  # all of a session, a row
            return "all"
        for one in keys_emptied(event) if event.action == "clear" and key is not None else ():
            if any(load.args[1] is one for load in around if load not in loads):
                return "all"  # what the token lies in
            refresh = refresh or (names_a_token(one) and "refresh" in plain(one).lower())
            used = used or any(load.args[1] is one for load in loads) or names_a_token(one)
    if refresh or (used and not may_refresh):
        return "all"
    return "some" if used else "none"
