"""What Python lowers to, where it stands, and what is refused."""

from __future__ import annotations

import random
import sysconfig
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auditor import program as ir
from auditor.frontends import python_bounds
from auditor.frontends.errors import Unreadable
from auditor.frontends.python import lower

_STDLIB = Path(sysconfig.get_paths()["stdlib"])


def _program(source: str) -> ir.Program:
    return lower("app.py", source.encode())


def _show(value: object) -> str:
    """A node in a few words: its type and fields in order, without places and without defaults at the end."""
    if isinstance(value, ir.Node):
        names = [name for name in value.__struct_fields__ if name not in ("at", "head")]
        shown = [(name, getattr(value, name)) for name in names]
        defaults = {field.name: field.default for field in msgspec.structs.fields(type(value))}
        while shown and shown[-1][1] == defaults[shown[-1][0]]:
            shown.pop()
        if isinstance(value, ir.Name):
            return value.id
        return f"{type(value).__name__}({', '.join(_show(each) for _, each in shown)})"
    if isinstance(value, tuple):
        return f"[{', '.join(_show(each) for each in value)}]"
    return repr(value)


def _statements(source: str) -> str:
    return "; ".join(_show(statement) for statement in _program(source).body)


def _expression(source: str) -> str:
    (statement,) = _program(f"x = {source}").body
    assert isinstance(statement, ir.Assign)
    return _show(statement.value)


def _find(program: ir.Program, kind: type[Any], number: int = 0) -> Any:
    return [node for node in ir.walk(program) if type(node) is kind][number]


def _text_at(source: str, span: ir.Span) -> str:
    """The text that a span covers."""
    line, column, end_line, end_column = span
    lines = source.split("\n")[line - 1 : end_line]
    lines[-1] = lines[-1][: end_column - 1]
    lines[0] = lines[0][column - 1 :]
    return "\n".join(lines)


# ------------------------------------------------------------------------------------------------- expressions


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("None", "Literal(None)"),
        ("True", "Literal(True)"),
        ("0x_ff", "Literal(255)"),
        ("1_000.5", "Literal(1000.5)"),
        ("00", "Literal(0)"),
        ("9" * 40, "Unknown('large number')"),
        ("9" * 5000, "Unknown('large number')"),
        ("3j", "Unknown('complex number')"),
        ("-1", "Operator('-', [Literal(1)])"),
        ("...", "Unknown('ellipsis')"),
        ("a.b.c", "Member(Member(a, 'b'), 'c')"),
        ("a[k]", "Subscript(a, k, True)"),
        ("a[1:]", "Slice(a, Literal(1))"),
        ("a[:4]", "Slice(a, None, Literal(4))"),
        ("a[:]", "Slice(a)"),
        ("a[::-1]", "Unknown('slice with a step', [a, Operator('-', [Literal(1)])])"),
        ("a[b, *c]", "Subscript(a, Sequence([b, Spread(c)]), True)"),
        ("a[1:2, b]", "Subscript(a, Sequence([Unknown('slice', [Literal(1), Literal(2)]), b]), True)"),
        ("f(a, *b, c=d, **e)", "Call(f, [Argument(a), Argument(b, None, True), Argument(d, 'c'), Argument(e, '**', True)])"),
        ("f(i for i in y)", "Call(f, [Argument(Comprehension(i, i, y))])"),
        ("await f()", "Await(Call(f))"),
        ("[a, *b]", "Sequence([a, Spread(b)])"),
        ("(a, b)", "Sequence([a, b])"),
        ("{a}", "Sequence([a])"),
        ("()", "Sequence()"),
        ("{'a': b, **c}", "Mapping([Item(Literal('a'), b), Item(None, c)])"),
        ("a + b + c", "Operator('+', [a, b, c])"),
        ("a + (b + c)", "Operator('+', [a, Operator('+', [b, c])])"),
        ("a - b - c", "Operator('-', [Operator('-', [a, b]), c])"),
        ("a ** b", "Operator('**', [a, b])"),
        ("a @ b", "Unknown('MatrixMultiply', [a, b])"),
        ("a and (b and c) and d", "Operator('and', [a, b, c, d])"),
        ("a or b and c", "Operator('or', [a, Operator('and', [b, c])])"),
        ("not a", "Operator('not', [a])"),
        ("~a", "Operator('~', [a])"),
        ("a is not b", "Comparison('is not', a, b)"),
        ("a not in b", "Comparison('not in', a, b)"),
        ("a < b <= c", "Operator('and', [Comparison('<', a, b), Comparison('<=', b, c)])"),
        ("a if b else c", "Conditional(b, a, c)"),
        ("(y := f())", "Bind(y, Call(f))"),
        ("[f(i) async for i in y if i if j]", "Comprehension(Call(f, [Argument(i)]), i, Await(y), [i, j])"),
        ("[k for a in b for k, v in a]", "Comprehension(Comprehension(k, Sequence([k, v]), a), a, b)"),
        ("{k: v for k in y}", "Comprehension(Mapping([Item(k, v)]), k, y)"),
    ],
)  # fmt: skip
def test_expression(source: str, expected: str) -> None:
    assert _expression(source) == expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("'a'", "Literal('a')"),
        ("'''a\n\"b\"'''", "Literal('a\\n\"b\"')"),
        ("''", "Literal('')"),
        ("r'\\n'", "Literal('\\\\n')"),
        ("'\\x41\\u00e9\\101\\n\\q\\N{DIGIT ONE}'", "Literal('AéA\\n\\\\q1')"),
        ("'\\ud800'", "Literal('\ufffd')"),
        ("b'\\xe9\\u0041'", "Literal('é\\\\u0041')"),
        ("'a' \"b\"", "Literal('ab')"),
        ("b'a' rb'\\n'", "Literal('a\\\\n')"),
        ("f''", "Literal('')"),
        ("f'a{{}}'", "Literal('a{}')"),
        ("f'a{b}c'", "Text([Literal('a'), b, Literal('c')])"),
        ("rf'\\n{b!r:>10}'", "Text([Literal('\\\\n'), b])"),
        ("'a' f'b{c}' 'd' f'{e}'", "Text([Literal('ab'), c, Literal('d'), e])"),
        ("f'{a=}'", "Text([Literal('a='), a])"),
        ("f'{a:{w}}'", "Text([Call(format, [Argument(a), Argument(Text([w]))])])"),
        ("f\"{d[\"k\"]}\"", "Text([Subscript(d, Literal('k'), True)])"),
    ],
)  # fmt: skip
def test_text(source: str, expected: str) -> None:
    assert _expression(source) == expected


