"""The HTML frontend: elements, and scripts at their own lines."""

from __future__ import annotations

import time

import pytest

from auditor.frontends.errors import Unreadable
from auditor.frontends.html import OPEN_TAGS, lower
from auditor.program import Call, Element, Express, Import, Item, Lambda, Literal, Name, Program, Unknown, walk

PAGE = b"""<!DOCTYPE html>
<html>
<head>
<script src="app.js" defer></script>
<script>
  localStorage.setItem("token", "[[ token ]]");
</script>
<script type="application/json">{"a": 1</script>
<style>a { b: c }</style>
</head>
<body class='x [[ y ]]' data-x=1>
<p>Hi [[ user.name ]] &amp; you<br>
[% if a < b %]<b>x</b>[% endif %]
</body>
</html>
<script type="module">
import {a} from './m.js';
</script>
"""


def elements(program: Program, tag: str) -> list[Element]:
    return [node for node in walk(program) if isinstance(node, Element) and node.tag == tag]


def attributes(element: Element) -> dict[object, object]:
    return {plain(item)[0]: plain(item)[1] for item in element.attributes}


def plain(item: Item) -> tuple[object, object]:
    assert isinstance(item.key, Literal)
    assert isinstance(item.value, Literal)
    return item.key.value, item.value.value


def test_elements_nest_with_their_attributes() -> None:
    program = lower("a.html", PAGE)
    assert program.language == "html"
    assert program.problems == ()
    (body,) = elements(program, "body")
    assert attributes(body) == {"class": "x [[ y ]]", "data-x": "1"}
    assert program.spans[body.at][:2] == (11, 1)
    assert [attributes(script) for script in elements(program, "script")] == [
        {"src": "app.js", "defer": True},
        {},
        {"type": "application/json"},
        {"type": "module"},
    ]
    texts = [node.value for node in walk(program) if isinstance(node, Literal)]
    assert "Hi [[ user.name ]]" in texts
    assert "&" in texts


def test_scripts_follow_the_element_that_holds_them_at_their_own_lines() -> None:
    program = lower("a.html", PAGE)
    kinds = [type(statement).__name__ for statement in program.body]
    assert kinds == ["Express", "Express", "Express", "Import"]
    (call,) = [node for node in walk(program) if isinstance(node, Call)]
    assert program.spans[call.at] == (6, 3, 6, 47)
    imported = program.body[3]
    assert isinstance(imported, Import)
    assert (imported.module, imported.name, program.line(imported.at)) == ("./m.js", "a", 17)


def test_an_error_in_a_script_is_a_problem_of_the_page() -> None:
    program = lower("a.html", b"<p>\n<script>\nf(a;\n</script>\n<script>g()</script></p>")
    assert [line for line, _ in program.problems] == [3]
    assert len([node for node in walk(program) if isinstance(node, Call)]) == 2


@pytest.mark.parametrize("lang", ["ts", "tsx"])
def test_components_of_vue(lang: str) -> None:
    program = lower(
        "a.vue",
        f'<template><div v-if="a" @click="b($event)">{{{{ c }}}}</div></template>\n'
        f'<script setup lang="{lang}">\nconst a = x as string\n</script>'.encode(),
    )
    assert program.problems == ()
    condition, handler = elements(program, "div")[0].attributes
    assert isinstance(condition.value, Name)
    assert isinstance(handler.value, Lambda)
    assert [program.line(statement.at) for statement in program.body] == [3, 1, 2]


def test_templates_do_not_break_a_page() -> None:
    program = lower("a.html", b'<input value="{{ a|default:"x" }}"><%= foo %></div>{{ secret }}')
    assert elements(program, "input")
    assert "secret" in [node.id for node in walk(program) if isinstance(node, Name)]


def test_every_prefix_gives_a_program() -> None:
    for end in range(len(PAGE)):
        program = lower("a.html", PAGE[:end])
        assert all(0 <= node.at < len(program.spans) for node in walk(program))


def test_nesting_is_bounded() -> None:
    program = lower("a.html", b"<a>" * 2000 + b"</a>" * 2000)
    assert program.problems == ((1, "nested too deeply to be read"),)
    assert any(isinstance(node, Unknown) and node.what == "too deep" for node in walk(program))


@pytest.mark.parametrize("source", [b"<a>" * 300_000, b'<a b="' * 100_000, b"<div\n>" * 100_000])
def test_too_many_open_tags_are_unreadable(source: bytes) -> None:
    start = time.perf_counter()
    with pytest.raises(Unreadable) as caught:
        lower("a.html", source)
    assert caught.value.kind == "too-deep"
    assert time.perf_counter() - start < 2


def test_long_lists_are_not_deep() -> None:
    source = b"<ul>" + b"<li>x<br><img src=a /><path d='' /><b>y</b>" * (2 * OPEN_TAGS) + b"</ul>"
    program = lower("a.html", source)
    assert len(elements(program, "li")) == 2 * OPEN_TAGS
    assert isinstance(program.body[0], Express)
