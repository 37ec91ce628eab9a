"""Templates: HTML with the tags of Jinja, Django, Twig, Liquid, EJS, Handlebars, Svelte or Vue in it.

A tag is replaced by a placeholder of the same length, so that every place stays; the rest is HTML, and afterwards the
placeholders become what they stand for. A placeholder is one letter of the private use area, which says which tag it
is, and underscores: to HTML it is text, to JavaScript a name. So `"a{{ b }}"` in a script or an attribute is a Text.

- `{{ x }}` is the expression x where it stands, `{% if %}` a Branch among statements, a Conditional among the children
  and attributes of an element; `{% for %}` a Loop or a Comprehension. What has no partner there, and every tag that is
  neither, is Unknown with its expressions.
- In a script a condition between statements is a Branch, one inside an expression (`x = {% if a %}1{% endif %};`) a
  Conditional.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple, cast

from tree_sitter import Node as Syntax
from tree_sitter import Range

from auditor.frontends import templates_expressions as reading
from auditor.frontends.errors import Unreadable
from auditor.frontends.html import page
from auditor.frontends.javascript import Grammar, lower_tree, parse
from auditor.frontends.javascript_context import Context
from auditor.frontends.templates_tags import MOST, Tag, find_tags, raw_ranges, syntax_of, within
from auditor.frontends.templates_tags import Syntax as Language
from auditor.program import (
    Argument,
    Bind,
    Block,
    Branch,
    Call,
    Comprehension,
    Conditional,
    Element,
    Express,
    Expression,
    Item,
    Lambda,
    Literal,
    Loop,
    Member,
    Name,
    Node,
    Operator,
    Pattern,
    Slice,
    Spread,
    Statement,
    Subscript,
    Target,
    Text,
    Unit,
    Unknown,
)
from auditor.program import Sequence as Items

_FIRST, _LAST = 0xE000, 0xF8FF
_MARK = re.compile("[\ue000-\uf8ff]")
_CALLED = frozenset({"url", "static", "trans", "csrf_token", "get_static_prefix", "asset", "path"})
_TARGETS = (Name, Member, Subscript, Slice, Items, Spread, Pattern, Unknown)
_TEXTS = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`", re.DOTALL)
_KEY = re.compile(r"\s*[\w$\"'-]+\s*:")
_BEFORE_VALUE = re.compile(r"(?:[=(,:?\[+|&]|\breturn)\s*$")


class Filled(NamedTuple):
    """A tag with what it stands for: an output's value, a condition, what a loop goes over."""

    tag: Tag
    value: Expression
    target: Target | None = None


class TemplateContext(Context):
    """A file while it is lowered: HTML and scripts are read from `masked`, expressions and places from `original`."""

    __slots__ = ("_lines", "original")

    def __init__(self, original: bytes) -> None:
        super().__init__(original)
        self.original = original
        self._lines = [0, *(match.end() for match in re.finditer(rb"\n", original))]

    def problem(self, node: Syntax, message: str) -> None:
        """Note what could not be read, at the line of the original."""
        self.problems.setdefault(bisect_right(self._lines, node.start_byte), message)

    def place(self, start: int, end: int) -> int:
        """A new span between two offsets."""
        self.starts.append(start)
        self.ends.append(end)
        return len(self.starts) - 1

    def range(self, start: int, end: int) -> Range:
        """A range for the parser."""
        first, last = bisect_right(self._lines, start) - 1, bisect_right(self._lines, end) - 1
        return Range((first, start - self._lines[first]), (last, end - self._lines[last]), start, end)


def lower(path: str, source: bytes) -> tuple[Context, list[Statement]] | None:
    """The context and statements of a template; None if the file is none.

    Of a component (Svelte, Vue) the scripts come first: its markup uses their names.
    """
    language = syntax_of(path, source)
    tags = find_tags(source, language) if language is not None else []
    if language is None or (not tags and language != "vue"):
        return None
    context = TemplateContext(source)
    filled = [_fill(context, tag, language) for tag in tags]
    if len(tags) >= MOST:
        context.problems.setdefault(source.count(b"\n", 0, tags[-1].start) + 1, f"more than {MOST} tags of a template")
    context.source, between = _masked(source, tags)
    body = page(context)
    raw, masked = raw_ranges(context.source), context.source
    context.source = source
    filler = _Filler(context, language, filled, between, masked)
    if language in ("svelte", "vue"):
        body.sort(key=lambda one: within(context.starts[one.at], raw) is None)
    return context, [*filler.page(body, raw), *filler.left_over()]


