"""What a library's names do, as their models say, and how values are written out, read back and compared."""

from __future__ import annotations

import http
import re
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import actions, calls, entries, hooks, stores
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, ClassInfo, Frame
from auditor.facts import Write
from auditor.library import Model, Reference, Save
from auditor.terms import Term, Terms, alternatives, contains, leaves, plain, text_of, value_of, values

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker

_QUERY_TYPES = frozenset({"URLSearchParams", "FormData", "httpx.QueryParams", "QueryParams"})
_STATUS = frozenset({"status", "status_code", "statusCode", "code"})
_ROOTS = {
    "input": "INPUT", "session": "SESSION", "cookies": "COOKIES", "headers": "HEADERS", "callback-url": "CALLBACK_URL",
    "environment": "ENV",
}  # fmt: skip
_TEMPLATE = re.compile(r"(^|/)(templates?|views?|jinja2?)/|\.(ejs|hbs|handlebars|mustache|njk|twig|liquid|jinja2?|j2)$")
ELEMENTS = 12  # elements of a known sequence that are walked one by one
_OUTLIVING = ("SESSION", "COOKIES", "STORAGE")
_GLOBAL = frozenset({"window", "globalThis", "self"})  # the object whose members a browser's program names directly


def unit_key(function: Term) -> tuple[str, int]:
    """The key of a function's unit in the world's table."""
    return function.data[0], function.data[1]


def is_input(term: Term) -> bool:
    """Whether a value was read straight from the request."""
    return term.kind == "load" and term.args[0].kind == "root" and term.args[0].data[0] == "INPUT"


def is_environment(term: Term) -> bool:
    """Whether a holder is the process's environment: it is set before any request, so its presence says nothing."""
    return term.kind == "root" and term.data[0] == "ENV"


def holder_of(w: Walker, term: Term) -> Term:
    """The object whose slots a term means: a root is one object, however it was reached."""
    if term.kind == "root":
        return w.terms.make("root", (term.data[0], ""))
    return term


# ------------------------------------------------------------------------------------- names and members


def known(w: Walker, term: Term, frame: Frame | None) -> Term:
    """A library's name as what its model says that it is."""
    name, language = str(term.data[0]), str(term.data[1])
    if name.startswith("django.conf.settings."):
        found = w.setting(name.rpartition(".")[2])
        if found is not None:
            return found
    model = w.world.libraries.find(language, name)
    head, dot, tail = name.partition(".")
    if (
        model is None and language == "javascript" and dot and head in _GLOBAL
    ):  # the same object, whichever way it is reached
        model = w.world.libraries.find(language, tail)
        term, name = (w.world.external(tail, language), tail) if model is not None else (term, name)
    return _as_model(w, term, model, name) if model is not None else term


def _status_named(name: str) -> int | None:
    """The HTTP status that a name stands for: `UNAUTHORIZED`, `unauthorized`, `HTTP_401_UNAUTHORIZED`."""
    digits = re.search(r"(?<!\d)[1-5]\d\d(?!\d)", name)
    if digits is not None:
        return int(digits.group())
    flat = name.replace("_", "").lower()
    return next((status.value for status in http.HTTPStatus if status.name.replace("_", "").lower() == flat), None)


def _as_model(w: Walker, term: Term, model: Model, name: str) -> Term:
    if model.kind == "status":
        number = _status_named(name.rpartition(".")[2])
        return w.terms.literal(number) if number is not None else term
    if model.is_ in _ROOTS:
        root = w.world.root(_ROOTS[model.is_], model.like or name)
        if model.medium:
            w.world.media.setdefault(holder_of(w, root), model.medium)
        return root
    if model.is_ in ("request", "response", "client", "store"):
        w.world.types[term] = model.like or name
        if model.medium:
            w.world.media[term] = model.medium
        return term
    if model.like and not model.is_:
        w.world.types[term] = model.like
    if model.kind and model.kind != "secret":
        w.world.kinds[term] = model.kind
    return term


def handed_in(w: Walker, name: str, frame: Frame) -> Term | None:
    """A free name of a template: what the server hands over by this name, unless a browser or a library has it."""
    path = frame.program.path
    if _TEMPLATE.search(path) is None or w.world.libraries.knows(frame.language, name):
        return None
    if name == "session":
        return w.world.root("SESSION", "")
    return w.terms.load(template_root(w.terms, path), w.terms.literal(name))


def template_root(terms: Terms, path: str) -> Term:
    """What holds the names that are handed to a template."""
    return terms.make("root", (f"TEMPLATE:{path}", ""))


def known_member(w: Walker, holder: Term, name: str, state: State, frame: Frame) -> Term | None:
    """A member that a library model, or what every response has, gives a meaning to."""
    if holder.kind == "error":
        return _error_member(w, holder, name)
    if holder in w.world.http and name in _STATUS:
        return w.terms.make("op", "status", (holder,))
    if holder in w.world.http and name in ("ok", "is_success"):
        return w.terms.make("op", "ok", (holder,))
    if name == "length" and frame.language == "javascript" and holder.kind not in ("object",):
        return w.terms.make("op", "len", (holder,))
    full = w.world.name_of(holder)
    if not full:
        return None
    model = w.world.libraries.find(frame.language, f"{full}.{name}")
    if model is None:
        whole = w.world.libraries.find(frame.language, full) if holder.kind == "object" else None
        if whole is not None and whole.is_ in _ROOTS:  # an instance of a class of settings: its fields come from there
            return w.read(_as_model(w, holder, whole, full), w.terms.literal(name), state)
        return None
    if model.same == "object":
        return holder
    if model.is_ == "callback-url" or (holder.kind == "root" and holder.data[0] == "CALLBACK_URL"):
        if model.is_ == "input" or model.is_ == "callback-url":
            return w.world.root(_ROOTS[model.is_], model.like or f"{full}.{name}")
        return w.world.root("CALLBACK_URL", model.like or "str")
    if model.is_ in _ROOTS:
        return _as_model(w, holder, model, f"{full}.{name}")
    if model.status:
        return w.terms.make("op", "status", (holder,))
    if model.ok:
        return w.terms.make("op", "ok", (holder,))
    if model.like or model.is_ or model.kind:
        loaded = w.read(holder, w.terms.literal(name), state)
        return _as_model(w, loaded, model, f"{full}.{name}") if loaded.kind == "load" else loaded
    return w.world.external(f"{full}.{name}", frame.language)  # a method: it is called with its receiver


def settings_field(w: Walker, holder: Term, name: str, default: Term, state: State) -> Term:
    """A field of an instance; of settings that are filled from the environment it is what stands there, or its default."""
    full = w.world.name_of(holder)
    model = w.world.libraries.find("python", full) if full else None
    if model is None or model.is_ != "environment":
        return default
    loaded = w.terms.load(w.world.root("ENV", ""), w.terms.literal(name))
    there = w.terms.make("exists", None, (loaded,))
    return w.terms.alt([(loaded, there), (default, w.terms.negate(there))])


