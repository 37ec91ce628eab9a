"""Is a secret written in the code or in a configuration file that is committed? (C01)"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from auditor import program as ir
from auditor.analysis.secrets import Judgement, is_secret_name, judge
from auditor.checks import configured
from auditor.checks.application import Application, at, observation
from auditor.checks.configured import Configured
from auditor.facts import Event
from auditor.model import Observation, Place
from auditor.program import Program
from auditor.questions import LiteralQuestion
from auditor.terms import Term, leaves, plain, text_of


def answer(question: LiteralQuestion, rule: str, items: tuple[str, ...], application: Application) -> list[Observation]:
    """One observation for each literal that is a secret, and proofs for those that come from elsewhere."""
    out: list[Observation] = []
    seen: set[tuple[str, int]] = set()
    for place, judged in named_literals(application.programs):
        _add(out, seen, rule, items, place, judged, "a client secret is written here as a literal")
    for setting in configured.named(application):
        _add_setting(out, seen, rule, items, setting, "a client secret is written in this configuration file")
    for event in [event for action in ("exchange", "refresh", "revoke", "authorize") for event in application.actions.get(action, ())]:
        secret = event.details.get("secret")
        if secret is not None:
            _flow(out, seen, rule, items, application, event, secret)
    return out


def _add(
    out: list[Observation], seen: set[tuple[str, int]], rule: str, items: tuple[str, ...], place: Place, judged: Judgement,
    message: str,
) -> None:  # fmt: skip
    if any((place.path, line) in seen for line in range(place.line - 1, place.line + 2)):
        return
    if judged == "real":
        seen.add((place.path, place.line))
        out.append(observation(rule, items, "fail", place, message))
    elif judged in ("placeholder", "empty"):
        seen.add((place.path, place.line))
        message = "only a placeholder stands here: where the real client secret is kept is for a person to say"
        out.append(observation(rule, items, "review", place, message, confidence="low"))


def _add_setting(
    out: list[Observation], seen: set[tuple[str, int]], rule: str, items: tuple[str, ...], setting: Configured, message: str
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
    event: Event, secret: Term,
) -> None:  # fmt: skip
    """What is sent as the client secret, by whence it comes."""
    secret = settled(application, secret)
    for setting in configured.looked_up(application, secret):
        message = f"what stands here is sent as the client secret ({event.place.path}:{event.place.line})"
        _add_setting(out, seen, rule, items, setting, message)
    environment = [leaf for leaf in leaves(secret) if _from_environment(leaf)]
    for leaf in leaves(secret):
        value = text_of(leaf)
        if value is None:
            continue
        judged = _judge_sent(value, secret, leaf)
        if judged is None:
            continue
        if environment and judged != "real":
            continue
        place = find_literal(application.programs, value, event.place) or event.place
        _add(out, seen, rule, items, place, judged, f"this literal is sent as the client secret ({event.place.path}:{event.place.line})")
    if environment:
        out.append(observation(rule, items, "pass", event.place, "the client secret comes from the environment", unit=event.unit))
    elif not any(text_of(leaf) is not None for leaf in leaves(secret)):
        message = "where the client secret comes from could not be followed"
        status = "pass" if _configured(secret) else "review"
        if status == "pass":
            message = "the client secret comes from the application's settings, not from a literal"
        out.append(observation(rule, items, status, event.place, message, unit=event.unit))


def _judge_sent(value: str, secret: Term, leaf: Term) -> Judgement | None:
    """A literal on the way of the client secret; pieces of a header that are no secret are none."""
    if secret.kind == "text" or value.lower().startswith(("basic ", "bearer ")):
        scheme, _, rest = value.partition(" ")
        if scheme.lower() == "basic" and rest:
            return "real" if judge(rest) == "real" else None
        return None if leaf is not secret else judge(value)
    if secret.kind == "alt" or leaf is secret:
        return judge(value)
    return None


def settled(application: Application, term: Term, depth: int = 3) -> Term:
    """The term, or what was written to the slot that it was loaded from."""
    if depth == 0 or term.kind != "load":
        return term
    written = [
        write.value
        for write in application.facts.writes
        if write.holder is term.args[0] and write.key is term.args[1] and write.value.kind != "literal"
    ]
    return settled(application, written[0], depth - 1) if written else term


def _from_environment(leaf: Term) -> bool:
    return leaf.kind == "root" and leaf.data[0] == "ENV"


def _configured(secret: Term) -> bool:
    """A parameter or a member of settings: somebody's configuration."""
    return any(leaf.kind in ("external", "call", "parameter") for leaf in leaves(secret))


def named_literals(programs: Mapping[str, Program]) -> Iterator[tuple[Place, Judgement]]:
    """Literals that stand where a name says that a client secret belongs."""
    for path in sorted(programs):
        program = programs[path]
        if program.language == "settings":
            continue  # see `configured`
        for name, value, node in _named(program):
            if is_secret_name(name):
                span = program.spans[node.at]
                yield Place(path, span[0], span[2], "", span[1]), judge(value, name)


def _named(program: Program) -> Iterator[tuple[str, str, ir.Node]]:
    for node in ir.walk(program):
        kind = type(node)
        if kind is ir.Assign:
            yield from _pair(_target_name(node.target), node.value, node)  # type: ignore[attr-defined]
        elif kind is ir.Item:
            key = node.key  # type: ignore[attr-defined]
            yield from _pair(key.value if type(key) is ir.Literal else None, node.value, node.value)  # type: ignore[attr-defined]
        elif kind is ir.Argument:
            yield from _pair(node.name, node.value, node.value)  # type: ignore[attr-defined]
        elif kind is ir.Element:
            yield from _field(node)  # type: ignore[arg-type]
        elif kind is ir.Parameter:
            yield from _pair(_target_name(node.target), node.default, node)  # type: ignore[attr-defined]


def _field(element: ir.Element) -> Iterator[tuple[str, str, ir.Node]]:
    """The value that a form's field carries: `<input name="client_secret" value="…">`."""
    given = {item.key.value: item.value for item in element.attributes if type(item.key) is ir.Literal}
    name = given.get("name", given.get("id"))
    if type(name) is ir.Literal and "value" in given:
        yield from _pair(name.value, given["value"], element)


def _target_name(target: object) -> str | None:
    if type(target) is ir.Name:
        return target.id
    if type(target) is ir.Member:
        return target.name
    if type(target) is ir.Subscript and type(target.key) is ir.Literal:
        return str(target.key.value)
    return None


def _pair(name: object, value: object, node: ir.Node) -> Iterator[tuple[str, str, ir.Node]]:
    """The literals that a named place takes: itself, either side of `or`, the default of a look-up."""
    if not isinstance(name, str):
        return
    if type(value) is ir.Literal and isinstance(value.value, str):
        yield name, value.value, node
    elif type(value) is ir.Operator and value.op in ("or", "nullish"):
        for operand in value.operands:
            if type(operand) is ir.Literal and operand.value:
                yield from _pair(name, operand, node)
    elif type(value) is ir.Call and len(value.arguments) == 2:
        default = value.arguments[1].value
        if type(default) is ir.Literal and default.value:
            yield from _pair(name, default, node)


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


__all__ = ["answer", "at", "plain"]