# ----------------------------------------------------------------------------------------- expressions


def _fill(context: TemplateContext, tag: Tag, language: Language) -> Filled:
    """What a tag stands for."""
    if context.original.startswith(b"{{", tag.start) and language == "ejs":
        language = "jinja"
    if tag.kind in ("else", "end", "comment"):
        return Filled(tag, Unknown(context.place(tag.start, tag.end), tag.word or tag.kind))
    if language in ("jinja", "handlebars"):
        return _fill_template(context, tag, language)
    if tag.kind == "loop":
        return _fill_loop(context, tag, language)
    if tag.kind == "other":
        value = _script(context, tag.inner, tag.until)
        return Filled(tag, Unknown(context.place(tag.start, tag.end), tag.word, (value,)))
    return Filled(tag, _script(context, tag.inner, tag.until))


def _fill_template(context: TemplateContext, tag: Tag, language: Language) -> Filled:
    text = context.original[tag.inner : tag.until].decode("utf-8", "replace")
    place = _placer(context, text, tag.inner)
    read = reading.handlebars if language == "handlebars" else reading.expression
    if tag.kind == "loop":
        if language == "handlebars":
            iterable, _, names = text.partition(" as ")
            name = names.strip("| ").split(" ")[0] or "this"
            return Filled(tag, read(iterable, place), Name(place(0, len(text)), name))
        try:
            target, iterated, _ = reading.loop(text, place)
        except reading.Misread:
            return Filled(tag, reading.loose(text, place))
        return Filled(tag, iterated, cast("Target", target))
    if tag.kind == "other":
        return Filled(tag, _other(tag, text, place, language))
    value = read(text, place)
    return Filled(tag, Operator(value.at, "not", (value,)) if tag.kind == "unless" else value)


def _other(tag: Tag, text: str, place: reading.Place, language: Language) -> Expression:
    """A tag that neither prints an expression nor decides what is printed."""
    if language == "handlebars":
        return Unknown(place(0, len(text)), tag.word, (reading.handlebars(text, place),))
    if tag.word in ("set", "assign"):
        name, sign, value = text.partition("=")
        if sign and name.strip().isidentifier():
            start = len(name) + 1

            def shifted(begin: int, end: int) -> int:
                return place(start + begin, start + end)

            target = Name(place(0, len(name.rstrip())), name.strip())
            return Bind(place(0, len(text)), target, reading.expression(value, shifted))
    given = reading.arguments(text, place)
    at = place(0, len(text))
    if tag.word in _CALLED:
        return Call(at, Name(at, tag.word), tuple([Argument(one.at, one) for one in given]))
    return Unknown(at, tag.word, given)


def _placer(context: TemplateContext, text: str, start: int) -> reading.Place:
    """Makes spans of offsets in characters of a text that begins at a byte."""
    if text.isascii():
        return lambda begin, end: context.place(start + begin, start + end)

    def place(begin: int, end: int) -> int:
        return context.place(start + len(text[:begin].encode()), start + len(text[:end].encode()))

    return place


_LOOPS = (
    re.compile(rb"(?:const|let|var)?\s*(?P<target>[\w$]+)\s+(?:of|in)\s+(?P<iterable>.+)", re.DOTALL),
    re.compile(
        rb"(?P<iterable>.+)\.(?:forEach|map)\s*\(\s*(?:async\s+)?(?:function\s*)?\(?\s*(?P<target>[\w$]+)[^()]*\)?\s*(?:=>)?\s*\{",
        re.DOTALL,
    ),
)
_EACH = re.compile(rb"(?P<iterable>.+?)\s+as\s+(?P<target>[\w$]+)", re.DOTALL)


def _fill_loop(context: TemplateContext, tag: Tag, language: Language) -> Filled:
    """`for (const a of b)`, `b.forEach(a => {`, Svelte's `b as a`; any other head of a loop is only looked at."""
    patterns = (_EACH,) if language == "svelte" else _LOOPS
    for pattern in patterns:
        match = pattern.match(context.original, tag.inner, tag.until)
        if match is not None:
            value = _script(context, *match.span("iterable"))
            name = Name(context.place(*match.span("target")), match["target"].decode("utf-8", "replace"))
            return Filled(tag, value, name)
    return Filled(tag, _script(context, tag.inner, tag.until))


