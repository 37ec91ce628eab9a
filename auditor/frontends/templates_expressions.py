"""The expressions of template languages that are no programming language's: Jinja, Django, Twig, Liquid; Handlebars.

`user.token|default('')` is `default(user.token, '')`. What cannot be read is Unknown with the names and texts in it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from auditor.program import (
    Argument,
    Call,
    Comparison,
    Conditional,
    Expression,
    Item,
    Literal,
    Mapping,
    Member,
    Name,
    Operator,
    Sequence,
    Slice,
    Subscript,
    Text,
    Unknown,
)

DEPTH = 50
"""Nested expressions; deeper is Unknown."""

_TOKEN = re.compile(
    r"\s+"
    r"|(?P<text>\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')"
    r"|(?P<number>\d+(?:\.\d+)?)"
    r"|(?P<name>[^\W\d][\w$]*)"
    r"|(?P<mark>===|!==|==|!=|<=|>=|\*\*|//|\?\?|\?:|&&|\|\||\.\.|[-+*/%~<>|.,:()\[\]{}?!=@#&$^])",
    re.DOTALL,
)
_CONSTANTS: dict[str, bool | None] = {
    "true": True, "false": False, "none": None, "null": None, "nil": None, "True": True, "False": False, "None": None,
}  # fmt: skip
_COMPARISONS = {
    "==": "==", "!=": "!=", "===": "==", "!==": "!=", "<": "<", ">": ">", "<=": "<=", ">=": ">=", "in": "in",
}  # fmt: skip
_BINARY = (("+", "-"), ("*", "/", "//", "%"), ("**",))
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}

Place = Callable[[int, int], int]
"""Makes the span of two offsets of the text that is read."""


class Token(NamedTuple):
    """A token with its place; the last has the kind ""."""

    kind: str
    text: str
    start: int
    end: int


class Misread(Exception):
    """The text is no expression of the language."""


def tokens_of(text: str) -> list[Token]:
    """All tokens; a character that begins none is passed over."""
    found: list[Token] = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is not None and match.lastgroup is not None:
            found.append(Token(match.lastgroup, match[0], position, match.end()))
        position = match.end() if match is not None else position + 1
    return [*found, Token("", "", len(text), len(text))]


def expression(text: str, place: Place) -> Expression:
    """The whole text as one expression; Unknown with what is in it if it is none."""
    reader = Reader(text, place)
    try:
        value = reader.whole()
        reader.finish()
    except Misread:
        return loose(text, place)
    return value


def arguments(text: str, place: Place) -> tuple[Expression, ...]:
    """What a tag is given: expressions one after another, with or without commas and keywords."""
    reader = Reader(text, place)
    found: list[Expression] = []
    try:
        while reader.next.kind:
            if reader.next.kind == "name" and reader.peek().text == "=":
                reader.take()
                reader.take()
            found.append(reader.whole())
            reader.skip(",")
    except Misread:
        return (loose(text, place),)
    return tuple(found)


def loop(text: str, place: Place) -> tuple[Expression, Expression, Expression | None]:
    """Target, iterable and condition of `a, b in c if d`. Raises Misread if it is none."""
    reader = Reader(text, place)
    names = [reader.target()]
    while reader.skip(","):
        names.append(reader.target())
    target: Expression = names[0] if len(names) == 1 else Sequence(place(0, len(text)), tuple(names))
    if not reader.skip("in"):
        raise Misread
    iterable = reader.either()
    return target, iterable, reader.whole() if reader.skip("if") else None


def loose(text: str, place: Place) -> Unknown:
    """The names and texts of what cannot be read."""
    found: list[Expression] = []
    for token in tokens_of(text):
        if token.kind == "name":
            found.append(Name(place(token.start, token.end), token.text))
        elif token.kind == "text":
            found.append(Literal(place(token.start, token.end), _text(token.text)))
    return Unknown(place(0, len(text)), "template", tuple(found))


class Reader:
    """Reads by descent, one method for each strength of operators."""

    def __init__(self, text: str, place: Place) -> None:
        self._tokens = tokens_of(text)
        self._place = place
        self._index = 0
        self._depth = 0

    # ------------------------------------------------------------------------------------------- tokens

    @property
    def next(self) -> Token:
        """The token to be taken."""
        return self._tokens[self._index]

    def peek(self) -> Token:
        """The token behind it."""
        return self._tokens[min(self._index + 1, len(self._tokens) - 1)]

    def take(self) -> Token:
        """The next token."""
        token = self.next
        self._index += token.kind != ""
        return token

    def skip(self, text: str) -> bool:
        """Take the next token if it is this mark or word."""
        if self.next.text == text and self.next.kind in ("mark", "name"):
            self.take()
            return True
        return False

    def expect(self, text: str) -> None:
        """Take this mark. Raises Misread if it does not stand there."""
        if not self.skip(text):
            raise Misread

    def finish(self) -> None:
        """Raises Misread if anything is left."""
        if self.next.kind:
            raise Misread

    def _at(self, start: int) -> int:
        return self._place(start, self._tokens[max(self._index - 1, 0)].end)

    def target(self) -> Expression:
        """A name that a loop binds."""
        token = self.take()
        if token.kind != "name":
            raise Misread
        return Name(self._place(token.start, token.end), token.text)

    # -------------------------------------------------------------------------------------- expressions

    def whole(self) -> Expression:
        """`a if b else c`, `a ? b : c`, or what binds stronger."""
        self._depth += 1
        if self._depth > DEPTH:
            raise Misread
        start = self.next.start
        value = self.either()
        if self.skip("if"):
            test = self.either()
            otherwise = self.whole() if self.skip("else") else Literal(self._at(start), None)
            value = Conditional(self._at(start), test, value, otherwise)
        elif self.skip("?"):
            then = self.whole()
            otherwise = self.whole() if self.skip(":") else Literal(self._at(start), None)
            value = Conditional(self._at(start), value, then, otherwise)
        elif self.next.text in ("?:", "??"):
            op = "or" if self.take().text == "?:" else "nullish"
            value = Operator(self._at(start), op, (value, self.whole()))
        self._depth -= 1
        return value

    def either(self) -> Expression:
        """`a or b`."""
        return self._flat("or", ("or", "||"), lambda: self._flat("and", ("and", "&&"), self._negated))

    def _flat(self, op: str, spellings: tuple[str, ...], below: Callable[[], Expression]) -> Expression:
        start = self.next.start
        found = [below()]
        while self.next.text in spellings and self.next.kind != "text":
            self.take()
            found.append(below())
        return found[0] if len(found) == 1 else Operator(self._at(start), op, tuple(found))

    def _negated(self) -> Expression:
        start, count = self.next.start, 0
        while self.next.text in ("not", "!") and self.next.kind != "text":
            self.take()
            count += 1
        value = self._compared()
        for _ in range(count % 2 if count > 2 else count):
            value = Operator(self._at(start), "not", (value,))
        return value

    def _compared(self) -> Expression:
        start = self.next.start
        value = self._joined()
        while self.next.kind in ("mark", "name"):
            text = self.next.text
            if text in _COMPARISONS:
                self.take()
                value = Comparison(self._at(start), _COMPARISONS[text], value, self._joined())
            elif text == "not" and self.peek().text == "in":
                self.take()
                self.take()
                value = Comparison(self._at(start), "not in", value, self._joined())
            elif text in ("is", "contains"):
                self.take()
                value = self._tested(start, value) if text == "is" else self._contains(start, value)
            else:
                break
        return value

    def _contains(self, start: int, value: Expression) -> Expression:
        inner = self._joined()
        return Comparison(self._at(start), "in", inner, value)

    def _tested(self, start: int, value: Expression) -> Expression:
        """`x is none`, and Jinja's tests: `x is defined` is `defined(x)`."""
        negative = self.skip("not")
        token = self.take()
        if token.kind != "name":
            raise Misread
        if token.text in _CONSTANTS:
            constant = Literal(self._place(token.start, token.end), _CONSTANTS[token.text])
            return Comparison(self._at(start), "is not" if negative else "is", value, constant)
        given = [Argument(value.at, value)]
        if self.next.text == "(":
            given.extend(self._arguments())
        elif self.next.kind in ("number", "text"):
            argument = self._primary()
            given.append(Argument(argument.at, argument))
        made = Call(self._at(start), Name(self._place(token.start, token.end), token.text), tuple(given))
        return Operator(self._at(start), "not", (made,)) if negative else made

    def _joined(self) -> Expression:
        """`a ~ b` puts texts together."""
        start = self.next.start
        found = [self._arithmetic(0)]
        while self.skip("~"):
            found.append(self._arithmetic(0))
        return found[0] if len(found) == 1 else Text(self._at(start), tuple(found))

    def _arithmetic(self, level: int) -> Expression:
        if level == len(_BINARY):
            return self._signed()
        start = self.next.start
        value = self._arithmetic(level + 1)
        while self.next.kind == "mark" and self.next.text in _BINARY[level]:
            op = self.take().text
            value = Operator(self._at(start), op, (value, self._arithmetic(level + 1)))
        return value

    def _signed(self) -> Expression:
        start = self.next.start
        if self.next.kind == "mark" and self.next.text in "+-":
            op = self.take().text
            return Operator(self._at(start), op, (self._postfix(),))
        return self._postfix()

    def _postfix(self) -> Expression:
        """Members, subscripts, calls and filters behind a value."""
        start = self.next.start
        value = self._primary()
        links = 0
        while self.next.kind == "mark":
            links += 1
            if links > DEPTH:
                raise Misread
            text = self.next.text
            if text == ".":
                self.take()
                value = self._member(start, value)
            elif text == "[":
                self.take()
                value = self._subscript(start, value)
            elif text == "(":
                given = self._arguments()
                value = Call(self._at(start), value, given)
            elif text == "|":
                self.take()
                value = self._filter(start, value)
            else:
                break
        return value

    def _member(self, start: int, value: Expression) -> Expression:
        token = self.take()
        if token.kind == "number":  # Django: `items.0`
            at = self._place(token.start, token.end)
            return Subscript(self._at(start), value, Literal(at, int(float(token.text[:9]))))
        if token.kind != "name":
            raise Misread
        return Member(self._at(start), value, token.text)

    def _subscript(self, start: int, value: Expression) -> Expression:
        low = None if self.next.text == ":" else self.whole()
        if self.skip(":"):
            high = None if self.next.text == "]" else self.whole()
            self.expect("]")
            return Slice(self._at(start), value, low, high)
        self.expect("]")
        if low is None:
            raise Misread
        return Subscript(self._at(start), value, low)

    def _filter(self, start: int, value: Expression) -> Expression:
        """`value|name`, `value|name(a)`, `value|name:a`: a call that is given the value first."""
        token = self.take()
        if token.kind != "name":
            raise Misread
        callee: Expression = Name(self._place(token.start, token.end), token.text)
        end = token.end
        while self.next.text == "." and self.peek().kind == "name":
            self.take()
            part = self.take()
            callee, end = Member(self._place(token.start, part.end), callee, part.text), part.end
        given = [Argument(value.at, value)]
        if self.next.text == "(":
            given.extend(self._arguments())
        elif self.next.text == ":" and self.next.start == end:  # in Twig's `a ? b|c : d` there is a blank
            self.take()
            argument = self._argument_of_filter()
            given.append(Argument(argument.at, argument))
        return Call(self._at(start), callee, tuple(given))

    def _argument_of_filter(self) -> Expression:
        start = self.next.start
        value = self._primary()
        while self.next.text == "." and self.next.kind == "mark":
            self.take()
            value = self._member(start, value)
        return value

    def _arguments(self) -> tuple[Argument, ...]:
        self.expect("(")
        found: list[Argument] = []
        while not self.skip(")"):
            start, name = self.next.start, None
            if self.next.kind == "name" and self.peek().text == "=":
                name = self.take().text
                self.take()
            spread = self.skip("*") or self.skip("**")
            value = self.whole()
            found.append(Argument(self._at(start), value, name, spread))
            if not self.skip(",") and self.next.text != ")":
                raise Misread
        return tuple(found)

    def _primary(self) -> Expression:
        token = self.take()
        at = self._place(token.start, token.end)
        if token.kind == "text":
            return Literal(at, _text(token.text))
        if token.kind == "number":
            return Literal(at, float(token.text) if "." in token.text else int(token.text[:18]))
        if token.kind == "name":
            return Literal(at, _CONSTANTS[token.text]) if token.text in _CONSTANTS else Name(at, token.text)
        if token.text == "(":
            items = self._items(")")
            return items[0] if len(items) == 1 else Sequence(self._at(token.start), items)
        if token.text == "[":
            return Sequence(self._at(token.start), self._items("]"))
        if token.text == "{":
            return Mapping(self._at(token.start), self._entries())
        raise Misread

    def _items(self, closing: str) -> tuple[Expression, ...]:
        found: list[Expression] = []
        while not self.skip(closing):
            found.append(self.whole())
            if not self.skip(",") and self.next.text != closing:
                raise Misread
        return tuple(found)

    def _entries(self) -> tuple[Item, ...]:
        found: list[Item] = []
        while not self.skip("}"):
            start = self.next.start
            key = self._primary()
            if isinstance(key, Name):
                key = Literal(key.at, key.id)
            self.expect(":")
            value = self.whole()
            found.append(Item(self._at(start), key, value))
            if not self.skip(",") and self.next.text != "}":
                raise Misread
        return tuple(found)


