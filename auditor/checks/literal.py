"""Is a secret written in the code or in a configuration file that is committed? (C01)"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import msgspec

from auditor import program as ir
from auditor.analysis.secrets import Judgement, is_secret_name, judge
from auditor.checks import configured
from auditor.checks.application import Application, observation
from auditor.checks.configured import Configured
from auditor.checks.provenance import Origin, Provenance
from auditor.checks.sides import is_open
from auditor.facts import Event
from auditor.model import SIDES, Observation, Place
from auditor.program import Program
from auditor.questions import LiteralQuestion
from auditor.terms import Term, leaves

_PROOFS: Mapping[Origin, str] = {
    "environment": "the client secret comes from the environment",
    "manager": "the client secret comes from a secret manager",
    "settings": "the client secret comes from the application's settings, not from a literal",
    "caller": "the client secret is given by whoever calls, not by a literal",
}
_WRAPPERS = frozenset({"SecretStr", "Secret", "Field", "field", "str", "String", "bytes"})
_SENDING = ("exchange", "refresh", "revoke", "authorize", "secret-use")


def answer(question: LiteralQuestion, rule: str, items: tuple[str, ...], application: Application) -> list[Observation]:
    """One observation for each literal that is a secret, and proofs for those that come from elsewhere.

    The first item asks whence the secret comes; the others ask only whether one is written down.
    """
    out: list[Observation] = []
    seen: set[tuple[str, int]] = set()
    for setting in configured.named(application):
        _add_setting(out, seen, rule, items, setting, "a client secret is written in this configuration file")
    provenance = Provenance(application.facts)
    sending = [event for action in _SENDING for event in application.of(action)]
    for event in sending:
        secret = event.details.get("secret")
        if secret is not None:
            _flow(out, seen, rule, items, application, provenance, event, secret)
    proved = any(one.status == "pass" for one in out)
    for named in named_literals(application.programs, application.prefixes):
        if named.judged == "real":
            _add(out, seen, rule, items, named.place, "real", "a client secret is written here as a literal")
        elif not named.behind and not (proved and named.harmless):
            _add(out, seen, rule, items, named.place, named.judged, "")
    out = [_placed(application, one) for one in out]
    if not out and _is_public(application):
        event = application.of("exchange")[0]
        message = "a public client: the exchange is protected by PKCE and sends no secret"
        out.append(observation(rule, items, "not-applicable", event.place, message, unit=event.unit))
    return out


def _placed(application: Application, one: Observation) -> Observation:
    """A secret in what users run is in everybody's hands, whatever repository it comes from: that is said, too."""
    if one.status != "fail" or one.place is None:
        return one
    side = application.side(one.place.path, one.place.line)
    if not is_open(side):
        return one
    return msgspec.structs.replace(
        one, message=f"{one.message}, and it runs {SIDES[side]}, where everybody can read it"
    )


def _is_public(application: Application) -> bool:
    """Whether every exchange proves itself by PKCE alone."""
    exchanges = application.of("exchange")
    return bool(exchanges) and all(
        "secret" not in event.details and "arguments" in event.details and _has_verifier(event.details["arguments"])
        for event in exchanges
    )


def _has_verifier(arguments: Term) -> bool:
    return any(
        key is not None and key.lower().replace("_", "") in ("codeverifier", "pkcecodeverifier")
        for leaf in leaves(arguments)
        if leaf.kind == "mapping"
        for key in leaf.data
    )


def _add(
    out: list[Observation], seen: set[tuple[str, int]], rule: str, items: tuple[str, ...], place: Place, judged: Judgement,
    message: str,
) -> None:  # fmt: skip
    if (place.path, place.line) in seen:
        return
    if judged == "real":
        seen.add((place.path, place.line))
        out.append(observation(rule, items, "fail", place, message))
    elif judged in ("placeholder", "empty"):
        seen.add((place.path, place.line))
        message = "only a placeholder stands here: where the real client secret is kept is for a person to say"
        out.append(observation(rule, items[:1], "review", place, message, confidence="low"))


def _add_setting(
    out: list[Observation],
    seen: set[tuple[str, int]],
    rule: str,
    items: tuple[str, ...],
    setting: Configured,
    message: str,
) -> None:
    """A secret in a configuration file: for a person to judge where it is not known whether the file is committed."""
    place = setting.place
    if (place.path, place.line) in seen:
        return
    seen.add((place.path, place.line))
    if not setting.committed:
        message = f"{message}; whether it is committed is not known"
    status = "fail" if setting.committed else "review"
    confidence = "high" if setting.sure else "medium"
    out.append(observation(rule, items, status, place, message, confidence=confidence))


def _flow(
    out: list[Observation], seen: set[tuple[str, int]], rule: str, items: tuple[str, ...], application: Application,
    provenance: Provenance, event: Event, secret: Term,
) -> None:  # fmt: skip
    """What is sent as the client secret, by whence it comes."""
    for setting in configured.looked_up(application, secret):
        message = f"what stands here is sent as the client secret ({event.place.path}:{event.place.line})"
        _add_setting(out, seen, rule, items, setting, message)
    sources = provenance.of(secret)
    literals = [
        (source, judge(source.text, "", application.prefixes)) for source in sources if source.origin == "literal"
    ]
    origins = [source.origin for source in sources if source.origin in _PROOFS]
    for source, judged in literals:
        if judged == "real" or not origins:
            place = find_literal(application.programs, source.written, event.place) or event.place
            message = f"this literal is sent as the client secret ({event.place.path}:{event.place.line})"
            _add(out, seen, rule, items, place, judged, message)
    if origins:
        message = _PROOFS[min(origins, key=tuple(_PROOFS).index)]
        out.append(observation(rule, items[:1], "pass", event.place, message, unit=event.unit))
    elif not literals:
        message = "where the client secret comes from could not be followed"
        out.append(observation(rule, items[:1], "review", event.place, message, unit=event.unit))