def test_literals_are_what_python_says() -> None:
    pieces = (
        "a",
        "\\n",
        "\\x41",
        "\\\\",
        "\\'",
        '\\"',
        "\\7",
        "\\18",
        "\\0",
        "é",
        "{{",
        "\\\n",
        "\\q",
        "\\N{BULLET}",
        "\\u20ac",
    )
    choose = random.Random(7)
    for _ in range(300):
        inside = "".join(choose.choices(pieces, k=choose.randint(0, 6)))
        prefix = choose.choice(("", "r", "f", "fr", "u"))
        spelling = f"{prefix}'''{inside} '''"
        if "r" in prefix and "\\N" in inside and "f" in prefix:
            continue
        (statement,) = _program(f"x = {spelling}").body
        assert isinstance(statement, ir.Assign)
        assert isinstance(statement.value, ir.Literal)
        with pytest.warns() if "\\q" in inside and "r" not in prefix else _nothing():
            assert statement.value.value == eval(spelling), spelling


class _nothing:  # noqa: N801
    def __enter__(self) -> None: ...
    def __exit__(self, *_: object) -> None: ...


def test_middle_of_a_chained_comparison_is_one_node() -> None:
    program = _program("x = 0 < f() < 9")
    first, second = _find(program, ir.Comparison, 0), _find(program, ir.Comparison, 1)
    assert first.right is second.left
    assert _text_at("x = 0 < f() < 9", program.spans[second.at]) == "f() < 9"


def test_nested_chains_do_not_double() -> None:
    source = "x = " + "a < (" * 40 + "b" + ") < c" * 40
    assert sum(1 for _ in ir.walk(_program(source))) < 500


