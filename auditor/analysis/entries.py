"""Runs every place where control comes in: registered handlers within their stages, and units that nobody calls."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from auditor import program as ir
from auditor.analysis import binding, calls, contents, registration, shapes
from auditor.analysis.state import State
from auditor.analysis.world import Arguments, Frame, GlobalStage, Handler, OverBudget
from auditor.facts import Entry
from auditor.model import Problem
from auditor.terms import Term, alternatives, nothing, values

if TYPE_CHECKING:
    from auditor.analysis.walk import Walker

_MOUNTS = 6  # routers within routers


def run_handler(w: Walker, handler: Handler, state: State, frame: Frame) -> None:
    """The pipeline of one handler: global stages, its own stages, itself."""
    w.world.serving = handler
    info = w.world.units[shapes.unit_key(handler.function)]
    function = binding.with_instance(w, handler.function, info)
    before = [stage for stage in w.world.stages if _applies(w, stage, handler)]
    guards = w.world.guards.get(handler.function, ())
    steps: list[tuple[Term, binding.Binds, str]] = [(stage.function, stage.binds, stage.refuses) for stage in before]
    steps.extend(guards)
    own_binds: binding.Binds = handler.binds
    steps.extend((stage, own_binds, handler.refuses) for stage in handler.stages)
    _run(w, steps, 0, function, handler, state, frame, info.unit)


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
    w: Walker, steps: Sequence[tuple[Term, binding.Binds, str]], index: int, function: Term, handler: Handler, state: State,
    frame: Frame, node: ir.Node,
) -> Term:  # fmt: skip
    def onwards(positional: Sequence[Term], now: State, inner: Frame) -> State:
        """What comes after `next(error)`, `next('route')`: nothing, if there is one; errors go to who handles them.

        `save((error) => next(error))`: most of the time there is none. Whoever called `next` goes on either way.
        """
        wrong = w.terms.truth(positional[0]) if positional and inner.language == "javascript" else w.terms.false
        if wrong is w.terms.false:
            return now
        refused, rest = now.fork(), now.fork()
        refused.assume(wrong, w.terms)
        if not refused.dead:
            frame.raises.append((refused, positional[0]))
        rest.assume(w.terms.negate(wrong), w.terms)
        return rest

    if index == len(steps):

        def last(positional: Sequence[Term], named: Mapping[str, Term], now: State, inner: Frame) -> Term:
            onwards(positional, now, inner)
            return w.terms.none

        rest = calls.native(w, last) if "next" in handler.binds else w.terms.unknown("next")
        answer = binding.call_bound(w, function, handler.binds, rest, state, frame, node)
        _returned(w, answer, handler, state, frame, node)
        return answer
    stage, binds, refuses = steps[index]

    def go_on(now: State) -> Term:
        return _run(w, steps, index + 1, function, handler, now, frame, node)

    if stage.kind == "alt":
        stage = next((one for one in values(stage) if one.kind == "function"), stage)
    if stage.kind != "function":
        return go_on(state)  # an unknown stage goes on and proves nothing
    stage = binding.with_instance(w, stage, w.world.units[shapes.unit_key(stage)])
    if refuses == "next":
        called: list[State] = []

        def proceed(positional: Sequence[Term], named: Mapping[str, Term], now: State, inner: Frame) -> Term:
            rest = onwards(positional, now, inner)
            if rest.dead:
                return w.terms.none
            called.append(rest)
            return go_on(rest)

        return binding.call_bound(w, stage, binds, calls.native(w, proceed), state, frame, node)
    answer = binding.call_bound(w, stage, binds, None, state, frame, node)
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
    if any(not nothing(one) and one not in w.world.answers and one.kind != "unknown" for one in values(frozen)):
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
    registration.file_routes(w)
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
        _wrapped(w, function),
    )
    entries.append(entry)
    state = State({}, frozenset())
    frame = Frame(world.serial(), (("module", program.path),), program, None, "")
    world.serving = None
    with world.entered(entry):
        try:
            if handler is not None:
                run_handler(w, handler, state, frame)
                registration.caught(w, frame, info.unit)
            else:
                bound = binding.with_instance(w, function, world.units[key])
                result = calls.call(
                    w, bound, Arguments(binding.guessed_arguments(w, function), {}), state, frame, info.unit
                )
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


def _wrapped(w: Walker, function: Term) -> tuple[tuple[str, str], ...]:
    """The functions that a closure holds on to because the function that made it was given them."""
    around = {scope for scope in function.data[2] if isinstance(scope, int)}
    held = [(scope, value) for (scope, _), value in w.world.globals.items() if scope in around] if around else []
    keys = dict.fromkeys(
        shapes.unit_key(one)
        for scope, value in held
        for one in values(value)
        if one.kind == "function" and scope not in one.data[2]
    )
    return tuple((w.world.units[key].program.path, w.world.units[key].qualified) for key in keys)


def failure(unit: str, error: Exception) -> str:
    """What to say of an error of ours: its kind and where it arose, and nothing of what was analysed."""
    last = error.__traceback__
    while last is not None and last.tb_next is not None:
        last = last.tb_next
    where = f" ({last.tb_frame.f_code.co_name}, line {last.tb_lineno})" if last is not None else ""
    return f"{unit or 'this file'} could not be analysed: {type(error).__name__}{where}; please report this"
