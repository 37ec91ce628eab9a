"""Where control comes in: registered handlers with their stages, framework files and classes, units nobody calls."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import actions, calls, contents, names, raising, shapes
from auditor.analysis.state import State
from auditor.analysis.world import (
    Arguments,
    ClassInfo,
    ErrorHandler,
    Frame,
    GlobalStage,
    Handler,
    Mount,
    OverBudget,
    UnitInfo,
)
from auditor.facts import Entry
from auditor.library import Catcher, Reference, Route, Stage
from auditor.model import Problem
from auditor.terms import Term, alternatives, text_of, value_of, values

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker

Binds = tuple[str, ...] | str

_LEFT_RAISED = 12  # errors of one entry that the registered handlers are asked about
_MOUNTS = 6  # routers within routers

_VERBS = ("get", "post", "put", "patch", "delete", "dispatch")


# ------------------------------------------------------------------------------------------ registration


def register(
    w: Walker, route: Route, arguments: Arguments, result: Term, state: State, frame: Frame, node: ir.Node
) -> None:
    """A call registers handlers: the last function is the handler, those before it are its stages."""
    given: list[Term] = []
    if isinstance(route.handlers, int):
        for one in arguments.positional[route.handlers :]:
            given.extend(one.args if one.kind == "sequence" else [one])
    named = [
        arguments.named[key]
        for key in ("view_func", "endpoint", "handler", "view")
        if key in arguments.named and arguments.named[key].kind in ("function", "call", "class")
    ]
    given.extend(named)
    functions = [one for one in given if _callable(w, one)]
    if not functions:
        return
    handlers = functions[-1:] if route.stages else functions
    stages = tuple(given[: given.index(functions[-1])]) if route.stages else ()
    options = actions.collected(
        [contents.freeze(w, one, state) for one in arguments.positional if one.kind == "object"]
    )
    for name in route.options:
        extra = options.get(name)
        stages = (*(extra.args if extra.kind == "sequence" else (extra,)), *stages) if extra is not None else stages
    for handler in handlers:
        for function in _methods_of(w, handler):
            place = frame.program.spans[node.at]
            w.world.routes[function] = Handler(
                function, stages, route.binds, arguments.receiver, frame.program.path, place[0], frame.program,
                _verb(w, arguments.callee), w.world.serial(), _path(arguments),
                route.refuses,
            )  # fmt: skip
            _depend(w, function, arguments)


def _depend(w: Walker, function: Term, arguments: Arguments) -> None:
    """`dependencies=[Depends(f)]`, on the registration or on the router: they run before the handler."""
    for made in (arguments.callee, arguments.receiver):
        given = actions.made_with(w, made, "dependencies")
        for one in given.args if given is not None and given.kind == "sequence" else ():
            dependency = _dependency(w, one, "python")
            if dependency is not None and dependency.kind == "function":
                before = w.world.guards.get(function, ())
                w.world.guards[function] = (*before, (dependency, "annotations", "throw"))


def _path(arguments: Arguments) -> str | None:
    """The path that a registration gives, or that the decorator was made with: `@app.get("/back")`."""
    given = text_of(arguments.positional[0]) if arguments.positional else None
    callee = arguments.callee
    if given is None and callee is not None and callee.kind == "call":
        return next((path for one in callee.args if (path := text_of(one)) is not None), None)
    return given


def _verb(w: Walker, callee: Term | None) -> str:
    """The method that a registration answers to, by the name of what registers: `app.post(...)`."""
    name = (w.world.name_of(callee) or "").removesuffix("()") if callee is not None else ""
    last = name.rpartition(".")[2].lower().removeprefix("add_")
    return last if last in _VERBS else ""


def _callable(w: Walker, term: Term) -> bool:
    return term.kind in ("function", "class", "native") or bool(_methods_of(w, term))


def _methods_of(w: Walker, handler: Term) -> list[Term]:
    """The functions that a registered value stands for: itself, or the verbs of a class-based view."""
    if handler.kind == "function":
        return [handler]
    if handler.kind == "alt":
        return [one for one in values(handler) if one.kind == "function"]
    cls: Term | None = handler if handler.kind == "class" else None
    if handler.kind == "call" and str(handler.data[0]).endswith("as_view"):
        cls = w.world.receivers.get(handler)
    if cls is None or cls.kind != "class":
        return []
    found = [
        w.world.classes[one].members.get(verb)
        for one in w.world.lineage(cls)
        if one in w.world.classes
        for verb in _VERBS
    ]
    return [one for one in found if one is not None and one.kind == "function"]


def register_stage(w: Walker, stage: Stage, arguments: Arguments) -> None:
    """A call registers what runs before handlers: functions for all of a receiver, or guards for one handler."""
    if stage.function == "callee":
        _guard(w, stage, arguments)
        return
    reference = stage.function
    given = arguments.positional if reference == "all" else [shapes.pick(reference, arguments)]
    order = w.world.serial() if stage.ordered else None
    route = text_of(given[0]) if given and given[0] is not None else None
    for one in given:
        for function in () if one is None else one.args if one.kind == "sequence" else (one,):
            if function.kind == "function":
                entry = GlobalStage(
                    function, stage.binds, stage.refuses, arguments.receiver, stage.covers == "all", order, route
                )
                w.world.stages.append(entry)
            elif arguments.receiver is not None and function.kind != "literal":
                child = w.world.receivers.get(function, function)  # koa mounts what `router.routes()` gives
                w.world.mounts.append(Mount(arguments.receiver, child, order or 0, route))


def register_catcher(w: Walker, catcher: Catcher, arguments: Arguments) -> None:
    """A call registers a function for the errors that are left raised."""
    given = arguments.positional if catcher.function == "all" else [shapes.pick(catcher.function, arguments)]
    types: tuple[Term, ...] = ()
    if catcher.types == "callee" and arguments.callee is not None:
        types = arguments.callee.args[:1]
    elif catcher.types == "argument":
        types = tuple(arguments.positional[:1])
    for one in given:
        if one is None or one.kind != "function":
            continue
        parameters = w.world.units[shapes.unit_key(one)].unit.parameters
        if not catcher.arity or len(parameters) == catcher.arity:
            entry = ErrorHandler(one, types, catcher.binds)
            if entry not in w.world.catchers:
                w.world.catchers.append(entry)


def _caught(w: Walker, frame: Frame, node: ir.Node) -> None:
    """Let the registered error handlers answer what an entry left raised."""
    raised, frame.raises = frame.raises[:_LEFT_RAISED], []
    for catcher in w.world.catchers:
        matched, raised = raising.split_raised(w, list(catcher.types), raised, frame)
        for state, error in matched:
            way = state.fork()
            given = [
                error
                if kind == "error"
                else typed(w, kind, frame.language)
                if kind != "next"
                else w.terms.unknown("next")
                for kind in catcher.binds
            ]
            calls.call(w, catcher.function, Arguments(given, {}), way, frame, node)


def _guard(w: Walker, stage: Stage, arguments: Arguments) -> None:
    """A decorator made with guards is applied to a handler, or to a class for all of its handlers."""
    callee, target = arguments.callee, arguments.positional[0] if arguments.positional else None
    if callee is None or target is None:
        return
    functions = [target]
    if target.kind == "class":
        functions = [one for one in w.world.classes[target].members.values() if one.kind == "function"]
    for one in callee.args:
        guard = w.world.classes[one].members.get(stage.method) if one.kind == "class" else one
        if guard is None or guard.kind != "function":
            continue
        for function in functions:
            before = w.world.guards.get(function, ())
            w.world.guards[function] = ((guard, stage.binds, stage.refuses), *before)


def class_routes(w: Walker, cls: Term, info: ClassInfo, state: State, frame: Frame) -> None:
    """Methods of a class that a framework calls because of what the class derives from."""
    language = frame.language
    names = {w.world.name_of(one) for one in w.world.lineage(cls)[1:]}
    for library in w.world.libraries.all:
        if library.language != language:
            continue
        for rule in library.classes:
            if not names.intersection(rule.bases):
                continue
            for method in rule.methods:
                member = info.members.get(method)
                if member is not None and member.kind == "function":
                    line = info.program.spans[info.definition.at][0]
                    w.world.routes[member] = Handler(member, (), rule.binds, cls, info.program.path, line, info.program)


def file_routes(w: Walker) -> None:
    """Handlers that a framework finds by the place of their file."""
    for path, program in sorted(w.world.programs.items()):
        language = "python" if program.language == "python" else "javascript"
        for library in w.world.libraries.all:
            if library.language != language:
                continue
            for rule in library.files:
                if not any(fnmatch.fnmatch("/" + path, "*/" + pattern) for pattern in rule.files):
                    continue
                for name in rule.exports:
                    value = w.exported(path, name)
                    function = _handler_function(w, value) if value is not None else None
                    if function is not None and function not in w.world.routes:
                        w.world.routes[function] = Handler(function, (), rule.binds, None, path, 1, program)
        if "use server" in program.directives:
            for (owner, _), value in list(w.world.exports.items()):
                if owner == path and value.kind == "function" and value not in w.world.routes:
                    w.world.routes[value] = Handler(value, (), "names", None, path, 1, program)


def _handler_function(w: Walker, value: Term, depth: int = 3) -> Term | None:
    """The function that is exported, or that a library's wrapper was given."""
    if value.kind == "function":
        return value
    if value.kind == "call" and depth:
        for one in value.args:
            found = _handler_function(w, one, depth - 1)
            if found is not None:
                return found
    return None


