"""Which functions handle requests: routes, stages before and around them, handlers of errors, by call, class and file."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import addresses, binding, calls, contents, flows, raising, shapes
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, ClassInfo, ErrorHandler, Frame, GlobalStage, Handler, Mount
from auditor.library import Catcher, Plugin, Reference, Route, Stage
from auditor.terms import Term, text_of, values

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker

_LEFT_RAISED = 12  # errors of one entry that the registered handlers are asked about
_VERBS = ("get", "post", "put", "patch", "delete", "dispatch")


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
    options = addresses.collected(
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
                route.refuses, _renamed(arguments), _elsewhere(w, function, _path(arguments)),
            )  # fmt: skip
            _depend(w, function, arguments)


def _depend(w: Walker, function: Term, arguments: Arguments) -> None:
    """`dependencies=[Depends(f)]`, on the registration or on the router: they run before the handler."""
    for made in (arguments.callee, arguments.receiver):
        given = flows.made_with(w, made, "dependencies")
        for one in given.args if given is not None and given.kind == "sequence" else ():
            dependency = binding.dependency(w, one, "python")
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


def _renamed(arguments: Arguments) -> bool:
    """Whether a registration gives the handler another name than its function's."""
    callee = arguments.callee
    return "endpoint" in arguments.named or (
        callee is not None and callee.kind == "call" and "endpoint" in callee.data[1]
    )


def _elsewhere(w: Walker, function: Term, path: str | None) -> bool:
    """Whether a function is registered under another path as well."""
    known = w.world.routes.get(function)
    return known is not None and (known.elsewhere or known.route != path)


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
    if handler.kind == "object":  # what can be called: a decorator that is a class made it
        made = w.world.instances.get(handler)
        called = (
            w.world.classes[one].members.get("__call__")
            for one in (w.world.lineage(made) if made is not None else ())
            if one in w.world.classes
        )
        return [calls.bound(w, one, handler) for one in called if one is not None and one.kind == "function"][:1]
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


def plug_in(
    w: Walker, plugin: Plugin, arguments: Arguments, frozen: Arguments, state: State, frame: Frame, node: ir.Node
) -> None:
    """A call runs a function that registers handlers on an instance of its own, or on the receiver itself."""
    given, parent = shapes.pick(plugin.function, arguments), arguments.receiver
    if given is None or parent is None:
        return
    function = _handler_function(w, given)
    if function is None or shapes.unit_key(function) in w.world.stack:
        return
    child = parent
    if function is given:
        child = w.world.new_object("instance", frame, node)
        name = w.world.name_of(parent)
        if name is not None:
            w.world.types[child] = name
        prefix = shapes.pick(plugin.prefix, frozen)
        route = text_of(prefix) if prefix is not None else None
        w.world.mounts.append(Mount(parent, child, w.world.serial(), route))
    w.awaited(calls.call(w, function, Arguments([child], {}), state, frame, node), state, frame)


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


def caught(w: Walker, frame: Frame, node: ir.Node) -> None:
    """Let the registered error handlers answer what an entry left raised."""
    raised, frame.raises = frame.raises[:_LEFT_RAISED], []
    for catcher in w.world.catchers:
        matched, raised = raising.split_raised(w, list(catcher.types), raised, frame)
        for state, error in matched:
            way = state.fork()
            given = [
                error
                if kind == "error"
                else binding.typed(w, kind, frame.language)
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


def register_provider(w: Walker, reference: Reference, arguments: Arguments) -> None:
    """A call says which function makes what is handed to parameters of a name; it may stand last in a list."""
    name = text_of(arguments.positional[0]) if arguments.positional else None
    function = shapes.pick(reference, arguments)
    if function is not None and function.kind == "sequence" and function.args:
        function = function.args[-1]
    if name is not None and function is not None and function.kind == "function":
        w.world.providers[name] = function
