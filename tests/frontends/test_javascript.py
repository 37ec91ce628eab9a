"""The JavaScript frontend: which nodes a source becomes, and on which lines."""

from __future__ import annotations

import contextlib
import random
import time

import pytest

from auditor.frontends.errors import Unreadable
from auditor.frontends.javascript import LARGEST, lower
from auditor.program import (
    Await,
    Call,
    Define,
    DefineClass,
    Lambda,
    Literal,
    Member,
    Name,
    Node,
    Program,
    Unit,
    Unknown,
    children,
    walk,
)


def js(source: str, path: str = "a.js") -> Program:
    """A program of JavaScript that must have no problem."""
    program = lower(path, "javascript", source.encode())
    assert program.problems == ()
    return program


def ts(source: str, path: str = "a.ts") -> Program:
    """A program of TypeScript that must have no problem."""
    program = lower(path, "typescript", source.encode())
    assert program.problems == ()
    return program


def show(node: object) -> str:
    """A node as text: names plain, constants quoted, other nodes by type with all fields that are not the default."""
    if isinstance(node, Name):
        return node.id
    if isinstance(node, Literal):
        return repr(node.value)
    if isinstance(node, Node):
        fields = [field for field in node.__struct_fields__ if field not in ("at", "head")]
        defaults = dict(zip(reversed(node.__struct_fields__), reversed(node.__struct_defaults__), strict=False))
        shown = []
        for field in fields:
            value = getattr(node, field)
            if field not in defaults:
                shown.append(show(value))
            elif value is not defaults[field] and value != defaults[field]:
                shown.append(f"{field}={show(value)}")
        return f"{type(node).__name__}({', '.join(shown)})"
    if isinstance(node, tuple):
        return "[" + ", ".join(show(item) for item in node) + "]"
    return repr(node)


def lines(program: Program) -> list[str]:
    """Each statement of a program's body as text."""
    return [show(statement) for statement in program.body]


def first_unit(program: Program) -> Unit:
    return next(node for node in walk(program) if isinstance(node, Unit))