def _script(context: TemplateContext, start: int, end: int, grammar: Grammar = "javascript") -> Expression:
    """The JavaScript between two offsets: one expression, or what it does as Unknown."""
    place = context.place(start, end)
    if start >= end:
        return Literal(place, None)
    try:
        root = parse(context.source, grammar, [context.range(start, end)]).root_node
    except Unreadable:
        return Unknown(place, "script")
    if root.has_error:  # the head of a block, or another language's filter
        return Unknown(place, "script", context.recover(root.children))
    body = lower_tree(context, root)
    if len(body) == 1 and isinstance(body[0], Express):
        return body[0].value
    return Unknown(place, "code", (Lambda(place, Unit(place, "", (), body, arrow=True)),))


# ----------------------------------------------------------------------------------------------- masks


def _letter(index: int) -> bytes:
    return chr(_FIRST + index).encode()


def _masked(source: bytes, tags: Sequence[Tag]) -> tuple[bytes, set[int]]:
    """The source with a placeholder for every tag, and the indices of those that stand between statements of a script.

    Those are blanks in the text: they are put back by where they stood.
    """
    text = bytearray(source)
    for index, tag in enumerate(tags):
        text[tag.start : tag.end] = _placeholder(index, tag)
    raw = raw_ranges(bytes(text))
    inside: dict[tuple[int, int], list[int]] = {}
    for index, tag in enumerate(tags):
        holder = within(tag.start, raw)
        if holder is not None and tag.kind not in ("output", "comment"):
            inside.setdefault(holder, []).append(index)
    between: set[int] = set()
    for (start, end), found in inside.items():
        between |= _mask_script(text, start, end, tags, found)
    return bytes(text), between


def _placeholder(index: int, tag: Tag) -> bytes:
    """What stands for a tag in HTML and, if it prints something, in a script."""
    length = tag.end - tag.start
    if tag.kind == "comment":
        return b" " * length
    filling = b"_" * (length - 3)
    if tag.kind in ("output", "other"):
        return _letter(index) + filling
    return _letter(index) + filling[:-1] + b" "  # so that an attribute behind it is one


def _mask_script(text: bytearray, start: int, end: int, tags: Sequence[Tag], found: list[int]) -> set[int]:
    """Mask the tags of one script that decide: gives those that stand between statements."""
    script = text[start:end].decode("latin-1")  # a character for each byte
    texts = [match.span() for match in _TEXTS.finditer(script)]
    open_: list[bool] = []
    between: set[int] = set()
    for index in found:
        tag = tags[index]
        offset = tag.start - start
        if within(offset, texts) is not None:
            continue
        opens = tag.kind in ("if", "unless", "loop")
        if opens:
            before = script[max(0, offset - 40) : offset]
            in_value = _BEFORE_VALUE.search(before) is not None and _KEY.match(script, tag.end - start) is None
            open_.append(tag.kind != "loop" and in_value)
        inline = bool(open_) and open_[-1]
        if tag.kind == "end" and open_:
            open_.pop()
        if inline and tag.kind != "code":
            text[tag.start : tag.end] = _inline(index, tag, _has_else(tags, found, index))
        elif tag.kind == "other" and _BEFORE_VALUE.search(script[max(0, offset - 40) : offset]) is not None:
            continue  # `x = {% url 'a' %}` prints a value
        else:
            text[tag.start : tag.end] = b" " * (tag.end - tag.start)
            between.add(index)
    return between


def _has_else(tags: Sequence[Tag], found: list[int], index: int) -> bool:
    """Whether the condition that ends here has an `else` of its own."""
    depth = 0
    for other in reversed(found[: found.index(index)]):
        kind = tags[other].kind
        if kind == "end":
            depth += 1
        elif kind in ("if", "unless", "loop"):
            if depth == 0:
                return False
            depth -= 1
        elif kind == "else" and depth == 0:
            return True
    return False