# ------------------------------------------------------------------------------------------- binding


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
        dependency = _dependency(w, candidate, frame.language) if candidate is not None else None
        if dependency is not None:
            return _depended(w, dependency, state, frame, parameter)
    for one in (annotation, *_annotated(w, parameter, state, scope)):
        type_name = w.world.name_of(one) if one is not None else None
        model = w.world.libraries.find(frame.language, type_name) if type_name else None
        if model is not None and type_name and model.is_:
            return typed(w, type_name, frame.language)
        if one is not None and one.kind == "class":
            return _body(w, one, state)
    markers = [default, *_annotated(w, parameter, state, scope)]
    marker = next((one for one in markers if one is not None and one.kind == "call" and _marks(one)), None)
    kind = str(marker.data[0]).rpartition(".")[2] if marker is not None else ""
    alias = actions.made_with(w, marker, "alias")
    holder = w.world.root("COOKIES" if kind == "Cookie" else "HEADERS" if kind == "Header" else "INPUT", "dict")
    loaded = w.read(holder, alias or w.terms.literal(name), state)
    if default is not None and default is marker:
        default = actions.made_with(w, marker, "default") or _first_positional(marker)
    if default is None or text_of(default) == "..." or default.kind == "unknown":
        state.assume(w.terms.make("exists", None, (loaded,)), w.terms)
        state.assume(w.present(loaded), w.terms)
        return loaded
    if default is w.terms.none:
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