EXPRESSIONS = [
    ("x", "x"),
    ("this", "this"),
    ("undefined", "None"),
    ("null", "None"),
    ("void 0", "None"),
    ("true", "True"),
    ("0x1F", "31"),
    ("1_000", "1000"),
    ("1.5", "1.5"),
    ("10n", "10"),
    ("017", "15"),
    ("9007199254740993000000", "9.007199254740993e+21"),
    ("123456789012345678901234567890n", "'123456789012345678901234567890'"),
    (r"'a\n\x41\u0042\u{43}\'\
b'", repr("a\nABC'b")),
    (r"'\ud83d\ude00 \ud83d'", repr("\U0001f600 \ufffd")),
    ("/a[/]b/gi", "'/a[/]b/gi'"),
    ("`plain`", "'plain'"),
    ("`a${b}c`", "Text(['a', b, 'c'])"),
    ("`${a}${b}`", "Text([a, b])"),
    ("gql`a${b}${c}`", "Call(gql, arguments=[Argument(Text(['a', '', ''])), Argument(b), Argument(c)])"),
    ("a.b", "Member(a, 'b')"),
    ("a?.b", "Member(a, 'b', optional=True)"),
    ("a\n// why\n?.b", "Member(a, 'b', optional=True)"),
    ("a?.[b]", "Subscript(a, b, optional=True)"),
    ("a?.(b)", "Call(a, arguments=[Argument(b)], optional=True)"),
    ("a[0]", "Subscript(a, 0)"),
    ("a.#b", "Member(a, '#b')"),
    ("#b in a", "Comparison('in', '#b', a)"),
    ("f(a, ...b)", "Call(f, arguments=[Argument(a), Argument(b, spread=True)])"),
    ("new A", "Call(A, new=True)"),
    ("new a.B(c)", "Call(Member(a, 'B'), arguments=[Argument(c)], new=True)"),
    ("import('m')", "Call(import, arguments=[Argument('m')])"),
    ("async () => { await (async () => 1)(); (await (await f(u)).json()); }",
     ("Lambda(Unit('', [], [Express(Await(Call(Lambda(Unit('', [], [Return(value=1)], asynchronous=True, arrow=True))))), "
     "Express(Await(Call(Member(Await(Call(f, arguments=[Argument(u)])), 'json'))))], asynchronous=True, arrow=True))")),
    ("app.use(require('./r'))",
     "Call(Member(app, 'use'), arguments=[Argument(Call(require, arguments=[Argument('./r')]))])"),
    ("import.meta.env", "Member(Member(import, 'meta'), 'env')"),
    ("a === b", "Comparison('==', a, b)"),
    ("a !== b", "Comparison('!=', a, b)"),
    ("a == b", "Comparison('==', a, b, loose=True)"),
    ("a instanceof B", "Comparison('instanceof', a, B)"),
    ("!a", "Operator('not', [a])"),
    ("typeof a", "Operator('typeof', [a])"),
    ("a + b + c", "Operator('+', [a, b, c])"),
    ("a + (b + c)", "Operator('+', [a, Operator('+', [b, c])])"),
    ("a && b && (c && d)", "Operator('and', [a, b, c, d])"),
    ("a || b ?? c", "Operator('nullish', [Operator('or', [a, b]), c])"),
    ("a - b - c", "Operator('-', [Operator('-', [a, b]), c])"),
    ("a >>> b", "Operator('>>', [a, b])"),
    ("a ? b : c", "Conditional(a, b, c)"),
    ("(a, b)", "Unknown('sequence', children=[a, b])"),
    ("[1, , ...a]", "Sequence(items=[1, None, Spread(a)])"),
    ("x = y", "Bind(x, y)"),
    ("x ??= y", "Bind(x, y, op='nullish')"),
    ("x++", "Bind(x, 1, op='+')"),
    ("delete a.b", "Unknown('delete', children=[Member(a, 'b')])"),
    ("{a, 'b': 1, [c]: 2, ...d, 3: undefined}",
     "Mapping(items=[Item('a', a), Item('b', 1), Item(c, 2), Item(None, d), Item(3, None)])"),
    ("{m() {}, get g() { return 1 }, async *n() {}}",
     ("Mapping(items=[Item('m', Lambda(Unit('m', [], [], kind='method'))), "
     "Item('g', Lambda(Unit('g', [], [Return(value=1)], kind='getter'))), "
     "Item('n', Lambda(Unit('n', [], [], asynchronous=True, generator=True, kind='method')))])")),
    ("{login: () => {}}", "Mapping(items=[Item('login', Lambda(Unit('login', [], [], arrow=True)))])"),
    ("a => b", "Lambda(Unit('', [Parameter(a)], [Return(value=b)], arrow=True))"),
    ("async (a, b = 1, ...c) => ({})",
     ("Lambda(Unit('', [Parameter(a), Parameter(b, default=1), Parameter(c, kind='rest')], "
     "[Return(value=Mapping())], asynchronous=True, arrow=True))")),
    ("({a, b: c = 1, d: {e}, ...r}, [x, , y = 2]) => 0",
     ("Lambda(Unit('', [Parameter(Pattern(items=[PatternItem('a', a), PatternItem('b', c, default=1), "
     "PatternItem('d', Pattern(items=[PatternItem('e', e)]))], rest=r)), "
     "Parameter(Sequence(items=[x, Unknown('hole'), Default(y, 2)]))], [Return(value=0)], arrow=True))")),
    ("function* f() { yield; yield* a }",
     "Lambda(Unit('f', [], [Express(Yield()), Express(Yield(value=a, delegates=True))], generator=True))"),
    ("class extends B {}", "ClassValue(Class('', [Argument(B)], []))"),
    ("await a", "Await(a)"),
    ("<></>", "Element('')"),
    ("<A.B c d='&amp;' e={f} {...g}>  text &lt; more\n  {h} {/* no */}<i/></A.B>",
     ("Element('A.B', attributes=[Item('c', True), Item('d', '&'), Item('e', f), Item(None, g)], "
     "children=['  text < more', h, Element('i')])")),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), EXPRESSIONS)