def _inline(index: int, tag: Tag, has_else: bool) -> bytes:
    """A condition within an expression, as JavaScript's own: `(a ? b : c)`."""
    length = tag.end - tag.start
    if tag.kind in ("if", "unless"):
        return b"(" + _letter(index) + b"_" * (length - 5) + b"?"
    if tag.kind == "elif":
        return b":" + _letter(index) + b"_" * (length - 5) + b"?"
    if tag.kind == "else":
        return b":".ljust(length)
    if tag.kind == "end":
        return (b")" if has_else else b":0)").ljust(length)
    return _letter(index) + b"_" * (length - 3)


# --------------------------------------------------------------------------------- putting back, pairing


class _Filler:
    """Replaces placeholders in a lowered page by what they stand for."""

    def __init__(
        self,
        context: TemplateContext,
        language: Language,
        filled: Sequence[Filled],
        between: set[int],
        masked: bytes,
    ) -> None:
        self._masked = masked
        self._context = context
        self._language = language
        self._filled = filled
        self._between = sorted(between)
        self._between_at = [filled[index].tag.start for index in self._between]
        self._placed: set[int] = set()

    # -------------------------------------------------------------------------------------- statements

    def page(self, body: Sequence[Statement], raw: list[tuple[int, int]]) -> list[Statement]:
        """The statements of a page. Those of one script are filled together, with the tags that stand among them."""
        pieces: list[Any] = []
        script: list[Statement] = []
        holder: tuple[int, int] | None = None
        for statement in body:
            now = within(self._context.starts[statement.at], raw)
            if now != holder and holder is not None:
                pieces.extend(self.block(tuple(script), *holder))
                script = []
            holder = now
            if holder is not None:
                script.append(statement)
            else:
                pieces.extend(self._statement(statement))
        if holder is not None:
            pieces.extend(self.block(tuple(script), *holder))
        return self._paired(pieces, _StatementMaker(self))

    def block(self, body: Block, low: int, high: int) -> Block:
        """Statements with their placeholders filled. Tags between `low` and `high` that stand among them are paired."""
        starts, ends = self._context.starts, self._context.ends
        pieces: list[Any] = []
        number, stop = bisect_left(self._between_at, low), bisect_left(self._between_at, high)
        for statement in body:
            before = bisect_left(self._between_at, starts[statement.at], number, max(number, stop))
            pieces.extend(self._put(self._between[number:before]))
            number = max(before, bisect_left(self._between_at, ends[statement.at]))
            pieces.extend(self._statement(statement))
        pieces.extend(self._put(self._between[number:stop]))
        return tuple(self._paired(pieces, _StatementMaker(self)))

    def _put(self, indices: Sequence[int]) -> list[Filled]:
        """These tags, which have found their place."""
        new = [index for index in indices if index not in self._placed]
        self._placed.update(new)
        return [self._filled[index] for index in new]

    def _statement(self, statement: Statement) -> Iterator[Any]:
        """A statement filled. A text of the page's top level is taken apart."""
        if isinstance(statement, Express) and isinstance(statement.value, Literal):
            pieces = self.pieces(statement.value)
            if pieces is not None:
                for piece in pieces:
                    if isinstance(piece, Literal):
                        piece = Literal(piece.at, str(piece.value).strip())
                        if piece.value:
                            yield Express(piece.at, piece)
                    elif piece.tag.kind == "output":
                        yield Express(piece.value.at, Element(piece.value.at, "", (), (piece.value,)))
                    else:
                        yield piece
                return
        yield cast("Statement", self._node(statement))

    def left_over(self) -> list[Statement]:
        """Tags of scripts that stand inside a statement, such as an object: nothing is dropped."""
        rest = [self._filled[index].value for index in self._between if index not in self._placed]
        return [Express(one.at, one) for one in rest if not (isinstance(one, Unknown) and not one.children)]

    # ------------------------------------------------------------------------------------------- nodes

    def _node(self, node: Any) -> Any:
        """A node with everything below it filled; the same node if there is nothing to fill."""
        kind = type(node)
        if kind is Literal:
            pieces = self.pieces(node)
            return node if pieces is None else self._text(node.at, pieces)
        if kind is Name:
            return self._name(node)
        if kind is Element:
            return self._element(node)
        if kind is Text:
            return self._joined(node)
        if kind is Member:
            pieces = self.pieces(Literal(node.at, node.name))
            if pieces is not None:
                return Subscript(node.at, self._node(node.object), self._text(node.at, pieces), False, node.optional)
        fields = kind.__struct_fields__
        old = [getattr(node, field) for field in fields]
        new = self._fields(node, fields, old)
        return kind(*new) if any(one is not other for one, other in zip(old, new, strict=True)) else node

    def _fields(self, node: Any, fields: tuple[str, ...], old: list[Any]) -> list[Any]:
        new: list[Any] = []
        low, high = self._context.starts[node.at], self._context.ends[node.at]
        for number, (field, value) in enumerate(zip(fields, old, strict=True)):
            if isinstance(value, Node):
                made = self._node(value)
                if field in ("target", "rest") and not isinstance(made, _TARGETS):
                    made = Unknown(value.at, "template", (made,))
                new.append(made)
            elif isinstance(value, tuple) and value and isinstance(value[0], Node):
                if field in ("body", "then", "otherwise", "final"):
                    upper = self._upper(value, old[number + 1 :], high)
                    made = self.block(value, low, upper)
                    low = upper
                else:
                    made = tuple([self._node(one) for one in value])
                same = len(made) == len(value) and all(one is other for one, other in zip(made, value, strict=True))
                new.append(value if same else made)
            elif isinstance(value, str) and field != "op":
                new.append(_clean(value))
            else:
                new.append(value)
        return new

    def _upper(self, block: Block, values: Sequence[Any], high: int) -> int:
        """Where a block of a statement ends: at its brace, if another block follows it."""
        for value in values:
            if isinstance(value, tuple) and value and isinstance(value[0], Node):
                follows = min(high, self._context.starts[value[0].at])
                brace = self._masked.find(b"}", self._context.ends[block[-1].at], max(0, follows))
                return follows if brace < 0 else brace
        return high

    def _name(self, node: Name) -> Any:
        pieces = self.pieces(Literal(node.at, node.id))
        if pieces is None:
            return node
        if isinstance(pieces[0], Filled) and not node.id[1:].strip("_"):
            return pieces[0].value
        found = tuple([one.value if isinstance(one, Filled) else Name(one.at, str(one.value)) for one in pieces])
        return Unknown(node.at, "template", found)

    def _element(self, node: Element) -> Element:
        attributes = tuple(self._attributes(node))
        children = tuple(self._children(node.children))
        return Element(node.at, _clean(node.tag), attributes, children)

    def _children(self, children: Sequence[Expression]) -> list[Expression]:
        """The children of an element, with the text between them taken apart."""
        pieces: list[Any] = []
        for child in children:
            found = self.pieces(child) if isinstance(child, Literal) else None
            if found is None:
                pieces.append(self._node(child))
                continue
            for piece in found:
                if isinstance(piece, Literal):
                    piece = Literal(piece.at, str(piece.value).strip())
                    if not piece.value:
                        continue
                pieces.append(piece)
        return self._paired(pieces, _ExpressionMaker(self))

    def _attributes(self, node: Element) -> list[Item]:
        """Attributes; a tag that stands among them is a spread, a condition around some is one in their values."""
        pieces: list[Any] = []
        for item in node.attributes:
            key = self.pieces(item.key) if isinstance(item.key, Literal) else None
            value = self._bound(item) if self._language == "vue" else self._node(item.value)
            if key is None:
                pieces.append(item if value is item.value else Item(item.at, _bare_key(item.key), value))
                continue
            bare = isinstance(item.value, Literal) and item.value.value is True
            if bare:
                pieces.extend(
                    piece if isinstance(piece, Filled) else Item(item.at, piece, item.value)
                    for piece in key
                    if isinstance(piece, Filled) or str(piece.value).strip()
                )
            else:
                pieces.append(Item(item.at, self._text(item.at, key), value))
        return self._paired(pieces, _ItemMaker(self))

    def _bound(self, item: Item) -> Expression:
        """The value of an attribute of Vue: JavaScript where its name says so, and for events what is done then."""
        key, value = item.key, item.value
        if not isinstance(key, Literal) or not isinstance(value, Literal) or not isinstance(value.value, str):
            return cast("Expression", self._node(value))
        if not str(key.value).startswith((":", "v-", "@")):
            return value
        start, end = self._context.starts[value.at], self._context.ends[value.at]
        quoted = self._context.source[start : start + 1] in (b"'", b'"')
        made = _script(self._context, start + quoted, end - quoted)
        if not str(key.value).startswith(("@", "v-on")) or isinstance(made, (Name, Member, Lambda)):
            return made
        return Lambda(made.at, Unit(made.at, "", (), (Express(made.at, made),), arrow=True))

    # ------------------------------------------------------------------------------------------- texts

    def pieces(self, node: Literal) -> list[Any] | None:
        """The fixed parts of a text and the tags between them; None if there is no tag in it."""
        if not isinstance(node.value, str) or _MARK.search(node.value) is None:
            return None
        found: list[Any] = []
        position = 0
        for match in _MARK.finditer(node.value):
            filled = self._meant(match[0], node.at)
            if filled is None:
                continue
            if match.start() > position:
                found.append(Literal(node.at, node.value[position : match.start()]))
            found.append(filled)
            # A text that was stripped may lack the blank at a placeholder's end.
            position = min(len(node.value), match.start() + 1 + filled.tag.end - filled.tag.start - 3)
        if not found:
            return None
        if position < len(node.value):
            found.append(Literal(node.at, node.value[position:]))
        return found

    def _meant(self, letter: str, at: int) -> Filled | None:
        """The tag that a letter stands for, if it lies in the place: a page may have such letters of its own."""
        index = ord(letter) - _FIRST
        if index >= len(self._filled):
            return None
        filled = self._filled[index]
        lies = self._context.starts[at] < filled.tag.end and filled.tag.start < self._context.ends[at]
        return filled if lies else None

    def _text(self, at: int, pieces: list[Any]) -> Expression:
        """The pieces as one text."""
        parts = self._paired(pieces, _ExpressionMaker(self))
        if len(parts) == 1 and self._language in ("svelte", "vue"):
            return cast("Expression", parts[0])  # a value, which need not be a text
        return Text(at, tuple(parts))

    def _joined(self, node: Text) -> Text:
        """A template literal: its fixed parts taken apart."""
        pieces: list[Any] = []
        for part in node.parts:
            found = self.pieces(part) if isinstance(part, Literal) else None
            pieces.extend([self._node(part)] if found is None else found)
        return Text(node.at, tuple(self._paired(pieces, _ExpressionMaker(self))))

    # ----------------------------------------------------------------------------------------- pairing

    def _paired(self, pieces: Sequence[Any], maker: _Maker) -> list[Any]:
        """The pieces with what stands between the tags of a condition or loop put inside it.

        One pass with a stack; what is open at the end, and what closes nothing, is kept as Unknown.
        """
        stack: list[_Open] = []
        out: list[Any] = []
        for piece in pieces:
            if not isinstance(piece, Filled):
                out.append(piece)
                continue
            kind = piece.tag.kind
            if kind in ("if", "unless", "loop"):
                stack.append(_Open(piece, out))
                out = []
            elif kind in ("elif", "else") and stack:
                stack[-1].parts.append((piece, out))
                out = []
            elif kind == "end" and stack:
                opened = stack.pop()
                made = maker.make(opened, out)
                out = opened.before
                out.extend(made)
            else:
                out.extend(maker.loose(piece))
        while stack:
            opened = stack.pop()
            rest, out = out, opened.before
            out.extend(maker.loose(opened.tag))
            for tag, part in opened.parts:
                out.extend(part)
                out.extend(maker.loose(tag))
            out.extend(rest)
        return out


