"""The small language-neutral program that every frontend lowers its source to.

Only the frontends know a grammar: everything behind them sees these nodes and no other. Two spellings of
one thing must give the same nodes, whatever the language (`x?.y` and `x.y` differ only in a flag, a Python
`with suppress(...)` is a `Try`, `a if t else b` and `t ? a : b` are one `Conditional`).

Every node carries `at`, an index into its program's `spans`. A span is `(line, column, end_line, end_column)`,
lines and columns 1-based, the end column exclusive. What a frontend cannot model becomes `Unknown` with its
children: it may hold the evidence, so nothing is ever dropped.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Literal as OneOf
from typing import TypeAlias, Union, dataclass_transform

import msgspec

Span: TypeAlias = tuple[int, int, int, int]


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class Node(msgspec.Struct, frozen=True, eq=False, tag=True, array_like=True, gc=False):
    """A node is equal to itself alone, so that a place is never taken for another that looks like it."""

    at: int


# --------------------------------------------------------------------------------------------- expressions


class Name(Node):
    """A variable, a function, an imported name: whatever the scope says."""

    id: str


class Literal(Node):
    """A constant. `null`, `undefined`, `None` are all None; a regular expression is its text; bytes are decoded.

    `null`: it is JavaScript's null, which undefined is not.
    """

    value: Union[str, int, float, bool, None]
    null: bool = False


class Text(Node):
    """A template literal or f-string: its pieces in order, the fixed ones as `Literal`."""

    parts: tuple[Expression, ...]


class Member(Node):
    """`object.name`; `optional` for `?.` (gives nothing, where the plain form raises, if the object is null)."""

    object: Expression
    name: str
    optional: bool = False


class Subscript(Node):
    """`object[key]`; `raises` says whether a missing key raises (Python) or gives undefined (JavaScript)."""

    object: Expression
    key: Expression
    raises: bool = False
    optional: bool = False


class Slice(Node):
    """`object[low:high]`; a method such as `.slice(0, 4)` stays a call."""

    object: Expression
    low: Union[Expression, None] = None
    high: Union[Expression, None] = None


class Argument(Node):
    """An argument of a call. `name` for a keyword; `spread` for `*x`, `...x`; both `name == "**"` and `spread` for `**x`."""

    value: Expression
    name: Union[str, None] = None
    spread: bool = False


class Call(Node):
    """A call; `new` for a constructor call that the language marks (JavaScript). Tagged templates are calls."""

    callee: Expression
    arguments: tuple[Argument, ...] = ()
    new: bool = False
    optional: bool = False


class Await(Node):
    """`await value`."""

    value: Expression


class Yield(Node):
    """`yield value` and `yield from value` (`delegates`)."""

    value: Union[Expression, None] = None
    delegates: bool = False


class Item(Node):
    """An entry of a mapping. `key` None means a spread: `{**value}`, `{...value}`. A plain key is a `Literal`."""

    key: Union[Expression, None]
    value: Expression


class Mapping(Node):
    """A dict or object literal. Methods in an object literal are items whose value is a `Lambda`."""

    items: tuple[Item, ...] = ()


class Spread(Node):
    """`*x` or `...x` inside a sequence, or the target that takes the rest of one."""

    value: Union[Expression, Target]


class Sequence(Node):
    """A list, tuple, set or array literal, or the targets of an unpacking."""

    items: tuple[Union[Expression, Target], ...] = ()


class Operator(Node):
    """An operator over its operands, flattened where it associates (`a + b + c` has three).

    `and`, `or`, `nullish` (`??`), `not`, `typeof`, `void`, `-`, `+`, `*`, `/`, `//`, `%`, `**`, `<<`, `>>`,
    `&`, `|`, `^`, `~`. `!x` is `not`, `&&` is `and`, `||` is `or`.
    """

    op: str
    operands: tuple[Expression, ...]


class Comparison(Node):
    """`left op right`; op is one of `==`, `!=`, `is`, `is not`, `<`, `<=`, `>`, `>=`, `in`, `not in`, `instanceof`.

    JavaScript's `===` and Python's `==` are `==`; the loose `==` and `!=` of JavaScript have `loose`, and so has
    `=== undefined`, since undefined and null are one value here and an absent key is not null.
    A chained comparison is an `and` of comparisons.
    """

    op: str
    left: Expression
    right: Expression
    loose: bool = False


class Conditional(Node):
    """`then if test else otherwise`."""

    test: Expression
    then: Expression
    otherwise: Expression


class Bind(Node):
    """An assignment used as an expression: Python's walrus, JavaScript's `x = y`, `x += y` (op), `x ??= y`."""

    target: Target
    value: Expression
    op: Union[str, None] = None


class Lambda(Node):
    """A function used as a value."""

    unit: Unit


class ClassValue(Node):
    """A class used as a value."""

    definition: Class


class Comprehension(Node):
    """A list, set, dict or generator comprehension: `element` (an `Item` value for dicts is its `Mapping`) for each."""

    element: Expression
    target: Target
    iterable: Expression
    tests: tuple[Expression, ...] = ()


class Element(Node):
    """A markup element (JSX, HTML). `attributes`: items, key None for a spread; children: elements and expressions."""

    tag: str
    attributes: tuple[Item, ...] = ()
    children: tuple[Expression, ...] = ()


class Unknown(Node):
    """What the frontend cannot model: `what` names the construct; all expressions within it are its children."""

    what: str
    children: tuple[Expression, ...] = ()


class PatternItem(Node):
    """One entry of a mapping pattern: `{key: target = default}`."""

    key: Expression
    target: Target
    default: Union[Expression, None] = None


class Pattern(Node):
    """JavaScript's object destructuring (and a mapping pattern of `match`). `rest` takes all other keys."""

    items: tuple[PatternItem, ...] = ()
    rest: Union[Target, None] = None