def test_expression(source: str, expected: str) -> None:
    assert lines(js(f"f({source})"))[0] == f"Express(Call(f, arguments=[Argument({expected})]))"


@pytest.mark.parametrize("source", ["a as T", "a satisfies T", "a!", "<T>a", "(a as any) as T", "((a))"])
def test_types_around_an_expression_are_nothing(source: str) -> None:
    assert lines(ts(f"f({source})")) == ["Express(Call(f, arguments=[Argument(a)]))"]


STATEMENTS = [
    ("a = b", ["Assign(a, b)"]),
    ("a = b = c", ["Assign(a, c)", "Assign(b, c)"]),
    ("(a = b), c()", ["Assign(a, b)", "Express(Call(c))"]),
    ("a += 1; a ||= b; a--", ["Assign(a, 1, op='+')", "Assign(a, b, op='or')", "Assign(a, 1, op='-')"]),
    ("({a, b: [c]} = d)",
     ["Assign(Pattern(items=[PatternItem('a', a), PatternItem('b', Sequence(items=[c]))]), d)"]),
    ("let a, b = 1", ["Assign(a, None, declares=True)", "Assign(b, 1, declares=True)"]),
    ("var a = b = c", ["Assign(a, c, declares=True)", "Assign(b, c)"]),
    ("const {a = 1} = b", ["Assign(Pattern(items=[PatternItem('a', a, default=1)]), b, declares=True)"]),
    ("delete a.b", ["Delete(Member(a, 'b'))"]),
    ("if (a) b(); else if (c) {} else d()",
     ["Branch(a, [Express(Call(b))], otherwise=[Branch(c, [], otherwise=[Express(Call(d))])])"]),
    ("for (const a of b) c()", ["Loop([Express(Call(c))], target=a, iterable=b)"]),
    ("for (const [k, v] of b);", ["Loop([], target=Sequence(items=[k, v]), iterable=b)"]),
    ("for await (const a of b);", ["Loop([], target=a, iterable=Await(b))"]),
    ("for (a in b);", ["Loop([], target=a, iterable=Call(Member(Object, 'keys'), arguments=[Argument(b)]))"]),
    ("for (let i = 0; i < n; i++) a()",
     [("BlockStatement([Assign(i, 0, declares=True), "
      "Loop([Express(Call(a)), Assign(i, 1, op='+')], test=Comparison('<', i, n))])")]),
    ("for (;;) {}", ["Loop([])"]),
    ("while (true) break", ["Loop([Break()])"]),
    ("do a(); while (b)", ["Loop([Express(Call(a))], test=b, until=True)"]),
    ("a: for (;;) { continue a }", ["BlockStatement([Loop([Continue()])])"]),
    ("a: for (;;) for (;;) break a",
     ["BlockStatement([Loop([Loop([Express(Unknown('labelled jump')), Break()])])])"]),
    ("switch (a) { case 1: case 2: b(); break; case 3: c(); default: { d(); break } }",
     [("Match(a, [Case([1, 2], [Express(Call(b))]), Case([3], [Express(Call(c))], falls=True), "
      "Case([], [BlockStatement([Express(Call(d))])])])")]),
    ("switch (a) { case 1: if (b) { return 1 } else { throw c } case 2: break }",
     ["Match(a, [Case([1], [Branch(b, [Return(value=1)], otherwise=[Raise(value=c)])]), Case([2], [])])"]),
    ("switch (a) { case 1: default: b() }", ["Match(a, [Case([1], [], falls=True), Case([], [Express(Call(b))])])"]),
    ("try { a() } catch ({message}) { b() } finally { c() }",
     [("Try([Express(Call(a))], handlers=[Handler([], Pattern(items=[PatternItem('message', message)]), "
      "[Express(Call(b))])], final=[Express(Call(c))])")]),
    ("try {} catch {}", ["Try([], handlers=[Handler([], None, [])])"]),
    ("debugger;;", []),
    ("{ a() }", ["BlockStatement([Express(Call(a))])"]),
    ("function f() { 'use server'; return }", ["Define(Unit('f', [], [Express('use server'), Return()]))"]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), STATEMENTS)
def test_statement(source: str, expected: list[str]) -> None:
    assert lines(js(source)) == expected