_MARKERS = ("Cookie", "Header", "Query", "Form", "Body", "Path", "File")


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


def _dependency(w: Walker, value: Term, language: str) -> Term | None:
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
        if parameter.annotation is not None:
            value = w.value(parameter.annotation, State({}, frozenset()), scope)
            type_name = w.world.name_of(value) if value.kind in ("external", "call") else None
            if type_name and w.world.libraries.find(language, type_name) is not None:
                found = typed(w, type_name, language)
            elif value.kind == "class":
                found = instance_of(w, value)
        if found is None and name in conventions:
            found = typed(w, conventions[name], language)
        if found is None and name in w.world.providers:
            found = provided(w, w.world.providers[name])
        out.append(found if found is not None else w.terms.make("parameter", (info.qualified, name)))
    return out


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


def register_provider(w: Walker, reference: Reference, arguments: Arguments) -> None:
    """A call says which function makes what is handed to parameters of a name; it may stand last in a list."""
    name = text_of(arguments.positional[0]) if arguments.positional else None
    function = shapes.pick(reference, arguments)
    if function is not None and function.kind == "sequence" and function.args:
        function = function.args[-1]
    if name is not None and function is not None and function.kind == "function":
        w.world.providers[name] = function


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
    w.world.singletons[function] = this if made is w.terms.none else made
    return w.world.singletons[function]


# ------------------------------------------------------------------------------------------- running


def call_bound(
    w: Walker, function: Term, binds: Binds, rest: Term | None, state: State, frame: Frame, node: ir.Node
) -> Term:
    """Call a handler, stage or dependency with what the framework gives it, and wait for it."""
    if function.kind != "function":
        return w.terms.unknown("dependency", (function,))
    arguments = bind(w, function, binds, rest, state, frame)
    return w.awaited(calls.call(w, function, arguments, state, frame, node), state, frame)


