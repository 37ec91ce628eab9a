"""HTML, and single-file components of Vue and Svelte: markup as elements, scripts as the statements that they are.

Each outermost element is a statement; the statements of the scripts inside it follow it, at their own lines. Markup
has no syntax errors here: browsers take anything. What the grammar cannot place is kept as text. Problems are those of
the scripts, and what is too deep. The tags of template languages (`{{ x }}`, `{% if %}`) are for `templates`.
"""

from __future__ import annotations

import html
import re
from functools import cache

import tree_sitter_html
from tree_sitter import Language, Parser
from tree_sitter import Node as Syntax

from auditor.frontends.errors import Unreadable
from auditor.frontends.javascript import Grammar, lower_tree, parse, readable
from auditor.frontends.javascript_context import NESTING, Context
from auditor.program import Element, Express, Expression, Item, Literal, Program, Statement, Unknown

OPEN_TAGS = 3000
"""Tags open at one place. The grammar's own time grows with their square: 30,000 take seconds, 300,000 minutes."""

_TAG = re.compile(rb"<(/?)([a-zA-Z][^\s<>/]*)([^<>]*)")
_UNNESTED = frozenset(
    b"area base br col dd dt embed hr img input li link meta p param rp rt source td th tr track wbr".split()
)
"""Elements that need no end tag."""

_SCRIPTS = frozenset({"", "module", "text/javascript", "application/javascript", "text/ecmascript", "text/babel",
                      "text/jsx", "text/typescript", "application/x-javascript"})  # fmt: skip
_ELEMENTS = frozenset({"element", "script_element", "style_element"})
_TEXT = frozenset({"text", "entity", "ERROR"})


def lower(path: str, source: bytes) -> Program:
    """The program of one file. Raises Unreadable if it is binary, too large or has too many tags open at once."""
    from auditor.frontends import templates  # it reads HTML with `page`

    text = readable(source)
    template = templates.lower(path, text)
    if template is not None:
        context, body = template
    else:
        context = Context(text)
        body = page(context)
    lines = text.count(b"\n") + (not text.endswith(b"\n") and bool(text))
    return Program(path, "html", tuple(body), context.spans(), (), tuple(sorted(context.problems.items())), lines)


def page(context: Context) -> list[Statement]:
    """The statements of a page: its outermost elements, each followed by the statements of the scripts inside it."""
    _bound_tags(context.source)
    body: list[Statement] = []
    for node in _children(Parser(_language()).parse(context.source).root_node):
        scripts: list[Syntax] = []
        value = _child(context, node, scripts)
        if value is not None:
            body.append(Express(value.at, value))
        for script in scripts:
            body.extend(_script(context, script))
    return body


@cache
def _language() -> Language:
    return Language(tree_sitter_html.language())


def _bound_tags(source: bytes) -> None:
    """Raise Unreadable where too many tags are open, by one scan of the text that knows no grammar."""
    depth = 0
    for match in _TAG.finditer(source):
        if match[2].lower() in _UNNESTED or match[3].endswith(b"/"):
            continue
        depth = max(0, depth - 1) if match[1] else depth + 1
        if depth > OPEN_TAGS:
            raise Unreadable("too-deep", f"more than {OPEN_TAGS} open tags", source[: match.start()].count(b"\n") + 1)


def _children(node: Syntax) -> list[Syntax]:
    return [child for child in node.children if child.type in _ELEMENTS or child.type in _TEXT]


def _child(context: Context, node: Syntax, scripts: list[Syntax]) -> Expression | None:
    """An element, or text that is not blank. Scripts found on the way are added to `scripts` in order."""
    if node.type in _ELEMENTS:
        return _element(context, node, scripts)
    text = html.unescape(context.text(node)).strip()
    return Literal(context.at(node), text) if text else None


def _element(context: Context, node: Syntax, scripts: list[Syntax]) -> Expression:
    """An element with its attributes and children. The code of a script and the text of a style are not its children."""
    if context.depth >= NESTING:
        return context.too_deep(node)
    place = context.at(node)
    opening = next((child for child in node.children if child.type in ("start_tag", "self_closing_tag")), None)
    tag, attributes = ("", ()) if opening is None else _opening(context, opening)
    if node.type != "element":
        if node.type == "script_element":
            scripts.append(node)
        return Element(place, tag, attributes)
    context.depth += 1
    found = [_child(context, child, scripts) for child in _children(node)]
    context.depth -= 1
    return Element(place, tag, attributes, tuple([child for child in found if child is not None]))


def _opening(context: Context, node: Syntax) -> tuple[str, tuple[Item, ...]]:
    """The tag and attributes of a start tag. What is no attribute is a spread of unknown attributes."""
    tag = ""
    items: list[Item] = []
    for child in node.children:
        if child.type == "tag_name":
            tag = context.text(child)
        elif child.type == "attribute":
            items.append(_attribute(context, child))
        elif child.type == "ERROR":
            place = context.at(child)
            items.append(Item(place, None, Unknown(place, "markup", (Literal(place, context.text(child)),))))
    return tag, tuple(items)


def _attribute(context: Context, node: Syntax) -> Item:
    """One attribute, its name as written; without a value it is true."""
    place = context.at(node)
    name, *rest = [child for child in node.children if child.is_named]
    key = Literal(context.at(name), context.text(name))
    if not rest:
        return Item(place, key, Literal(place, True))
    text = context.text(rest[0])
    if rest[0].type == "quoted_attribute_value":
        text = text[1:-1]
    return Item(place, key, Literal(context.at(rest[0]), html.unescape(text)))


def _script(context: Context, node: Syntax) -> tuple[Statement, ...]:
    """The statements of a script in the file's own places; none if it is not JavaScript or TypeScript."""
    code = next((child for child in node.children if child.type == "raw_text"), None)
    opening = next((child for child in node.children if child.type == "start_tag"), None)
    if code is None or opening is None or code.start_byte == code.end_byte:
        return ()
    given = {key.lower(): value.lower() for key, value in _plain_attributes(context, opening)}
    if given.get("type", "").split(";")[0].strip() not in _SCRIPTS:
        return ()
    try:
        return lower_tree(context, parse(context.source, _grammar(given), [code.range]).root_node)
    except Unreadable as error:
        context.problem(code, error.message)
        place = context.at(code)
        return (Express(place, Unknown(place, "script")),)


def _plain_attributes(context: Context, node: Syntax) -> list[tuple[str, str]]:
    _, items = _opening(context, node)
    return [
        (str(item.key.value), str(item.value.value))
        for item in items
        if isinstance(item.key, Literal) and isinstance(item.value, Literal)
    ]


def _grammar(given: dict[str, str]) -> Grammar:
    """The grammar for a script's attributes: `lang="ts"` and its like."""
    lang = given.get("lang", "")
    if lang == "tsx":
        return "tsx"
    return "typescript" if lang in ("ts", "typescript") or given.get("type") == "text/typescript" else "javascript"