MODULES = [
    ("import d, {a as b, c} from 'm'",
     ["Import('m', 'default', 'd')", "Import('m', 'a', 'b')", "Import('m', 'c', 'c')"]),
    ("import * as ns from 'm'", ["Import('m', None, 'ns')"]),
    ("import './auth'", ["Import('./auth', None, '')"]),
    ("import {} from 'm'", ["Import('m', None, '')"]),
    ("require('./auth');", ["Import('./auth', None, '', common=True)"]),
    ("const x = require('m')", ["Import('m', None, 'x', common=True)"]),
    ("const x = require(`m`)", ["Import('m', None, 'x', common=True)"]),
    ("const x = require(m)", ["Assign(x, Call(require, arguments=[Argument(m)]), declares=True)"]),
    ("const x = require('m').y", ["Import('m', 'y', 'x', common=True)"]),
    ("const x = require('m')()", ["Assign(x, Call(Call(require, arguments=[Argument('m')])), declares=True)"]),
    ("const {a, b: c} = require('m')", ["Import('m', 'a', 'a', common=True)", "Import('m', 'b', 'c', common=True)"]),
    ("const {a, b: {c}} = require('m')",
     ["Import('m', 'a', 'a', common=True)",
      ("Assign(Pattern(items=[PatternItem('b', Pattern(items=[PatternItem('c', c)]))]), "
      "Call(require, arguments=[Argument('m')]), declares=True)")]),
    ("const {a, ...b} = require('m')",
     ["Assign(Pattern(items=[PatternItem('a', a)], rest=b), Call(require, arguments=[Argument('m')]), declares=True)"]),
    ("const {a} = await import('m')", ["Import('m', 'a', 'a')"]),
    ("const x = (await import('m')).default", ["Import('m', 'default', 'x')"]),
    ("module.exports = v", ["Export('=', value=v)"]),
    ("exports = module.exports = v", ["Export('=', value=v)"]),
    ("exports.a = exports['b'] = v", ["Export('a', value=v)", "Export('b', value=v)"]),
    ("module.exports.a = () => {}", ["Export('a', value=Lambda(Unit('a', [], [], arrow=True)))"]),
    ("const app = module.exports = f()", ["Assign(app, Call(f), declares=True)", "Export('=', value=Call(f))"]),
    ("module.exports.a.b = v", ["Assign(Member(Member(Member(module, 'exports'), 'a'), 'b'), v)"]),
    ("export default v", ["Export('default', value=v)"]),
    ("export default function f() {}", ["Define(Unit('f', [], []))", "Export('default', value=f)"]),
    ("export default async () => {}",
     ["Export('default', value=Lambda(Unit('', [], [], asynchronous=True, arrow=True)))"]),
    ("export default class {}", ["Export('default', value=ClassValue(Class('', [], [])))"]),
    ("export function f() {}", ["Define(Unit('f', [], []))", "Export('f', value=f)"]),
    ("export const {a, b: [c], ...d} = v",
     ["Assign(Pattern(items=[PatternItem('a', a), PatternItem('b', Sequence(items=[c]))], rest=d), v, declares=True)",
      "Export('a', value=a)", "Export('c', value=c)", "Export('d', value=d)"]),
    ("export {a as b, c}", ["Export('b', value=a)", "Export('c', value=c)"]),
    ("export {a as b} from 'm'", ["Export('b', module='m', source='a')"]),
    ("export * from 'm'", ["Export('*', module='m')"]),
    ("export * as ns from 'm'", ["Export('ns', module='m')"]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), MODULES)
def test_module(source: str, expected: list[str]) -> None:
    assert lines(js(source)) == expected