def _error_member(w: Walker, error: Term, name: str) -> Term | None:
    if not error.args:
        return None
    if name == "response":
        return error.args[0]
    if name in _STATUS:
        return w.terms.make("op", "status", (error.args[0],))
    return None


def known_item(w: Walker, holder: Term, key: Term, state: State, frame: Frame) -> Term | None:
    """A subscript that means more than a slot: a part of what a query string holds."""
    if holder.kind == "parsed" and holder.args[0].kind == "root":
        return w.read(w.world.root("INPUT", "dict"), key, state)
    return None


def mapping_get(w: Walker, mapping: Term, key: Term) -> Term:
    """A value of a frozen mapping; an unknown key may be any of them."""
    name = text_of(key)
    keys: tuple[str | None, ...] = mapping.data
    if name is not None:
        for own, value in zip(reversed(keys), reversed(mapping.args), strict=True):
            if own == name:
                return value
            if own is None:
                return w.terms.unknown("spread", (value,))
        return w.terms.none
    return w.terms.unknown("any key", mapping.args)


# ------------------------------------------------------------------------------- writing out, reading back


def freeze(w: Walker, term: Term, state: State, depth: int = 6) -> Term:
    """A term in which objects are replaced by what they hold now."""
    kind = term.kind
    if kind == "object" and depth:
        if term in w.world.instances:
            return term
        keys: list[str | None] = []
        parts: list[Term] = []
        for key in w.world.keys.get(term, ()):
            value = state.slots.get((term, key)) or w.world.globals.get((term, key))
            if value is None or (value is w.terms.none and key.kind != "literal"):
                continue
            keys.append(text_of(key) if key.kind == "literal" and key is not w.terms.true else None)
            parts.append(freeze(w, value, state, depth - 1))
        if term.data[0] in _QUERY_TYPES:
            return w.terms.make("serial", "query", (w.terms.make("mapping", tuple(keys), tuple(parts)),))
        if term.data[0] == "URL":
            return as_text(w, term, state)
        return w.terms.make("mapping", tuple(keys), tuple(parts))
    if kind in ("sequence", "text", "serial") and depth:
        parts = [freeze(w, one, state, depth - 1) for one in term.args]
        return w.terms.make(kind, term.data, tuple(parts)) if tuple(parts) != term.args else term
    if kind == "alt" and depth:
        pairs = [(freeze(w, one, state, depth - 1), guard) for one, guard in alternatives(term)]
        return w.terms.alt(pairs)
    return term


def as_text(w: Walker, term: Term, state: State) -> Term:
    """A value as a text takes it up: builders of queries and addresses are written out as they stand now."""
    if term.kind != "object":
        return term
    type_name = term.data[0]
    if type_name in _QUERY_TYPES:
        return freeze(w, term, state)
    if type_name == "URL":
        base = state.slots.get((term, w.terms.literal("(base)"))) or w.terms.unknown("address")
        query = state.slots.get((term, w.terms.literal("searchParams")))
        written = freeze(w, query, state) if query is not None else None
        if written is None or (written.kind == "serial" and not written.args[0].args):
            return base
        return w.terms.text((base, w.terms.literal("?"), written))
    return term


def text_made(w: Walker, text: Term, node: ir.Node, state: State, frame: Frame) -> Term:
    """A text was put together: it may be an address that begins an authorization."""
    actions.text_seen(w, text, node, state, frame)
    return text


def formatted(terms: Terms, pattern: str, argument: Term) -> Term:
    """`pattern % argument` as a text."""
    arguments = list(argument.args) if argument.kind == "sequence" else [argument]
    parts: list[Term] = []
    for piece in re.split(r"(%\([^)]*\)[sdr]|%[sdr])", pattern):
        if piece.startswith("%(") or piece in ("%s", "%d", "%r"):
            if piece.startswith("%(") or not arguments:
                parts.append(terms.unknown("format", (argument,)))
            else:
                parts.append(arguments.pop(0))
        elif piece:
            parts.append(terms.literal(piece.replace("%%", "%")))
    return terms.text(parts)


def format_call(terms: Terms, pattern: str, arguments: Arguments) -> Term:
    """`pattern.format(...)` as a text."""
    positional = iter(arguments.positional)
    parts: list[Term] = []
    for piece in re.split(r"(\{[^{}]*\})", pattern):
        if piece.startswith("{") and piece.endswith("}"):
            name = re.split(r"[.:!\[]", piece[1:-1])[0]
            if name and not name.isdigit():
                parts.append(arguments.named.get(name) or terms.unknown("format", arguments.all()))
            elif name.isdigit() and int(name) < len(arguments.positional):
                parts.append(arguments.positional[int(name)])
            else:
                parts.append(next(positional, terms.unknown("format")))
        elif piece:
            parts.append(terms.literal(piece))
    return terms.text(parts)


def spread_into(w: Walker, target: Term, value: Term, state: State) -> None:
    """Copy all slots of a value into an object: `{...value}`, `dict(**value)`, `Object.assign`."""
    frozen = freeze(w, value, state, 2)
    whole = holder_of(w, target)
    if frozen.kind == "mapping":
        for key, part in zip(frozen.data, frozen.args, strict=True):
            if key is None:
                _spread_slot(w, whole, part, state)
            else:
                w.world.keys.setdefault(whole, {})[w.terms.literal(key)] = None
                state.put((whole, w.terms.literal(key)), part)
    elif frozen.kind == "alt":
        for one in values(frozen):
            if one is not w.terms.none:
                spread_into(w, target, one, state)
    elif frozen is not w.terms.none:
        _spread_slot(w, whole, frozen, state)


def _spread_slot(w: Walker, holder: Term, value: Term, state: State) -> None:
    """What an object was spread from and whose keys nobody knows lies under the key True."""
    w.world.keys.setdefault(holder, {})[w.terms.true] = None
    before = state.slots.get((holder, w.terms.true))
    state.put((holder, w.terms.true), value if before is None else w.terms.unknown("spread", (before, value)))


def without(w: Walker, value: Term, keys: Iterable[Term], state: State, frame: Frame, node: ir.Node) -> Term:
    """All slots but these: `const {a, ...rest} = value`."""
    frozen = freeze(w, value, state, 3)
    taken = {text_of(key) for key in keys}
    if frozen.kind == "mapping":
        kept = [(k, v) for k, v in zip(frozen.data, frozen.args, strict=True) if k not in taken]
        return w.terms.make("mapping", tuple(k for k, _ in kept), tuple(v for _, v in kept))
    return w.terms.unknown("rest", (frozen,))


# ------------------------------------------------------------------------------------------ comparisons


def compared(w: Walker, op: str, left: Term, right: Term, loose: bool, state: State) -> Term:
    """The condition that a comparison holds."""
    terms = w.terms
    if op in ("!=", "is not", "not in"):
        positive = {"!=": "==", "is not": "is", "not in": "in"}[op]
        return terms.negate(compared(w, positive, left, right, loose, state))
    if op == "in":
        return membership(w, left, right, state)
    for one, other in ((left, right), (right, left)):
        if op in ("==", "is") and one.kind == "op" and one.data == "typeof":
            name = text_of(other)
            if name == "undefined":
                return w.negated_presence(one.args[0])
            if name in ("string", "number", "object", "function"):  # another type is no absence
                return terms.all((w.present(one.args[0]), w.compare(op, left, right, loose)))
        if one.kind == "op" and one.data == "len" and other.kind == "literal":
            return _length(w, op, one, other, one is left)
    return w.compare(op, left, right, loose)


