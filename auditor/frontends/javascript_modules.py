"""Imports and exports, of ECMAScript, CommonJS and TypeScript."""

from __future__ import annotations

from tree_sitter import Node as Syntax

from auditor.frontends.javascript_context import COMMENTS, Context, bare, last_named, statement
from auditor.frontends.javascript_patterns import names, object_pattern
from auditor.frontends.javascript_text import unquote
from auditor.program import (
    Assign,
    Define,
    DefineClass,
    Export,
    Import,
    Literal,
    Name,
    Pattern,
    Statement,
)

# -------------------------------------------------------------------------------------------------- imports


@statement("import_statement")
def import_statement(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`import … from 'm'`. What is imported as a type is no statement, nor is the module if nothing else is imported."""
    clause = None
    typed = False
    for child in node.children:
        if child.type in ("import_clause", "import_require_clause"):
            clause = child
        elif child.type in ("type", "typeof"):
            typed = True
    if typed:
        if clause is not None and clause.type == "import_clause":
            _types(context, clause, _module(context, node))
        return
    module = _module(context, clause if clause is not None and clause.type == "import_require_clause" else node)
    if clause is None:
        out.append(Import(context.at(node), module, None, ""))
    elif clause.type == "import_require_clause":
        alias = next((child for child in clause.children if child.type == "identifier"), clause)
        out.append(Import(context.at(node), module, None, context.text(alias), True))
    else:
        _clause(context, node, clause, module, out)


def _module(context: Context, node: Syntax) -> str:
    """The specifier in the `source` field."""
    source = node.child_by_field_name("source")
    return "" if source is None else unquote(context.text(source))


def _clause(context: Context, node: Syntax, clause: Syntax, module: str, out: list[Statement]) -> None:
    for child in clause.children:
        kind = child.type
        if kind == "identifier":
            out.append(Import(context.at(child), module, "default", context.text(child)))
        elif kind == "namespace_import":
            alias = last_named(child)
            out.append(Import(context.at(child), module, None, "" if alias is None else context.text(alias)))
        elif kind == "named_imports":
            specifiers = [item for item in child.children if item.type == "import_specifier"]
            for item in specifiers:
                name, local = _specifier(context, item)
                if _typed(item):
                    context.types.append((module, name, local))
                else:
                    out.append(Import(context.at(item), module, name, local))
            if not specifiers and len(clause.children) == 1:
                # `import {} from 'm'` still runs the module.
                out.append(Import(context.at(node), module, None, ""))


def _types(context: Context, clause: Syntax, module: str) -> None:
    """The names that `import type …` gives to types."""
    for child in clause.children:
        if child.type == "identifier":
            context.types.append((module, "default", context.text(child)))
        elif child.type == "named_imports":
            for item in child.children:
                if item.type == "import_specifier":
                    context.types.append((module, *_specifier(context, item)))


def _typed(node: Syntax) -> bool:
    return node.children[0].type in ("type", "typeof")


def _specifier(context: Context, node: Syntax) -> tuple[str, str]:
    """The two names of `a as b`; both are `a` without `as`."""
    name, alias = node.child_by_field_name("name"), node.child_by_field_name("alias")
    first = "" if name is None else _text(context, name)
    return first, first if alias is None else _text(context, alias)


def _text(context: Context, node: Syntax) -> str:
    text = context.text(node)
    return unquote(text) if node.type == "string" else text


@statement("import_alias")
def import_alias(context: Context, node: Syntax, out: list[Statement]) -> None:
    """TypeScript's `import a = N.M`: a constant."""
    parts = [child for child in node.children if child.is_named and child.type not in COMMENTS]
    if len(parts) == 2:
        name = Name(context.at(parts[0]), context.text(parts[0]))
        out.append(Assign(context.at(node), name, context.expression(parts[1]), True))


# ------------------------------------------------------------------------------------- require and import()


def required(context: Context, node: Syntax, function: str = "require") -> str | None:
    """The module of `require('m')`, or of `import('m')`; None for any other node."""
    if node.type != "call_expression" or node.has_error:
        return None
    callee = node.children[0]
    if callee.end_byte - callee.start_byte != len(function) or context.text(callee) != function:
        return None
    given = node.child_by_field_name("arguments")
    found = [child for child in given.children if child.is_named] if given is not None else []
    if len(found) != 1 or found[0].type not in ("string", "template_string"):
        return None
    text = context.text(found[0])
    return None if found[0].type == "template_string" and "${" in text else unquote(text)


def imported(context: Context, left: Syntax, value: Syntax, place: int, out: list[Statement]) -> bool:
    """Append the imports that a declaration `left = value` stands for; False if it is no import."""
    name: str | None = None
    kind = value.type
    if kind == "member_expression" and left.type == "identifier":
        last = value.child_by_field_name("property")
        name = None if last is None else context.text(last)
        value = bare(value.children[0])
        if name is None:
            return False
    elif kind not in ("call_expression", "await_expression"):
        return False
    found = _awaited(context, value)
    common = found is None
    module = required(context, value) if found is None else found
    if module is None:
        return False
    if left.type == "identifier":
        out.append(Import(place, module, name, context.text(left), common))
        return True
    return left.type == "object_pattern" and _destructured(context, left, value, module, place, out)


def _awaited(context: Context, node: Syntax) -> str | None:
    inner = last_named(node) if node.type == "await_expression" else None
    return None if inner is None else required(context, bare(inner), "import")


def _destructured(context: Context, left: Syntax, value: Syntax, module: str, place: int, out: list[Statement]) -> bool:
    """`const {a, b: c} = require('m')`. Entries that are more than a name stay a pattern over the call."""
    pattern = object_pattern(context, left)
    if pattern.rest is not None:
        return False
    common = value.type == "call_expression"
    others = []
    for item in pattern.items:
        key, bound = item.key, item.target
        if isinstance(key, Literal) and isinstance(bound, Name) and item.default is None:
            out.append(Import(item.at, module, str(key.value), bound.id, common))
        else:
            others.append(item)
    if others or not pattern.items:
        out.append(Assign(place, Pattern(pattern.at, tuple(others)), context.expression(value), True))
    return True


# -------------------------------------------------------------------------------------------------- exports


@statement("export_statement")
def export_statement(context: Context, node: Syntax, out: list[Statement]) -> None:
    """`export …`, in all its forms. What is exported as a type is dropped."""
    marks = {child.type for child in node.children}
    if "type" in marks or _type_star(context, node) or {"as", "namespace"} <= marks:
        return
    source = node.child_by_field_name("source")
    declared, value = node.child_by_field_name("declaration"), node.child_by_field_name("value")
    clause = next((child for child in node.children if child.type in ("export_clause", "namespace_export")), None)
    if clause is not None and clause.type == "export_clause":
        _export_clause(context, clause, None if source is None else _module(context, node), out)
    elif clause is not None:
        alias = last_named(clause)
        name = "" if alias is None else _text(context, alias)
        out.append(Export(context.at(node), name, None, _module(context, node)))
    elif source is not None:
        out.append(Export(context.at(node), "*", None, _module(context, node)))
    elif declared is not None:
        _export_declaration(context, node, declared, "default" in marks, out)
    elif value is not None:
        context.exporting = node if value.type == "class" else None
        found = context.named(value, "")
        context.exporting = None
        out.append(Export(context.at(node), "default", found))
    elif "=" in marks and (inner := last_named(node)) is not None:
        out.append(Export(context.at(node), "=", context.expression(inner)))


def _type_star(context: Context, node: Syntax) -> bool:
    """Whether this is `export type * from 'm'`, which the grammar does not know."""
    return any(child.type == "ERROR" and context.text(child) == "type" for child in node.children)


def _export_clause(context: Context, clause: Syntax, module: str | None, out: list[Statement]) -> None:
    for item in clause.children:
        if item.type != "export_specifier" or _typed(item):
            continue
        source, name = _specifier(context, item)
        place = context.at(item)
        value = Name(place, source) if module is None else None
        out.append(Export(place, name, value, module, None if module is None else source))


def _export_declaration(context: Context, node: Syntax, declared: Syntax, default: bool, out: list[Statement]) -> None:
    """A declaration and the export of each name that it binds."""
    first = len(out)
    context.exporting = node if "class" in declared.type else None
    context.statement(declared, out)
    context.exporting = None
    if context.namespaces:
        return
    place = context.at(node)
    for made in out[first:]:
        for name in _bound(made):
            out.append(Export(place, "default" if default else name, Name(place, name)))


def _bound(made: Statement) -> list[str]:
    if isinstance(made, Define):
        return [made.unit.name]
    if isinstance(made, DefineClass):
        return [made.definition.name]
    if isinstance(made, Import):
        return [made.alias]
    return [name.id for name in names(made.target)] if isinstance(made, Assign) else []


def export_of(context: Context, left: Syntax) -> str:
    """What an assignment to this target exports: "=" for `module.exports`, a name, or "" if nothing."""
    kind = left.type
    if kind not in ("member_expression", "subscript_expression"):
        return ""
    holder = left.children[0]
    text = "".join(context.text(holder).split()) if holder.end_byte - holder.start_byte < 40 else ""
    if kind == "member_expression":
        last = left.child_by_field_name("property")
        name = "" if last is None else context.text(last)
        if text == "module" and name == "exports":
            return "="
    else:
        index = left.child_by_field_name("index")
        name = unquote(context.text(index)) if index is not None and index.type == "string" else ""
    return name if text in ("exports", "module.exports") else ""