TYPESCRIPT = [
    ("interface A {} type B = string; declare const c: string; declare module 'x' {}; function f(): void;", []),
    ("import type A from 'm'; import {type B} from 'm'; export type {C}; export {type D} from 'm'", []),
    ("export interface A {} export type * from 'm'; export type * as ns from 'm'; export default interface B {}", []),
    ("import x, {type Y, z} from 'm'", ["Import('m', 'default', 'x')", "Import('m', 'z', 'z')"]),
    ("import fs = require('fs')", ["Import('fs', None, 'fs', common=True)"]),
    ("import a = N.M; export = a", ["Assign(a, Member(N, 'M'), declares=True)", "Export('=', value=a)"]),
    ("enum E { A = 1, B, 'c' = 'x', D = f() }",
     ["Assign(E, Mapping(items=[Item('A', 1), Item('B', 2), Item('c', 'x'), Item('D', Call(f))]), declares=True)"]),
    ("namespace N { export const x = 1 }", ["BlockStatement([Assign(x, 1, declares=True)])"]),
    ("let a: Request, b: express.Request, c: Promise<X>, d: Map<K, V>, e: X[], f: X | null, g: {h: 1}",
     ["Assign(a, None, declares=True, annotation=Request)",
      "Assign(b, None, declares=True, annotation=Member(express, 'Request'))",
      "Assign(c, None, declares=True, annotation=Subscript(Promise, X))",
      "Assign(d, None, declares=True, annotation=Subscript(Map, Sequence(items=[K, V])))",
      "Assign(e, None, declares=True, annotation=Subscript(Array, X))",
      "Assign(f, None, declares=True, annotation=Operator('|', [X, None]))",
      "Assign(g, None, declares=True, annotation=Unknown('type'))"]),
    ("function f(this: A, b?: C): D {}", ["Define(Unit('f', [Parameter(b, annotation=C)], [], annotation=D))"]),
    ("using r = f()", ["Assign(r, Call(f), declares=True)"]),
    ("abstract class A { abstract override x: string; override abstract y: string; abstract m(): void; n(): void; }",
     [("DefineClass(Class('A', [], [Assign(x, None, declares=True, annotation=string), "
      "Assign(y, None, declares=True, annotation=string)]))")]),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), TYPESCRIPT)
def test_typescript(source: str, expected: list[str]) -> None:
    assert lines(ts(source)) == expected


def test_class_of_a_nest_controller() -> None:
    program = ts("""
@Controller('auth')
@UseGuards(Guard)
export class AuthController extends Base<T> implements OnInit {
  static count = 0;
  @Inject() private readonly cache?: Cache;
  handler = async () => {};
  #secret;
  static { boot(); }
  constructor(private readonly http: HttpService, @Body() body = 1) { super(); }
  @Get('callback')
  async callback(@Query('code') code: string) { return this.#secret; }
  static create() {}
  get url() { return 1; }
  ['x' + 1]() {}
}
""")
    assert [show(node) for node in program.body[0].definition.body] == [  # type: ignore[union-attr]
        "Assign(count, 0, declares=True)",
        "Assign(cache, Unknown('decorated', children=[Call(Inject)]), declares=True, annotation=Cache)",
        "Assign(handler, Lambda(Unit('handler', [], [], asynchronous=True, arrow=True)), declares=True)",
        "Assign(#secret, None, declares=True)",
        "BlockStatement([Express(Call(boot))])",
        (
            "Define(Unit('constructor', [Parameter(http, annotation=HttpService), "
            "Parameter(body, default=1, decorators=[Call(Body)])], "
            "[Assign(Member(this, 'http'), http), Express(Call(super))], kind='constructor'))"
        ),
        (
            "Define(Unit('callback', [Parameter(code, annotation=string, "
            "decorators=[Call(Query, arguments=[Argument('code')])])], [Return(value=Member(this, '#secret'))], "
            "decorators=[Call(Get, arguments=[Argument('callback')])], asynchronous=True, kind='method'))"
        ),
        "Define(Unit('create', [], [], kind='static'))",
        "Define(Unit('url', [], [Return(value=1)], kind='getter'))",
        "Define(Unit(\"['x' + 1]\", [], [], kind='method'))",
    ]
    made = program.body[0]
    assert isinstance(made, DefineClass)
    assert show(made.definition.bases) == "[Argument(Base)]"
    assert [show(decorator) for decorator in made.definition.decorators] == [
        "Call(Controller, arguments=[Argument('auth')])",
        "Call(UseGuards, arguments=[Argument(Guard)])",
    ]
    assert show(program.body[1]) == "Export('AuthController', value=AuthController)"
    callback = next(node for node in walk(program) if isinstance(node, Unit) and node.name == "callback")
    assert program.spans[callback.at] == (11, 3, 12, 71)
    assert program.line(callback.head) == 12