def test_conditions_hold_for_lambda() -> None:
    program = _program("x = lambda a, *b, c=1, **d: f(a)")
    unit = _find(program, ir.Unit)
    assert unit.name == ""
    assert unit.head == unit.at
    assert not unit.generator
    assert _show(unit.body) == "[Return(Call(f, [Argument(a)]))]"
    assert [(p.target.id, p.kind, p.keyword_only) for p in unit.parameters] == [
        ("a", "plain", False), ("b", "rest", False), ("c", "plain", True), ("d", "keywords", False),
    ]  # fmt: skip


# -------------------------------------------------------------------------------------------------- statements


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('"""Doc."""\n"a" "b"\n...\npass', ""),
        ("f'{a()}'", "Express(Text([Call(a)]))"),
        ("a = 1", "Assign(a, Literal(1))"),
        ("a = b = 1", "Assign(a, Literal(1)); Assign(b, Literal(1))"),
        ("a = b = f()", "Assign(a, Call(f)); Assign(b, a)"),
        ("s.a = s.b = c = f()", "Assign(Member(s, 'a'), Call(f)); Assign(Member(s, 'b'), Member(s, 'a')); Assign(c, Member(s, 'a'))"),
        ("s['a'] = b = f()", "Assign(Subscript(s, Literal('a')), Call(f)); Assign(b, Subscript(s, Literal('a'), True))"),
        ("(a, *b), [c] = d", "Assign(Sequence([Sequence([a, Spread(b)]), Sequence([c])]), d)"),
        ("d[k] = v", "Assign(Subscript(d, k), v)"),
        ("d[1:2] = v", "Assign(Slice(d, Literal(1), Literal(2)), v)"),
        ("a: int", "Assign(a, None, True, None, int)"),
        ("a: int = 1", "Assign(a, Literal(1), True, None, int)"),
        ("type A[T] = list[T]", "Assign(A, Subscript(list, T), True)"),
        ("d[k] += 1", "Assign(Subscript(d, k, True), Literal(1), False, '+')"),
        ("a //= b", "Assign(a, b, False, '//')"),
        ("del a, (b.c, d[k])", "Delete(a); Delete(Member(b, 'c')); Delete(Subscript(d, k, True))"),
        ("assert a, 'm'", "Branch(Operator('not', [a]), [Raise(Call(AssertionError, [Argument(Literal('m'))]))])"),
        ("assert a", "Branch(Operator('not', [a]), [Raise(Call(AssertionError))])"),
        ("raise", "Raise()"),
        ("raise E(a) from None", "Raise(Call(E, [Argument(a)]))"),
        ("raise E from f(t)", "Express(Call(f, [Argument(t)])); Raise(E)"),
        ("global a, b\nnonlocal c", "Scope(['a', 'b'], True); Scope(['c'], False)"),
        ("import a.b, c.d as e", "Import('a', None, 'a'); Import('c.d', None, 'e')"),
        ("from . import views", "Import('.', 'views', 'views')"),
        ("from ...a.b import (c as d, e,)", "Import('...a.b', 'c', 'd'); Import('...a.b', 'e', 'e')"),
        ("from a import *", "Import('a', '*', '*')"),
        ("if a: b\nelif c: d\nelse: e", "Branch(a, [Express(b)], [Branch(c, [Express(d)], [Express(e)])])"),
        ("while True: break", "Loop([Break()])"),
        ("while a:\n  continue\nelse: b", "Loop([Continue()], None, None, a, [Express(b)])"),
        ("for a, b in c: d\nelse: e", "Loop([Express(d)], Sequence([a, b]), c, None, [Express(e)])"),
        ("async def f():\n async for a in b: pass", "Define(Unit('f', [], [Loop([], a, Await(b))], [], True))"),
        ("try: a\nexcept: b", "Try([Express(a)], [Handler([], None, [Express(b)])])"),
        (
            "try: a\nexcept (A, b.B) as e: c\nexcept D: pass\nelse: f\nfinally: g",
            "Try([Express(a)], [Handler([A, Member(b, 'B')], e, [Express(c)]), Handler([D], None, [])], [Express(f)], [Express(g)])",
        ),
        ("try: a\nexcept* A as e: b", "Try([Express(a)], [Handler([A], e, [Express(b)])])"),
        ("try: a\nexcept A, B: b", "Try([Express(a)], [Handler([A, B], None, [Express(b)])])"),
        ("with a as b, c: d", "With(a, b, [With(c, None, [Express(d)])])"),
        ("with (a as b, c as d): pass", "With(a, b, [With(c, d, [])])"),
        ("async def f():\n async with a: pass", "Define(Unit('f', [], [With(a, None, [], True)], [], True))"),
        ("with suppress(A, B): c", "Try([Express(c)], [Handler([A, B], None, [])])"),
        ("with a, contextlib.suppress(A): c", "With(a, None, [Try([Express(c)], [Handler([A], None, [])])])"),
        ("with suppress(): c", "With(Call(suppress), None, [Express(c)])"),
        ("with suppress(*all): c", "With(Call(suppress, [Argument(all, None, True)]), None, [Express(c)])"),
        ("a; b", "Express(a); Express(b)"),
    ],
)  # fmt: skip
def test_statement(source: str, expected: str) -> None:
    assert _statements(source) == expected


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("1", "Case([Literal(1)], [])"),
        ("None", "Case([Literal(None)], [])"),
        ("a.B", "Case([Member(a, 'B')], [])"),
        ("'a' | 'b'", "Case([Literal('a'), Literal('b')], [])"),
        ("_", "Case([], [])"),
        ("1 | _", "Case([], [])"),
        ("x", "Case([], [], False, None, x)"),
        ("x if x > 1", "Case([], [], False, Comparison('>', x, Literal(1)), x)"),
        ("'a' | 'b' as x", "Case([Literal('a'), Literal('b')], [], False, None, x)"),
        ("str(x)", "Case([Unknown('MatchClass', [str])], [], False, None, x)"),
        ("[1, x, *rest]", ("Case([Unknown('MatchList', [Literal(1)])], [], False, None, "
         "Sequence([Unknown('unbound'), x, Spread(rest)]))")),
        ("1, 2", "Case([Unknown('MatchList', [Literal(1), Literal(2)])], [])"),
        ("()", "Case([Unknown('MatchTuple')], [])"),
        ("{'code': c, 'state': 's', **r}", ("Case([Unknown('MatchMapping', [Literal('code'), Literal('state'), Literal('s')])], "
         "[], False, None, Pattern([PatternItem(Literal('code'), c)], r))")),
        ("A(x, y=z)", ("Case([Unknown('MatchClass', [A])], [], False, None, "
         "Pattern([PatternItem(Unknown('position'), x), PatternItem(Literal('y'), z)]))")),
        ("[{'a': x}, y]", ("Case([Unknown('MatchList', [Unknown('MatchMapping', [Literal('a')])])], [], False, None, "
         "Sequence([Unknown('pattern', [x]), y]))")),
    ],
)  # fmt: skip
def test_match(pattern: str, expected: str) -> None:
    assert _statements(f"match s:\n case {pattern}: pass") == f"Match(s, [{expected}])"