class _Open:
    """A condition or loop that is open: its tag, what stood before it, and for each `else` so far what stood before that."""

    __slots__ = ("before", "parts", "tag")

    def __init__(self, tag: Filled, before: list[Any]) -> None:
        self.tag = tag
        self.before = before
        self.parts: list[tuple[Filled, list[Any]]] = []

    def branches(self, last: list[Any]) -> list[tuple[Filled, list[Any]]]:
        """Each tag with what follows it."""
        tags = [self.tag, *(tag for tag, _ in self.parts)]
        bodies = [*(body for _, body in self.parts), last]
        return list(zip(tags, bodies, strict=True))


class _Maker:
    """Makes of tags what fits where they stand."""

    def __init__(self, filler: _Filler) -> None:
        self.filler = filler

    def make(self, opened: _Open, last: list[Any]) -> list[Any]:
        """A condition or loop with all that stands in it."""
        raise NotImplementedError

    def loose(self, filled: Filled) -> list[Any]:
        """A tag without a partner, or one that needs none."""
        raise NotImplementedError


def _kept(filled: Filled) -> Expression | None:
    """A tag as an expression of its own; None for one that says nothing."""
    if filled.tag.kind in ("output", "other", "code"):
        return filled.value
    if filled.tag.kind in ("else", "end", "comment"):
        return None
    return Unknown(filled.value.at, "template", (filled.value,))