def test_decorators_in_javascript_stand_before_the_head_of_a_method() -> None:
    program = js("class A {\n  @a\n  @b()\n  m() {\n  }\n}")
    unit = first_unit(program)
    assert show(unit.decorators) == "[a, Call(b)]"
    assert (program.line(unit.at), program.line(unit.head)) == (2, 4)


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("const handler = async () => {}", "handler"),
        ("const handler = (function () {})", "handler"),
        ("let a = function b() {}", "b"),
        ("a.b.c = () => {}", "c"),
        ("module.exports = () => {}", ""),
        ("exports.login = module.exports.login = () => {}", "login"),
        ("x ||= () => {}", "x"),
        ("const {a = () => {}} = b", "a"),
        ("f(() => {})", ""),
        ("class A { x = () => {} }", "x"),
    ],
)
def test_a_function_is_named_by_what_it_is_assigned_to(source: str, name: str) -> None:
    assert first_unit(js(source)).name == name


def test_spans_count_characters_and_lines() -> None:
    program = js("// é\nconst é = 'ñandú' + f(x);\n")
    call = next(node for node in walk(program) if type(node).__name__ == "Call")
    assert program.spans[call.at] == (2, 21, 2, 25)
    assert program.text_lines == 2


def test_every_node_has_a_span_within_the_source() -> None:
    source = SAMPLE.decode()
    program = lower("a.tsx", "typescript", SAMPLE)
    last = source.count("\n") + 1
    for node in walk(program):
        line, column, end_line, end_column = program.spans[node.at]
        assert 1 <= line <= end_line <= last
        assert column >= 1
        assert (end_line, end_column) >= (line, column)


def test_directives_leave_the_body() -> None:
    program = js("'use strict';\n\"use client\"\nf();\n'late'")
    assert program.directives == ("use strict", "use client")
    assert lines(program) == ["Express(Call(f))", "Express('late')"]


def test_jsx_text_is_joined_over_lines() -> None:
    program = js("f(<p>\n  one &amp;\n  two <b/> three\n</p>)", "a.jsx")
    assert lines(program) == [
        "Express(Call(f, arguments=[Argument(Element('p', children=['one & two ', Element('b'), ' three']))]))"
    ]


def test_other_encodings_are_read() -> None:
    latin = lower("a.js", "javascript", "f('é')".encode("latin-1"))
    assert lines(latin) == ["Express(Call(f, arguments=[Argument('é')]))"]
    assert lines(lower("a.js", "javascript", b"\xef\xbb\xbff()")) == ["Express(Call(f))"]
    assert lower("a.js", "javascript", b"").text_lines == 0


@pytest.mark.parametrize(
    ("source", "kind"),
    [(b"a\n\0", "encoding"), ("f()".encode("utf-16"), "encoding"), (b" " * (LARGEST + 1), "too-large")],
)
def test_what_is_no_text_or_too_large_is_unreadable(source: bytes, kind: str) -> None:
    with pytest.raises(Unreadable) as caught:
        lower("a.js", "javascript", source)
    assert caught.value.kind == kind


# ------------------------------------------------------------------------------------------ syntax errors


def broken(source: str, path: str = "a.js") -> Program:
    program = lower(path, "javascript" if path.endswith("js") else "typescript", source.encode())
    assert program.problems
    return program


def test_an_error_makes_its_statement_unknown_and_no_other() -> None:
    program = broken("before();\nconst a = f(token, ;\nafter();\n")
    assert [line for line, _ in program.problems] == [2]
    text = " ".join(lines(program))
    assert "Unknown('syntax error'" in text
    assert "token" in text
    assert lines(program)[0] == "Express(Call(before))"
    assert lines(program)[-1] == "Express(Call(after))"