def _length(w: Walker, op: str, length: Term, bound: Term, ordered: bool) -> Term:
    limit = value_of(bound)
    there = w.terms.truth(length.args[0])
    if (op in ("==", "is") and limit == 0) or (op == "<" and ordered and limit == 1):
        return w.terms.negate(there)
    if ordered and ((op == ">" and limit == 0) or (op == ">=" and limit == 1)):
        return there
    if not ordered and op == "<" and limit == 0:
        return there
    return w.terms.make("compare", (op, False), (length, bound) if ordered else (bound, length))


def membership(w: Walker, element: Term, container: Term, state: State) -> Term:
    """The condition that a container has a key or an element."""
    terms = w.terms
    if container.kind == "sequence" and container.data is None:
        return terms.any(w.compare("==", element, one) for one in container.args)
    if container.kind == "alt":
        return terms.any(
            terms.all((guard, membership(w, element, one, state))) for one, guard in alternatives(container)
        )
    whole = holder_of(w, container)
    keyed = container.kind in ("root", "mapping", "parsed") or (container.kind == "object")
    if keyed and element.kind == "literal":
        found = state.slots.get((whole, element))
        if found is not None:
            return w.present(found)
        value = w.read(container, element, state)
        if value.kind != "load":
            return w.present(value)
        return terms.make("exists", None, (value,))
    return terms.make("compare", ("in", False), (element, whole))


# ---------------------------------------------------------------------------------------- library calls


def pick(reference: Reference | None, arguments: Arguments, w: Walker | None = None) -> Term | None:
    """The argument that a model refers to, or None when it is not given."""
    if reference is None:
        return None
    if isinstance(reference, tuple):
        for one in reference:
            found = pick(one, arguments)
            if found is not None:
                return found
        return None
    if reference == "object":
        return arguments.receiver
    if isinstance(reference, str) and reference[:1].isdigit() and "." in reference:  # an option of an argument
        position, _, name = reference.partition(".")
        given = pick(int(position), arguments)
        return actions.collected([given]).get(name) if given is not None else None
    if isinstance(reference, int):
        return arguments.positional[reference] if reference < len(arguments.positional) else None
    return arguments.named.get(reference)


def _callee_name(w: Walker, function: Term) -> str | None:
    """The name of what is called: a member goes by its holder's name, never by the type of its value (a `dict`)."""
    key = text_of(function.args[1]) if function.kind == "load" else None
    if key is None and function.kind == "load" and function.args[1].kind in ("parameter", "root"):
        base = w.world.name_of(function.args[0])  # `getattr(client, method)(…)`: whichever verb it is, it sends
        model = w.world.libraries.find("python", f"{base}.request") if base else None
        return f"{base}.request" if model is not None and model.http is not None else None
    if key is None or function in w.world.types:
        return w.world.name_of(function)
    base = w.world.name_of(function.args[0])
    return f"{base}.{key}" if base else None


def external_call(
    w: Walker, function: Term, arguments: Arguments, state: State, frame: Frame, node: ir.Node, decorating: bool
) -> Term:
    """A call whose callee the program does not define."""
    world = w.world
    if frame.program.language == "html" and _gets(function, arguments):
        return w.item(function.args[0], freeze(w, arguments.positional[0], state), state, frame)
    name = _callee_name(w, function)
    model = world.libraries.find(frame.language, name) if name else None
    if model is None:
        last = name.rpartition(".")[2] if name else text_of(function.args[1]) if function.kind == "load" else None
        model = world.libraries.find(frame.language, f"*.{last}") if last and last != name else None
    frozen = Arguments(
        [freeze(w, one, state) for one in arguments.positional],
        {key: freeze(w, one, state) for key, one in arguments.named.items()},
        freeze(w, arguments.receiver, state) if arguments.receiver is not None else None,
    )
    receiver = (arguments.receiver,) if arguments.receiver is not None else ()
    keywords = tuple(frozen.named)
    result = w.terms.make(
        "call", (name or "", keywords, world.site(frame, node), bool(receiver)), (*frozen.all(), *receiver)
    )
    if arguments.receiver is not None:
        world.receivers[result] = arguments.receiver
    elif function in world.receivers:  # what a method gave is called: the decorator of `app.route(...)`
        arguments.receiver = world.receivers[function]
    if model is None or model.http is not None:
        world.outside.setdefault(result, model is not None)
    if model is None:
        actions.call_seen(w, name or (f"?.{last}" if last else ""), None, frozen, result, state, frame, node)
        if decorating and arguments.positional:
            return arguments.positional[0]  # what an unknown decorator does with a function is not known
        for one in arguments.all():
            _hand_on(w, one, state, frame, node)
        return result
    arguments.callee = function
    value = apply(w, model, name or "", arguments, frozen, result, state, frame, node)
    if decorating and arguments.positional and value is result and model.route is None and not model.decorates:
        return arguments.positional[0]
    return value


def _gets(function: Term, arguments: Arguments) -> bool:
    """Whether a template looks up a key of what it was handed: `session.get("token")`."""
    return function.kind == "load" and text_of(function.args[1]) == "get" and len(arguments.positional) in (1, 2)


def _hand_on(w: Walker, value: Term, state: State, frame: Frame, node: ir.Node, depth: int = 3) -> None:
    """Functions given to something unknown may be called by it."""
    if value.kind == "native":
        calls.call(w, value, Arguments([], {}), state, frame, node)  # the rest of a pipeline: what is unknown goes on
    elif value.kind == "function":
        if frame.startup:
            w.world.handed[value] = None  # a framework may call it: an entry of its own
        elif unit_key(value) not in w.world.stack:
            calls.later(w, value, entries.guessed_arguments(w, value), state, frame, node)
    elif value.kind == "object" and depth and value not in w.world.instances:
        for key in list(w.world.keys.get(value, ())):
            held = state.slots.get((value, key))
            if held is not None:
                _hand_on(w, held, state, frame, node, depth - 1)
    elif value.kind in ("sequence", "mapping") and depth:
        for one in value.args:
            _hand_on(w, one, state, frame, node, depth - 1)


