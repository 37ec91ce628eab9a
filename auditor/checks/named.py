"""Literals that stand where a name says what belongs there: a variable, a key, a parameter, a field, an option.

A name may be an entry's own (`client_secret`), or its holder may say whose it is (`client: {secret: …}`). The literal may
be joined of pieces, wrapped, or the value that is taken when nothing else is given.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from auditor import program as ir
from auditor.analysis.secrets import Judgement, flat
from auditor.model import Place
from auditor.program import Program

_WRAPPERS = frozenset({"SecretStr", "Secret", "Field", "field", "str", "String", "bytes"})
_GIVEN = frozenset({"default", "defaultvalue", "devdefault", "fallback", "value"})  # what an option's value is called
_PAIR = re.compile(r"(?<![\w-])([A-Za-z_][\w-]{0,80})=([^\s&\"'`,;<>]{8,})")  # `client_secret=…` within a longer text
_SEVERAL = re.compile(r"[A-Za-z0-9][_-][A-Za-z0-9]|[a-z][A-Z]")  # a name of several words
_OPTION = re.compile(r"-{0,2}([A-Za-z_][\w-]*)(?:[ =].*)?")  # `--client-secret <value>`

Judge: TypeAlias = Callable[[str, str], Judgement]
"""What the literal is under a name, given as (value, name)."""

_NAMING: frozenset[type[ir.Node]] = frozenset({
    ir.Assign, ir.Bind, ir.Item, ir.Argument, ir.Parameter, ir.PatternItem, ir.Default, ir.Element, ir.Call, ir.Sequence,
    ir.Express, ir.Literal,
})  # fmt: skip

Names: TypeAlias = Callable[[str, str], bool]
"""Whether a name, with that of its holder or "", is one of those that are looked for."""


class Named(NamedTuple):
    """A literal under a name that was looked for.

    `behind`: it is the default of a look-up. `harmless`: it is empty, prose, or a field's first value, which says
    nothing where the secret that is sent is known to come from elsewhere. `said`: the name
    is no more than an argument beside it or a part of a text, so that a placeholder there says nothing.
    """

    place: Place
    judged: Judgement
    behind: bool
    harmless: bool
    said: bool


class _Use(NamedTuple):
    """A value with the name that it is given."""

    name: str
    holder: str
    value: object
    field: bool = False  # an entry, a parameter: the first value of something that may get another
    said: bool = False  # the name is an argument beside the value, or stands in the same text


Uses: TypeAlias = Mapping[str, Sequence[tuple[Program, _Use]]]
"""The values of all programs by the names that they are given."""


def uses(programs: Mapping[str, Program]) -> Uses:
    """Wherever a value is given a name, by path. Settings are not read here: see `configured`."""
    out: dict[str, list[tuple[Program, _Use]]] = {}
    for path in sorted(programs):
        if programs[path].language != "settings":
            for use in _uses(programs[path]):
                out.setdefault(use.name, []).append((programs[path], use))
    return out


def literals(found: Uses, wanted: Names, judge: Judge) -> list[Named]:
    """The literals under names that are `wanted`, by path and place."""
    out = [
        one
        for name, given in found.items()
        for program, use in given
        if wanted(name, use.holder)
        for one in _written(program, use, judge)
    ]
    return sorted(out, key=lambda one: (one.place.path, one.place.line, one.place.column))


def _written(program: Program, use: _Use, judge: Judge) -> Iterator[Named]:
    for text, at, behind in _texts(use.value, use.said):
        judged = judge(text, use.name)
        line, column, end, _ = program.spans[at]
        harmless = use.field or judged == "empty" or " " in text.strip()
        yield Named(Place(program.path, line, end, "", column), judged, behind, harmless, use.said)


def looked_up(found: Uses, keys: Iterable[tuple[str, ...]], judge: Judge) -> Iterator[Named]:
    """The real secrets under these keys, by which code looks for them in settings that are modules, classes or mappings.

    Only a name of several words, or one whose holder is named as well, says that it is the same setting.
    """
    for *above, last in keys:
        holder = flat(above[-1]) if above else ""
        for program, use in found.get(last, ()):
            if is_specific(last) or (holder and flat(use.holder) == holder):
                yield from (one for one in _written(program, use, judge) if one.judged == "real")


def is_specific(name: str) -> bool:
    """Whether a name has several words, so that whatever else is called so is the same thing."""
    return _SEVERAL.search(name) is not None


# ------------------------------------------------------------------------------------------------- names


def _uses(program: Program) -> Iterator[_Use]:
    """Wherever a value is given a name."""
    holders: dict[ir.Node, str] = {}
    prose: set[ir.Node] = set()
    for node in ir.nodes(program):
        if node.__class__ not in _NAMING:
            continue
        match node:
            case ir.Argument(name=name):
                if name is not None:
                    _hold(holders, name, node.value)
                    yield _Use(name, "", node.value)
            case ir.Assign() | ir.Bind():
                name, value = target_name(node.target), node.value
                if name is not None and value is not None:
                    _hold(holders, name, value)
                    yield _Use(name, _owner(node.target), value)
            case ir.Item(key=ir.Literal(value=str() as name)):
                _hold(holders, name, node.value)
                yield _Use(name, holders.get(node, ""), node.value, field=True)
            case ir.Parameter() | ir.PatternItem() | ir.Default():
                name = target_name(node.target)
                key = node.key if isinstance(node, ir.PatternItem) else None
                if isinstance(key, ir.Literal) and isinstance(key.value, str):
                    name = key.value
                if name is not None and node.default is not None:
                    yield _Use(name, "", node.default, field=True)
            case ir.Element():
                yield from _field(node)
            case ir.Call(arguments=(ir.Argument(value=ir.Literal()), _, *_)):
                yield from _beside([one.value for one in node.arguments if not one.name and not one.spread], node)
            case ir.Sequence(items=(ir.Literal() as first, ir.Literal() | ir.Operator() | ir.Text() as second)):
                yield from _beside([first, second], None)
            case ir.Express(value=ir.Literal() as text):
                prose.add(text)
            case ir.Literal(value=str() as text) if "=" in text and node not in prose:
                for name, value in _PAIR.findall(text):
                    yield _Use(name, "", ir.Literal(node.at, value), said=True)


def _hold(holders: dict[ir.Node, str], name: str, value: object) -> None:
    """Note the name of a mapping for its entries; one that is wrapped (`Object.freeze({…})`) is the same one."""
    if isinstance(value, ir.Call) and len(value.arguments) == 1:
        value = value.arguments[0].value
    if isinstance(value, ir.Mapping):
        holders.update(dict.fromkeys(value.items, name))


def _owner(target: object) -> str:
    """The name of what an attribute or a key is set on: `client` of `config.client.secret`."""
    return (target_name(target.object) or "") if isinstance(target, ir.Member | ir.Subscript) else ""


def target_name(target: object) -> str | None:
    """The name of a variable, an attribute or a fixed key."""
    match target:
        case ir.Name():
            return target.id
        case ir.Member():
            return target.name
        case ir.Subscript(key=ir.Literal(value=key)):
            return str(key)
    return None


def _field(element: ir.Element) -> Iterator[_Use]:
    """The name and the value that a form's field carries: `<input name="client_secret" value="…">`."""
    given = {item.key.value: item.value for item in element.attributes if isinstance(item.key, ir.Literal)}
    name = given.get("name", given.get("id"))
    if isinstance(name, ir.Literal) and isinstance(name.value, str) and "value" in given:
        yield _Use(name.value, "", given["value"])