def _text(spelling: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPES.get(match[1], match[1]), spelling[1:-1])


# -------------------------------------------------------------------------------------------- Handlebars

_PART = re.compile(
    r"\s+|(?P<text>\"[^\"]*\"|'[^']*')|(?P<number>-?\d+(?:\.\d+)?)(?![\w.])|(?P<key>[\w-]+)=|(?P<path>[@\w./\[\]$-]+)"
    r"|(?P<mark>[()|])"
)


def handlebars(text: str, place: Place) -> Expression:
    """A path, or a helper with what it is given: `helper a.b "text" key=value (other c)`."""
    parts = [
        Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup), match.end(match.lastgroup))
        for match in _PART.finditer(text)
        if match.lastgroup is not None
    ]
    try:
        value, rest = _helper(parts, place, DEPTH)
    except Misread:
        return loose(text, place)
    return value if not rest else loose(text, place)


def _helper(parts: list[Token], place: Place, depth: int) -> tuple[Expression, list[Token]]:
    """The call or value at the beginning of the parts, and the parts behind it."""
    if not parts or depth == 0:
        raise Misread
    first, parts = _value(parts, place, depth)
    given: list[Argument] = []
    end = first.at
    while parts and not (parts[0].kind == "mark" and parts[0].text in ")|"):
        name = None
        if parts[0].kind == "key":
            name, parts = parts[0].text, parts[1:]
        value, parts = _value(parts, place, depth)
        given.append(Argument(value.at, value, name))
    return (Call(end, first, tuple(given)) if given else first), parts


def _value(parts: list[Token], place: Place, depth: int) -> tuple[Expression, list[Token]]:
    if not parts:
        raise Misread
    token, rest = parts[0], parts[1:]
    at = place(token.start, token.end)
    if token.kind == "text":
        return Literal(at, token.text[1:-1]), rest
    if token.kind == "number":
        return Literal(at, float(token.text) if "." in token.text else int(token.text[:18])), rest
    if token.kind == "path":
        return _path(token.text, at), rest
    if token.kind == "mark" and token.text == "(":
        value, rest = _helper(rest, place, depth - 1)
        if not rest or rest[0].text != ")":
            raise Misread
        return value, rest[1:]
    raise Misread


def _path(text: str, at: int) -> Expression:
    """`a.b`, `a/b`, `../a`, `this.a`, `@root.a`."""
    if text in _CONSTANTS:
        return Literal(at, _CONSTANTS[text])
    names = [name.strip("[]") for name in re.split(r"[./]", text) if name.strip("[]")]
    if len(names) > 1 and names[0] in ("this", "@root"):
        names = names[1:]
    if not names or len(names) > DEPTH:
        return Name(at, text[:100])
    value: Expression = Name(at, names[0])
    for name in names[1:]:
        value = Member(at, value, name)
    return value