def apply(
    w: Walker, model: Model, name: str, arguments: Arguments, frozen: Arguments, result: Term, state: State,
    frame: Frame, node: ir.Node,
) -> Term:  # fmt: skip
    """Do what a model says; gives the call's value."""
    terms, world = w.terms, w.world
    value = result
    if model.returns:
        world.types[result] = model.returns
        returned = world.libraries.find(frame.language, model.returns)
        if returned is not None:
            value = _as_model(w, result, returned, model.returns)
    if model.is_:
        value = _as_model(w, result, model, model.like or f"{name}()")
    if model.medium:
        world.media[result] = model.medium
    if model.kind:
        world.kinds[result] = model.kind
        filled = pick(model.fills, arguments)
        if filled is not None:
            world.kinds[filled] = model.kind
        world.made.setdefault(result, (frame.program, node.at))
    if model.http is not None:
        world.http[result] = model.http.error if model.http.throws else ""
        value = _sent(w, model, name, arguments, frozen, result, value, state, frame, node)
    value = _value(w, model, arguments, frozen, value, state, frame, node)
    value = _slots(w, model, arguments, value, state, frame, node)
    if model.equals is not None:
        left, right = pick(model.equals.left, arguments), pick(model.equals.right, arguments)
        if left is not None and right is not None:
            equal = terms.make("compare", ("same", False), tuple(sorted((left, right), key=lambda one: one.n)))
            w.made_at(equal, frame, node)
            if model.equals.throws:
                state.assume(equal, terms)
            else:
                value = equal
    if model.verifies is not None:
        value = _verified(w, model, arguments, result, state, frame)
    if model.asserts is not None:
        _asserted(w, model, arguments, state, frame)
    if model.raises_status:
        value = _refused(w, model, arguments, value, state, frame)
    if model.calls is not None:
        value = _calls(w, model, name, arguments, value, state, frame, node)
    if model.awaits:
        value = _await_all(w, model, arguments, state, frame)
    if model.route is not None:
        entries.register(w, model.route, arguments, result, state, frame, node)
        if model.decorates and arguments.positional:
            value = arguments.positional[0]
    if model.stage is not None:
        entries.register_stage(w, model.stage, _for_requests(w, model, arguments))
        if model.decorates and arguments.positional:
            value = arguments.positional[0]
    if model.catcher is not None:
        entries.register_catcher(w, model.catcher, arguments)
        if model.decorates and arguments.positional:
            value = arguments.positional[0]
    if model.keeps is not None:
        value = stores.made(w, model.keeps, arguments, result, state, frame, node)
    if model.provides is not None:
        entries.register_provider(w, model.provides, arguments)
    if model.flow is not None:
        value = actions.flow(w, model.flow, name, frozen, value, state, frame, node)
    if model.returns and value is not result and value.kind in ("serial", "parsed"):
        world.types.setdefault(value, model.returns)
    if (model.http is not None or model.flow is not None) and model.calls is None:
        for one in arguments.all():
            _hand_on(w, one, state, frame, node)
    if model.secret is not None:
        actions.secret_given(w, model.secret, name, frozen, state, frame, node)
    if model.code is not None and arguments.receiver is not None:
        status = pick(model.code, frozen)
        if status is not None:
            state.put((holder_of(w, arguments.receiver), terms.literal("statusCode")), status)
    actions.sinks(w, model, name, frozen, result, state, frame, node)
    for hook in model.hooks:
        hooks.register(w, hook, arguments)
    if model.exits:
        if model.raises == "0" and arguments.positional:  # `Promise.reject(error)`
            frame.raises.append((state.fork(), arguments.positional[0]))
        elif model.raises:
            frame.raises.append((state.fork(), terms.make("error", model.raises)))
        state.dead = True
    return value


def _for_requests(w: Walker, model: Model, arguments: Arguments) -> Arguments:
    """Without the functions that take more than a stage is given: they handle errors (Express counts parameters)."""
    assert model.stage is not None
    binds = model.stage.binds
    if not isinstance(binds, tuple) or "next" not in binds:
        return arguments
    kept = [
        one
        for one in arguments.positional
        if one.kind != "function" or len(w.world.units[unit_key(one)].unit.parameters) <= len(binds)
    ]
    return Arguments(kept, arguments.named, arguments.receiver, arguments.open, arguments.callee)


def _sent(
    w: Walker, model: Model, name: str, arguments: Arguments, frozen: Arguments, result: Term, value: Term, state: State,
    frame: Frame, node: ir.Node,
) -> Term:  # fmt: skip
    """A request is sent. Where a refusal raises, the normal exit knows that it was none."""
    assert model.http is not None
    refusal = state.fork() if model.http.throws else None
    if refusal is not None:
        okay = w.terms.make("op", "ok", (result,))
        refusal.assume(w.terms.negate(okay), w.terms)
        state.assume(okay, w.terms)
    frozen.callee = arguments.callee
    if model.flow is None:
        actions.call_seen(w, name, model, frozen, result, state, frame, node)
    if refusal is None:
        return value
    error = w.terms.make("error", model.http.error, (result,))
    client = arguments.receiver if arguments.receiver is not None else arguments.callee
    return hooks.refused(w, client, refusal, error, value, state, frame, node)


def _refused(w: Walker, model: Model, arguments: Arguments, value: Term, state: State, frame: Frame) -> Term:
    """`raise_for_status()`."""
    response = arguments.receiver
    if response is None:
        return value
    error = w.world.http.get(response) or model.raises_status
    okay = w.terms.make("op", "ok", (response,))
    refused = state.fork()
    refused.assume(w.terms.negate(okay), w.terms)
    if not refused.dead:
        frame.raises.append((refused, w.terms.make("error", error, (response,))))
    state.assume(okay, w.terms)
    return response


def _asserted(w: Walker, model: Model, arguments: Arguments, state: State, frame: Frame) -> None:
    """`assert(condition)`: it comes back only where the condition holds."""
    asserted = pick(model.asserts, arguments)
    if asserted is None:
        return
    test = w.terms.truth(asserted)
    failed = state.fork()
    failed.assume(w.terms.negate(test), w.terms)
    if not failed.dead:
        frame.raises.append((failed, w.terms.make("error", model.raises or "any")))
    state.assume(test, w.terms)


def _verified(w: Walker, model: Model, arguments: Arguments, result: Term, state: State, frame: Frame) -> Term:
    assert model.verifies is not None
    sealed = pick(model.verifies.value, arguments) or w.terms.unknown("sealed")
    options = actions.collected([freeze(w, one, state) for one in arguments.named.values()]) | arguments.named
    if any(name in options and options[name] is w.terms.false for name in model.verifies.unless):
        return w.terms.make("parsed", "unverified", (sealed,))
    opened = w.terms.make("parsed", "verified", (sealed,))
    completed = w.terms.make("completed", None, (opened,))
    if model.verifies.throws:
        forged = state.fork()
        forged.assume(w.terms.negate(completed), w.terms)
        frame.raises.append((forged, w.terms.make("error", model.raises or "any", ())))
        state.assume(completed, w.terms)
        return opened
    return w.terms.alt([(opened, completed), (w.terms.none, w.terms.negate(completed))])


