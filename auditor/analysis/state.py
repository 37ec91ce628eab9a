"""What holds at one point of a walk: the slots' values and the conditions under which the point is reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from auditor.terms import HEAVY, Term, Terms, number

Slot: TypeAlias = tuple[object, object]
"""(holder, key): a frame and a variable's name, or an object's term and a key's term."""

GUARD_LIMIT = 10  # conjuncts of one side that a join keeps; fewer are weaker and still true


class Written:
    """The slots written so far, newest first: a list that states share as far back as their common past."""

    __slots__ = ("before", "key", "length")

    def __init__(self, key: Slot, before: Written | None) -> None:
        self.key = key
        self.before = before
        self.length: int = 1 if before is None else before.length + 1


class State:
    """Slots and conditions; `dead` when the point cannot be reached.

    Slots are written by `put` alone, which keeps the log by which `join` finds what differs without looking at all.
    """

    __slots__ = ("conditions", "dead", "log", "slots")

    def __init__(
        self, slots: dict[Slot, Term], conditions: frozenset[Term], dead: bool = False, log: Written | None = None
    ) -> None:
        self.slots = slots
        self.conditions = conditions
        self.dead = dead
        self.log = log

    def put(self, slot: Slot, value: Term) -> None:
        """Write a slot."""
        self.slots[slot] = value
        self.log = Written(slot, self.log)

    def fork(self) -> State:
        """A copy that goes its own way."""
        return State(dict(self.slots), self.conditions, self.dead, self.log)

    def handed_on(self) -> State:
        """The same slots under a name of its own; this state must not be used afterwards."""
        return State(self.slots, self.conditions, self.dead, self.log)

    def become(self, other: State) -> None:
        """Go on as another state."""
        self.slots, self.conditions, self.dead, self.log = other.slots, other.conditions, other.dead, other.log

    def assume(self, condition: Term, terms: Terms) -> None:
        """Add what is known to hold from here on; a contradiction ends the path."""
        if condition is terms.true or self.dead:
            return
        parts = condition.args if condition.kind == "and" else (condition,)
        if condition is terms.false or any(terms.negate(part) in self.conditions for part in parts):
            self.dead = True
            return
        self.conditions = self.conditions.union(parts)


def join(
    branches: Sequence[tuple[State, Term]], terms: Terms, missing: Callable[[Slot], Term | None]
) -> tuple[State, Term]:
    """The state after several ways came together, and their value.

    Takes (state, value) for each way; dead ones do not count. Conditions that all share stay; what they differ in
    is kept as one `or`, and as the conditions of the alternatives of each value that differs. `missing` gives a
    slot's value where a way never wrote it (None: the slot is not there).
    """
    alive = [(state, value) for state, value in branches if not state.dead]
    if not alive:
        return State({}, frozenset(), dead=True), terms.none
    if len(alive) == 1:
        return alive[0]
    common = frozenset.intersection(*(state.conditions for state, _ in alive))
    guards = [_guard(state.conditions - common, terms) for state, _ in alive]
    keys, past = _since([state.log for state, _ in alive])
    joined = State(dict(alive[0][0].slots), common, log=past)
    made: dict[tuple[Term, ...], Term] = {}  # many slots differ in the same values
    for key in keys:
        found = [state.slots.get(key) for state, _ in alive]
        if all(value is found[0] for value in found):
            if found[0] is not None:
                joined.put(key, found[0])
            continue
        found = [value if value is not None else missing(key) for value in found]
        values = tuple(value for value in found if value is not None)
        if len(values) == len(alive) and values in made:
            joined.put(key, made[values])
            continue
        merged = terms.alt([(v, guard) for v, guard in zip(found, guards, strict=True) if v is not None])
        if len(values) == len(alive):
            made[values] = merged
        joined.put(key, merged)
    joined.assume(terms.light(terms.any(guards)), terms)
    return joined, terms.alt([(value, guard) for (_, value), guard in zip(alive, guards, strict=True)])


def _guard(difference: frozenset[Term], terms: Terms) -> Term:
    light = [one for one in difference if one.weight <= HEAVY // 4]
    return terms.light(terms.all(sorted(light, key=number)[-GUARD_LIMIT:]))


def _since(logs: list[Written | None]) -> tuple[list[Slot], Written | None]:
    """The slots written since the states' common past, in the order of their first writing, and that past."""
    ends = list(logs)
    keys: list[Slot] = []
    while any(end is not ends[0] for end in ends):
        longest = max(range(len(ends)), key=lambda index: 0 if (one := ends[index]) is None else one.length)
        end = ends[longest]
        assert end is not None  # an empty log is the shortest
        keys.append(end.key)
        ends[longest] = end.before
    return list(dict.fromkeys(reversed(keys))), ends[0]
