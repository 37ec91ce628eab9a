"""What an entry does when a call to the provider is answered with a certain status.

The conditions of events speak of statuses in many forms: a comparison, `ok`, a range, the error that a refusal raises.
Here they are played through for one status of one call, as `attack` plays a forged callback.
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from auditor.analysis.attack import MAYBE, NO, YES, Answer, conjunction, disjunction, negation
from auditor.facts import Event
from auditor.terms import Term, alternatives, number, reach, text_of, value_of, values

Statuses = Mapping[Term, int]
"""The status that each call is taken to be answered with."""


class Played(dict[Term, int]):
    """Statuses with the answers that were worked out for them: conditions share most of their parts."""

    def __init__(self, statuses: Iterable[tuple[Term, int]]) -> None:
        super().__init__(statuses)
        self.answers: dict[Term, Answer] = {}


@functools.lru_cache(maxsize=2048)
def _played(statuses: tuple[tuple[Term, int], ...]) -> Played:
    return Played(statuses)


_NOTHING: Mapping[Term, Answer] = MappingProxyType({})
_TRIED = (200, 401, 403, 500)  # what other calls may be answered with: one of each sort that code tells apart
_OTHERS = 3  # other calls whose answers are played through together; with more of them, each may be anything
_FAULT = re.compile(r"error|fault|exception")  # members that only a refusal has
_EITHER = re.compile(r"message|detail|code|reason|status|type")  # members that both may have
_REPEATS = re.compile(r"status|code|status_?code|http_?status|error_?code")  # members that repeat a status
_REFUSED = 400
_JOINING = ("and", "or", "not", "compare", "alt")  # conditions of conditions
_SOME_TEXT = "\0"  # a text that nobody knows, as no program writes one
_WITHIN = frozenset({"data", "body", "json"})  # members that are still the whole body


def possible(event: Event, call: Event, status: int) -> bool:
    """Whether an event can happen after a call that was answered with this status."""
    own = call.details["call"]
    # what led to the call holds ever after; that it was no refusal holds only where the library raises it
    lasting = _lasting(call.conditions, own)
    conditions = event.conditions if lasting <= event.conditions else event.conditions | lasting
    return _can_all_hold(conditions, own, status)


@functools.lru_cache(maxsize=1024)
def _lasting(conditions: frozenset[Term], own: Term) -> frozenset[Term]:
    return frozenset(one for one in conditions if own not in _asked(one))


class _Together:
    """Conditions that hold together, sorted for the many questions that are asked of them."""

    def __init__(self, conditions: frozenset[Term]) -> None:
        # Some are on different paths.
        self.contradictory = any(one.kind == "not" and one.args[0] in conditions for one in conditions)
        self.single = [one for one in conditions if one.kind not in ("and", "or")]
        self.compound = [one for one in conditions if one.kind in ("and", "or")]
        # What the single ones say of the parts of the others.
        self._known = {
            one.args[0] if one.kind == "not" else one: NO if one.kind == "not" else YES for one in self.single
        }
        self.asked = sorted(frozenset().union(*map(_asked, conditions)), key=number)
        self._about: dict[Term, list[Term]] = {}
        self._split: dict[frozenset[Term], tuple[tuple[Term, ...], bool]] = {}
        for one in conditions:
            for call in _calls_within(one):
                self._about.setdefault(call, []).append(one)

    def hold(self, statuses: Played, conditions: Iterable[Term]) -> bool:
        """Whether these of the conditions can hold when calls are answered with these statuses."""
        known = dict(self._known)
        return not any(
            (_within(one, statuses, known) if one.kind in ("and", "or") else _alone(one, statuses)) is NO
            for one in conditions
        )

    @functools.cached_property
    def hold_at_all(self) -> bool:
        """Whether they can hold when nothing is known of any call."""
        return self.hold(_played(()), (*self.single, *self.compound))

    @functools.cached_property
    def hold_for_any(self) -> bool:
        """Whether they can hold when calls that they ask about are answered with anything."""
        if len(self.asked) > _OTHERS:
            return self.hold_at_all
        return self.hold_with({}, self.asked)

    def is_about(self, own: Term) -> bool:
        """Whether any of them is about a call in any way."""
        return own.kind != "call" or own in self._about

    def hold_with(self, given: Mapping[Term, int], others: Iterable[Term]) -> bool:
        """Whether they can hold when some calls are answered so, and the others with anything."""
        asked = tuple(others)
        about, rest = self._apart((*given, *asked))
        return rest and any(
            self.hold(_played((*given.items(), *zip(asked, answers, strict=True))), about)
            for answers in itertools.product(_TRIED, repeat=len(asked))
        )

    def hold_for(self, own: Term, status: int) -> bool:
        """Whether they can hold when one call is answered with this status, and nothing is known of the others."""
        about, rest = self._apart((own,))
        return rest and self.hold(_played(((own, status),)), about)

    def _apart(self, calls: tuple[Term, ...]) -> tuple[tuple[Term, ...], bool]:
        """The conditions that are about any of these calls, and whether the others, which are asked once, can hold."""
        key = frozenset(calls)
        if key not in self._split:
            everything = (*self.single, *self.compound)
            found = {one for call in calls for one in self._about.get(call, ())}
            about = tuple(one for one in everything if one in found)
            if any(call.kind != "call" for call in calls):
                about = everything
            rest = [one for one in everything if one not in found] if about is not everything else []
            self._split[key] = about, self.hold(_played(()), rest)
        return self._split[key]


_together = functools.lru_cache(maxsize=1024)(_Together)


@functools.lru_cache(maxsize=20_000)
def _can_all_hold(conditions: frozenset[Term], own: Term, status: int) -> bool:
    """Whether conditions can hold together when a call was answered with this status, and others with any."""
    together = _together(conditions)
    if together.contradictory:
        return False
    if not together.is_about(own):
        return together.hold_for_any
    others = [one for one in together.asked if one is not own]
    return together.hold_for(own, status) if len(others) > _OTHERS else together.hold_with({own: status}, others)


@functools.lru_cache(maxsize=100_000)
def _calls_within(condition: Term) -> frozenset[Term]:
    """All calls that a condition is about in any way."""
    return frozenset(one for one in reach(condition, lambda term: term.args) if one.kind == "call")


@functools.lru_cache(maxsize=100_000)
def _asked(condition: Term) -> frozenset[Term]:
    """The calls whose status or success a condition looks at, also within the conditions of alternatives."""
    looked_at = reach(condition, lambda one: one.args if one.kind in _JOINING else ())
    return frozenset(
        call for one in looked_at if one.kind == "op" and one.data in ("status", "ok") for call in values(one.args[0])
    )


def holds(condition: Term, statuses: Statuses, known: Mapping[Term, Answer] = _NOTHING) -> Answer:
    """Whether a condition holds when calls are answered with these statuses; of some parts it is known."""
    return _within(condition, statuses, dict(known)) if known else _alone(condition, statuses)


def _within(condition: Term, statuses: Statuses, known: dict[Term, Answer]) -> Answer:
    """As `holds`; `known` grows by the parts that were worked out."""
    answer = known.get(condition)
    if answer is None:
        kind = condition.kind
        if kind == "and":
            answer = conjunction(_within(part, statuses, known) for part in condition.args)
        elif kind == "or":
            answer = disjunction(_within(part, statuses, known) for part in condition.args)
        elif kind == "not":
            answer = negation(_within(condition.args[0], statuses, known))
        else:
            answer = _alone(condition, statuses)
        known[condition] = answer
    return answer


def _alone(condition: Term, statuses: Statuses) -> Answer:
    """As `holds` where nothing is known; the answer is remembered with the statuses."""
    if not isinstance(statuses, Played):
        return _holds(condition, statuses)
    answer = statuses.answers.get(condition)
    if answer is None:
        answer = statuses.answers[condition] = _holds(condition, statuses)
    return answer


def _holds(condition: Term, statuses: Statuses) -> Answer:
    kind = condition.kind
    if kind == "and":
        return conjunction(_alone(part, statuses) for part in condition.args)
    if kind == "or":
        return disjunction(_alone(part, statuses) for part in condition.args)
    if kind == "not":
        return negation(_alone(condition.args[0], statuses))
    if kind == "literal":
        return YES if value_of(condition) else NO
    if kind == "compare":
        return _compared(condition, statuses)
    if kind in ("alt", "op"):
        return disjunction(
            conjunction((guard, _true(value, statuses))) for guard, value in _resolved(condition, statuses)
        )
    if kind in ("exists", "present"):
        return _in_body(condition.args[0], statuses)
    return _in_body(condition, statuses)


def _true(value: Term | float | str | None, statuses: Statuses) -> Answer:
    if value is None:
        return MAYBE
    if isinstance(value, Term):
        return holds(value, statuses)
    return YES if value else NO


def _resolved(term: Term, statuses: Statuses) -> Iterator[tuple[Answer, Term | float | str | None]]:
    """(whether it is this one, value) for every value that a term may be; None for what is not known."""
    if term.kind == "alt":
        for value, condition in alternatives(term):
            guard = holds(condition, statuses)
            for inner, resolved in _resolved(value, statuses) if guard is not NO else ():
                yield conjunction((guard, inner)), resolved
    elif term.kind == "op" and term.data in ("status", "ok") and term.args:
        for answer, condition in alternatives(term.args[0]):
            guard = YES if answer is condition else holds(condition, statuses)
            status = statuses.get(answer)
            if status is None:
                yield guard, None
            else:
                yield guard, status if term.data == "status" else int(200 <= status < 400)
    elif term.kind == "literal":
        written = value_of(term)
        yield YES, written if isinstance(written, (int, float, str)) and not isinstance(written, bool) else None
    elif term.kind in ("text", "serial"):
        yield YES, _written(term, statuses)
    elif term.kind == "op":
        yield YES, None
    else:
        yield YES, term if term.kind in ("compare", "and", "or", "not", "exists", "present") else None


def _written(term: Term, statuses: Statuses) -> str | None:
    """A status that is written out as a text; any other text is a name that nobody knows."""
    if term.kind == "serial" and term.data != "text":
        return None
    found = [value for part in term.args for _, value in _resolved(part, statuses)] if len(term.args) == 1 else []
    return str(found[0]) if len(found) == 1 and isinstance(found[0], (int, float)) else _SOME_TEXT


def _compared(condition: Term, statuses: Statuses) -> Answer:
    op, loose = condition.data
    told = _repeated(condition, statuses)
    if told is not None:
        return told
    if op == "in":
        name = text_of(condition.args[0])
        answer = _body_has(name, condition.args[1], statuses) if name is not None else MAYBE
        if answer is not MAYBE:
            return answer
    return disjunction(
        conjunction((one, other, _compare(str(op), bool(loose), left, right)))
        for one, left in _resolved(condition.args[0], statuses)
        for other, right in _resolved(condition.args[1], statuses)
    )


def _repeated(condition: Term, statuses: Statuses) -> Answer | None:
    """What a body says when one of its members is compared with a constant: a success tells no fault, and a body that
    repeats its status (`{"status": 401}`) says the same as the status; None where neither is asked."""
    op = condition.data[0]
    sides = condition.args if condition.args[1].kind == "literal" else condition.args[::-1]
    member, constant = sides
    if op not in ("==", "same") or member.kind != "load" or constant.kind != "literal" or value_of(constant) is None:
        return None
    names: list[str] = []
    body = member
    while body.kind == "load" and (name := text_of(body.args[1])) is not None and body_of(body, statuses) is None:
        names.append(name.lower())
        body = body.args[0]
    call = body_of(body, statuses) if names else None
    if call is None:
        return None
    number = value_of(constant)
    if _REPEATS.fullmatch(names[0]) and isinstance(number, int) and number >= _REFUSED:
        return YES if statuses[call] == number else NO
    return NO if statuses[call] < _REFUSED and any(_FAULT.search(one) for one in names) else None


def _compare(op: str, loose: bool, left: Term | float | str | None, right: Term | float | str | None) -> Answer:
    if left is None or right is None or isinstance(left, Term) or isinstance(right, Term):
        return MAYBE
    if _SOME_TEXT in (left, right) and (loose or isinstance(left, str) == isinstance(right, str)):
        return MAYBE
    if isinstance(left, str) != isinstance(right, str):
        if op in ("==", "same") and not loose:
            return NO  # a number is no text
        left, right = (int(side) if isinstance(side, str) and side.isdigit() else side for side in (left, right))
    if isinstance(left, str) or isinstance(right, str):
        return MAYBE if op not in ("==", "same") else YES if left == right else NO
    answers = {
        "==": left == right, "same": left == right, "<": left < right, "<=": left <= right, ">": left > right,
        ">=": left >= right,
    }  # fmt: skip
    return MAYBE if op not in answers else YES if answers[op] else NO


def _in_body(term: Term, statuses: Statuses) -> Answer:
    """Whether a member that is looked for in the body of an answer is there."""
    if term.kind != "load":
        return MAYBE
    return _body_has(text_of(term.args[1]), term.args[0], statuses)


def _body_has(name: str | None, body: Term, statuses: Statuses) -> Answer:
    """A success has the members that the code looks for; a refusal has those that tell a fault, and no others."""
    call = body_of(body, statuses)
    if call is None or name is None or _EITHER.search(name.lower()):
        return MAYBE
    refused = statuses[call] >= _REFUSED
    if _FAULT.search(name.lower()):
        return MAYBE if refused else NO
    return NO if refused else YES


def body_of(term: Term, calls: Iterable[Term]) -> Term | None:
    """The call whose body a term is, as a whole: read as JSON or text, or the member that a client keeps it in."""
    one = term
    read = False
    for _ in range(6):
        parsed = one.kind == "parsed" and len(one.args) == 1
        if parsed or (one.kind == "load" and text_of(one.args[1]) in (*_WITHIN, "text", "content")):
            one, read = one.args[0], True
            continue
        if one.kind == "alt":  # a body, or nothing where there was none
            held = [value for value in values(one) if not (value.kind == "literal" and value_of(value) is None)]
            if len(held) != 1:
                break
            one = held[0]
            continue
        keys = one.kind in ("sequence", "unknown") and len(one.args) == 1  # the keys of a body that nobody knows
        if not keys and not (one.kind == "serial" and one.data in ("json", "text")):
            break
        one = one.args[0]
    return one if read and one in calls else None


def remaining(value: Term, statuses: Statuses) -> frozenset[Term]:
    """All terms within a value that it can hold under these statuses: alternatives that are ruled out are left away."""
    played = _played(tuple(statuses.items()))

    def held(one: Term) -> Sequence[Term]:
        if one.kind == "alt":
            return [each for each, guard in alternatives(one) if holds(guard, played) is not NO]
        if one in played:
            return ()
        return one.args[:1] if one.kind == "load" and one.args[1].kind == "literal" else one.args

    return frozenset(one for one in reach(value, held) if one.kind != "alt")