def _value(
    w: Walker,
    model: Model,
    arguments: Arguments,
    frozen: Arguments,
    value: Term,
    state: State,
    frame: Frame,
    node: ir.Node,
) -> Term:
    """How the result is made of the arguments."""
    terms = w.terms
    if model.same is not None:
        return pick(model.same, arguments) or value
    if model.text is not None:
        part = pick(model.text, frozen)
        if part is None:
            return value
        part = as_text(w, part, state)
        return (
            part
            if part.kind in ("text", "serial") or text_of(part) is not None
            else terms.make("serial", "text", (part,))
        )
    if model.joins is not None:
        return _joined(w, model, arguments, frozen, state, frame, node)
    if model.serialises is not None:
        part = pick(model.serialises, frozen)
        if part is None:
            return value
        if model.how == "query" and part.kind == "serial" and part.data == "query":
            return part
        return terms.make("serial", model.how or "text", (part,))
    if model.parses is not None:
        part = pick(model.parses, frozen)
        return _parsed(w, part, model, value) if part is not None else value
    if model.truth is not None:
        part = pick(model.truth, arguments)
        if part is None:
            return value
        if model.how == "type":  # of this type it is there; of another it may be there as well
            return terms.all((w.present(part), terms.make("op", "type", tuple(frozen.positional))))
        return terms.boolean(terms.truth(part))
    if model.drops:
        kept = frozen.positional if model.how else frozen.positional[:1]
        return terms.make("op", model.how or "len", tuple(kept) or (value,))
    if model.carries is not None:
        parts = [p for p in (pick(model.carries, frozen),) if p is not None]
        if model.carries == "all":
            whole = frozen.receiver
            parts = [*frozen.all(), *((whole,) if whole is not None and whole.kind != "external" else ())]
        return terms.make("serial", model.how or "derived", tuple(parts[:4])) if parts else value
    if model.entries is not None:
        part = pick(model.entries, frozen)
        return _entries(w, part, model) if part is not None else value
    if model.builds:
        return _built(w, model, arguments, frozen, state, frame, node)
    if model.object:
        made = w.world.new_object(model.returns or "dict", frame, node)
        for one in arguments.positional[:1]:
            spread_into(w, made, one, state)
        for key, part in arguments.named.items():
            w.world.keys.setdefault(made, {})[terms.literal(key)] = None
            state.put((made, terms.literal(key)), part)
        return made
    return value


def _entries(w: Walker, part: Term, model: Model) -> Term:
    """`Object.entries(o)`, `o.items()`: pairs; with `how` keys or values, those alone."""
    terms = w.terms
    if part.kind == "serial":
        part = part.args[0]
    if part.kind != "mapping" or None in part.data:
        return terms.make("sequence", "each", (terms.unknown("entry", (part,)),))
    pairs = list(zip(part.data, part.args, strict=True))
    if model.how == "keys":
        return terms.make("sequence", None, tuple(terms.literal(key) for key, _ in pairs))
    if model.how == "values":
        return terms.make("sequence", None, tuple(value for _, value in pairs))
    return terms.make("sequence", None, tuple(terms.make("sequence", None, (terms.literal(k), v)) for k, v in pairs))


def _joined(
    w: Walker, model: Model, arguments: Arguments, frozen: Arguments, state: State, frame: Frame, node: ir.Node
) -> Term:
    """`"sep".join(parts)`, `parts.join("sep")`, `pattern.format(...)`, `a.concat(b)`."""
    receiver = as_text(w, arguments.receiver, state) if arguments.receiver is not None else None
    if model.how == "format":
        pattern = text_of(receiver) if receiver is not None else None
        text = format_call(w.terms, pattern, frozen) if pattern is not None else w.terms.unknown("format", frozen.all())
        return text_made(w, text, node, state, frame)
    parts = receiver if model.joins == "object" else pick(model.joins, frozen)
    separator = pick(0, frozen) if model.joins == "object" else receiver
    if parts is None or parts.kind != "sequence" or parts.data is not None:
        return w.terms.make("serial", "text", tuple(one for one in (parts,) if one is not None))
    glue = w.terms.literal(",") if separator is None else separator
    pieces: list[Term] = []
    for index, part in enumerate(parts.args):
        pieces.extend([glue, part] if index else [part])
    return text_made(w, w.terms.text(pieces), node, state, frame) if pieces else w.terms.literal("")


def _parsed(w: Walker, part: Term, model: Model, value: Term) -> Term:
    if part.kind == "alt":
        pairs = [
            (_parsed(w, one, model, value) if one is not w.terms.none else one, g) for one, g in alternatives(part)
        ]
        return w.terms.alt(pairs)
    if contains(part, lambda leaf: leaf.kind == "root" and leaf.data[0] == "CALLBACK_URL"):
        if model.how == "query":
            return w.world.root("INPUT", model.returns or "dict")
        return w.world.root("CALLBACK_URL", model.returns or "str")
    if part.kind == "serial" and part.data == (model.how or "json") and len(part.args) == 1:
        return part.args[0]
    parsed = w.terms.make("parsed", model.how or "json", (part,))
    if model.returns:
        w.world.types[parsed] = model.returns
    return parsed


def _built(
    w: Walker, model: Model, arguments: Arguments, frozen: Arguments, state: State, frame: Frame, node: ir.Node
) -> Term:
    """A builder of a query or an address, an object with slots until it is written out."""
    first = arguments.positional[0] if arguments.positional else None
    base = as_text(w, first, state) if first is not None else None
    if base is not None and contains(base, lambda leaf: leaf.kind == "root" and leaf.data[0] == "CALLBACK_URL"):
        return w.world.root("INPUT" if model.builds == "query" else "CALLBACK_URL", model.returns)
    made = w.world.new_object(model.returns, frame, node)
    if model.builds == "query":
        if first is not None:
            spread_into(w, made, first, state)
        for key, part in arguments.named.items():
            w.world.keys.setdefault(made, {})[w.terms.literal(key)] = None
            state.put((made, w.terms.literal(key)), part)
        return made
    parameters = w.world.new_object("URLSearchParams", frame, node)
    whole = base or w.terms.unknown("address")
    if len(frozen.positional) > 1:
        whole = w.terms.text((as_text(w, frozen.positional[1], state), whole))
    state.put((made, w.terms.literal("(base)")), whole)
    state.put((made, w.terms.literal("searchParams")), parameters)
    return made


def _holder(w: Walker, reference: Reference, arguments: Arguments, frame: Frame) -> Term | None:
    """What slots are read from or written to: an argument, or (a dotted name) what a library's name stands for."""
    found = pick(reference, arguments)
    if found is None and isinstance(reference, str) and "." in reference:
        return known(w, w.world.external(reference, frame.language), frame)
    return found