class Default(Node):
    """A target with a default inside an array pattern: `[a = 1] = xs`."""

    target: Target
    default: Expression


Expression: TypeAlias = Union[
    Name, Literal, Text, Member, Subscript, Slice, Call, Await, Yield, Mapping, Spread, Sequence, Operator, Comparison,
    Conditional, Bind, Lambda, ClassValue, Comprehension, Element, Unknown,
]  # fmt: skip
Target: TypeAlias = Union[Name, Member, Subscript, Slice, Sequence, Spread, Pattern, Default, Unknown]


# ---------------------------------------------------------------------------------------------- statements


class Assign(Node):
    """`target = value`. `declares`: `const`, `let`, `var`, a typed declaration. `op`: `+` for `+=`, `or` for `||=`.

    `a = b = c` is one Assign for each target, left to right. A declaration without value has value None.
    """

    target: Target
    value: Union[Expression, None]
    declares: bool = False
    op: Union[str, None] = None
    annotation: Union[Expression, None] = None


class Express(Node):
    """An expression for its effect."""

    value: Expression


class Branch(Node):
    """`if test: then else: otherwise`; `elif` nests in `otherwise`."""

    test: Expression
    then: Block
    otherwise: Block = ()


class Case(Node):
    """A case of a match: any of `tests` equals the subject; no tests is the default.

    `guard` is the case's own condition (Python's `case x if y`), `bind` the name that takes the subject.
    `falls`: the end of the body runs on into the next case (JavaScript without `break`).
    """

    tests: tuple[Expression, ...]
    body: Block
    falls: bool = False
    guard: Union[Expression, None] = None
    bind: Union[Target, None] = None


class Match(Node):
    """`switch` and `match`. `break` that ends a JavaScript case is removed by the frontend where it is last."""

    subject: Expression
    cases: tuple[Case, ...]


class Loop(Node):
    """`for target in iterable`, `while test`. `test` None and `iterable` None: for ever. `until`: body runs first (`do`)."""

    body: Block
    target: Union[Target, None] = None
    iterable: Union[Expression, None] = None
    test: Union[Expression, None] = None
    otherwise: Block = ()
    until: bool = False


class Break(Node):
    """`break`."""


class Continue(Node):
    """`continue`."""


class Handler(Node):
    """`except (types) as name`; no types: catches all."""

    types: tuple[Expression, ...]
    name: Union[Target, None]
    body: Block


class Try(Node):
    """`try`, with `otherwise` (Python's `else`) and `final`."""

    body: Block
    handlers: tuple[Handler, ...] = ()
    otherwise: Block = ()
    final: Block = ()


class With(Node):
    """`with value as target: body`; several items nest. `asynchronous` for `async with`."""

    value: Expression
    target: Union[Target, None]
    body: Block
    asynchronous: bool = False


class Return(Node):
    """`return value`. An arrow function with an expression body returns it."""

    value: Union[Expression, None] = None


class Raise(Node):
    """`raise value`, `throw value`; None raises again what is being handled. `assert` is a Branch with a Raise."""

    value: Union[Expression, None] = None


class Delete(Node):
    """`del target`, `delete target`."""

    target: Target


class Define(Node):
    """A named function; the name is bound in the scope it stands in."""

    unit: Unit


class DefineClass(Node):
    """A named class."""

    definition: Class


class Import(Node):
    """Binds `alias` to `name` of `module`. `name` None: the module itself (a namespace); "*": all names; "default".

    Python: the dotted module, with leading dots when relative. JavaScript: the specifier as written.
    `import a.b` binds `a` (module "a"); `import a.b as c` binds `c` (module "a.b").
    `const {x} = require('m')` is an Import of name "x"; `const m = require('m')` has name None and `common` true.
    """

    module: str
    name: Union[str, None]
    alias: str
    common: bool = False


class Export(Node):
    """Makes `value` the module's export `name`: "default", a name, or "=" for `module.exports = value`.

    A re-export has `module`: `export {a as b} from 'm'` (name "b", source "a"), `export * from 'm'` (name "*").
    """

    name: str
    value: Union[Expression, None] = None
    module: Union[str, None] = None
    source: Union[str, None] = None


class Scope(Node):
    """Python's `global` and `nonlocal`: these names belong to an outer scope."""

    names: tuple[str, ...]
    outermost: bool


class BlockStatement(Node):
    """A bare `{ … }` block or a labelled statement."""

    body: Block


