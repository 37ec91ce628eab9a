"""Where the sent state comes from: fresh for the request, weak, constant, or missing (C05)."""

from __future__ import annotations

from typing import Literal, TypeAlias

from auditor.checks.application import Application, at, observation
from auditor.facts import Event
from auditor.model import Observation, Place
from auditor.questions import OriginQuestion
from auditor.terms import Term, contains, leaves, plain, text_of, value_of, values

Origin: TypeAlias = Literal["fresh", "unknown", "missing", "constant", "weak", "startup", "request"]

_IN_SIGHT = 12  # lines between a function's head and the address that it puts together

_WORST: tuple[Origin, ...] = ("fresh", "unknown", "request", "startup", "constant", "weak", "missing")
_MESSAGES = {
    "missing": "the authorization request carries no state",
    "constant": "state is the same for every request, so an attacker knows it",
    "weak": "state comes from a generator that can be guessed (use secrets, os.urandom, crypto.randomBytes or randomUUID)",
    "startup": "state is made once for all requests, not for each of them",
    "request": "state is taken from the request itself, so whoever sends the link chooses it",
}


def answer(question: OriginQuestion, rule: str, items: tuple[str, ...], application: Application) -> list[Observation]:
    """One observation for each place that begins an authorization."""
    out: list[Observation] = []
    for event in distinct(_begun(application)):
        state = event.details.get("state")
        found = origin(application, state)
        if state is not None and event.entry.kind == "route" and _kept_for_all(application, state):
            found = max(found, "startup", key=_WORST.index)
        place = event.place
        if found == "weak" and state is not None and "weak" in question.faults:
            place, related = _generator(application, state, event)
            if any(one.place == place for one in out):
                continue
            out.append(observation(rule, items, "fail", place, _MESSAGES[found], related=related, unit=event.unit))
            continue
        bad = found in ("constant", "weak", "startup", "request")
        if found == "missing" and "missing" in question.faults:
            where = _lacking(application, event)
            related = () if where == place else (at(place, "the address is put together here"),)
            out.append(observation(rule, items, "fail", where, _MESSAGES[found], related=related, unit=event.unit))
        elif bad and "weak" in question.faults:
            out.append(observation(rule, items, "fail", place, _MESSAGES[found], unit=event.unit))
        elif found == "unknown" and "weak" in question.faults:
            message = "state is sent, but where it comes from could not be followed"
            out.append(observation(rule, items, "review", place, message, unit=event.unit))
        elif found == "fresh" and "weak" in question.faults:
            message = "state is fresh for each request, from a cryptographic generator"
            out.append(observation(rule, items, "pass", at(place, ""), message, unit=event.unit))
    return out


def _begun(application: Application) -> tuple[Event, ...]:
    """The authorizations that are begun; an address that is only written to a log begins none."""
    logged = {(event.place.path, event.place.line) for event in application.actions.get("log", ())}
    sent = {
        (event.place.path, event.place.line)
        for action in ("redirect", "respond", "render", "store")
        for event in application.actions.get(action, ())
    }
    return tuple(
        event for event in application.of("authorize") if (event.place.path, event.place.line) not in logged - sent
    )


def _lacking(application: Application, event: Event) -> Place:
    """What is missing is found on the line of the function that lacks it, when that is in sight of the address."""
    line = application.heads.get((event.place.path, event.unit))
    if line is None or not 0 <= event.place.line - line <= _IN_SIGHT:
        return event.place
    return Place(event.place.path, line, line)


def _generator(application: Application, state: Term, event: Event) -> tuple[Place, tuple[Place, ...]]:
    """Where the weak value is made; where it is sent is a related place."""
    for leaf in leaves(state):
        made = application.facts.made.get(leaf) if application.facts.kinds.get(leaf) == "weak" else None
        if made is not None:
            return made, (at(event.place, "it is sent as state here"),)
    return event.place, ()


def distinct(events: tuple[Event, ...]) -> list[Event]:
    """Each authorization once: a text that is only a piece of another, or handed on, is that other."""
    kept: list[Event] = []
    for event in events:
        if any(_piece(event, other) for other in events if other is not event and _together(event, other)):
            continue
        if any(one.site == event.site or _same_address(one, event) for one in kept):
            continue
        kept.append(event)
    return kept


def _together(event: Event, other: Event) -> bool:
    """Whether both may be steps of making one address: in one entry, or a constant that an entry completes."""
    return other.entry is event.entry or event.entry.kind == "module"


def _same_address(first: Event, second: Event) -> bool:
    return first.details.get("url") is second.details.get("url") and first.place.path == second.place.path