@pytest.mark.parametrize(
    ("hint", "expected"),
    [
        ("int", "int"),
        ("'Request'", "Request"),
        ("'a.B'", "Member(a, 'B')"),
        ("'None'", "Literal(None)"),
        ("'list[A]'", "Literal('list[A]')"),
        ("Optional['User']", "Subscript(Optional, User)"),
        ("dict[str, 'User']", "Subscript(dict, Sequence([str, User]))"),
        ("Callable[['A'], B]", "Subscript(Callable, Sequence([Sequence([A]), B]))"),
        ("'A' | None", "Operator('|', [A, Literal(None)])"),
        ("Literal['a']", "Subscript(Literal, Literal('a'), True)"),
        (
            "Annotated[str, Depends('x')]",
            "Subscript(Annotated, Sequence([str, Call(Depends, [Argument(Literal('x'))])]), True)",
        ),
    ],
)
def test_annotation(hint: str, expected: str) -> None:
    (statement,) = _program(f"a: {hint}").body
    assert isinstance(statement, ir.Assign)
    assert _show(statement.annotation) == expected


# --------------------------------------------------------------------------------------- functions and classes


_CLASS = '''
@final
class Account(Base, metaclass=Meta):
    """An account."""

    token: str = ""

    def __init__(self, a, /, b: "B", *, c=1): ...

    @property
    def name(self): return self._name

    @name.setter
    def name(self, value): self._name = value

    @route("/x")
    @staticmethod
    @cached
    def fixed(): pass

    @classmethod
    async def made(cls) -> "Account": return await cls()

    if DEBUG:
        def inner(self):
            def helper(): yield 1
            return helper

    @functools.cached_property
    def slow(self): pass

    class Meta:
        def plain(self): yield from self
'''