def _slots(
    w: Walker, model: Model, arguments: Arguments, value: Term, state: State, frame: Frame, node: ir.Node
) -> Term:
    """Reading, writing and emptying slots by method."""
    terms = w.terms
    if model.load is not None:
        holder, key = _holder(w, model.load.of, arguments, frame), pick(model.load.key, arguments)
        if holder is not None and key is not None:
            default = pick(model.load.default, arguments)
            raises = model.load.raises and default is None
            wanted = freeze(w, key, state)
            if holder.kind == "external":  # a store that the library itself is: its keys are no members of it
                value = w.read(holder, wanted, state)
            else:
                value = w.item(holder, wanted, state, frame, raises=raises)
            if default is not None and default is not terms.none:
                there = terms.make("exists", None, (value,)) if value.kind == "load" else w.present(value)
                value = terms.alt([(value, there), (default, terms.negate(there))])
            if model.load.clears:
                if (
                    model.load.default is not None
                    and default is None
                    and frame.language == "python"
                    and value.kind == "load"
                ):
                    state.assume(terms.make("exists", None, (value,)), terms)  # pop without a default raises
                w.clear(holder, key, state, frame, node)
            if model.returns and value.kind in ("load", "alt"):
                w.world.types[value] = model.returns
    if model.save is not None and model.save.pairs is not None:
        _save_pairs(w, model.save, arguments, state, frame, node)
    elif model.save is not None:
        holder = _holder(w, model.save.of, arguments, frame)
        known_now = Arguments(
            [freeze(w, one, state) for one in arguments.positional], arguments.named, arguments.receiver
        )
        key, saved = pick(model.save.key, known_now), pick(model.save.value, known_now)
        if holder is not None and key is not None:
            content = freeze(w, saved, state) if saved is not None else terms.unknown("nothing")
            w.write(holder, freeze(w, key, state), content, state, frame, node)
            value = holder if model.same == "object" else value
    if model.clear is not None:
        holder = _holder(w, model.clear.of, arguments, frame)
        key = pick(model.clear.key, arguments)
        if holder is not None:
            if model.clear.key is None or key is None:
                w.record("clear", node, state, frame, holder=holder_of(w, holder))
            else:
                w.clear(holder, freeze(w, key, state), state, frame, node)
    if model.has is not None:
        holder, key = _holder(w, model.has.of, arguments, frame), pick(model.has.key, arguments)
        if holder is not None and key is not None:
            value = membership(w, freeze(w, key, state), holder, state)
            w.made_at(value, frame, node)
    if model.assign is not None:
        value = _assigned(w, model, arguments, state, frame, node)
    if model.append is not None:
        holder, element = arguments.receiver, pick(model.append, arguments)
        if holder is not None and element is not None:
            frozen = freeze(w, element, state)
            w.write(holder, terms.make("element", None, ()), frozen, state, frame, node)
    return value


def _save_pairs(w: Walker, save: Save, arguments: Arguments, state: State, frame: Frame, node: ir.Node) -> None:
    """Write keys and values that are given together: `multiSet([[k, v], …])`, `set({k: v})`."""
    holder, given = _holder(w, save.of, arguments, frame), pick(save.pairs, arguments)
    if holder is None or given is None:
        return
    frozen = freeze(w, given, state)
    if frozen.kind == "mapping":
        pairs = [(w.terms.true if key is None else w.terms.literal(key), value) for key, value in mapping_items(frozen)]
    else:
        inner = frozen.args if frozen.kind == "sequence" else ()
        pairs = [(one.args[0], one.args[1]) for one in inner if one.kind == "sequence" and len(one.args) == 2]
        pairs = pairs if len(pairs) == len(inner) and pairs else [(w.terms.true, frozen)]
    for key, value in pairs:
        w.write(holder, key, value, state, frame, node)


def mapping_items(mapping: Term) -> Iterable[tuple[str | None, Term]]:
    """The keys and values of a frozen mapping; the key of a spread is None."""
    return zip(mapping.data, mapping.args, strict=True)


def _assigned(w: Walker, model: Model, arguments: Arguments, state: State, frame: Frame, node: ir.Node) -> Term:
    assert model.assign is not None
    target = pick(model.assign.target, arguments)
    if target is None:
        return w.terms.none
    sources = [one for reference in model.assign.sources if (one := _part(w, reference, arguments, state)) is not None]
    if model.assign.keywords and arguments.named:
        keys = tuple(arguments.named)
        sources.append(w.terms.make("mapping", keys, tuple(arguments.named.values())))
    for source in sources:
        if source in w.world.instances:
            _row_stored(w, source, state, frame, node)
            continue
        frozen = freeze(w, source, state, 4)
        if frozen.kind == "mapping":
            for key, part in zip(frozen.data, frozen.args, strict=True):
                if key is None:
                    spread_into(w, target, part, state)
                elif not key.startswith("$"):  # an operator of a document store is no column
                    w.write(target, w.terms.literal(key), part, state, frame, node)
        elif source is not target:
            spread_into(w, target, source, state)
            if holder_of(w, target).kind != "object" or w.outlives(target):
                stored(w, holder_of(w, target), w.terms.true, frozen, state, frame, node)
    for reference in model.assign.unsets:
        unset = _part(w, reference, arguments, state)
        for key in unset.data if unset is not None and unset.kind == "mapping" else ():
            if key is not None:
                w.clear(target, w.terms.literal(key), state, frame, node)
    return target


def _part(w: Walker, reference: Reference, arguments: Arguments, state: State) -> Term | None:
    """An argument, or an option of one, as it stands now."""
    if isinstance(reference, str) and "." in reference:
        frozen = Arguments([freeze(w, one, state) for one in arguments.positional], arguments.named)
        return pick(reference, frozen)
    return pick(reference, arguments)


def _row_stored(w: Walker, row: Term, state: State, frame: Frame, node: ir.Node) -> None:
    """An instance of a model is put into the database: its class stands for the table."""
    table = w.world.instances[row]
    for key in list(w.world.keys.get(row, ())):
        value = w.slot((row, key), state)
        if value is not None and key.kind == "literal":
            stored(w, table, key, value, state, frame, node)


def _calls(
    w: Walker, model: Model, name: str, arguments: Arguments, value: Term, state: State, frame: Frame, node: ir.Node
) -> Term:
    """A library function that calls what it is given."""
    assert model.calls is not None
    function = pick(model.calls.function, arguments)
    given = [
        value
        if ref == "result"
        else w.read(value, w.terms.literal(ref.removeprefix("result.")), state)
        if isinstance(ref, str) and ref.startswith("result.")
        else pick(ref, arguments) or w.terms.none
        for ref in model.calls.arguments
    ]
    when = model.calls.when
    if when == "entry":
        for one in arguments.all():
            _hand_on(w, one, state, frame, node)
        return value
    if when in ("then", "catch", "finally"):
        return continued(w, when, arguments, state, frame, node)
    if when == "keeps":
        _kept(w, model, name, arguments, state, frame, node)
        return value
    if function is None:
        return value
    if when == "now":
        if model.calls.arguments == ("rest",):
            given = arguments.positional[1:]
        result = calls.call(w, function, Arguments(given, {}), state, frame, node)
        return result if model.calls.result else value
    if when == "executor":
        return _executor(w, function, state, frame, node)
    if when in ("each", "find", "some"):
        return _each(w, when, function, arguments, state, frame, node)
    if function.kind in ("function", "native"):
        calls.later(w, function, given or entries.guessed_arguments(w, function), state, frame, node)
    return value