class Named(NamedTuple):
    """A literal that stands where a name says that a client secret belongs.

    `behind`: it is the default of a look-up. `harmless`: it is empty, prose, or a field's first value, which says
    nothing where the secret that is sent is known to come from elsewhere.
    """

    place: Place
    judged: Judgement
    behind: bool
    harmless: bool


def named_literals(programs: Mapping[str, Program], prefixes: tuple[str, ...] | None = None) -> Iterator[Named]:
    """Literals that stand where a name says that a client secret belongs. Tests, whose secrets are fakes, are not read."""
    for path in sorted(programs):
        program = programs[path]
        if program.language == "settings":
            continue  # for settings see `configured`
        for name, value, field in _named(program):
            for literal, behind in _literals(value) if is_secret_name(name) else ():
                text = str(literal.value)
                judged = judge(text, name, prefixes)
                span = program.spans[literal.at]
                harmless = field or judged == "empty" or " " in text.strip()
                yield Named(Place(path, span[0], span[2], "", span[1]), judged, behind, harmless)


def _named(program: Program) -> Iterator[tuple[str, ir.Expression, bool]]:
    """(name, value, whether it is a field's or a parameter's first value) wherever a value is given a name."""
    for node in ir.walk(program):
        kind = type(node)
        name: object = None
        if kind is ir.Assign:
            name, value, field = _target_name(node.target), node.value, False  # type: ignore[attr-defined]
        elif kind is ir.Item:
            key = node.key  # type: ignore[attr-defined]
            name, value, field = key.value if type(key) is ir.Literal else None, node.value, True  # type: ignore[attr-defined]
        elif kind is ir.Argument:
            name, value, field = node.name, node.value, False  # type: ignore[attr-defined]
        elif kind is ir.Parameter:
            name, value, field = _target_name(node.target), node.default, True  # type: ignore[attr-defined]
        elif kind is ir.Element:
            name, value, field = *_field(node), False  # type: ignore[arg-type]
        if isinstance(name, str) and value is not None:
            yield name, value, field


def _field(element: ir.Element) -> tuple[object, ir.Expression | None]:
    """The name and the value that a form's field carries: `<input name="client_secret" value="…">`."""
    given = {item.key.value: item.value for item in element.attributes if type(item.key) is ir.Literal}
    name = given.get("name", given.get("id"))
    return (name.value, given.get("value")) if type(name) is ir.Literal else (None, None)


def _target_name(target: object) -> str | None:
    if type(target) is ir.Name:
        return target.id
    if type(target) is ir.Member:
        return target.name
    if type(target) is ir.Subscript and type(target.key) is ir.Literal:
        return str(target.key.value)
    return None


def _literals(value: object, behind: bool = False) -> Iterator[tuple[ir.Literal, bool]]:
    """The literals that a named place may take, each with whether a look-up stands before it."""
    if type(value) is ir.Literal:
        if isinstance(value.value, str):
            yield value, behind
    elif type(value) is ir.Operator and value.op in ("or", "nullish"):
        looked_up = behind or any(type(operand) is not ir.Literal for operand in value.operands)
        for operand in value.operands:
            yield from _literals(operand, looked_up)
    elif type(value) is ir.Conditional:
        yield from _literals(value.then, behind)
        yield from _literals(value.otherwise, behind)
    elif type(value) is ir.Call:
        yield from _given(value, behind)


def _given(call: ir.Call, behind: bool) -> Iterator[tuple[ir.Literal, bool]]:
    """The literal within a call that makes a value: wrapped (`SecretStr("…")`), or the default of a look-up."""
    callee = call.callee
    name = callee.id if type(callee) is ir.Name else callee.name if type(callee) is ir.Member else ""
    positional = [argument.value for argument in call.arguments if argument.name is None and not argument.spread]
    named = {argument.name: argument.value for argument in call.arguments if argument.name}
    aliased = any(word in named for word in ("alias", "validation_alias", "env"))
    if name in _WRAPPERS:
        yield from _literals(positional[0] if positional else named.get("default"), behind or aliased)
    elif len(positional) >= 2:
        yield from _literals(positional[1], True)
    else:
        for keyword in ("default", "default_value", "fallback"):
            yield from _literals(named.get(keyword), True)


def find_literal(programs: Mapping[str, Program], value: str, near: Place) -> Place | None:
    """Where a literal of this value, or its longest piece, is written; the file of the event first."""
    best: tuple[int, Place] | None = None
    for path in sorted(programs, key=lambda one: (one != near.path, one)):
        program = programs[path]
        if program.language == "settings":
            continue
        for node in ir.walk(program):
            if type(node) is not ir.Literal or not isinstance(node.value, str) or len(node.value) < 6:
                continue
            if node.value in value and (best is None or len(node.value) > best[0]):
                span = program.spans[node.at]
                best = (len(node.value), Place(path, span[0], span[2], "", span[1]))
    return best[1] if best is not None else None