def test_class() -> None:
    program = _program(_CLASS)
    definition = _find(program, ir.Class)
    assert definition.name == "Account"
    assert _show(definition.bases) == "[Argument(Base), Argument(Meta, 'metaclass')]"
    assert _show(definition.decorators) == "[final]"
    assert program.line(definition.at) == 3
    units = {unit.name: unit for unit in ir.walk(program) if isinstance(unit, ir.Unit) and unit.name != "name"}
    assert {name: (unit.kind, unit.asynchronous, unit.generator) for name, unit in units.items()} == {
        "__init__": ("constructor", False, False),
        "fixed": ("static", False, False),
        "made": ("classmethod", True, False),
        "inner": ("method", False, False),
        "helper": ("function", False, True),
        "slow": ("getter", False, False),
        "plain": ("method", False, True),
    }
    assert [unit.kind for unit in ir.walk(program) if isinstance(unit, ir.Unit) and unit.name == "name"] == [
        "getter",
        "setter",
    ]
    assert _show(units["fixed"].decorators) == "[Call(route, [Argument(Literal('/x'))]), cached]"
    assert _show(units["slow"].decorators) == "[Member(functools, 'cached_property')]"
    assert _show(units["__init__"].parameters) == (
        "[Parameter(self), Parameter(a), Parameter(b, None, 'plain', B), Parameter(c, Literal(1), 'plain', None, [], True)]"
    )
    assert _show(units["made"].annotation) == "Account"
    assert units["fixed"].body == ()


def test_decorated_function_has_two_places() -> None:
    program = _program("x = 1\n\n@app.route('/callback')\n# why\n@login\ndef callback():\n    return 1\n")
    unit = _find(program, ir.Unit)
    assert program.spans[unit.at] == (3, 1, 7, 13)
    assert program.spans[unit.head] == (6, 1, 7, 13)
    assert program.line(_find(program, ir.Define).at) == 3
    assert _show(unit.decorators) == "[Call(Member(app, 'route'), [Argument(Literal('/callback'))]), login]"


def test_decorators_outside_a_class_stay() -> None:
    unit = _find(_program("@property\ndef f(): pass"), ir.Unit)
    assert unit.kind == "function"
    assert _show(unit.decorators) == "[property]"


def test_a_yield_belongs_to_its_own_unit() -> None:
    program = _program("def f(a=(yield)):\n    g = lambda: (yield 1)\n    return g\n")
    units = [node for node in ir.walk(program) if isinstance(node, ir.Unit)]
    assert [(unit.name, unit.generator) for unit in units] == [("f", False), ("", True)]
    assert _find(program, ir.Yield, 1).value.value == 1


# ------------------------------------------------------------------------------------------------------ places


def test_every_node_has_its_own_place() -> None:
    program = _program(_CLASS)
    nodes = list(ir.walk(program))
    assert len({node.at for node in nodes}) == len(nodes)


@pytest.mark.parametrize(
    ("source", "kind", "expected"),
    [
        ("x = (\n    a.b\n    .c(1)\n)", ir.Call, "a.b\n    .c(1)"),
        ("if a:\n    b  # why\n\n# more\nc", ir.Branch, "if a:\n    b"),
        ("x = (1, 2)", ir.Sequence, "(1, 2)"),
        ("x = ( # none\n)", ir.Sequence, "( # none\n)"),
        ("x = (i for i in y)", ir.Comprehension, "(i for i in y)"),
        ("f(a, b=c)", ir.Argument, "a"),
        ("x = {'a': 1, 'b': 2}", ir.Item, "'a': 1"),
        ("x = 'ü€😀' + tail", ir.Operator, "'ü€😀' + tail"),
        ("x = '''a\nb''' 'c'", ir.Literal, "'''a\nb''' 'c'"),
        ("try:\n    a\nexcept E:\n    b\n", ir.Handler, "except E:\n    b"),
        ("import a, b as c", ir.Import, "a"),
        ("x = f'{a.b}'", ir.Member, "a.b"),
        ("while x: y ; z ;  # end", ir.Loop, "while x: y ; z ;"),
        ("x = y  ", ir.Assign, "x = y"),
    ],
)
def test_place(source: str, kind: type[ir.Node], expected: str) -> None:
    program = _program(source)
    assert _text_at(source, program.spans[_find(program, kind).at]) == expected


