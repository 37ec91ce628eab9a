"""What a handler is given: parameters bound by position, name, type, decorator or convention, and instances handed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import calls, flows, names, shapes
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame, UnitInfo
from auditor.terms import Term, nothing, text_of

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker

Binds = tuple[str, ...] | str

_MARKERS = ("Cookie", "Header", "Query", "Form", "Body", "Path", "File")


def bind(w: Walker, function: Term, binds: Binds, rest: Term | None, state: State, frame: Frame) -> Arguments:
    """The arguments that a framework gives to a handler."""
    info = w.world.units[shapes.unit_key(function)]
    parameters = list(info.unit.parameters)
    if (
        function.args
        and info.unit.kind in ("method", "classmethod", "constructor")
        and info.program.language == "python"
    ):
        parameters = parameters[1:]
    out = Arguments([], {})
    if isinstance(binds, tuple):
        for index, parameter in enumerate(parameters):
            if parameter.kind != "plain":
                continue
            kind = binds[index] if index < len(binds) else "input"
            out.positional.append(_bound(w, kind, parameter, rest, state, frame))
        return out
    for parameter in parameters:
        if parameter.kind != "plain":
            continue
        if binds == "annotations":
            value = _by_annotation(w, info, function, parameter, state, frame)
        elif binds == "decorators":
            value = _by_decorator(w, info, parameter, state, frame)
        else:
            value = _bound(w, "input", parameter, rest, state, frame)
        name = parameter.target.id if type(parameter.target) is ir.Name else None
        if parameter.keyword_only and name is not None:
            out.named[name] = value
        else:
            out.positional.append(value)
    return out


def _bound(w: Walker, kind: str, parameter: ir.Parameter, rest: Term | None, state: State, frame: Frame) -> Term:
    if kind == "next":
        return rest if rest is not None else w.terms.unknown("next")
    if kind == "input":
        name = parameter.target.id if type(parameter.target) is ir.Name else None
        root = w.world.root("INPUT", "dict" if frame.language == "python" else "Object")
        return w.read(root, w.terms.literal(name), state) if name is not None else root
    return typed(w, kind, frame.language)


def typed(w: Walker, type_name: str, language: str) -> Term:
    """An object of a library's type, the same wherever it is handed in."""
    model = w.world.libraries.find(language, type_name)
    if model is not None and model.is_ in ("input", "session", "cookies", "headers", "callback-url", "environment"):
        return names.known(w, w.world.external(type_name, language), None)
    root = w.world.root("REQUEST" if model is not None and model.is_ == "request" else type_name, type_name)
    if model is not None and model.medium:
        w.world.media.setdefault(shapes.holder_of(w, root), model.medium)
    return root


def _by_annotation(
    w: Walker, info: UnitInfo, function: Term, parameter: ir.Parameter, state: State, frame: Frame
) -> Term:
    """FastAPI: a dependency, a known type, a model of the body, or a value of the request."""
    name = parameter.target.id if type(parameter.target) is ir.Name else ""
    scope = Frame(None, function.data[2], info.program, None, info.qualified)
    default = w.value(parameter.default, state, scope) if parameter.default is not None else None
    annotation = w.value(parameter.annotation, state.fork(), scope) if parameter.annotation is not None else None
    for candidate in [default, *_annotated(w, parameter, state, scope)]:
        found = dependency(w, candidate, frame.language) if candidate is not None else None
        if found is not None:
            return _depended(w, found, state, frame, parameter)
    for one in (annotation, *_annotated(w, parameter, state, scope)):
        type_name = w.world.name_of(one) if one is not None else None
        model = w.world.libraries.find(frame.language, type_name) if type_name else None
        if model is not None and type_name and model.is_:
            return typed(w, type_name, frame.language)
        if one is not None and one.kind == "class":
            base = w.world.base_name(one)
            above = w.world.libraries.find(frame.language, base) if base else None
            return typed(w, base, frame.language) if base and above is not None and above.is_ else _body(w, one, state)
    markers = [default, *_annotated(w, parameter, state, scope)]
    marker = next((one for one in markers if one is not None and one.kind == "call" and _marks(one)), None)
    kind = str(marker.data[0]).rpartition(".")[2] if marker is not None else ""
    alias = flows.made_with(w, marker, "alias")
    holder = w.world.root("COOKIES" if kind == "Cookie" else "HEADERS" if kind == "Header" else "INPUT", "dict")
    loaded = w.read(holder, alias or w.terms.literal(name), state)
    if default is not None and default is marker:
        default = flows.made_with(w, marker, "default") or _first_positional(marker)
    if default is None or text_of(default) == "..." or default.kind == "unknown":
        state.assume(w.terms.make("exists", None, (loaded,)), w.terms)
        state.assume(w.present(loaded), w.terms)
        return loaded
    if nothing(default):
        return loaded
    there = w.terms.make("exists", None, (loaded,))
    return w.terms.alt([(loaded, there), (default, w.terms.negate(there))])