def _piece(event: Event, other: Event) -> bool:
    """Whether an event's address is a proper part of another's."""
    own, whole = event.details.get("url"), other.details.get("url")
    if own is None or whole is None or own is whole:
        return False
    if any(leaf is own for leaf in leaves(whole)):
        return True
    pieces = own.args if own.kind == "text" else (own,)
    rest = whole.args if whole.kind == "text" else (whole,)
    for start in range(len(rest) - len(pieces) + 1):
        if all(_covers(rest[start + index], piece) for index, piece in enumerate(pieces)):
            return len(rest) > len(pieces) or any(rest[start + i] is not piece for i, piece in enumerate(pieces))
    return False


def _covers(whole: Term, piece: Term) -> bool:
    if whole is piece:
        return True
    return whole.kind == piece.kind == "literal" and plain(piece) in plain(whole)


def origin(application: Application, state: Term | None) -> Origin:
    """The worst of what a state may be."""
    if state is None:
        return "missing"
    return max((_single(application, one, 6) for one in values(state)), key=_WORST.index)


def _kept_for_all(application: Application, state: Term) -> bool:
    """Whether a state may be one that an earlier request left in a module for all: `cached = cached or fresh()`."""
    modules = {path for path, program in application.programs.items() if program.language != "html"}
    return any(
        one.kind == "load"
        and one.args[0].kind == "root"
        and one.args[0].data[0] in modules
        and any(written in values(state) for written in _writes(application, one))
        for one in values(state)
    )


def _single(application: Application, term: Term, depth: int) -> Origin:
    kinds = application.facts.kinds
    if depth == 0:
        return "unknown"
    if kinds.get(term) == "weak":
        return "weak"
    if kinds.get(term) == "fresh":
        return "startup" if _made_at_startup(application, term) else "fresh"
    match term.kind:
        case "literal":
            return "missing" if value_of(term) in (None, "") else "constant"
        case "load":
            return _loaded(application, term, depth)
        case "alt":
            return max((_single(application, one, depth - 1) for one in values(term)), key=_WORST.index)
        case "external":
            return "unknown"
        case "parameter" | "unknown":
            return "unknown"
        case "call" | "pending" | "function" | "native" | "object":
            inner = [_single(application, one, depth - 1) for one in _parts(term)]
            return "fresh" if "fresh" in inner else "unknown"
        case _:
            return _best(application, _parts(term), depth)


def _parts(term: Term) -> list[Term]:
    return [part for part in term.args if part.kind not in ("and", "or", "not", "compare")]


def _best(application: Application, parts: list[Term], depth: int) -> Origin:
    """A text or mapping is as good as the best of its parts: one fresh part makes it fresh."""
    found = [_single(application, part, depth - 1) for part in parts]
    for good in ("fresh", "unknown"):
        if good in found:
            return good
    for bad in ("weak", "startup", "request", "constant"):
        if bad in found:
            return bad
    return "constant"


def _loaded(application: Application, term: Term, depth: int) -> Origin:
    holder, key = term.args
    if holder.kind == "root":
        identity = holder.data[0]
        if identity == "INPUT":
            kept = any(contains(write.value, lambda leaf: leaf is term) for write in application.facts.writes)
            relayed = text_of(key) == "state" and not kept  # a client of ours made it, and compares it itself
            return "unknown" if relayed else "request"
        if identity == "ENV":
            return "constant"
    if holder.kind == "literal":  # a letter of an alphabet is as good as the number that picks it
        return _single(application, key, depth - 1)
    if holder.kind in ("call", "parsed", "sequence") or (holder.kind == "load" and not _writes(application, term)):
        inner = _single(application, holder, depth - 1)
        if inner in ("fresh", "weak", "startup"):
            return inner
    written = [one for value in _writes(application, term) for one in values(value) if one is not term]
    if not written:
        return "unknown"
    return max((_single(application, one, depth - 1) for one in written), key=_WORST.index)


def _writes(application: Application, term: Term) -> list[Term]:
    holder, key = term.args
    return [
        write.value
        for write in application.facts.writes
        if write.holder is holder
        and write.key is key
        and not (write.value.kind == "literal" and not value_of(write.value))
    ]


def _made_at_startup(application: Application, term: Term) -> bool:
    """Whether a value is made once for all: while a module loads, unless it is a page's, which loads for each visitor."""
    if term.kind != "call" or not term.data[2].startup:
        return False
    program = application.programs.get(term.data[2].path)
    return program is None or program.language != "html"


__all__ = ["answer", "contains", "text_of"]