def run_handler(w: Walker, handler: Handler, state: State, frame: Frame) -> None:
    """The pipeline of one handler: global stages, its own stages, itself."""
    info = w.world.units[shapes.unit_key(handler.function)]
    function = with_instance(w, handler.function, info)
    before = [stage for stage in w.world.stages if _applies(w, stage, handler)]
    guards = w.world.guards.get(handler.function, ())
    steps: list[tuple[Term, Binds, str]] = [(stage.function, stage.binds, stage.refuses) for stage in before]
    steps.extend(guards)
    own_binds: Binds = handler.binds
    steps.extend((stage, own_binds, handler.refuses) for stage in handler.stages)
    _run(w, steps, 0, function, handler, state, frame, info.unit)


def with_instance(w: Walker, function: Term, info: UnitInfo) -> Term:
    """A method that a framework calls runs on the instance that it made."""
    if function.args or info.unit.kind not in ("method", "getter", "classmethod"):
        return function
    owner = next((scope for scope in reversed(function.data[2]) if isinstance(scope, Term)), None)
    return calls.bound(w, function, instance_of(w, owner)) if owner is not None else function


def _applies(w: Walker, stage: GlobalStage, handler: Handler) -> bool:
    """Whether a stage runs before a handler: on its own router, or on one that this is mounted on later."""
    if stage.everywhere:
        return True
    owner, order, route = handler.owner, handler.order, handler.route
    for _ in range(_MOUNTS):
        if stage.owner is owner:
            below = stage.route is None or (route is not None and _below(route, stage.route))
            return below and (stage.order is None or stage.order < order)
        mount = next((one for one in w.world.mounts if one.child is owner), None)
        if mount is None:
            return False
        owner, order, route = mount.parent, mount.order, mount.route
    return False


def _below(route: str, prefix: str) -> bool:
    prefix = prefix.rstrip("/*")
    return route == prefix or route.startswith(prefix + "/") or not prefix


def _run(
    w: Walker, steps: Sequence[tuple[Term, Binds, str]], index: int, function: Term, handler: Handler, state: State,
    frame: Frame, node: ir.Node,
) -> Term:  # fmt: skip
    def passed_on(positional: Sequence[Term], now: State, inner: Frame) -> bool:
        """`next(error)`: the error goes to whoever handles what is left raised, and nothing else comes after."""
        ends = bool(positional) and positional[0] is not w.terms.none and positional[0].kind != "literal"
        if ends and inner.language == "javascript":
            frame.raises.append((now.fork(), positional[0]))
            return True
        return False

    if index == len(steps):

        def last(positional: Sequence[Term], named: Mapping[str, Term], now: State, inner: Frame) -> Term:
            passed_on(positional, now, inner)
            return w.terms.none

        rest = calls.native(w, last) if "next" in handler.binds else w.terms.unknown("next")
        answer = call_bound(w, function, handler.binds, rest, state, frame, node)
        _returned(w, answer, handler, state, frame, node)
        return answer
    stage, binds, refuses = steps[index]

    def go_on(now: State) -> Term:
        return _run(w, steps, index + 1, function, handler, now, frame, node)

    if stage.kind == "alt":
        stage = next((one for one in values(stage) if one.kind == "function"), stage)
    if stage.kind != "function":
        return go_on(state)  # an unknown stage goes on and proves nothing
    stage = with_instance(w, stage, w.world.units[shapes.unit_key(stage)])
    if refuses == "next":
        called: list[State] = []

        def proceed(positional: Sequence[Term], named: Mapping[str, Term], now: State, inner: Frame) -> Term:
            if passed_on(positional, now, inner):
                return w.terms.none
            called.append(now)
            return go_on(now)

        return call_bound(w, stage, binds, calls.native(w, proceed), state, frame, node)
    answer = call_bound(w, stage, binds, None, state, frame, node)
    if state.dead:
        return w.terms.none
    if refuses == "value":
        state.assume(w.terms.negate(_answers(w, answer)), w.terms)
    elif refuses == "false":
        state.assume(w.terms.truth(answer), w.terms)
    return go_on(state) if not state.dead else w.terms.none  # type: ignore[redundant-expr]  # `assume` may end it


def _returned(w: Walker, answer: Term, handler: Handler, state: State, frame: Frame, node: ir.Node) -> None:
    """What a handler returns is the answer, where its framework has it so; what it answered itself is recorded already."""
    if state.dead or (isinstance(handler.binds, tuple) and "next" in handler.binds):
        return
    frozen = contents.freeze(w, answer, state)
    for one in values(answer):
        if one in w.world.returned:
            w.world.answered[contents.freeze(w, one, state)] = w.world.returned[one]
    if any(one is not w.terms.none and one not in w.world.answers and one.kind != "unknown" for one in values(frozen)):
        w.record("respond", node, state, frame, name="return", value=frozen)