class _StatementMaker(_Maker):
    def make(self, opened: _Open, last: list[Any]) -> list[Any]:
        if opened.tag.tag.kind == "loop":
            (tag, body), *rest = opened.branches(last)
            otherwise = tuple([one for _, part in rest for one in part])
            if tag.target is None:
                return [Loop(tag.value.at, tuple(body), test=tag.value, otherwise=otherwise)]
            return [Loop(tag.value.at, tuple(body), tag.target, tag.value, otherwise=otherwise)]
        made: Block = ()
        for tag, body in reversed(opened.branches(last)):
            made = tuple(body) if tag.tag.kind == "else" else (Branch(tag.value.at, tag.value, tuple(body), made),)
        return list(made)

    def loose(self, filled: Filled) -> list[Any]:
        kept = _kept(filled)
        if kept is None:
            return []
        if isinstance(kept, Unknown) and kept.what == "code" and isinstance(kept.children[0], Lambda):
            return list(kept.children[0].unit.body)  # whole statements of EJS
        return [Express(kept.at, kept)]


class _ExpressionMaker(_Maker):
    def make(self, opened: _Open, last: list[Any]) -> list[Any]:
        branches = opened.branches(last)
        at = opened.tag.value.at
        if opened.tag.tag.kind == "loop":
            element = _group(at, [one for _, body in branches for one in body])
            if opened.tag.target is None:
                return [Unknown(at, "loop", (opened.tag.value, element))]
            return [Comprehension(at, element, opened.tag.target, opened.tag.value)]
        made: Expression = Literal(at, None)
        for tag, body in reversed(branches):
            inner = _group(tag.value.at, body)
            made = inner if tag.tag.kind == "else" else Conditional(tag.value.at, tag.value, inner, made)
        return [made]

    def loose(self, filled: Filled) -> list[Any]:
        kept = _kept(filled)
        return [] if kept is None else [kept]