def test_columns_count_characters_and_lines_count_all_newlines() -> None:
    program = lower("a.py", "ä = f()\r\n\r\nif b:\r\n\tc()\rd = 1".encode())
    calls = [program.spans[node.at] for node in ir.walk(program) if isinstance(node, ir.Call)]
    assert calls == [(1, 5, 1, 8), (4, 2, 4, 5)]
    assert program.text_lines == 5


def test_a_form_feed_moves_no_line() -> None:
    program = lower("a.py", b"\x0c\nx = 1\n\x0c\ny = f()\n")
    assert program.line(_find(program, ir.Call).at) == 4


# ----------------------------------------------------------------------------------------------- what is refused


def test_encodings() -> None:
    assert _find(lower("a.py", "# -*- coding: latin-1 -*-\nx = 'é'".encode("latin-1")), ir.Literal).value == "é"
    marked = lower("a.py", b"\xef\xbb\xbfx = 1\n")
    assert marked.spans[_find(marked, ir.Name).at] == (1, 1, 1, 2)


@pytest.mark.parametrize(
    ("source", "kind", "line", "words"),
    [
        (b"x = '\xe9'\n", "encoding", 1, "encoding"),
        (b"\n\n\nx = '\xe9'\n", "encoding", 4, "utf-8"),
        (b"# coding: nonsense\n", "encoding", 1, "nonsense"),
        (b"# coding: rot13\nk = 1\n", "encoding", 1, "rot13"),
        (b"x = 1\n\nraise A, 'b'\n", "syntax", 3, "raise"),
        (b"x = 0777\n", "syntax", 1, "octal"),
        (b"a <> b\n", "syntax", 1, "<>"),
        (b"def f(:\n  pass\n", "syntax", 1, "not valid"),
        (b"x = 1\nx = 'abc\n", "syntax", 2, "unterminated"),
        (b"x = '''abc\n", "syntax", 1, "unterminated"),
        (b"x\n\x00y\n", "encoding", 2, "binary"),
        (b"x = 1\ny = (a\n\n", "syntax", 2, "not valid"),
        (b"if a:\n\tb\n        c\n", "syntax", 3, "tabs"),
        (b"x = 'a' b'c'\n", "syntax", 0, "not valid"),
        (b"x = (a\ndef f():\n    pass\n" + b"a.b.c\n" * 1000, "syntax", 1, "not valid"),
        (b"x = 1\n" * 100_000, "too-large", 0, "512 KB"),
    ],
)
def test_unreadable(source: bytes, kind: str, line: int, words: str) -> None:
    with pytest.raises(Unreadable) as caught:
        lower("a.py", source)
    assert (caught.value.kind, caught.value.line) == (kind, line)
    assert words in caught.value.message


def test_a_message_quotes_nothing_of_the_source() -> None:
    with pytest.raises(Unreadable) as caught:
        _program("x = 1\nraise A, 'sk_live_4242'\n")
    assert "4242" not in caught.value.message


def test_a_statement_of_python_2_is_left_out_and_said() -> None:
    program = _program("def f(x):\n    print 'a'\n    return x\nprint 'b'\ny = f(1)\n")
    assert [type(node).__name__ for node in program.body] == ["Define", "Assign"]
    assert program.line(program.body[1].at) == 5
    assert [line for line, _ in program.problems] == [2, 4]


def test_python_2_that_parses_is_noted() -> None:
    program = _program("try:\n    a\nexcept E, e:\n    print >>log, token\n")
    assert _show(_find(program, ir.Handler)).startswith("Handler([E], e, ")
    assert [line for line, _ in program.problems] == [3, 4]


# -------------------------------------------------------------------------------------------------- the bounds