def _beside(given: list[ir.Expression], call: ir.Call | None) -> Iterator[_Use]:
    """A value that stands beside its name: `set("CLIENT_SECRET", "…")`, `option("--client-secret", default="…")`."""
    if not given or not isinstance(given[0], ir.Literal) or not isinstance(given[0].value, str):
        return
    option = _OPTION.fullmatch(given[0].value)
    if option is None:
        return
    for value in given[1:]:
        if isinstance(value, ir.Literal | ir.Mapping | ir.Operator | ir.Text):
            yield _Use(option[1], "", value, said=True)
    for argument in call.arguments if call is not None else ():
        if argument.name is not None and flat(argument.name) in _GIVEN:
            yield _Use(option[1], "", argument.value, said=True)


# ------------------------------------------------------------------------------------------------ values


def _texts(value: object, behind: bool = False) -> Iterator[tuple[str, int, bool]]:
    """The texts that a named place may take, where each is written, and whether a look-up stands before it."""
    whole = ir.joined(value)
    if whole is not None:
        yield whole, value.at, behind  # type: ignore[attr-defined]
        return
    match value:
        case ir.Operator(op="or" | "nullish"):
            looked_up = behind or any(ir.joined(operand) is None for operand in value.operands)
            for operand in value.operands:
                yield from _texts(operand, looked_up)
        case ir.Conditional():
            yield from _texts(value.then, behind)
            yield from _texts(value.otherwise, behind)
        case ir.Call():
            yield from _given(value, behind)
        case ir.Mapping():
            yield from _defaults(value)


def _given(call: ir.Call, behind: bool) -> Iterator[tuple[str, int, bool]]:
    """The texts within a call that makes a value: wrapped (`SecretStr("…")`), or the default of a look-up."""
    callee = call.callee
    name = target_name(callee) or ""
    positional = [argument.value for argument in call.arguments if argument.name is None and not argument.spread]
    named = {argument.name: argument.value for argument in call.arguments if argument.name}
    aliased = any(word in named for word in ("alias", "validation_alias", "env"))
    if name in _WRAPPERS:
        yield from _texts(positional[0] if positional else named.get("default"), behind or aliased)
    elif flat(name) in _GIVEN:  # `string().default("…")`
        yield from _texts(positional[0] if positional else None, True)
    elif len(positional) >= 2:
        yield from _texts(positional[1], True)
    else:
        for keyword in ("default", "default_value", "fallback"):
            yield from _texts(named.get(keyword), True)
        if positional and isinstance(positional[0], ir.Mapping):
            yield from _defaults(positional[0])
    if isinstance(callee, ir.Member) and isinstance(callee.object, ir.Call):
        yield from (one for one in _given(callee.object, behind) if one[2])


def _defaults(options: ir.Mapping) -> Iterator[tuple[str, int, bool]]:
    """What the options of a setting say that it is when nothing is given: `{default: "…", env: "CLIENT_SECRET"}`."""
    for item in options.items:
        if isinstance(item.key, ir.Literal) and flat(str(item.key.value)) in _GIVEN:
            yield from _texts(item.value, True)