class _ItemMaker(_Maker):
    def make(self, opened: _Open, last: list[Any]) -> list[Any]:
        if opened.tag.tag.kind == "loop":
            return [*self.loose(opened.tag), *(one for _, body in opened.branches(last) for one in body)]
        out: list[Any] = []
        negated: list[Expression] = []
        for tag, body in opened.branches(last):
            own = [*negated, *([tag.value] if tag.tag.kind != "else" else [])]
            test = own[0] if len(own) == 1 else Operator(tag.value.at, "and", tuple(own))
            for item in body:
                value = Conditional(item.at, test, item.value, Literal(item.at, None))
                out.append(Item(item.at, item.key, value))
            if tag.tag.kind != "else":
                negated.append(Operator(tag.value.at, "not", (tag.value,)))
        return out or self.loose(opened.tag)

    def loose(self, filled: Filled) -> list[Any]:
        kept = _kept(filled)
        return [] if kept is None else [Item(kept.at, None, kept)]


def _group(at: int, children: list[Any]) -> Expression:
    """Several children as one: a fragment, as in JSX."""
    if not children:
        return Literal(at, None)
    return cast("Expression", children[0]) if len(children) == 1 else Element(at, "", (), tuple(children))


def _bare_key(key: Expression | None) -> Expression | None:
    """An attribute's name without the sign of Vue that its value is an expression."""
    if not isinstance(key, Literal) or not isinstance(key.value, str) or not key.value.startswith((":", "v-bind:")):
        return key
    return Literal(key.at, key.value.removeprefix("v-bind").removeprefix(":"))


def _clean(text: str) -> str:
    """A name without placeholders."""
    return re.sub("[\ue000-\uf8ff]_*", "", text) if _MARK.search(text) is not None else text