def test_an_error_in_a_function_stays_in_it() -> None:
    program = broken("function good() { a() }\nfunction bad(x, y z) {\n  b();\n}\nc();")
    assert [type(statement).__name__ for statement in program.body] == ["Define", "Define", "Express"]
    bad = program.body[1]
    assert isinstance(bad, Define)
    assert show(bad.unit.body).startswith("[Express(Unknown('syntax error'")
    assert "Express(Call(b))" in show(bad.unit.body)


def test_statements_inside_an_error_are_kept() -> None:
    program = broken("function f() {\n  if (a) {\n    save(token);\n")
    assert [type(statement).__name__ for statement in program.body] == ["Define"]
    assert "Express(Call(save, arguments=[Argument(token)]))" in lines(program)[0]
    program = broken("if (a { b(); }\nfunction f( {\n  save(token);\n}\nc();")
    assert {"a", "b", "save", "token", "c"} <= {node.id for node in walk(program) if isinstance(node, Name)}


def test_what_stands_before_an_error_in_parentheses_is_kept() -> None:
    program = broken("var app = (function() {\n  login(token);\n  } }\n)();")
    assert "Call(login, arguments=[Argument(token)])" in " ".join(lines(program))


def test_a_missing_token_is_named() -> None:
    assert broken("f(a").problems[0][0] == 1
    assert broken("x = {a: 1, b: }").problems == ((1, "syntax error: missing 'identifier'"),)


def test_a_problem_quotes_nothing_from_the_source() -> None:
    assert "s3cr3t" not in repr(broken("const a = 's3cr3t' 's3cr3t' (;").problems)


def test_an_error_in_a_type_is_no_problem() -> None:
    assert lines(ts("class V<in out T> {}")) == ["DefineClass(Class('V', [], []))"]


# ------------------------------------------------------------------------------------------------- bounds

DEEP = 50_000


def timed(source: str, path: str) -> Program:
    """A program that is made within seconds, and whose nodes are few enough below one another to be walked."""
    start = time.perf_counter()
    program = lower(path, "typescript" if path.endswith("x") else "javascript", source.encode())
    assert time.perf_counter() - start < 10
    assert depth(program) < 3_000
    return program


def depth(program: Program) -> int:
    deepest = 0
    stack: list[tuple[object, int]] = [(program, 0)]
    while stack:
        node, level = stack.pop()
        deepest = max(deepest, level)
        stack.extend((child, level + 1) for child in children(node))
    return deepest


@pytest.mark.parametrize("path", ["a.js", "a.tsx"])
@pytest.mark.parametrize(
    "source",
    [
        "[" * DEEP + "]" * DEEP,
        "f(" * DEEP + ")" * DEEP,
        "x=" + "{a:" * DEEP + "1" + "}" * DEEP,
        "{" * DEEP + "}" * DEEP,
        "a=>" * DEEP + "b",
        "!" * DEEP + "a",
        "a?b:" * DEEP + "c",
        "a" + ".b().c().d()" * DEEP,
        "a" + "[0]" * DEEP,
        "-".join(["a"] * DEEP),
        "a" + "<b" * DEEP,
        "if(a){}" + "else if(b){c()}" * DEEP,
        "class A{x=" + "class {x=" * DEEP + "1" + "}" * (DEEP + 1),
        "function f(){" * DEEP + "}" * DEEP,
        "`${" * DEEP + "a" + "}`" * DEEP,
        "<a>" * DEEP + "</a>" * DEEP,
        "let " + "{a:" * DEEP + "b" + "}" * DEEP + "=x",
        "l:" * DEEP + "b",
        "f('" + "a.b(x" * 190 + ".c" * 900 + ")" * 190,
        "a" + ".b(x" * 190 + ".c" * 900 + ")" * 190,
    ],
    ids=lambda source: source[:12],
)
def test_nesting_is_bounded(source: str, path: str) -> None:
    program = timed(source, path)
    assert program.problems
    assert any(isinstance(node, Unknown) for node in walk(program))


