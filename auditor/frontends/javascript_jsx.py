"""JSX: markup elements."""

from __future__ import annotations

import html

from tree_sitter import Node as Syntax

from auditor.frontends.javascript_context import COMMENTS, Context, expression, last_named
from auditor.frontends.javascript_text import markup_text
from auditor.program import Element, Expression, Item, Literal, Unknown

_TEXT = frozenset({"jsx_text", "html_character_reference"})


@expression("jsx_element")
def element(context: Context, node: Syntax) -> Element:
    """`<a x={y}>…</a>`; a fragment has the tag ""."""
    place = context.at(node)
    opening = node.child_by_field_name("open_tag")
    tag, attributes = ("", ()) if opening is None else _opening(context, opening)
    return Element(place, tag, attributes, tuple(_children(context, node)))


@expression("jsx_self_closing_element")
def closed_element(context: Context, node: Syntax) -> Element:
    """`<a x={y} />`."""
    place = context.at(node)
    tag, attributes = _opening(context, node)
    return Element(place, tag, attributes)


@expression("jsx_expression")
def embedded(context: Context, node: Syntax) -> Expression:
    """`{x}`: the expression itself; nothing where it is empty."""
    inner = last_named(node)
    return Literal(context.at(node), None) if inner is None else context.expression(inner)


def _opening(context: Context, node: Syntax) -> tuple[str, tuple[Item, ...]]:
    """The tag as it is written and the attributes in order."""
    named = node.child_by_field_name("name")
    items: list[Item] = []
    for child in node.children:
        if child.type == "jsx_attribute":
            items.append(_attribute(context, child))
        elif child.type == "jsx_expression":
            items.append(_spread(context, child))
    return "" if named is None else "".join(context.text(named).split()), tuple(items)


def _spread(context: Context, node: Syntax) -> Item:
    place = context.at(node)
    inner = last_named(node)
    if inner is not None and inner.type == "spread_element":
        inner = last_named(inner)
    return Item(place, None, Unknown(place, "missing") if inner is None else context.expression(inner))


def _attribute(context: Context, node: Syntax) -> Item:
    """One attribute; without a value it is true."""
    place = context.at(node)
    parts = [child for child in node.children if child.is_named and child.type not in COMMENTS]
    key = Literal(context.at(parts[0]), context.text(parts[0])) if parts else Literal(place, "")
    if len(parts) < 2:
        return Item(place, key, Literal(place, True))
    value = parts[-1]
    if value.type == "string":
        # A JSX string has entities and no escapes.
        return Item(place, key, Literal(context.at(value), html.unescape(context.text(value)[1:-1])))
    return Item(place, key, context.expression(value))


def _children(context: Context, node: Syntax) -> list[Expression]:
    """Elements and expressions, and text that is not blank; text and entities beside one another are one text."""
    found: list[Expression] = []
    run: list[Syntax] = []
    for child in node.children:
        kind = child.type
        if kind in _TEXT:
            run.append(child)
            continue
        found.extend(_text(context, run))
        run.clear()
        if kind == "jsx_expression":
            inner = last_named(child)
            if inner is not None:
                found.append(context.expression(inner))
        elif kind in ("jsx_element", "jsx_self_closing_element"):
            found.append(context.expression(child))
    found.extend(_text(context, run))
    return found


def _text(context: Context, run: list[Syntax]) -> tuple[Literal, ...]:
    if not run:
        return ()
    written = context.source[run[0].start_byte : run[-1].end_byte].decode("utf-8", "replace")
    text = markup_text(written)
    return (Literal(context.across(run[0], run[-1]), text),) if text else ()