def _body(w: Walker, cls: Term, state: State) -> Term:
    """A model of the request's body: a field without a default is there, or the framework answers before the handler."""
    body = w.world.root("INPUT", "dict")
    for statement in w.world.classes[cls].definition.body:
        if type(statement) is ir.Assign and statement.value is None and type(statement.target) is ir.Name:
            field = w.read(body, w.terms.literal(statement.target.id), state)
            state.assume(w.terms.make("exists", None, (field,)), w.terms)
            state.assume(w.present(field), w.terms)
    return body


def _marks(call: Term) -> bool:
    return str(call.data[0]).rpartition(".")[2] in _MARKERS


def _first_positional(call: Term) -> Term | None:
    """The first argument of a call that has no name."""
    named = len(call.data[1]) + (1 if call.data[3] else 0)
    return call.args[0] if len(call.args) > named else None


def _depended(w: Walker, dependency: Term, state: State, frame: Frame, node: ir.Node) -> Term:
    """What a dependency gives: the result of a function, an instance of a class, what a callable instance gives."""
    if dependency.kind == "object":
        dependency = w.member(dependency, "__call__", state, frame)
    if dependency.kind == "class":
        constructor = next(
            (
                member
                for one in w.world.lineage(dependency)
                if one in w.world.classes and (member := w.world.classes[one].members.get("__init__")) is not None
            ),
            None,
        )
        given = Arguments([], {})
        if constructor is not None and constructor.kind == "function":
            made = calls.bound(w, constructor, dependency)  # the receiver is no parameter to bind
            given = bind(w, made, "annotations", None, state, frame)
        return calls.call(w, dependency, given, state, frame, node)
    return call_bound(w, dependency, "annotations", None, state, frame, node)


def _annotated(w: Walker, parameter: ir.Parameter, state: State, scope: Frame) -> list[Term]:
    node = parameter.annotation
    if type(node) is ir.Subscript and type(node.object) in (ir.Name, ir.Member):
        name = node.object.id if type(node.object) is ir.Name else node.object.name  # type: ignore[union-attr]
        if name in ("Annotated", "Optional"):
            items = node.key.items if type(node.key) is ir.Sequence else (node.key,)
            return [w.value(item, state.fork(), scope) for item in items]
    return []


def dependency(w: Walker, value: Term, language: str) -> Term | None:
    if value.kind != "call":
        return None
    model = w.world.libraries.find(language, str(value.data[0]))
    if model is None or not model.depends or not value.args:
        return None
    return value.args[0]


def _by_decorator(w: Walker, info: UnitInfo, parameter: ir.Parameter, state: State, frame: Frame) -> Term:
    """Nest: `@Query('code') code`, `@Session() session`, `@Req() req`."""
    scope = Frame(None, (("module", info.program.path),), info.program, None, info.qualified)
    for decorator in parameter.decorators:
        value = w.value(decorator, state.fork(), scope)
        name = str(value.data[0]) if value.kind == "call" else ""
        model = w.world.libraries.find(frame.language, name)
        if model is None:
            if value.kind in ("root", "load"):
                return value
            continue
        key = value.args[0] if value.kind == "call" and value.args and text_of(value.args[0]) is not None else None
        holder = typed(w, model.returns or name, frame.language)
        return w.read(holder, key, state) if key is not None else holder
    name = parameter.target.id if type(parameter.target) is ir.Name else "?"
    return w.terms.make("parameter", (info.qualified, name))


