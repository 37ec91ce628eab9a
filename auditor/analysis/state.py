"""What holds at one point of a walk: the slots' values and the conditions under which the point is reached."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from auditor.terms import HEAVY, Term, Terms, number

Slot: TypeAlias = tuple[object, object]
"""(holder, key): a frame and a variable's name, or an object's term and a key's term."""

GUARD_LIMIT = 10  # conjuncts of one side that a join keeps; fewer are weaker and still true


class State:
    """Slots and conditions; `dead` when the point cannot be reached."""

    __slots__ = ("conditions", "dead", "slots")

    def __init__(self, slots: dict[Slot, Term], conditions: frozenset[Term], dead: bool = False) -> None:
        self.slots = slots
        self.conditions = conditions
        self.dead = dead

    def fork(self) -> State:
        """A copy that goes its own way."""
        return State(dict(self.slots), self.conditions, self.dead)

    def become(self, other: State) -> None:
        """Go on as another state."""
        self.slots, self.conditions, self.dead = other.slots, other.conditions, other.dead

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
    slots: dict[Slot, Term] = dict(alive[0][0].slots)
    made: dict[tuple[Term, ...], Term] = {}  # many slots differ in the same values
    for key in _differing([state for state, _ in alive]):
        found = [state.slots.get(key) or missing(key) for state, _ in alive]
        pairs = [(value, guard) for value, guard in zip(found, guards, strict=True) if value is not None]
        values = tuple(value for value in found if value is not None)
        if len(pairs) < len(alive):
            slots[key] = terms.alt(pairs)
            continue
        if values not in made:
            made[values] = terms.alt(pairs)
        slots[key] = made[values]
    joined = State(slots, common)
    joined.assume(terms.light(terms.any(guards)), terms)
    return joined, terms.alt([(value, guard) for (_, value), guard in zip(alive, guards, strict=True)])


def _guard(difference: frozenset[Term], terms: Terms) -> Term:
    light = [one for one in difference if one.weight <= HEAVY // 4]
    return terms.light(terms.all(sorted(light, key=number)[-GUARD_LIMIT:]))


def _differing(states: list[State]) -> list[Slot]:
    """The slots that are not the same in all states, in the order of their first writing."""
    first, rest = states[0].slots, [state.slots for state in states[1:]]
    keys: dict[Slot, None] = {}
    for slots in rest:
        if slots is first:
            continue
        for key, value in slots.items():
            if first.get(key) is not value:
                keys[key] = None
        if len(slots) < len(first) or keys:
            for key in first:
                if key not in slots:
                    keys[key] = None
    return list(keys)