@pytest.mark.parametrize(
    "source",
    [
        "+".join(["a"] * 5000),
        "&&".join(["a"] * 5000),
        "a = " * 1000 + "b",
        "a" + ".b().c()" * 200,
        "if (a) {}" + " else if (b) { c() }" * 900,
        "(" * DEEP + "a" + ")" * DEEP,
        ",".join(["a"] * 5000),
    ],
    ids=lambda source: source[:8],
)
def test_long_and_flat_is_read_whole(source: str) -> None:
    assert timed(source, "a.js").problems == ()


def test_the_nearest_links_of_a_long_chain_are_kept() -> None:
    program = timed("a" + ".then(b)" * 5000 + ".last(c)", "a.js")
    assert program.problems == ((1, "nested too deeply to be read"),)
    assert show(program.body[0]).endswith("'last'), arguments=[Argument(c)]))")


@pytest.mark.parametrize("seed", range(4))
def test_noise_comes_to_an_end(seed: int) -> None:
    """tree-sitter alone takes minutes for the first of these."""
    pick = random.Random(seed + 1).choice
    noise = "".join(pick("{}[]()<>=+-\"'`;,.ab \n/") for _ in range(50_000)).encode()
    start = time.perf_counter()
    with contextlib.suppress(Unreadable):
        assert lower("a.tsx", "typescript", noise).problems
    assert time.perf_counter() - start < 10


def test_what_cannot_be_parsed_to_the_end_is_unreadable() -> None:
    pick = random.Random(1).choice
    noise = "".join(pick("{}[]()<>=+-\"'`;,.ab \n/") for _ in range(50_000)).encode()
    with pytest.raises(Unreadable) as caught:
        lower("a.tsx", "typescript", noise)
    assert caught.value.kind == "too-complex"


SAMPLE = b"""
'use client';
import express, { Router as R } from 'express';
const { a, b: [c] } = require('m');
export default class A extends B<T> {
  @Get() private readonly x?: string = `a${b}c`;
  constructor(private readonly http: HttpService) { super(http?.y ?? 1); }
  async *m({ q = 1, ...r }, [s]) { for await (const t of r) { yield* t; } }
}
label: for (let i = 0; i < 3; i++) { if (i) continue label; else switch (i) { case 1: break; default: f() } }
export const view = (p: Props) => <div {...p} id="x">text {p.y && <b>&amp;</b>}</div>;
try { await f() } catch ({ message }) { throw new Error(message as string) } finally { delete a.b; x ||= y++; }
enum E { A, B = 2 } namespace N { export function f(this: X) { return /r/g.test(a) ? 1n : 0x10 } }
"""


def test_every_prefix_gives_a_program() -> None:
    assert lower("a.tsx", "typescript", SAMPLE).problems == ()
    for path in ("a.tsx", "a.ts", "a.js"):
        for end in range(0, len(SAMPLE), 3):
            program = lower(path, "javascript" if path == "a.js" else "typescript", SAMPLE[:end])
            assert all(0 <= node.at < len(program.spans) for node in walk(program))


def test_every_gap_gives_a_program_that_keeps_the_last_statement() -> None:
    for start in range(0, len(SAMPLE), 5):
        source = SAMPLE[:start] + SAMPLE[start + 7 :] + b"\nlastOfAll();\n"
        program = lower("a.tsx", "typescript", source)
        names = {node.id for node in walk(program) if isinstance(node, Name)}
        assert "lastOfAll" in names or program.problems


def test_a_lambda_is_found_in_broken_code() -> None:
    program = broken("app.get('/cb', async (req, res) => { exchange(req.query.code) ")
    assert "exchange" in {node.id for node in walk(program) if isinstance(node, Name)}
    assert not any(isinstance(node, Lambda) and node.unit.name for node in walk(program))


@pytest.mark.parametrize("path", ["a.js", "a.ts"])
def test_a_promise_in_parentheses_is_waited_for(path: str) -> None:
    source = b"async function f() { return await (await g()).json(); }"
    program = lower(path, "typescript" if path == "a.ts" else "javascript", source)
    assert "await" not in {node.id for node in walk(program) if isinstance(node, Name)}
    outer, inner = (node for node in walk(program) if isinstance(node, Await))
    assert isinstance(outer.value, Call)
    assert isinstance(outer.value.callee, Member)
    assert outer.value.callee.object is inner