def guessed_arguments(w: Walker, function: Term) -> list[Term]:
    """Arguments for a unit whose caller is unknown: by annotation, by the conventions of what its file imports."""
    if function.kind != "function":
        return []
    info = w.world.units[shapes.unit_key(function)]
    conventions = _conventions(w, info.program)
    language = "python" if info.program.language == "python" else "javascript"
    scope = Frame(None, function.data[2], info.program, None, info.qualified)
    parameters = list(info.unit.parameters)
    if info.unit.kind in ("method", "classmethod", "constructor") and language == "python":
        parameters = parameters[1:]
    out: list[Term] = []
    for parameter in parameters:
        if parameter.kind != "plain":
            continue
        name = parameter.target.id if type(parameter.target) is ir.Name else f"#{len(out)}"
        found: Term | None = None
        unknown = w.terms.make("parameter", (info.qualified, name))
        if parameter.annotation is not None:
            value = w.value(parameter.annotation, State({}, frozenset()), scope)
            type_name = _imported_type(parameter.annotation, info.program)
            if type_name is None and value.kind in ("external", "call"):
                type_name = w.world.name_of(value)
            if type_name and w.world.libraries.find(language, type_name) is not None:
                if "." in type_name:
                    found = typed(w, type_name, language)
                else:  # a text, a number, a mapping: two parameters of that type are two values
                    w.world.types[unknown] = type_name
            elif value.kind == "class":
                base = w.world.base_name(value)
                model = w.world.libraries.find(language, base) if base else None
                # the application's own kind of request is a request
                found = typed(w, base, language) if base and model is not None and model.is_ else instance_of(w, value)
        if found is None and name in conventions:
            found = typed(w, conventions[name], language)
        if found is None and name in w.world.providers:
            found = provided(w, w.world.providers[name])
        out.append(found if found is not None else unknown)
    return out


def _imported_type(annotation: ir.Expression, program: ir.Program) -> str | None:
    """The qualified name of an annotation that was imported as a type only, with what it is made generic by left out."""
    bare = annotation.object if type(annotation) is ir.Subscript else annotation
    if type(bare) is not ir.Name:
        return None
    return next((f"{module}.{name}" for module, name, alias in program.types if alias == bare.id), None)


def declared_field(w: Walker, cls: Term, name: str) -> Term | None:
    """A field of an instance that nobody was seen to make, which its class declares to hold one of the program's own."""
    for one in w.world.lineage(cls):
        info = w.world.classes.get(one)
        for statement in info.definition.body if info is not None else ():
            if type(statement) is not ir.Assign or statement.annotation is None or statement.value is not None:
                continue
            if type(statement.target) is ir.Name and statement.target.id == name:
                assert info is not None
                scope = Frame(None, info.scopes, info.program, None, info.qualified)
                declared = _annotated_class(w, statement.annotation, scope)
                return instance_of(w, declared) if declared is not None else None
    return None


def _annotated_class(w: Walker, annotation: ir.Expression, scope: Frame) -> Term | None:
    """The class that an annotation names, also in quotes."""
    if type(annotation) is ir.Literal and isinstance(annotation.value, str):
        found = w.lookup(annotation.value, State({}, frozenset()), scope)
    else:
        found = w.value(annotation, State({}, frozenset()), scope)
    return found if found is not None and found.kind == "class" else None


