"""The one structured walk: statements in order, branches forked and joined, callees walked where they are called.

A walk keeps slots and conditions (`State`). A test refines both sides; ways that meet are joined; a return, raise or
break hands its state to the frame. Nothing here knows a language beyond the flags of the nodes, or a library beyond
what `effects` is told by a model.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial

from auditor import program as ir
from auditor.analysis import (
    actions,
    binding,
    calls,
    comparing,
    contents,
    effects,
    names,
    promises,
    raising,
    shapes,
    slots,
    tables,
)
from auditor.analysis.state import Slot, State, join
from auditor.analysis.world import Arguments, ClassInfo, Frame, Pending, UnitInfo, World
from auditor.facts import Event
from auditor.terms import Term, alternatives, is_text, nothing, number, plain, text_of, value_of, values

_BOOLEAN = frozenset({"compare", "not", "and", "or", "exists", "present", "completed"})
_MAY_BE_NULL = frozenset({"load", "alt", "parsed"})


class Walker:
    """Walks units over a world. Method names follow the nodes of `auditor.program`."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.terms = world.terms
        self._statements: dict[type, Callable[..., None]] = {
            ir.Assign: self._assign, ir.Express: self._express, ir.Branch: self._branch, ir.Match: self._match,
            ir.Loop: self._loop, ir.Break: self._break, ir.Continue: self._continue, ir.Try: self._try,
            ir.With: self._with, ir.Return: self._return, ir.Raise: self._raise, ir.Delete: self._delete,
            ir.Define: self._define, ir.DefineClass: self._define_class, ir.Import: self._import,
            ir.Export: self._export, ir.Scope: self._scope, ir.BlockStatement: self._block_statement,
        }  # fmt: skip
        self._expressions: dict[type, Callable[..., Term]] = {
            ir.Name: self._name, ir.Literal: self._literal, ir.Text: self._text, ir.Member: self._member,
            ir.Subscript: self._subscript, ir.Slice: self._slice, ir.Call: self._call, ir.Await: self._await,
            ir.Yield: self._yield, ir.Mapping: self._mapping, ir.Spread: self._spread, ir.Sequence: self._sequence,
            ir.Operator: self._operator, ir.Comparison: self._comparison, ir.Conditional: self._conditional,
            ir.Bind: self._bind, ir.Lambda: self._lambda, ir.ClassValue: self._class_value,
            ir.Comprehension: self._comprehension, ir.Element: self._element, ir.Unknown: self._unknown,
        }  # fmt: skip

    # ------------------------------------------------------------------------------------- statements

    def block(self, statements: ir.Block, state: State, frame: Frame) -> None:
        """Walk statements in order until the path ends."""
        if frame.language == "javascript":
            for statement in statements:  # function declarations are hoisted
                if type(statement) is ir.Define and not state.dead:
                    self._define(statement, state, frame)
        for statement in statements:
            if state.dead:
                return
            if type(statement) is ir.Define and frame.language == "javascript":
                continue
            self.world.step()
            self._statements[type(statement)](statement, state, frame)

    def _assign(self, node: ir.Assign, state: State, frame: Frame) -> None:
        if node.value is None:
            if node.annotation is None and type(node.target) is ir.Name:
                self.bind_name(node.target.id, self.terms.none, state, frame, declares=node.declares)
            return
        if node.op is not None:
            value = self._augmented(node.op, node.target, node.value, node, state, frame)
        else:
            value = self.value(node.value, state, frame)
            if type(node.value) is ir.Call:
                value = promises.unawaited(self, value, node.value)
        if node.annotation is not None:
            self._annotate(value, node.annotation, state, frame)
        self.assign(node.target, value, state, frame, declares=node.declares)

    def _augmented(
        self, op: str, target: ir.Target, operand: ir.Expression, node: ir.Node, state: State, frame: Frame
    ) -> Term:
        if op in ("or", "and", "nullish"):
            return self._short_circuit(op, (target, operand), state, frame)  # type: ignore[arg-type]
        old = self.value(target, state, frame)
        return self._arithmetic(op, (old, self.value(operand, state, frame)))

    def _annotate(self, value: Term, annotation: ir.Expression, state: State, frame: Frame) -> None:
        """A declared type names what is otherwise unknown."""
        if value.kind in ("parameter", "call", "unknown") and value not in self.world.types:
            name = self.world.name_of(self.value(annotation, state.fork(), frame))
            if name and self.world.libraries.find(frame.language, name) is not None:
                self.world.types[value] = name

    def _express(self, node: ir.Express, state: State, frame: Frame) -> None:
        first = len(self.world.events)
        for dropped in values(self.value(node.value, state, frame)):
            actions.never_sent(self, dropped, first)

    def _branch(self, node: ir.Branch, state: State, frame: Frame) -> None:
        test = self.condition(node.test, state, frame)
        then, otherwise = state.fork(), state.fork()
        then.assume(test, self.terms)
        otherwise.assume(self.terms.negate(test), self.terms)
        if not then.dead:
            self.block(node.then, then, frame)
        if not otherwise.dead:
            self.block(node.otherwise, otherwise, frame)
        state.become(self.join_states([then, otherwise]))

    def _match(self, node: ir.Match, state: State, frame: Frame) -> None:
        subject = self.value(node.subject, state, frame)
        outer_breaks, frame.breaks = frame.breaks, []
        rest = state.fork()
        ended: list[State] = []
        falling: State | None = None
        default: ir.Case | None = None
        for case in node.cases:
            if not case.tests and case.guard is None and case is not node.cases[-1]:
                default = case  # JavaScript allows a default anywhere: it is taken last
                continue
            if rest.dead and falling is None:
                break
            entering = rest.fork()
            if case.tests:
                test = self.terms.any(
                    self.compare("==", subject, self.value(one, entering, frame)) for one in case.tests
                )
                entering.assume(test, self.terms)
                rest.assume(self.terms.negate(test), self.terms)
            if case.bind is not None:
                self.assign(case.bind, subject, entering, frame, declares=True)
            if case.guard is not None:
                guard = self.condition(case.guard, entering, frame)
                entering.assume(guard, self.terms)
            elif not case.tests:
                rest = State({}, frozenset(), dead=True)
            here = self.join_states([entering, falling]) if falling is not None else entering
            falling = None
            if not here.dead:
                self.block(case.body, here, frame)
            if case.falls:
                falling = here
            else:
                ended.append(here)
        if default is not None:
            self.block(default.body, rest, frame)
        ended.append(rest)
        if falling is not None:
            ended.append(falling)
        ended.extend(frame.breaks)
        frame.breaks = outer_breaks
        state.become(self.join_states(ended))

    def _loop(self, node: ir.Loop, state: State, frame: Frame) -> None:
        iterable = self.value(node.iterable, state, frame) if node.iterable is not None else None
        if iterable is not None:
            calls.drawn(self, iterable, state, frame)
        outer = frame.breaks, frame.continues
        frame.breaks, frame.continues = [], []
        body = state.fork()
        for_ever = False
        surely = node.until  # the body runs at least once
        if node.target is not None and iterable is not None:
            made = self.world.kinds.get(iterable) in ("fresh", "weak")
            surely = made or (iterable.kind == "sequence" and iterable.data is None and bool(iterable.args))
            body.assume(comparing.inhabited(self, iterable, state), self.terms)
            self.assign(node.target, self.element_of(iterable, body), body, frame, declares=True)
        elif node.test is not None and not node.until:
            test = self.condition(node.test, body, frame)
            for_ever = test is self.terms.true
            surely = comparing.ordered(test)
            body.assume(test, self.terms)
            state.assume(self.terms.negate(test), self.terms)
        elif node.test is None:
            for_ever = True
        if not body.dead:
            self.block(node.body, body, frame)
        again = self.join_states([body, *frame.continues])
        if node.until and node.test is not None and not again.dead:
            test = self.condition(node.test, again, frame)
            again.assume(self.terms.negate(test), self.terms)
        ways = [] if for_ever else [again] if surely else [state, again]
        finished = self.join_states(ways)
        if node.otherwise and not finished.dead:
            self.block(node.otherwise, finished, frame)
        after = self.join_states([finished, *frame.breaks])
        frame.breaks, frame.continues = outer
        state.become(after)

    def _break(self, node: ir.Break, state: State, frame: Frame) -> None:
        frame.breaks.append(_leave(state))

    def _continue(self, node: ir.Continue, state: State, frame: Frame) -> None:
        frame.continues.append(_leave(state))

    def _try(self, node: ir.Try, state: State, frame: Frame) -> None:
        start = state.fork()
        returned = len(frame.returns)
        outer, frame.raises = frame.raises, []
        self.block(node.body, state, frame)
        raised, frame.raises = frame.raises, outer
        if not state.dead:
            self.block(node.otherwise, state, frame)
        ended = [state.fork()]
        for handler in node.handlers:
            types = [self.value(one, start.fork(), frame) for one in handler.types]
            matched, raised = raising.split_raised(self, types, raised, frame)
            anything = (start, self.terms.make("error", "any"))
            for entering, error in [anything, *matched[:6]]:
                ended.append(self._handle(handler, entering.fork(), error, frame))
            for entering, error in matched[6:]:
                raised.append((entering, error))
        if node.final:
            for way, _ in [*raised, *frame.returns[returned:]]:
                self.block(node.final, way.fork(), frame)
            if not node.handlers:
                self.block(node.final, start.fork(), frame)
        frame.raises.extend(raised)
        state.become(self.join_states(ended))
        if node.final and not state.dead:
            self.block(node.final, state, frame)

    def _handle(self, handler: ir.Handler, state: State, error: Term, frame: Frame) -> State:
        outer, frame.handling = frame.handling, error
        if handler.name is not None:
            self.assign(handler.name, error, state, frame, declares=True)
        self.block(handler.body, state, frame)
        frame.handling = outer
        return state

    def _with(self, node: ir.With, state: State, frame: Frame) -> None:
        manager = self.value(node.value, state, frame)
        if manager.kind == "pending":
            manager = self.awaited(manager, state, frame)
        if manager in self.world.managed:
            self._within_generator(node, manager, state, frame)
            return
        value = manager
        enter = self.member(manager, "__aenter__" if node.asynchronous else "__enter__", state, frame)
        if enter.kind == "function":
            value = self.awaited(calls.call(self, enter, Arguments([], {}), state, frame, node), state, frame)
        leave = self.member(manager, "__aexit__" if node.asynchronous else "__exit__", state.fork(), frame)
        start = state.fork()
        outer, frame.raises = frame.raises, []
        if node.target is not None:
            self.assign(node.target, value, state, frame, declares=True)
        self.block(node.body, state, frame)
        raised, frame.raises = frame.raises, outer
        if leave.kind == "function":
            self._left(node, leave, start, raised, state, frame)
        else:
            frame.raises.extend(raised)

    def _within_generator(self, node: ir.With, manager: Term, state: State, frame: Frame) -> None:
        """The body stands where the generator yields: what it raises is raised there, and may be caught there."""

        def body(value: Term, now: State, inner: Frame) -> None:
            outer, frame.raises = frame.raises, inner.raises
            if node.target is not None:
                self.assign(node.target, value, now, frame, declares=True)
            self.block(node.body, now, frame)
            frame.raises = outer

        function, arguments = self.world.managed[manager]
        calls.inline(self, function, arguments, state, frame, node, body)

    def _left(
        self, node: ir.With, leave: Term, start: State, raised: list[tuple[State, Term]], state: State, frame: Frame
    ) -> None:
        """`__exit__`: called on every way out; where it says so, what was raised is raised no more."""
        none = self.terms.none
        anything = (start, self.terms.make("error", "any"))
        ended: list[State] = []
        for entering, error in [anything, *raised[:6]]:
            way = entering.fork()
            given = Arguments([self.terms.unknown("type"), error, self.terms.unknown("traceback")], {})
            said = self.awaited(calls.call(self, leave, given, way, frame, node), way, frame)
            passed_over = way.fork()
            passed_over.assume(self.terms.truth(said), self.terms)
            way.assume(self.terms.negate(self.terms.truth(said)), self.terms)
            ended.append(passed_over)
            if not way.dead and entering is not start:
                frame.raises.append((way, error))
        frame.raises.extend(raised[6:])
        if not state.dead:
            self.awaited(calls.call(self, leave, Arguments([none, none, none], {}), state, frame, node), state, frame)
        state.become(self.join_states([state.fork(), *ended]))

    def _return(self, node: ir.Return, state: State, frame: Frame) -> None:
        value = self.value(node.value, state, frame) if node.value is not None else self.terms.none
        if value.kind == "pending" and frame.unit is not None and frame.unit.asynchronous:
            value = self.awaited(value, state, frame)
        if value.kind == "promise":  # whoever calls waits for it
            value = value.args[0]
        if not state.dead:
            self.world.returned[value] = (frame.program, node.at)
            frame.returns.append((_leave(state), value))

    def _raise(self, node: ir.Raise, state: State, frame: Frame) -> None:
        if node.value is None:
            error = frame.handling or self.terms.make("error", "any")
        else:
            error = self.value(node.value, state, frame)
            if error.kind == "class":
                error = calls.call(self, error, Arguments([], {}), state, frame, node)
            if not state.dead:
                raising.raised(self, error, state, frame, node)
        if not state.dead:
            frame.raises.append((_leave(state), error))

    def _delete(self, node: ir.Delete, state: State, frame: Frame) -> None:
        target = node.target
        if type(target) is ir.Name:
            return
        if type(target) is ir.Member:
            self.clear(self.value(target.object, state, frame), self.terms.literal(target.name), state, frame, node)
        elif type(target) is ir.Subscript:
            holder = self.value(target.object, state, frame)
            self.clear(holder, self.value(target.key, state, frame), state, frame, node)

    def _define(self, node: ir.Define, state: State, frame: Frame) -> None:
        unit = node.unit
        function = self.function(unit, frame)
        if unit.decorators:
            function = self._decorated(function, unit.decorators, state, frame, node)
        self.bind_name(unit.name, function, state, frame, declares=True)

    def _decorated(
        self, function: Term, decorators: Sequence[ir.Expression], state: State, frame: Frame, node: ir.Node
    ) -> Term:
        """Decorators are applied as calls, the innermost first: what stands above a route decorator guards nothing."""
        origin = shapes.unit_key(function)
        for decorator in reversed(decorators):
            receiver: Term | None = None
            if type(decorator) is ir.Member:  # `@app.before_request`: a method, called with its receiver
                receiver = self.value(decorator.object, state, frame)
                wrapper = self.member(receiver, decorator.name, state, frame)
            else:
                wrapper = self.value(decorator, state, frame)
            given = Arguments([function], {}, receiver)
            function = calls.call(self, wrapper, given, state, frame, decorator, decorating=True)
            if function.kind == "function":
                self.world.origins.setdefault(function, origin)
        return function

    def _define_class(self, node: ir.DefineClass, state: State, frame: Frame) -> None:
        self.bind_name(node.definition.name, self.define_class(node.definition, state, frame), state, frame, True)

    def define_class(self, definition: ir.Class, state: State, frame: Frame) -> Term:
        """Evaluate a class: bases, members in order, then the class's own decorators."""
        cls = self.terms.make("class", (frame.program.path, definition.at, frame.scopes))
        if cls in self.world.classes:
            return cls
        qualified = f"{frame.qualified}.{definition.name}".lstrip(".")
        bases = tuple(self.value(base.value, state, frame) for base in definition.bases)
        scopes = (*frame.scopes, cls)
        info = ClassInfo(frame.program, definition, qualified, bases, {}, scopes=scopes)
        self.world.define(cls, info)
        inner = Frame(cls, scopes, frame.program, None, qualified, this=cls, owner=cls, startup=frame.startup)
        self.bind_name(definition.name, cls, state, inner, True)
        for statement in definition.body:
            if type(statement) is ir.Define:
                unit = statement.unit
                function = self.function(unit, inner)
                info.members[unit.name if unit.kind != "setter" else f"{unit.name}="] = function
                if unit.decorators:
                    decorated = self._decorated(function, unit.decorators, state, inner, statement)
                    if decorated.kind in ("function", "native", "alt"):
                        info.members[unit.name] = decorated
                    if frame.language == "python":
                        self.bind_name(unit.name, decorated, state, inner, True)
            elif type(statement) is ir.Assign and type(statement.target) is ir.Name:
                self._field(statement, info, state, inner)
            else:
                self.block((statement,), state, inner)
        info.decorators = tuple(self.value(decorator, state, frame) for decorator in definition.decorators)
        effects.class_defined(self, cls, info, state, frame)
        return cls

    def _field(self, node: ir.Assign, info: ClassInfo, state: State, frame: Frame) -> None:
        assert type(node.target) is ir.Name
        name = node.target.id
        if node.value is None:
            return
        if frame.language == "javascript":  # a JavaScript field is made anew for every instance
            info.initialisers.append((name, node.value))
            if type(node.value) is not ir.Lambda:
                info.members.setdefault(f"={name}", self.value(node.value, state.fork(), frame))
            return
        value = self.value(node.value, state, frame)
        info.members[name] = value
        self.bind_name(name, value, state, frame, True)

    def _import(self, node: ir.Import, state: State, frame: Frame) -> None:
        if not node.alias:
            return
        if node.name == "*":
            for name, value in self.star(frame.program.path, node.module, frame.language):
                self.bind_name(name, value, state, frame, declares=True)
            return
        value = self.imported(frame.program, node.module, node.name, common=node.common)
        if node.name is None and "." in node.module and frame.language == "python" and node.alias == node.module:
            return
        self.bind_name(node.alias, value, state, frame, declares=True)

    def _export(self, node: ir.Export, state: State, frame: Frame) -> None:
        path = frame.program.path
        if node.module is not None:
            target = self.world.linker.resolve(path, node.module, frame.language)
            if node.name == "*" and target is not None:
                self.world.star_exports.setdefault(path, []).append(target)
            else:
                self.world.exports[path, node.name] = self.imported(
                    frame.program, node.module, node.source or node.name
                )
            return
        if node.value is not None:
            value = self.value(node.value, state, frame)
            self.world.exports[path, node.name] = value
            if node.name == "=":
                self.bind_name("module.exports", value, state, frame, declares=True)

    def _scope(self, node: ir.Scope, state: State, frame: Frame) -> None:
        for name in node.names:
            outers = frame.scopes[:1] if node.outermost else frame.scopes[-2:0:-1]
            found = next((scope for scope in outers if self.slot((scope, name), state) is not None), None)
            frame.outer[name] = found if found is not None else frame.scopes[0]

    def _block_statement(self, node: ir.BlockStatement, state: State, frame: Frame) -> None:
        before = len(frame.breaks)
        self.block(node.body, state, frame)
        left = frame.breaks[before:]
        if left:  # a break may leave this block by its label, or a loop around it
            state.become(self.join_states([state.fork(), *(one.fork() for one in left)]))

    # ------------------------------------------------------------------------------------ expressions

    def value(self, node: ir.Expression | ir.Target, state: State, frame: Frame) -> Term:
        """The value of an expression; its effects happen on `state`."""
        self.world.step()
        return self._expressions[type(node)](node, state, frame)

    def condition(self, node: ir.Expression, state: State, frame: Frame) -> Term:
        """The condition that an expression is truthy."""
        if type(node) is ir.Operator and node.op in ("and", "or"):
            return self._both_or_either(node, state, frame)
        if type(node) is ir.Operator and node.op == "not":
            return self.terms.negate(self.condition(node.operands[0], state, frame))
        return self.terms.truth(self.value(node, state, frame))

    def _both_or_either(self, node: ir.Operator, state: State, frame: Frame) -> Term:
        """`and` and `or` as a test: the first operand is always evaluated, each further one under what led to it."""
        parts = [self.condition(node.operands[0], state, frame)]
        way = state.fork()
        for operand in node.operands[1:]:
            way.assume(parts[-1] if node.op == "and" else self.terms.negate(parts[-1]), self.terms)
            before_operand = way.conditions
            part = self.condition(operand, way, frame)
            # what its evaluation ensures (a look-up that raises otherwise) holds wherever it was evaluated
            gained = self.terms.all(sorted(way.conditions - before_operand, key=number))
            if node.op == "and":
                parts.append(self.terms.all((part, gained)))
            else:
                parts.append(self.terms.any((part, self.terms.negate(gained))))
        if way.slots != state.slots and not way.dead:  # an operand that did something: it may have happened
            before = state.conditions
            self.merge(state, [(state.fork(), self.terms.none), (way, self.terms.none)])
            state.conditions = before
        return self.terms.all(parts) if node.op == "and" else self.terms.any(parts)

    def _literal(self, node: ir.Literal, state: State, frame: Frame) -> Term:
        literal = self.terms.null if node.null else self.terms.literal(node.value)
        if type(node.value) is str and "client_id=" in node.value:
            actions.text_seen(self, literal, node, state, frame)  # a whole address may be written in one piece
        return literal

    def _piece(self, node: ir.Expression, state: State, frame: Frame) -> Term:
        """A part of a text: a literal here is no whole address."""
        return self.terms.literal(node.value) if type(node) is ir.Literal else self.value(node, state, frame)

    def _name(self, node: ir.Name, state: State, frame: Frame) -> Term:
        found = self.lookup(node.id, state, frame)
        if found is not None:
            return found
        if node.id in ("this", "self") and frame.this is not None and frame.language == "javascript":
            return frame.this
        if node.id == "undefined":
            return self.terms.none
        if frame.program.language == "html":
            handed = names.handed_in(self, node.id, frame)
            if handed is not None:
                return handed
        return names.known(self, self.world.external(node.id, frame.language), frame)

    def _text(self, node: ir.Text, state: State, frame: Frame) -> Term:
        parts = [contents.as_text(self, self._piece(part, state, frame), state) for part in node.parts]
        return contents.text_made(self, self.terms.text(parts), node, state, frame)

    def _member(self, node: ir.Member, state: State, frame: Frame) -> Term:
        dotted = _dotted(node) if frame.language == "python" else None
        if dotted is not None:
            found = self.lookup(dotted, state, frame)
            if found is not None:
                return found
        holder = self.value(node.object, state, frame)
        return self.member(holder, node.name, state, frame, optional=node.optional)

    def _subscript(self, node: ir.Subscript, state: State, frame: Frame) -> Term:
        holder = self.value(node.object, state, frame)
        key = self.value(node.key, state, frame)
        return self.item(holder, key, state, frame, raises=node.raises, optional=node.optional)

    def _slice(self, node: ir.Slice, state: State, frame: Frame) -> Term:
        holder = self.value(node.object, state, frame)
        bounds = [self.value(one, state, frame) for one in (node.low, node.high) if one is not None]
        return self.terms.make("op", "slice", (holder, *bounds))

    def _call(self, node: ir.Call, state: State, frame: Frame) -> Term:
        return calls.call_expression(self, node, state, frame)

    def _await(self, node: ir.Await, state: State, frame: Frame) -> Term:
        return self.awaited(self.value(node.value, state, frame), state, frame)

    def awaited(self, value: Term, state: State, frame: Frame) -> Term:
        """The value of a promise: what its making ensured holds from here on, and its rejections are raised here."""
        if value.kind == "alt" and any(one.kind in ("pending", "promise") for one in values(value)):
            return self.each(value, state, frame, lambda one, way: self.awaited(one, way, frame))
        if value.kind == "promise":
            return value.args[0]
        promise = self.world.pending.get(value)
        if promise is None:
            return value
        frame.raises.extend(promise.rejections)
        if not promise.resolves:
            state.dead = True
        else:
            for condition in sorted(promise.conditions - state.conditions, key=lambda one: one.n):
                state.assume(condition, self.terms)
        return promise.value

    def _yield(self, node: ir.Yield, state: State, frame: Frame) -> Term:
        value = self.value(node.value, state, frame) if node.value is not None else self.terms.none
        if frame.within is not None:
            frame.within(value, state, frame)
        else:
            frame.returns.append((state.fork(), value))
        return self.terms.unknown("sent")

    def _mapping(self, node: ir.Mapping, state: State, frame: Frame) -> Term:
        type_name = "dict" if frame.language == "python" else "Object"
        made = self.world.new_object(type_name, frame, node)
        for item in node.items:
            value = self.value(item.value, state, frame)
            if item.key is None:
                contents.spread_into(self, made, value, state)
            else:
                key = self.value(item.key, state, frame)
                self.world.keys.setdefault(made, {})[key] = None
                state.put((made, key), value)
        return made

    def _spread(self, node: ir.Spread, state: State, frame: Frame) -> Term:
        return self.value(node.value, state, frame)

    def _sequence(self, node: ir.Sequence, state: State, frame: Frame) -> Term:
        items: list[Term] = []
        for item in node.items:
            value = self.value(item, state, frame)
            if type(item) is ir.Spread:
                items.extend(value.args if value.kind == "sequence" else [self.terms.unknown("spread", (value,))])
            else:
                items.append(value)
        if not items and frame.startup:
            return self.world.new_object("list", frame, node)  # it is there to be filled
        return self.terms.make("sequence", None, tuple(items))

    def _operator(self, node: ir.Operator, state: State, frame: Frame) -> Term:
        if node.op in ("and", "or", "nullish"):
            return self._short_circuit(node.op, node.operands, state, frame)
        if node.op == "not":
            return self.terms.boolean(self.terms.negate(self.condition(node.operands[0], state, frame)))
        parts = tuple(self._piece(operand, state, frame) for operand in node.operands)
        value = self._arithmetic(node.op, tuple(contents.as_text(self, p, state) for p in parts))
        return contents.text_made(self, value, node, state, frame) if value.kind == "text" else value

    def _arithmetic(self, op: str, parts: tuple[Term, ...]) -> Term:
        if op == "+" and any(part.kind in ("text", "serial") or text_of(part) is not None for part in parts):
            return self.terms.text(parts)
        if op == "+" and any(part.kind == "sequence" for part in parts):
            known = [
                part.args if part.kind == "sequence" else (self.terms.unknown("spread", (part,)),) for part in parts
            ]
            return self.terms.make("sequence", None, tuple(one for part in known for one in part))
        if op == "%" and len(parts) == 2 and text_of(parts[0]) is not None:
            return contents.formatted(self.terms, text_of(parts[0]) or "", parts[1])
        if op == "|" and len(parts) == 2:
            return self.terms.unknown("merged", parts)
        return self.terms.make("op", op, parts)

    def _short_circuit(self, op: str, operands: Sequence[ir.Expression], state: State, frame: Frame) -> Term:
        """`a and b`, `a or b`, `a ?? b`: the value of one of them, with the condition that made it that one."""
        first = self.value(operands[0], state, frame)
        for operand in operands[1:]:
            test = self.present(first) if op == "nullish" else self.terms.truth(first)
            onwards = test if op == "and" else self.terms.negate(test)
            rest, stay = state.fork(), state.fork()
            rest.assume(onwards, self.terms)
            stay.assume(self.terms.negate(onwards), self.terms)
            if rest.dead:
                return first
            second = self.value(operand, rest, frame)
            boolean = _is_boolean(first) and (_is_boolean(second) or second.kind == "literal")
            self.merge(state, [(stay, first), (rest, second)])
            if boolean and op != "nullish":
                combine = self.terms.all if op == "and" else self.terms.any
                first = combine((self.terms.truth(first), self.terms.truth(second)))
            elif rest.dead:  # the operand may have ended it
                return first  # type: ignore[unreachable]
            else:
                first = self.terms.alt([(first, self.terms.negate(onwards)), (second, onwards)])
        return first

    def _comparison(self, node: ir.Comparison, state: State, frame: Frame) -> Term:
        if node.op in ("==", "!=") and not node.loose and frame.language == "javascript":
            strict_null = self._strict_null(node, state, frame)
            if strict_null is not None:
                return strict_null if node.op == "==" else self.terms.negate(strict_null)
        left = self.value(node.left, state, frame)
        right = self.value(node.right, state, frame)
        compared = comparing.compared(self, node.op, left, right, node.loose, state)
        self.made_at(compared, frame, node)
        return compared

    def _strict_null(self, node: ir.Comparison, state: State, frame: Frame) -> Term | None:
        """`x === null`, `x === undefined`: neither is the other, so this says little about a key that is absent."""
        for side, other in ((node.left, node.right), (node.right, node.left)):
            if type(side) is not ir.Literal or side.value is not None:
                continue
            value = self.value(other, state, frame)
            if value.kind == "alt" or (value.kind == "load" and side.null is not (value in self.world.nulls)):
                return self.terms.make("op", "is-null" if side.null else "is-undefined", (value,))
            return self.negated_presence(value)
        return None

    def made_at(self, condition: Term, frame: Frame, node: ir.Node) -> None:
        """Remember where a comparison stands, for the proof."""
        plain_form = condition.args[0] if condition.kind == "not" else condition
        if plain_form.kind != "literal":
            self.world.where.setdefault(plain_form, {})[frame.program.path, node.at] = frame.program

    def negated_presence(self, value: Term) -> Term:
        """The condition that a value is null or undefined."""
        return self.terms.negate(self.present(value))

    def compare(self, op: str, left: Term, right: Term, loose: bool = False) -> Term:
        """The condition that a comparison holds; folded where both sides are known."""
        terms = self.terms
        if op in ("!=", "is not", "not in"):
            return terms.negate(self.compare({"!=": "==", "is not": "is", "not in": "in"}[op], left, right, loose))
        if op in ("==", "is"):
            for one, other in ((left, right), (right, left)):
                if nothing(other):
                    return self.negated_presence(one)
                if one.kind == "op" and one.data == "bool" and other.kind == "literal":
                    asked = terms.truth(one)
                    return asked if value_of(other) else terms.negate(asked)
                if _is_boolean(one) and other.kind == "literal" and isinstance(value_of(other), bool):
                    return terms.truth(one) if value_of(other) else terms.negate(terms.truth(one))
            if left is right and left.kind in ("literal", "load", "call", "parameter"):
                return terms.true
            if left.kind == right.kind == "literal":
                return terms.true if value_of(left) == value_of(right) else terms.false
            if left.n > right.n:
                left, right = right, left
            return terms.make("compare", ("==", loose), (left, right))
        return terms.make("compare", (op, loose), (left, right))

    def present(self, value: Term) -> Term:
        """The condition that a value is neither null nor undefined."""
        kind = value.kind
        if nothing(value):
            return self.terms.false
        if value in self.terms.there or kind in (
            "literal",
            "text",
            "sequence",
            "mapping",
            "object",
            "function",
            "class",
            "root",
            "native",
            "compare",
            "pending",
            "error",
        ):
            return self.terms.true
        if kind == "op" and value.data == "bool":
            return self.terms.true
        if kind == "alt":
            return self.terms.any(self.terms.all((g, self.present(one))) for one, g in alternatives(value))
        return self.terms.make("present", None, (value,))

    def _conditional(self, node: ir.Conditional, state: State, frame: Frame) -> Term:
        test = self.condition(node.test, state, frame)
        then, otherwise = state.fork(), state.fork()
        then.assume(test, self.terms)
        otherwise.assume(self.terms.negate(test), self.terms)
        ways = []
        for way, expression in ((then, node.then), (otherwise, node.otherwise)):
            ways.append((way, self.terms.none if way.dead else self.value(expression, way, frame)))
        return self.merge(state, ways)

    def _bind(self, node: ir.Bind, state: State, frame: Frame) -> Term:
        if node.op is not None:
            value = self._augmented(node.op, node.target, node.value, node, state, frame)
        else:
            value = self.value(node.value, state, frame)
        self.assign(node.target, value, state, frame, declares=False)
        return value

    def _lambda(self, node: ir.Lambda, state: State, frame: Frame) -> Term:
        return self.function(node.unit, frame)

    def _class_value(self, node: ir.ClassValue, state: State, frame: Frame) -> Term:
        return self.define_class(node.definition, state, frame)

    def _comprehension(self, node: ir.Comprehension, state: State, frame: Frame) -> Term:
        iterable = self.value(node.iterable, state, frame)
        if (
            iterable.kind == "sequence"
            and iterable.data is None
            and not node.tests
            and len(iterable.args) <= effects.ELEMENTS
        ):
            return self._comprehended(node, iterable, state, frame)
        inner = state.fork()
        self.assign(node.target, self.element_of(iterable, inner), inner, frame, declares=True)
        for test in node.tests:
            inner.assume(self.condition(test, inner, frame), self.terms)
        element = self.terms.none if inner.dead else self.value(node.element, inner, frame)
        made = self.terms.make("sequence", "each", (contents.freeze(self, element, inner),))
        tested = self.terms.all(sorted(inner.conditions - state.conditions, key=number))
        there = self.terms.light(self.terms.all((comparing.inhabited(self, iterable, state), tested)))
        other = self.world.inhabited.get(made)  # the same elements under other tests: what holds for both
        self.world.inhabited[made] = there if other is None else self.terms.light(self.terms.any((there, other)))
        return made

    def _comprehended(self, node: ir.Comprehension, iterable: Term, state: State, frame: Frame) -> Term:
        """A comprehension over a known sequence, element by element."""
        out = []
        for one in iterable.args:
            self.assign(node.target, one, state, frame, declares=True)
            out.append(contents.freeze(self, self.value(node.element, state, frame), state))
        return self.terms.make("sequence", None, tuple(out))

    def _element(self, node: ir.Element, state: State, frame: Frame) -> Term:
        return effects.element(self, node, state, frame)

    def _unknown(self, node: ir.Unknown, state: State, frame: Frame) -> Term:
        children = [self.value(child, state, frame) for child in node.children]
        if node.what == "sequence" and children:
            return children[-1]
        return self.terms.unknown(node.what, children)

    # ---------------------------------------------------------------------------------- names, slots

    def lookup(self, name: str, state: State, frame: Frame) -> Term | None:
        """The value of a name in the scopes around it, or None."""
        for scope in reversed(frame.scopes):
            if scope.__class__ is Term and scope is not frame.id and frame.language == "python":
                continue  # a method does not see its class's names
            found = self.slot((scope, name), state)
            if found is not None:
                return self.late(found, frame)
        return None

    def slot(self, key: Slot, state: State) -> Term | None:
        """A slot's value here, or None where nothing was ever written."""
        found = state.slots.get(key)
        if found is None:
            found = self.world.globals.get(key)
            if found is not None and key in self.world.mutable:
                return self.entry_value(key)
        return found

    def entry_value(self, key: Slot) -> Term:
        """The value on entry of a slot that other entries write."""
        holder, name = key
        if not isinstance(holder, Term):
            holder = self.terms.make("root", (f"{holder[1]}", "")) if isinstance(holder, tuple) else self.terms.none
        load = self.terms.load(holder, name if isinstance(name, Term) else self.terms.literal(str(name)))
        if load not in self.world.types:
            for write in self.world.writes:  # what other entries put there is of some type
                if write.holder is load.args[0] and write.key is load.args[1]:
                    known = self.world.name_of(write.value)
                    if known:
                        self.world.types[load] = known
                        break
        return load

    def late(self, value: Term, frame: Frame) -> Term:
        """A name imported within a cycle is resolved when it is used."""
        if value.kind != "late":
            return value
        path, name, common = value.data
        return self.exported(path, name, common) or self.terms.unknown("import")

    def bind_name(self, name: str, value: Term, state: State, frame: Frame, declares: bool) -> None:
        """Bind a name in the scope that it belongs to."""
        scope = frame.outer.get(name)
        if scope is None:
            scope = frame.scopes[-1]
            if frame.language == "javascript" and not declares:
                scope = next(
                    (one for one in reversed(frame.scopes) if self.slot((one, name), state) is not None),
                    frame.scopes[0],
                )
        key = (scope, name)
        state.put(key, value)
        if scope == frame.scopes[-1]:
            frame.names.append(name)
        elif isinstance(scope, tuple) and not frame.startup:
            self._outlives(self._module_root(scope), self.terms.literal(name), value, state, frame, None)
            if key in self.world.globals:
                self.world.mutable.add(key)

    def _module_root(self, scope: tuple[object, ...]) -> Term:
        return self.terms.make("root", (f"{scope[1]}", ""))

    def assign(self, target: ir.Target, value: Term, state: State, frame: Frame, declares: bool) -> None:
        """Write a value to a target of any shape."""
        kind = type(target)
        if kind is ir.Name:
            self.bind_name(target.id, value, state, frame, declares)  # type: ignore[union-attr]
        elif kind is ir.Member:
            holder = self.value(target.object, state, frame)  # type: ignore[union-attr]
            self.write(holder, self.terms.literal(target.name), value, state, frame, target)  # type: ignore[union-attr]
        elif kind is ir.Subscript:
            holder = self.value(target.object, state, frame)  # type: ignore[union-attr]
            key = self.value(target.key, state, frame)  # type: ignore[union-attr]
            self.write(holder, key, value, state, frame, target)
        elif kind is ir.Sequence:
            self._unpack(target, value, state, frame, declares)  # type: ignore[arg-type]
        elif kind is ir.Pattern:
            self._destructure(target, value, state, frame, declares)  # type: ignore[arg-type]
        elif kind is ir.Default:
            self.assign(target.target, self._or_default(value, target.default, state, frame), state, frame, declares)  # type: ignore[union-attr]
        elif kind is ir.Spread:
            self.assign(target.value, self.terms.unknown("rest", (value,)), state, frame, declares)  # type: ignore[union-attr, arg-type]

    def _unpack(self, target: ir.Sequence, value: Term, state: State, frame: Frame, declares: bool) -> None:
        for index, one in enumerate(target.items):
            if type(one) is ir.Spread:
                rest = value.args[index:] if value.kind == "sequence" else ()
                part = self.terms.make("sequence", None, rest) if rest else self.terms.unknown("rest", (value,))
                self.assign(one.value, part, state, frame, declares)  # type: ignore[arg-type]
            else:
                part = self.item(value, self.terms.literal(index), state, frame)
                self.assign(one, part, state, frame, declares)  # type: ignore[arg-type]

    def _destructure(self, target: ir.Pattern, value: Term, state: State, frame: Frame, declares: bool) -> None:
        if value.kind in _MAY_BE_NULL:
            state.assume(self.present(value), self.terms)
        for item in target.items:
            key = self.value(item.key, state, frame)
            name = text_of(key)
            part = self.member(value, name, state, frame) if name is not None else self.item(value, key, state, frame)
            if item.default is not None:
                part = self._or_default(part, item.default, state, frame)
            self.assign(item.target, part, state, frame, declares)
        if target.rest is not None:
            taken = [self.value(item.key, state, frame) for item in target.items]
            self.assign(target.rest, contents.without(self, value, taken, state, frame, target), state, frame, declares)

    def _or_default(self, value: Term, default: ir.Expression, state: State, frame: Frame) -> Term:
        there = self.present(value)
        if there is self.terms.true:
            return value
        other = self.value(default, state, frame)
        return self.terms.alt([(value, there), (other, self.terms.negate(there))])

    def member(self, holder: Term, name: str, state: State, frame: Frame, optional: bool = False) -> Term:
        """`holder.name`."""
        world, terms = self.world, self.terms
        if holder.kind == "alt":
            if not optional and any(nothing(one) for one in values(holder)):
                state.assume(self.present(holder), terms)
            kept = [(one, guard) for one, guard in alternatives(holder) if not nothing(one)]
            pairs = [
                (self._under(guard, state, partial(self._member_of, one, name, frame, optional)), guard)
                for one, guard in kept
            ]
            if optional and len(kept) < len(values(holder)):
                pairs.append((terms.none, self.negated_presence(holder)))
            return terms.alt(pairs) if pairs else terms.none
        if holder in world.selected and (lies := tables.column(self, holder, terms.literal(name), frame)) is not None:
            return lies
        if holder.kind in ("pending", "promise"):
            return terms.make("load", None, (holder, terms.literal(name)))
        if holder.kind == "module":
            path = str(holder.data)
            found = self.exported(path, name, common=True)
            return found if found is not None else terms.unknown("no such export", ())
        if holder.kind == "external":
            return names.known(self, world.external(f"{holder.data[0]}.{name}", frame.language), frame)
        if holder.kind == "object" and name == "href" and holder.data[0] == "URL":
            return contents.as_text(self, holder, state)
        if holder.kind in ("object", "class"):
            found = self._own_member(holder, name, state, frame)
            if found is not None:
                return found
        if holder.kind in ("load", "parsed") and not optional:
            state.assume(self.present(holder), terms)
        known = names.known_member(self, holder, name, state, frame)
        if known is not None:
            return known
        value = self.noted(self.read(holder, terms.literal(name), state), frame)
        if holder.kind == "root" and value.kind == "load" and holder.data[1]:
            world.types.setdefault(value, f"{holder.data[1]}.{name}")
        return value

    def _member_of(self, one: Term, name: str, frame: Frame, optional: bool, way: State) -> Term:
        return self.member(one, name, way, frame, optional)

    def _item_of(self, one: Term, key: Term, frame: Frame, raises: bool, optional: bool, way: State) -> Term:
        return self.item(one, key, way, frame, raises, optional)

    def _under(self, guard: Term, state: State, read: Callable[[State], Term]) -> Term:
        """Read from one alternative: what the reading ensures holds only where it is that one."""
        way = state.fork()
        value = read(way)
        gained = way.conditions - state.conditions
        if way.slots is not state.slots and way.log is not state.log:
            state.slots, state.log = way.slots, way.log  # a getter may have written
        if gained and not state.dead:
            ensured = self.terms.all(sorted(gained, key=number))
            state.assume(self.terms.light(self.terms.any((self.terms.negate(guard), ensured))), self.terms)
        return value

    def _own_member(self, holder: Term, name: str, state: State, frame: Frame) -> Term | None:
        """A member that the program itself defines: a slot, a method, a field of a class."""
        world = self.world
        found = self.slot((shapes.holder_of(self, holder), self.terms.literal(name)), state)
        if found is not None:
            return found
        cls = holder if holder.kind == "class" else world.instances.get(holder)
        if cls is None:
            return None
        for one in world.lineage(cls):
            info = world.classes.get(one)
            if info is None:
                continue
            put = self.slot((one, self.terms.literal(name)), state)  # assigned to the class after it was defined
            member = put if put is not None else info.members.get(name)
            if member is None and holder.kind == "class":
                member = info.members.get(f"={name}")  # a static field
            if member is None:
                continue
            if member.kind != "function":
                return names.settings_field(self, holder, name, member, state) if holder.kind == "object" else member
            unit = world.units[shapes.unit_key(member)].unit
            if unit.kind == "getter" and holder.kind == "object":
                return calls.call(self, calls.bound(self, member, holder), Arguments([], {}), state, frame, unit)
            if unit.kind == "static" or (holder.kind == "class" and unit.kind not in ("classmethod",)):
                return member
            return calls.bound(self, member, cls if unit.kind == "classmethod" else holder)
        return binding.declared_field(self, cls, name) if world.singletons.get(cls) is holder else None

    def item(
        self, holder: Term, key: Term, state: State, frame: Frame, raises: bool = False, optional: bool = False
    ) -> Term:
        """`holder[key]`."""
        terms = self.terms
        name = text_of(key)
        if holder.kind == "alt":
            pairs = [
                (self._under(guard, state, partial(self._item_of, one, key, frame, raises, optional)), guard)
                for one, guard in alternatives(holder)
                if not nothing(one)
            ]
            if any(nothing(one) for one in values(holder)) and not optional:
                state.assume(self.present(holder), terms)
            return terms.alt(pairs) if pairs else terms.none
        if holder.kind == "sequence" and key.kind == "literal" and isinstance(value_of(key), int):
            index = value_of(key)
            if holder.data == "each":
                return holder.args[0]
            if isinstance(index, int) and -len(holder.args) <= index < len(holder.args):
                return holder.args[index]
        if holder in self.world.selected and (lies := tables.column(self, holder, key, frame)) is not None:
            return lies
        if holder.kind == "mapping":
            return names.mapping_get(self, holder, key)
        if holder.kind in ("external", "module") and name is not None:
            return self.member(holder, name, state, frame, optional)
        if shapes.is_input(holder) and key.kind == "literal" and isinstance(value_of(key), int):
            return holder  # the first of several values of one parameter
        if holder.kind in ("load", "parsed") and not optional:
            state.assume(self.present(holder), terms)
        known = names.known_item(self, holder, key, state, frame)
        value = self.noted(known if known is not None else self.read(holder, key, state), frame)
        if raises and value.kind == "load" and not shapes.is_environment(holder):
            there = terms.make("exists", None, (value,))
            if self._fills_missing(holder, frame):
                return terms.alt([(value, there), (terms.unknown("made where it is missing"), terms.negate(there))])
            state.assume(there, terms)
        return value

    def _fills_missing(self, holder: Term, frame: Frame) -> bool:
        named = self.world.name_of(holder)
        model = self.world.libraries.find(frame.language, named) if named else None
        return model is not None and model.fills_missing

    def noted(self, value: Term, frame: Frame) -> Term:
        """Remember which unit read a value of the request: it is the callback, whatever called it."""
        if self.world.entry is not None and shapes.is_input(value):
            self.world.read_at.setdefault((self.world.entry.number, value), frame.qualified_place)
        return value

    def read(self, holder: Term, key: Term, state: State) -> Term:
        """A slot's value, or its value on entry where nothing was written before."""
        whole = shapes.holder_of(self, holder)
        found = self.slot((whole, key), state)
        if found is not None:
            return found
        if whole in self.world.closed and not self.world.keys.get(whole) and not self.outlives(whole):
            return self.terms.none
        if whole in self.world.closed and key.kind == "literal":
            open_keys = [one for one in self.world.keys.get(whole, ()) if one.kind != "literal"]
            if not open_keys and (whole, self.terms.true) not in state.slots:
                return self.terms.none
            spread = state.slots.get((whole, self.terms.true))
            if spread is not None:
                return self.terms.load(spread, key)
        return self.terms.load(whole, key)

    def write(self, holder: Term, key: Term, value: Term, state: State, frame: Frame, node: ir.Node) -> None:
        """Write a slot; what outlives the request is recorded."""
        if holder.kind == "alt":
            for one in values(holder):
                if not nothing(one):
                    self.write(one, key, value, state, frame, node)
            return
        name = text_of(key)
        if holder.kind == "object" and name is not None:
            setter = self._setter(holder, name)
            if setter is not None:
                calls.call(self, calls.bound(self, setter, holder), Arguments([value], {}), state, frame, node)
                return
        slots.assigned(self, holder, name, value, state, frame, node)
        whole = shapes.holder_of(self, holder)
        self.world.keys.setdefault(whole, {})[key] = None
        before = self.slot((whole, key), state)
        state.put((whole, key), value)
        if whole.kind == "object" and not frame.startup and (whole, key) in self.world.globals and before is not value:
            self.world.mutable.add((whole, key))
        if whole.kind != "object" or self.outlives(whole):
            self._outlives(whole, key, value, state, frame, node)

    def _setter(self, holder: Term, name: str) -> Term | None:
        cls = self.world.instances.get(holder)
        for one in self.world.lineage(cls) if cls is not None else ():
            info = self.world.classes.get(one)
            if info is not None and f"{name}=" in info.members:
                return info.members[f"{name}="]
        return None

    def outlives(self, holder: Term) -> bool:
        """Whether an object was made while a module loaded, so that all requests share it."""
        return holder.kind == "object" and bool(holder.data[1].startup)

    def _outlives(self, holder: Term, key: Term, value: Term, state: State, frame: Frame, node: ir.Node | None) -> None:
        slots.stored(self, holder, key, value, state, frame, node)

    def clear(self, holder: Term, key: Term, state: State, frame: Frame, node: ir.Node) -> None:
        """Empty a slot."""
        whole = shapes.holder_of(self, holder)
        state.put((whole, key), self.terms.none)
        self.record("clear", node, state, frame, holder=whole, key=key)

    def element_of(self, iterable: Term, state: State) -> Term:
        """What a loop's variable holds: any element."""
        if iterable in self.world.selected:
            return iterable
        most = 8 if all(one.kind == "literal" for one in iterable.args) else 4
        if iterable.kind == "sequence" and 0 < len(iterable.args) <= most and iterable.data is None:
            pairs = [
                (one, self.terms.make("compare", ("turn", False), (iterable, self.terms.literal(index))))
                for index, one in enumerate(iterable.args)
            ]
            return self.terms.alt(pairs, most)
        if iterable.kind == "sequence" and iterable.data == "each":
            return iterable.args[0]
        if iterable.kind == "sequence":
            return self.terms.unknown("element", iterable.args)
        if iterable.kind == "alt":
            found = [(one, guard) for one, guard in alternatives(iterable) if not comparing.is_empty(self, one, state)]
            return self.terms.alt(
                [(self.element_of(one, state), guard) for one, guard in found or [(iterable.args[0], iterable.args[1])]]
            )
        return self.terms.load(shapes.holder_of(self, iterable), self.terms.make("element", None))

    # ------------------------------------------------------------------------------ functions, modules

    def function(self, unit: ir.Unit, frame: Frame) -> Term:
        """A closure over the scopes that stand around a unit."""
        path = frame.program.path
        name = unit.name or f"<lambda:{frame.program.spans[unit.at][0]}>"
        self.world.units.setdefault(
            (path, unit.at), UnitInfo(frame.program, unit, f"{frame.qualified}.{name}".lstrip("."))
        )
        frame.closures = True
        this = (frame.this,) if unit.arrow and frame.this is not None else ()
        made = self.terms.make("function", (path, unit.at, frame.scopes), this)
        self.world.closures[made] = None
        return made

    def imported(self, program: ir.Program, module: str, name: str | None, common: bool = False) -> Term:
        """What an import binds: another module's export, a module, or a library's name."""
        world, path = self.world, program.path
        language = "python" if program.language == "python" else "javascript"
        target = world.linker.resolve(path, module, language)
        if language == "python" and name is not None:
            sub = world.linker.submodule(path, module, name)
            if sub is not None and (target is None or (target, name) not in self._module_names(target)):
                return self.terms.make("module", sub)
        if target is not None:
            if target not in world.programs:
                return self.terms.unknown(f"not loaded: {target}")
            if name is None and not common:
                return self.terms.make("module", target)
            found = self.exported(target, name or "=", common)
            return found if found is not None else self.terms.make("late", (target, name or "=", common))
        module = module.removeprefix("node:")
        if name is None or (name == "default" and language == "javascript"):
            return names.known(self, world.external(module, language), None)
        return names.known(self, world.external(f"{module}.{name}", language), None)

    def setting(self, name: str) -> Term | None:
        """A variable of one of the program's settings modules, which a framework gathers in one object."""
        for path in sorted(self.world.programs):
            if path.endswith("settings.py") or "/settings/" in f"/{path}":
                found = self.world.globals.get((("module", path), name))
                if found is not None:
                    return found
        return None

    def _module_names(self, path: str) -> set[tuple[str, str]]:
        program = self.world.programs.get(path)
        if program is None:
            return set()
        return {(path, str(key[1])) for key in self.world.globals if key[0] == ("module", path)}

    def exported(self, path: str, name: str, common: bool = False, seen: frozenset[str] = frozenset()) -> Term | None:
        """An export of a loaded module, through re-exports; None when it is not (yet) known."""
        world = self.world
        program = world.programs.get(path)
        if program is None or path in seen:
            return None
        if program.language == "python":
            found = world.globals.get((("module", path), name))
            if found is not None and (("module", path), name) in world.mutable:
                return self.entry_value((("module", path), name))
            return found
        whole = world.exports.get((path, "="))
        if name == "=":
            if whole is not None:
                return whole
            default = world.exports.get((path, "default"))
            return self.terms.make("module", path) if self._has_exports(path) else default
        found = world.exports.get((path, name))
        if found is not None:
            if found.kind == "late":
                return self.late(found, None)  # type: ignore[arg-type]
            return found
        if whole is not None:
            if name == "default":
                return whole
            return self.slot((whole, self.terms.literal(name)), State({}, frozenset()))
        for other in world.star_exports.get(path, ()):
            found = self.exported(other, name, common, seen | {path})
            if found is not None:
                return found
        if name == "default" and common is False and self._has_exports(path):
            return None
        return None

    def _has_exports(self, path: str) -> bool:
        return any(key[0] == path for key in self.world.exports)

    def star(self, importer: str, module: str, language: str) -> Iterable[tuple[str, Term]]:
        """All public names of a module."""
        target = self.world.linker.resolve(importer, module, language)
        if target is None:
            return []
        scope = ("module", target)
        return [(str(key[1]), value) for key, value in self.world.globals.items() if key[0] == scope]

    # ------------------------------------------------------------------------------------------ joining

    def join_states(self, states: Sequence[State]) -> State:
        """The state where several ways meet."""
        return join([(state, self.terms.none) for state in states], self.terms, self._missing)[0]

    def merge(self, state: State, ways: Sequence[tuple[State, Term]]) -> Term:
        """Let `state` go on as the join of the ways; gives their value."""
        joined, value = join(ways, self.terms, self._missing)
        state.become(joined)
        return value

    def _missing(self, key: Slot) -> Term | None:
        found = self.world.globals.get(key)
        if found is not None:
            return self.entry_value(key) if key in self.world.mutable else found
        holder, name = key
        if isinstance(holder, Term) and isinstance(name, Term):
            if holder in self.world.closed:
                return self.terms.none
            return self.terms.load(holder, name)
        return None

    def each(self, value: Term, state: State, frame: Frame, function: Callable[[Term, State], Term]) -> Term:
        """Apply a function to each alternative under its own condition, and join."""
        ways = []
        for one, guard in alternatives(value):
            way = state.fork()
            way.assume(guard, self.terms)
            if not way.dead:
                ways.append((way, function(one, way)))
        return self.merge(state, ways)

    # -------------------------------------------------------------------------------------- recording

    def record(
        self, action: str, node: ir.Node | None, state: State, frame: Frame, /, name: str = "", **details: Term
    ) -> None:
        """Write down an action of the entry that is being walked."""
        world = self.world
        if world.entry is None or state.dead:
            return
        at = node.at if node is not None else frame.unit.at if frame.unit is not None else 0
        world.events.append(
            Event(
                action=action,  # type: ignore[arg-type]
                entry=world.entry,
                place=world.place(frame.program, at),
                unit=frame.qualified,
                site=(frame.program.path, at),
                conditions=state.conditions,
                details=details,
                order=len(world.events),
                name=name,
            )
        )


def _is_boolean(term: Term) -> bool:
    """Whether a value is true or false and nothing else."""
    return term.kind in _BOOLEAN or (term.kind == "op" and term.data == "bool")


def _leave(state: State) -> State:
    """Hand the state on and end this path."""
    gone = state.handed_on()
    state.slots, state.dead = {}, True
    return gone


def _dotted(node: ir.Expression) -> str | None:
    """`a.b.c` as text when it is nothing but names."""
    names: list[str] = []
    while type(node) is ir.Member:
        names.append(node.name)
        node = node.object
    if type(node) is not ir.Name:
        return None
    return ".".join([node.id, *reversed(names)])


__all__ = ["Pending", "Walker", "is_text", "plain"]