def _nested_blocks(depth: int) -> str:
    return "".join(" " * level + "if a:\n" for level in range(depth)) + " " * depth + "pass\n"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("x = " + "f(" * 500 + ")" * 500, "too-deep"),
        ("x = " + "f(" * 1500 + ")" * 1500, "too-deep"),
        ("x = " + "(" * 3000 + "1" + ")" * 3000, "too-deep"),
        ("x = " + "f(\n" * 300 + ")\n" * 300, "too-deep"),
        ("x = f'{" + "(" * 300 + "1" + ")" * 300 + "}'", "too-deep"),
        ("x = " + "f'{" * 300 + "1" + "}'" * 300, "too-deep"),
        ("x = f'" + "{a:" * 300 + "}" * 300 + "'", "too-deep"),
        ("match x:\n case " + "[" * 20 + "]" * 20 + ": pass", "too-deep"),
        (_nested_blocks(300), "too-deep"),
        ("x = " + "+".join(["a"] * 5000), "too-complex"),
        ("x = (" + "\n+ ".join(["a"] * 5000) + ")", "too-complex"),
        ("x = " + "\\\n+ ".join(["a"] * 5000), "too-complex"),
        ("x = a" + ".b" * 600, "too-complex"),
        ("x = a" + ".b()" * 300, "too-complex"),
        ("x = a" + "[b]" * 600, "too-complex"),
        ("x = " + "a if b else " * 600 + "c", "too-complex"),
        ("x = (" + "a\nif b\nelse " * 600 + "c)", "too-complex"),
        ("x = " + "not " * 600 + "a", "too-complex"),
        ("x = " + "lambda: " * 600 + "a", "too-complex"),
        ("x = " + "-" * 600 + "a", "too-complex"),
        ("x = [a " + "for a in b " * 600 + "]", "too-complex"),
        ("x = " + "(" * 50 + "a" + "+ a" * 10 + (")" + "+ a" * 10) * 50, "too-complex"),
        ("x = f'{" + "+".join(["a"] * 600) + "}'", "too-complex"),
        ("x = (" + "'a'\n" * 5000 + ")", "too-complex"),
        ("x = (" + "f'{a}'\n" * 5000 + ")", "too-complex"),
        ("if a: pass\n" + "elif b: pass\n" * 3000, "too-complex"),
        ("with " + ", ".join(["a"] * 200) + ": pass", "too-complex"),
    ],
)
def test_hostile(source: str, kind: str) -> None:
    before = time.perf_counter()
    with pytest.raises(Unreadable) as caught:
        _program(source)
    assert caught.value.kind == kind
    assert time.perf_counter() - before < 2


def test_nested_elifs_are_counted_together() -> None:
    source = "if a: pass\n" + "elif b: pass\n" * 300 + "else:\n if a: pass\n" + " elif b: pass\n" * 300
    with pytest.raises(Unreadable, match="elif"):
        _program(source)
    # One after the other they are as many chains.
    assert len(_program(("if a: pass\n" + "elif b: pass\n" * 300) * 3).body) == 3


def test_the_line_of_a_bound() -> None:
    with pytest.raises(Unreadable) as caught:
        _program("a = 1\r\nb = '''\n\n'''\nx = " + "(" * 101 + ")" * 101 + "\n")
    assert caught.value.line == 5


@pytest.mark.parametrize(
    "source",
    [
        "x = " + "f(" * 98 + ")" * 98,
        "x = " + "+".join(["a"] * 500),
        "x = a" + ".b" * 499,
        "x = " + "not " * 499 + "a",
        "x = (" + "'a'\n" * 500 + ")",
        "if a: pass\n" + "elif b: pass\n" * 499,
        _nested_blocks(99),
        "x = [" + "a.b, " * 5000 + "]",
        "x = '" + "(" * 500 + "'",
        "x = 1  # " + "(" * 500,
        "x = f'" + "(" * 500 + "{{" * 500 + "'",
        "x = f'''\n{a}\n" + "don't. " * 1000 + "'''",
        "x = rf'\\{a}' f'\\N{DIGIT ONE}{b}' f'\\''",
        "x = f'{a:%H:%M}' f'{b!r:>{w}}' f'{c[\"d\"]}' f'{ {1: 2}[1] }' f'{(lambda: 1)()}'",
        "if'a': f(b)",
        "case = 1\nmatch = case\ncase(" + "(" * 6 + ")" * 6 + ")",
        "match a:\n case 1: f(" + "(" * 20 + ")" * 20 + ")",
        "x = (a\nif b\nelse c)",
    ],
)
def test_within_the_bounds(source: str) -> None:
    assert _program(source).body