def _conventions(w: Walker, program: ir.Program) -> Mapping[str, str]:
    known = w.world.conventions.get(program.path)
    if known is not None:
        return known
    language = "python" if program.language == "python" else "javascript"
    modules = [module for module, _ in w.world.relevance.indexes[program.path].imports]
    modules.extend(module for module, _, _ in program.types)
    out = w.world.conventions[program.path] = dict[str, str]()
    for library in w.world.libraries.all:
        if library.language == language and library.parameters:
            names = library.modules or (library.library,)
            if names == ("*",) or any(
                module == name or module.startswith((name + ".", name + "/")) for module in modules for name in names
            ):
                out.update(library.parameters)
    return out


def instance_of(w: Walker, cls: Term) -> Term:
    """The instance that a container injects, or whose methods are walked without a caller: one for each class."""
    found = w.world.singletons.get(cls)
    if found is not None:
        return found
    info = w.world.classes[cls]
    frame = Frame(None, info.scopes[:-1], info.program, None, info.qualified, startup=True)
    made = w.terms.make("object", (info.qualified, w.world.site(frame, info.definition), 0))
    w.world.singletons[cls] = made
    w.world.instances[made] = cls
    state = State({}, frozenset())
    name = "__init__" if info.program.language == "python" else "constructor"
    outer, w.world.entry = w.world.entry, None
    try:
        for one in reversed(w.world.lineage(cls)):
            base = w.world.classes.get(one)
            if base is None:
                continue
            for field, expression in base.initialisers:
                scope = Frame(
                    w.world.serial(), base.scopes, base.program, None, base.qualified, this=made, startup=True
                )
                w.write(made, w.terms.literal(field), w.value(expression, state, scope), state, scope, expression)  # type: ignore[arg-type]
        for one in w.world.lineage(cls):
            base = w.world.classes.get(one)
            member = base.members.get(name) if base is not None else None
            if member is not None and member.kind == "function":
                bound = calls.bound(w, member, made)
                if shapes.unit_key(bound) not in w.world.stack:
                    arguments = Arguments(guessed_arguments(w, member), {})
                    calls.inline(w, bound, arguments, state, frame, info.definition)
                break
    finally:
        w.world.entry = outer
    for key, value in state.slots.items():
        if isinstance(key[0], Term):
            w.world.globals.setdefault(key, value)
    return made


def provided(w: Walker, function: Term) -> Term | None:
    """What a provider's function makes, once for the whole program: what it returns, else the object it works on."""
    found = w.world.singletons.get(function)
    if found is not None or shapes.unit_key(function) in w.world.stack:
        return found
    info = w.world.units[shapes.unit_key(function)]
    frame = Frame(None, function.data[2], info.program, None, info.qualified, startup=True)
    this = w.world.new_object("Object", frame, info.unit, closed=False)
    state = State({}, frozenset())
    outer, w.world.entry = w.world.entry, None
    try:
        arguments = Arguments(guessed_arguments(w, function), {})
        made = calls.inline(w, calls.bound(w, function, this), arguments, state, frame, info.unit)
    finally:
        w.world.entry = outer
    for slot, value in state.slots.items():
        w.world.globals.setdefault(slot, value)
    w.world.singletons[function] = this if nothing(made) else made
    return w.world.singletons[function]


def call_bound(
    w: Walker, function: Term, binds: Binds, rest: Term | None, state: State, frame: Frame, node: ir.Node
) -> Term:
    """Call a handler, stage or dependency with what the framework gives it, and wait for it."""
    if function.kind != "function":
        return w.terms.unknown("dependency", (function,))
    arguments = bind(w, function, binds, rest, state, frame)
    answer = w.awaited(calls.call(w, function, arguments, state, frame, node), state, frame)
    return calls.drawn(w, answer, state, frame)


def with_instance(w: Walker, function: Term, info: UnitInfo) -> Term:
    """A method that a framework calls runs on the instance that it made."""
    if function.args or info.unit.kind not in ("method", "getter", "classmethod"):
        return function
    owner = next((scope for scope in reversed(function.data[2]) if isinstance(scope, Term)), None)
    return calls.bound(w, function, instance_of(w, owner)) if owner is not None else function