Statement: TypeAlias = Union[
    Assign, Express, Branch, Match, Loop, Break, Continue, Try, With, Return, Raise, Delete, Define, DefineClass, Import,
    Export, Scope, BlockStatement,
]  # fmt: skip
Block: TypeAlias = tuple[Statement, ...]


# ------------------------------------------------------------------------------------------ units, classes


class Parameter(Node):
    """A parameter. `kind`: plain, rest (`*args`, `...args`), keywords (`**kwargs`). A destructured one has a pattern target."""

    target: Target
    default: Union[Expression, None] = None
    kind: OneOf["plain", "rest", "keywords"] = "plain"
    annotation: Union[Expression, None] = None
    decorators: tuple[Expression, ...] = ()
    keyword_only: bool = False


class Unit(Node):
    """A function, method or lambda. `span` of `at` covers it whole; `head` is the index of its `def` line or arrow."""

    name: str
    parameters: tuple[Parameter, ...]
    body: Block
    decorators: tuple[Expression, ...] = ()
    asynchronous: bool = False
    generator: bool = False
    kind: OneOf["function", "method", "static", "classmethod", "getter", "setter", "constructor"] = "function"
    arrow: bool = False
    head: int = 0
    annotation: Union[Expression, None] = None


class Class(Node):
    """A class. `body` holds its assignments (fields), `Define`s (methods) and other statements in order."""

    name: str
    bases: tuple[Argument, ...]
    body: Block
    decorators: tuple[Expression, ...] = ()


class Program(msgspec.Struct, frozen=True, eq=False):
    """One lowered file. `directives` are leading string statements ("use server", "use client"), and "#!" where a script names its interpreter.

    `problems` names parts that could not be read: (1-based line, message); what they hold is unknown.
    `text_lines` is the number of lines of the source. `types`: (module, name, alias) of what is imported as a type only.
    """

    path: str
    language: OneOf["python", "javascript", "typescript", "html", "settings"]
    body: Block
    spans: tuple[Span, ...]
    directives: tuple[str, ...] = ()
    problems: tuple[tuple[int, str], ...] = ()
    text_lines: int = 0
    types: tuple[tuple[str, str, str], ...] = ()

    def line(self, at: int) -> int:
        """The 1-based first line of a node."""
        return self.spans[at][0]


_PLAIN = ("int", "str", "bool", "OneOf", "Union[str, None]", "tuple[str, ...]", "tuple[Span", "tuple[tuple",
          "Union[str, int, float, bool, None]")  # fmt: skip
_holding: dict[type, tuple[str, ...]] = {}  # node type -> the fields in which nodes can stand


def fields(kind: type) -> tuple[str, ...]:
    """The fields of a node type (or of Program) that can hold nodes, by how they are declared."""
    found = _holding.get(kind)
    if found is None:
        declared = kind.__annotations__
        found = tuple(name for name, annotation in declared.items() if not str(annotation).startswith(_PLAIN))
        _holding[kind] = found
    return found


def module_of(node: object) -> str | None:
    """The module that an expression imports where it stands: `require('m')`, `import('m')`; None for any other node."""
    if type(node) is not Call or type(node.callee) is not Name or node.callee.id not in ("require", "import"):
        return None
    given = node.arguments[0].value if len(node.arguments) == 1 else None
    return given.value if type(given) is Literal and isinstance(given.value, str) else None


def children(node: object) -> Iterator[Node]:
    """The nodes directly below a node, in source order of its fields."""
    for field in fields(type(node)):
        value = getattr(node, field)
        if value.__class__ is tuple:
            yield from (item for item in value if isinstance(item, Node))
        elif isinstance(value, Node):
            yield value


def walk(root: object) -> Iterator[Node]:
    """All nodes below a node or program, the node itself first, in depth-first order, without recursion."""
    stack: list[Node] = [root] if isinstance(root, Node) else list(reversed(list(children(root))))
    while stack:
        node = stack.pop()
        yield node
        start = len(stack)
        for field in fields(node.__class__):
            value = getattr(node, field)
            if value.__class__ is tuple:
                stack.extend(value)
            elif value is not None:
                stack.append(value)
        stack[start:] = stack[start:][::-1]


@functools.cache
def nodes(program: Program) -> tuple[Node, ...]:
    """All nodes of a program as `walk` gives them; they are looked for once, however many questions are asked of them."""
    return tuple(walk(program))


def decorated(program: Program) -> Iterator[tuple[Unit, int]]:
    """The functions with decorators, and the 1-based line on which the first of them begins."""
    for node in nodes(program):
        if type(node) is Unit:
            first = min(map(program.line, (node.at, *(one.at for one in node.decorators))))
            if first < program.line(node.head):
                yield node, first


def joined(node: object) -> str | None:
    """The text of a literal, or of literals that are joined; None for what is none."""
    match node:
        case Literal(value=str() as text):
            return text
        case Operator(op="+", operands=parts) | Text(parts=parts):
            pieces = [joined(part) for part in parts]
            return "".join(filter(None, pieces)) if pieces and None not in pieces else None
    return None