def _kept(w: Walker, model: Model, name: str, arguments: Arguments, state: State, frame: Frame, node: ir.Node) -> None:
    """A library runs a function and keeps what it raises, for whoever asks it later (`useQuery`)."""
    assert model.calls is not None
    references = model.calls.function if isinstance(model.calls.function, tuple) else (model.calls.function,)
    given = [_part(w, reference, arguments, state) for reference in references]
    function = next((one for one in given if one is not None and one.kind == "function"), None)
    if function is None:
        return
    holder = w.world.external(name, frame.language)
    for way, error in calls.later(w, function, entries.guessed_arguments(w, function), state, frame, node):
        w.record("store", node, way, frame, holder=holder, key=w.terms.literal("error"), value=freeze(w, error, way))


def _each(
    w: Walker, when: str, function: Term, arguments: Arguments, state: State, frame: Frame, node: ir.Node
) -> Term:
    receiver = arguments.receiver or w.terms.unknown("elements")
    if when == "each" and receiver.kind == "sequence" and receiver.data is None and len(receiver.args) <= ELEMENTS:
        mapped = [calls.call(w, function, Arguments([one], {}), state, frame, node) for one in receiver.args]
        return w.terms.make("sequence", None, tuple(freeze(w, one, state) for one in mapped))
    element = w.element_of(receiver, state)
    way = state.fork()
    outer, frame.raises = frame.raises, []
    found = calls.call(w, function, Arguments([element], {}), way, frame, node)
    raised, frame.raises = frame.raises, outer
    frame.raises.extend(raised)
    if not way.dead:
        before = state.conditions
        w.merge(state, [(state.fork(), w.terms.none), (way, w.terms.none)])
        state.conditions = before
    if when == "some":
        return w.terms.truth(found)
    if when == "find":
        test = w.terms.truth(found)
        return w.terms.alt([(element, test), (w.terms.none, w.terms.negate(test))])
    return w.terms.make("sequence", "each", (freeze(w, found, state),))


def _executor(w: Walker, function: Term, state: State, frame: Frame, node: ir.Node) -> Term:
    """`new Promise((resolve, reject) => …)`."""
    outcomes: list[tuple[State, Term]] = []
    rejected: list[tuple[State, Term]] = []

    def resolve(positional: Sequence[Term], named: object, now: State, inner: Frame) -> Term:
        outcomes.append((now.fork(), positional[0] if positional else w.terms.none))
        return w.terms.none

    def reject(positional: Sequence[Term], named: object, now: State, inner: Frame) -> Term:
        rejected.append((now.fork(), positional[0] if positional else w.terms.none))
        return w.terms.none

    before = state.fork()
    outer, frame.raises = frame.raises, rejected
    calls.call(w, function, Arguments([calls.native(w, resolve), calls.native(w, reject)], {}), state, frame, node)
    frame.raises = outer
    value = w.merge(state, outcomes) if outcomes else w.terms.none
    inner = Frame(None, frame.scopes, frame.program, frame.unit, frame.qualified)
    inner.raises = rejected
    return calls.promise(w, value, before, state, inner)


def continued(w: Walker, when: str, arguments: Arguments, state: State, frame: Frame, node: ir.Node) -> Term:
    """`.then(f, g)`, `.catch(g)`, `.finally(h)`: what follows happens under what the promise ensured."""
    terms, world = w.terms, w.world
    receiver = arguments.receiver or terms.unknown("promise")
    known_promise = world.pending.get(receiver)
    before = state.fork()
    if known_promise is not None:
        value, resolves = known_promise.value, known_promise.resolves
        rejections = list(known_promise.rejections)
        extra = known_promise.conditions
    else:
        value, resolves, extra = receiver, True, frozenset()
        rejections = _sent_rejections(w, receiver, state)
    inner = Frame(None, frame.scopes, frame.program, frame.unit, frame.qualified)
    ways: list[tuple[State, Term]] = []
    if resolves:
        way = state.fork()
        for condition in sorted(extra, key=lambda one: one.n):
            way.assume(condition, terms)
        if known_promise is None and receiver in world.http and world.http[receiver]:
            way.assume(terms.make("op", "ok", (receiver,)), terms)
        if when == "then" and arguments.positional and not way.dead:
            value = _then(w, arguments.positional[0], [value], way, inner, frame, node)
        elif when == "finally" and arguments.positional:
            _then(w, arguments.positional[0], [], way, inner, frame, node)
        ways.append((way, value))
    handler = None
    if when == "catch" and arguments.positional:
        handler = arguments.positional[0]
    elif when == "then" and len(arguments.positional) > 1:
        handler = arguments.positional[1]
    if handler is not None:
        entering = [(before.fork(), terms.make("error", "any")), *rejections[:4]]
        rejections = rejections[4:]
        for start, error in entering:
            way = start.fork()
            caught = _then(w, handler, [error], way, inner, frame, node)
            ways.append((way, caught))
    joined = w.merge(state, ways) if ways else terms.none
    if not ways:
        state.dead = True
    inner.raises.extend(rejections)
    return calls.promise(w, joined, before, state, inner)


def _sent_rejections(w: Walker, receiver: Term, state: State) -> list[tuple[State, Term]]:
    error = w.world.http.get(receiver)
    if not error:
        return []
    refused = state.fork()
    okay = w.terms.make("op", "ok", (receiver,))
    refused.conditions = refused.conditions - {okay}
    refused.assume(w.terms.negate(okay), w.terms)
    return [(refused, w.terms.make("error", error, (receiver,)))]


def _then(w: Walker, function: Term, given: list[Term], way: State, inner: Frame, frame: Frame, node: ir.Node) -> Term:
    caller = Frame(frame.id, frame.scopes, frame.program, frame.unit, frame.qualified, this=frame.this)
    result = calls.call(w, function, Arguments(given, {}), way, caller, node)
    if result.kind == "pending" and not way.dead:
        result = w.awaited(result, way, caller)
    inner.raises.extend(caller.raises)
    return result


def _await_all(w: Walker, model: Model, arguments: Arguments, state: State, frame: Frame) -> Term:
    items = arguments.positional[0] if arguments.positional else w.terms.make("sequence", None, ())
    if items.kind != "sequence":
        items = w.terms.make("sequence", None, tuple(arguments.positional))
    before = state.fork()
    inner = Frame(None, frame.scopes, frame.program, frame.unit, frame.qualified)
    if model.how == "settled" or arguments.named.get("return_exceptions") is w.terms.true:
        settled = tuple(_settled(w, one, model) for one in items.args)
        return calls.promise(w, w.terms.make("sequence", items.data, settled), before, state, inner)
    parts = tuple(w.awaited(one, state, inner) for one in items.args)
    if model.how == "first":  # the others may come to nothing, or come later
        state.conditions = before.conditions
        return calls.promise(w, w.terms.unknown("first", parts), before, state, inner)
    return calls.promise(w, w.terms.make("sequence", items.data, parts), before, state, inner)


def _settled(w: Walker, value: Term, model: Model) -> Term:
    """What a promise came to, where nobody is told that it was refused: it ensures nothing."""
    promise = w.world.pending.get(value)
    outcome = value if promise is None else promise.value
    if promise is not None:
        outcome = w.terms.unknown("settled", (outcome,))
    return w.terms.make("mapping", ("value",), (outcome,)) if model.how == "settled" else outcome