def test_a_large_dict_is_fine() -> None:
    source = "x = {\n" + "".join(f'    "key{number}": value(a.b),\n' for number in range(16_000)) + "}\n"
    python_bounds.check(source)
    entries = "x = {" + "".join(f"{number}: b," for number in range(20_000)) + "}"
    assert len(_find(_program(entries), ir.Mapping).items) == 20_000


def test_the_scan_is_fast() -> None:
    source = Path(__file__).read_text(encoding="utf-8") * 10
    before = time.perf_counter()
    python_bounds.check(source)
    assert len(source) / (time.perf_counter() - before) > 1_000_000


# -------------------------------------------------------------------------------------------------- robustness


_FILES = (
    "abc.py", "argparse.py", "ast.py", "asyncio/base_events.py", "asyncio/tasks.py", "bdb.py", "bisect.py", "calendar.py",
    "codecs.py", "configparser.py", "contextlib.py", "csv.py", "dataclasses.py", "dis.py", "email/message.py", "enum.py",
    "functools.py", "heapq.py", "http/client.py", "http/server.py", "inspect.py", "json/decoder.py", "keyword.py",
    "logging/__init__.py", "os.py", "pathlib.py", "re/_parser.py", "ssl.py", "string.py", "tokenize.py", "typing.py",
    "urllib/parse.py", "urllib/request.py", "uuid.py",
)  # fmt: skip


@pytest.mark.parametrize("name", _FILES)
def test_standard_library(name: str) -> None:
    path = _STDLIB / name
    if not path.is_file():
        pytest.skip("not in this version of Python")
    source = path.read_bytes()
    program = lower(name, source)
    lines = source.decode().split("\n")
    for line, column, end_line, end_column in program.spans:
        assert 1 <= line <= end_line <= len(lines)
        assert (line, column) < (end_line, end_column)
        assert 1 <= column <= len(lines[line - 1])
        assert end_column <= len(lines[end_line - 1]) + 1
    for node in ir.walk(program):
        # What the source does not spell has the place of what it comes from.
        if type(node) is ir.Name and node.id not in ("AssertionError", "format"):
            line, column, end_line, end_column = program.spans[node.at]
            assert (line, lines[line - 1][column - 1 : end_column - 1].strip("'\"")) == (end_line, node.id)
    copied = msgspec.msgpack.decode(msgspec.msgpack.encode(program), type=ir.Program)
    assert copied.spans == program.spans
    assert _show(copied.body) == _show(program.body)


_SAMPLE = (
    _CLASS
    + """
@a.b(c)
async def f(x: int, *y, z=1, **w) -> "T":
    async with open(x) as (p, q), suppress(E):
        return {**w, "k": [i async for i in y if i], f"{x!r:>{z}}{{": (yield)}
    match x:
        case {"code": str(c), **rest} | [c, *rest] if (n := c): pass
    try:
        a = b[1:2, ...] = lambda *s: -s ** 2 if not s else 0x1F
    except* (A, B) as e:
        raise C from e
    finally:
        del a, b.c
"""
)


def _attempt(source: bytes) -> ir.Program | Unreadable:
    """What comes of a source that may be broken; any other exception is a fault."""
    try:
        return lower("a.py", source)
    except Unreadable as error:
        return error


def test_truncated_sources() -> None:
    source = _SAMPLE.encode()
    programs = 0
    for end in range(0, len(source), 7):
        result = _attempt(source[:end])
        if isinstance(result, Unreadable):
            assert result.kind == "syntax"
            assert 1 <= result.line <= source[:end].count(b"\n") + 1
        else:
            programs += 1
            assert all((line, column) < (end_line, end_column) for line, column, end_line, end_column in result.spans)
    assert programs > 5


def test_damaged_sources() -> None:
    choose = random.Random(1)
    for _ in range(300):
        start = choose.randrange(len(_SAMPLE))
        piece = choose.choice(("(", "]", "'", '"""', "{", "\n", ":", "f'", "\\", "\x00", " if ", "\t"))
        result = _attempt((_SAMPLE[:start] + piece + _SAMPLE[start + choose.randrange(3) :]).encode())
        assert isinstance(result, ir.Program) or result.message