def _answers(w: Walker, value: Term) -> Term:
    """The condition that what a stage returned answers the request: an answer that it made does, null does not."""
    return w.terms.any(
        w.terms.all(
            (guard if one is not value else w.terms.true, w.terms.true if one in w.world.answers else w.present(one))
        )
        for one, guard in alternatives(value)
    )


def run_all(w: Walker) -> tuple[Entry, ...]:
    """Walk every entry: handlers, then units that nobody names, then what is left."""
    entries: list[Entry] = []
    file_routes(w)
    done: set[Term] = set()
    while True:
        waiting = [
            handler
            for function, handler in list(w.world.routes.items())
            if function not in done and w.world.relevance.leads(_origin(w, function))
        ]
        if not waiting:
            handed = [
                one for one in w.world.handed if one not in done and w.world.relevance.leads(shapes.unit_key(one))
            ]
            fresh = [(one, False) for one in handed] or _uncalled(w, done)
            if not fresh:
                break
            for function, called in fresh:
                done.add(function)
                _enter(w, entries, function, "unit", None, called)
            continue
        for handler in waiting:
            done.add(handler.function)
            _enter(w, entries, handler.function, "route", handler, False)
    return tuple(entries)


def _origin(w: Walker, function: Term) -> tuple[str, int]:
    """The unit as it was written, under its decorators."""
    return w.world.origins.get(function, shapes.unit_key(function))


def _uncalled(w: Walker, done: set[Term]) -> list[tuple[Term, bool]]:
    """The next units to walk without a caller: those that nothing names, and only then the others."""
    functions = [
        one
        for one in w.world.functions()
        if shapes.unit_key(one) not in w.world.walked
        and one not in done
        and w.world.relevance.leads(shapes.unit_key(one))
        and w.world.units[shapes.unit_key(one)].unit.kind not in ("constructor", "setter")
    ]
    unnamed = [one for one in functions if w.world.units[shapes.unit_key(one)].unit.name not in w.world.named]
    if unnamed:
        return [(one, False) for one in unnamed]
    return [(functions[0], True)] if functions else []


def _enter(w: Walker, entries: list[Entry], function: Term, kind: str, handler: Handler | None, called: bool) -> None:
    world = w.world
    key = shapes.unit_key(function)
    info = world.units[world.origins.get(function, key)]
    program = info.program
    head = program.spans[info.unit.head or info.unit.at]
    language = "python" if program.language == "python" else "javascript"
    entry = Entry(
        len(entries),
        kind,  # type: ignore[arg-type]
        program.path,
        info.qualified,
        head[0],
        program.spans[info.unit.at][2],
        language,
        called,
        handler.method if handler is not None else "",
        (handler.route or "") if handler is not None else "",
    )
    entries.append(entry)
    state = State({}, frozenset())
    frame = Frame(world.serial(), (("module", program.path),), program, None, "")
    with world.entered(entry):
        try:
            if handler is not None:
                run_handler(w, handler, state, frame)
                _caught(w, frame, info.unit)
            else:
                bound = with_instance(w, function, world.units[key])
                result = calls.call(w, bound, Arguments(guessed_arguments(w, function), {}), state, frame, info.unit)
                if not state.dead:
                    w.awaited(result, state, frame)
        except OverBudget:
            world.problems.append(
                Problem(program.path, "incomplete", f"{info.qualified or 'this file'} is too large to follow", head[0])
            )
        except RecursionError:
            world.problems.append(
                Problem(program.path, "too-deep", f"{info.qualified} nests too deeply to follow", head[0])
            )
        except Exception as error:  # noqa: BLE001  one entry that the analysis fails on must not end the audit
            world.problems.append(Problem(program.path, "crashed", failure(info.qualified, error), head[0]))
        finally:
            world.stack.clear()


def failure(unit: str, error: Exception) -> str:
    """What to say of an error of ours: its kind and where it arose, and nothing of what was analysed."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f" ({last.tb_frame.f_code.co_name}, line {last.tb_lineno})" if last is not None else ""
    return f"{unit or 'this file'} could not be analysed: {type(error).__name__}{where}; please report this"


def literal_key(term: Term) -> object:
    """A literal's value, else None."""
    return value_of(term) if term.kind == "literal" else None