def library_constructed(
    w: Walker, made: Term, library: str, arguments: Arguments, state: State, frame: Frame, node: ir.Node
) -> None:
    """An instance of a class that derives from a library's: its constructor does what the model says."""
    model = w.world.libraries.find(frame.language, library)
    for key, value in arguments.named.items():
        w.write(made, w.terms.literal(key), value, state, frame, node)
    if arguments.positional and library.endswith(("Error", "Exception")):
        key = "message" if frame.language == "javascript" else "args"
        said = (
            arguments.positional[0] if key == "message" else w.terms.make("sequence", None, tuple(arguments.positional))
        )
        w.write(made, w.terms.literal(key), said, state, frame, node)
    if model is None:
        return
    frozen = Arguments(
        [freeze(w, one, state) for one in arguments.positional],
        {key: freeze(w, one, state) for key, one in arguments.named.items()},
        made,
    )
    if model.flow is not None:
        result = w.terms.make(
            "call", (library, tuple(frozen.named), w.world.site(frame, node), False), tuple(frozen.all())
        )
        actions.flow(w, model.flow, library, frozen, result, state, frame, node)


# ------------------------------------------------------------------------------------------ what happened


def split_raised(
    w: Walker, types: list[Term], raised: list[tuple[State, Term]], frame: Frame
) -> tuple[list[tuple[State, Term]], list[tuple[State, Term]]]:
    """Which raised errors a handler catches, and which go on; where it is not known, both."""
    if not types:
        return list(raised), []
    flat = [one for kind in types for one in (kind.args if kind.kind == "sequence" else values(kind))]
    caught, missed = [], []
    for state, error in raised:
        verdicts = [_catches(w, kind, error, frame) for kind in flat]
        if True in verdicts:
            caught.append((state, error))
        elif None in verdicts:
            caught.append((state.fork(), error))
            missed.append((state, error))
        else:
            missed.append((state, error))
    return caught, missed


def _catches(w: Walker, kind: Term, error: Term, frame: Frame) -> bool | None:
    name = w.world.name_of(kind)
    if (
        name in ("Exception", "BaseException") and kind.kind != "class"
    ):  # a class of the program's own has a base's name
        return True
    if error.kind == "object":
        cls = w.world.instances.get(error)
        lineage = w.world.lineage(cls) if cls is not None else []
        if kind in lineage:
            return True
        names = {w.world.name_of(one) for one in lineage if one.kind != "class"}
        if kind.kind == "class":
            return False
        return True if name in names else None if names - {"Exception", "BaseException", None} else False
    if kind.kind == "class":
        return False if error.kind in ("error", "call") and error.data != "any" else None
    raised_name = str(error.data) if error.kind == "error" else (w.world.name_of(error) or "").removesuffix("()")
    if kind.kind == "literal" and isinstance(value_of(kind), int):  # a status: of what the framework raises itself
        return None if raised_name in ("any", "", "werkzeug.exceptions.HTTPException") else False
    if not name or raised_name in ("any", ""):
        return None
    return name in _parents(w, frame.language, raised_name)


def _parents(w: Walker, language: str, error: str) -> set[str]:
    out: set[str] = set()
    queue = [error]
    while queue:
        one = queue.pop()
        if one not in out:
            out.add(one)
            queue.extend(w.world.libraries.parents(language, one))
    return out


def stored(w: Walker, holder: Term, key: Term, value: Term, state: State, frame: Frame, node: ir.Node | None) -> None:
    """A value was written to something that outlives the request, or may."""
    root = holder
    while root.kind == "load":
        root = root.args[0]
    named = w.world.name_of(root) if root.kind in ("external", "root") else None
    model = w.world.libraries.find(frame.language, named) if named else None
    if model is not None and model.is_ in ("request", "response"):
        return
    if root.kind == "root" and root.data[0] in ("REQUEST", "INPUT", "ENV", "HEADERS", "CALLBACK_URL"):
        return
    at = node.at if node is not None else frame.unit.at if frame.unit is not None else 0
    frozen = freeze(w, value, state)
    hooks.header_kept(w, holder, key, frozen)
    w.world.writes.append(Write(holder, key, frozen, w.world.place(frame.program, at), frame.startup))
    if frozen is w.terms.none or text_of(frozen) == "":
        w.record("clear", node, state, frame, holder=holder, key=key)
    else:
        w.record("store", node, state, frame, holder=holder, key=key, value=frozen)


def raised(w: Walker, error: Term, state: State, frame: Frame, node: ir.Node) -> None:
    """An error of a class of the program's own is raised: record what it says, to whoever uses the program."""
    cls = w.world.instances.get(error)
    if cls is not None and frame.unit is not None:
        said = [state.slots[error, key] for key in w.world.keys.get(error, ()) if (error, key) in state.slots]
        value = w.terms.make("sequence", None, tuple(freeze(w, one, state) for one in said))
        w.record("raise", node, state, frame, name=w.world.classes[cls].qualified, value=value)


def assigned(w: Walker, holder: Term, name: str | None, value: Term, state: State, frame: Frame, node: ir.Node) -> None:
    """Assigning to a library's property can be an action: `location.href = …`, `ctx.body = …`."""
    if name is None or holder.kind == "object":
        return
    full = w.world.name_of(holder)
    model = w.world.libraries.find(frame.language, f"{full}.{name}=") if full else None
    if model is not None:
        frozen = Arguments([freeze(w, value, state)], {}, holder)
        actions.sinks(w, model, f"{full}.{name}", frozen, value, state, frame, node)


def element(w: Walker, node: ir.Element, state: State, frame: Frame) -> Term:
    """A markup element: its parts are rendered, its handlers may be called, a component is a function called with them."""
    parts: list[Term] = []
    for attribute in node.attributes:
        value = w.value(attribute.value, state, frame)
        name = attribute.key.value if type(attribute.key) is ir.Literal else None
        if value.kind == "function":
            _hand_on(w, value, state, frame, attribute)
        else:
            frozen = freeze(w, value, state)
            parts.append(frozen)
            if name in ("href", "action", "src"):
                actions.text_seen(w, frozen, attribute, state, frame)
    for child in node.children:
        parts.append(freeze(w, w.value(child, state, frame), state))
    if node.tag[:1].islower() or not node.tag:
        kept = [part for part in parts if part.kind not in ("literal", "element")]
        if kept:
            w.record("render", node, state, frame, value=w.terms.unknown("element", kept))
    return w.terms.make("element", node.tag, tuple(part for part in parts if part.kind != "literal")[:8])


def class_defined(w: Walker, cls: Term, info: ClassInfo, state: State, frame: Frame) -> None:
    """A class was defined: a framework may call its methods."""
    entries.class_routes(w, cls, info, state, frame)


def freeze_all(w: Walker, terms: Iterable[Term], state: State) -> list[Term]:
    """Several values frozen."""
    return [freeze(w, one, state) for one in terms]


__all__ = ["leaves", "plain"]
