"""Templates: every tag becomes what it stands for, at its own line, whatever stands around it."""

from __future__ import annotations

import time

import pytest

from auditor.frontends.errors import Unreadable
from auditor.frontends.html import lower
from auditor.frontends.templates_expressions import expression, handlebars
from auditor.frontends.templates_tags import LONGEST, MOST
from auditor.program import Call, Element, Literal, Name, Node, Program, Text, walk


def show(value: object) -> str:
    """A node in one line, without its place and without what has its default."""
    if isinstance(value, tuple):
        return "[" + ", ".join(show(one) for one in value) + "]"
    if isinstance(value, Literal):
        return repr(value.value)
    if isinstance(value, Name):
        return value.id
    if isinstance(value, Node):
        names = [name for name in type(value).__struct_fields__ if name not in ("at", "kind", "head", "arrow")]
        parts = [(name, getattr(value, name)) for name in names]
        inner = ", ".join(f"{name}={show(part)}" for name, part in parts if part not in (None, False, (), ""))
        return f"{type(value).__name__}({inner})"
    return str(value)


def page(path: str, source: str) -> Program:
    program = lower(path, source.encode())
    assert program.language == "html"
    assert not any("\ue000" <= letter <= "\uf8ff" for letter in show(program.body)), "a placeholder was left"
    return program


def lines(path: str, source: str) -> list[tuple[int, str]]:
    program = page(path, source)
    assert program.problems == ()
    return [(program.line(statement.at), show(statement)) for statement in program.body]


def attribute(path: str, source: str, name: str) -> str:
    found = [
        item.value
        for element in walk(page(path, source))
        if isinstance(element, Element)
        for item in element.attributes
        if isinstance(item.key, Literal) and item.key.value == name
    ]
    return show(found[0])


def script(source: str, path: str = "a.html") -> list[tuple[int, str]]:
    """The statements of a script that begins on line 2."""
    program = page(path, f"<script>\n{source}\n</script>")
    return [(program.line(statement.at), show(statement)) for statement in program.body[1:]]


# ------------------------------------------------------------------------------------------- expressions


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user.token", "Member(object=user, name=token)"),
        ("a|default('')", "Call(callee=default, arguments=[Argument(value=a), Argument(value='')])"),
        ('a|default:"x"|safe', ("Call(callee=safe, arguments=[Argument(value=Call(callee=default, arguments="
         "[Argument(value=a), Argument(value='x')]))])")),
        ("items.0.name", "Member(object=Subscript(object=items, key=0), name=name)"),
        ("a['b'][1:2]", "Slice(object=Subscript(object=a, key='b'), low=1, high=2)"),
        ("url_for('x', code=1)", "Call(callee=url_for, arguments=[Argument(value='x'), Argument(value=1, name=code)])"),
        ("a == b|length", "Comparison(op===, left=a, right=Call(callee=length, arguments=[Argument(value=b)]))"),
        ("not a and b or c", "Operator(op=or, operands=[Operator(op=and, operands=[Operator(op=not, operands=[a]), b]), c])"),
        ("a is not none", "Comparison(op=is not, left=a, right=None)"),
        ("a is not defined", "Operator(op=not, operands=[Call(callee=defined, arguments=[Argument(value=a)])])"),
        ("a not in b", "Comparison(op=not in, left=a, right=b)"),
        ("'x' if a else 'y'", "Conditional(test=a, then='x', otherwise='y')"),
        ("a ? b : c", "Conditional(test=a, then=b, otherwise=c)"),
        ("'a' ~ b", "Text(parts=['a', b])"),
        ("a + b * -2", "Operator(op=+, operands=[a, Operator(op=*, operands=[b, Operator(op=-, operands=[2])])])"),
        ("{'a': [1, (2, true)]}", "Mapping(items=[Item(key='a', value=Sequence(items=[1, Sequence(items=[2, True])]))])"),
        ("a b 'c'", "Unknown(what=template, children=[a, b, 'c'])"),
        ("", "Unknown(what=template)"),
        ("(" * 100, "Unknown(what=template)"),
    ],
)  # fmt: skip
def test_expressions_of_jinja_and_django(text: str, expected: str) -> None:
    assert show(expression(text, lambda _start, _end: 0)) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("user.token", "Member(object=user, name=token)"),
        ("../a/b", "Member(object=a, name=b)"),
        ("this.a", "a"),
        ("this", "this"),
        ("help a.b \"t\" 1 k=(f x)", ("Call(callee=help, arguments=[Argument(value=Member(object=a, name=b)), Argument(value='t'), "
         "Argument(value=1), Argument(value=Call(callee=f, arguments=[Argument(value=x)]), name=k)])")),
        ("(((", "Unknown(what=template)"),
    ],
)  # fmt: skip
def test_expressions_of_handlebars(text: str, expected: str) -> None:
    assert show(handlebars(text, lambda _start, _end: 0)) == expected


# ------------------------------------------------------------------------------------------------ markup


def test_jinja_in_markup() -> None:
    text = """\
{% extends "base.html" %}
{% block body %}
<p>Hi {{ user.name }}!
{# comment #}</p>
{% if token %}
<b>{{ token }}</b>
{% elif x %}two
{% else %}<i>no</i>{% endif %}
<ul>{% for a in b %}<li>{{ a }}</li>{% endfor %}</ul>
{{ outer }}
{% for a, b in c %}
<p>{{ a }}</p>{% endfor %}
{% include "part.html" %}
{% endblock %}
"""
    assert lines("a.html", text) == [
        (1, "Express(value=Unknown(what=extends, children=['base.html']))"),
        (2, "Express(value=Unknown(what=block, children=[body]))"),
        (3, "Express(value=Element(tag=p, children=['Hi', Member(object=user, name=name), '!']))"),
        (5, ("Branch(test=token, then=[Express(value=Element(tag=b, children=[token]))], otherwise=[Branch(test=x, "
            "then=[Express(value='two')], otherwise=[Express(value=Element(tag=i, children=['no']))])])")),
        (9, ("Express(value=Element(tag=ul, children=[Comprehension(element=Element(tag=li, children=[a]), target=a, "
            "iterable=b)]))")),
        (10, "Express(value=Element(children=[outer]))"),
        (11, "Loop(body=[Express(value=Element(tag=p, children=[a]))], target=Sequence(items=[a, b]), iterable=c)"),
        (13, "Express(value=Unknown(what=include, children=['part.html']))"),
    ]  # fmt: skip


def test_attributes() -> None:
    link = '<a href="https://x/authorize?client_id={{ id }}&amp;state={{ s|e }}">x</a>'
    assert attribute("a.html", link, "href") == (
        "Text(parts=['https://x/authorize?client_id=', id, '&state=', Call(callee=e, arguments=[Argument(value=s)])])"
    )
    assert attribute("a.html", "<a href=\"{% url 'start' a=b %}\">x</a>", "href") == (
        "Text(parts=[Call(callee=url, arguments=[Argument(value='start'), Argument(value=b)])])"
    )
    assert attribute("a.html", '<a class="a {% if x %}b{% else %}c{% endif %}">x</a>', "class") == (
        "Text(parts=['a ', Conditional(test=x, then='b', otherwise='c')])"
    )
    assert attribute("a.html", '<a {% if x %}class="y"{% endif %}>x</a>', "class") == (
        "Conditional(test=x, then='y', otherwise=None)"
    )
    assert attribute("a.html", "<input value={{ v }}>", "value") == "Text(parts=[v])"
    spread = page("a.html", "<input {{ attrs }}>").body[0]
    assert show(spread) == "Express(value=Element(tag=input, attributes=[Item(value=attrs)]))"


def test_tags_without_a_partner_are_kept() -> None:
    shown = show(page("a.html", "{% if a %}<div>{% else %}<div class=x>{% endif %}</div>{% for b in c %}").body)
    for kept in ("children=[a]", "children=[c]"):
        assert kept in shown
    assert "loop" not in shown


def test_comments_and_escaped_parts() -> None:
    text = "{# {{ a }} #}{% comment %}{{ b }}{% endcomment %}{% raw %}{{ c }}{% endraw %}{% verbatim %}{{ d }}{% endverbatim %}{{ e }}"
    names = [node.id for node in walk(page("a.html", text)) if isinstance(node, Name)]
    assert names == ["e"]


# ----------------------------------------------------------------------------------------------- scripts


def test_expressions_in_scripts() -> None:
    assert script('sessionStorage.setItem("bearer", "{{ bearer }}");') == [
        (2, ("Express(value=Call(callee=Member(object=sessionStorage, name=setItem), arguments=[Argument(value='bearer'), "
            "Argument(value=Text(parts=[bearer]))]))")),
    ]  # fmt: skip
    assert script("let a = {{ data|tojson }};\nlet b = `x${y}{{ z }}`;\nx.{{ name }} = 1; f_{{ id }}();") == [
        (2, "Assign(target=a, value=Call(callee=tojson, arguments=[Argument(value=data)]), declares=True)"),
        (3, "Assign(target=b, value=Text(parts=['x', y, z]), declares=True)"),
        (4, "Assign(target=Subscript(object=x, key=Text(parts=[name])), value=1)"),
        (4, "Express(value=Call(callee=Unknown(what=template, children=[f_, id])))"),
    ]  # fmt: skip
    assert script("{{ x }} = 1;\nf({ '{{ k }}': 1 })") == [
        (2, "Assign(target=x, value=1)"),
        (
            3,
            "Express(value=Call(callee=f, arguments=[Argument(value=Mapping(items=[Item(key=Text(parts=[k]), value=1)]))]))",
        ),
    ]


def test_conditions_between_the_statements_of_a_script() -> None:
    text = """\
{% if a %}
f();
{% elif b %}
g();
{% else %}
h();
{% endif %}
function u() {
  {% for x in y %} i({{ x }}); {% endfor %}
  if (z) { {% if c %} j(); {% endif %} k(); } else { {% if d %} l(); {% endif %} }
}"""
    assert script(text) == [
        (2, ("Branch(test=a, then=[Express(value=Call(callee=f))], otherwise=[Branch(test=b, "
            "then=[Express(value=Call(callee=g))], otherwise=[Express(value=Call(callee=h))])])")),
        (9, ("Define(unit=Unit(name=u, body=[Loop(body=[Express(value=Call(callee=i, arguments=[Argument(value=x)]))], "
            "target=x, iterable=y), Branch(test=z, then=[Branch(test=c, then=[Express(value=Call(callee=j))]), "
            "Express(value=Call(callee=k))], otherwise=[Branch(test=d, then=[Express(value=Call(callee=l))])])]))")),
    ]  # fmt: skip


def test_conditions_in_the_expressions_of_a_script() -> None:
    text = 'let a = {% if x %}1{% elif y %}2{% else %}3{% endif %};\nlet b = [{% if x %}1{% endif %}];\nlet c = "{% if x %}p{% endif %}q";'
    assert script(text) == [
        (2, "Assign(target=a, value=Conditional(test=x, then=1, otherwise=Conditional(test=y, then=2, otherwise=3)), declares=True)"),
        (3, "Assign(target=b, value=Sequence(items=[Conditional(test=x, then=1, otherwise=0)]), declares=True)"),
        (4, "Assign(target=c, value=Text(parts=[Conditional(test=x, then='p', otherwise=None), 'q']), declares=True)"),
    ]  # fmt: skip


def test_a_tag_in_an_object_of_a_script_is_kept() -> None:
    shown = show(page("a.html", "<script>f({ a: 1, {% if x.y %} b: 2, {% endif %} })</script>").body)
    assert "Member(object=x, name=y)" in shown
    assert "Item(key='b', value=2)" in shown


def test_places_and_problems_are_those_of_the_file() -> None:
    text = "<p>é {{ ü }}\n{{\n  long\n}}</p>\n<script>\nf(a;\n</script>"
    program = page("a.html", text)
    assert [line for line, _ in program.problems] == [6]
    spans = {node.id: program.spans[node.at] for node in walk(program) if isinstance(node, Name)}
    assert spans["ü"] == (1, 9, 1, 10)
    assert spans["long"] == (3, 3, 3, 7)
    assert program.text_lines == 7


def test_letters_for_private_use_are_no_placeholders() -> None:
    program = lower("a.html", "<i>\ue000</i><b>&#xe000; x</b>{{ a }}".encode())
    texts = [node.value for node in walk(program) if isinstance(node, Literal)]
    assert texts == ["\ue000", "\ue000", "x"]
    assert [node.id for node in walk(program) if isinstance(node, Name)] == ["a"]


# ----------------------------------------------------------------------------------------- other languages


def test_ejs() -> None:
    text = """\
<% const x = user.id; %>
<% if (a && b) { %>
<p><%= a.token %></p>
<% } else { %>no<% } %>
<ul><% xs.forEach(function (x) { %><li><%= x %></li><% }); %></ul>
<%- include('part', {t: 1}) %><%# comment %>
<script>
<% for (const y of ys) { %> f("<%= y %>", <%- JSON.stringify(y) %>); <% } %>
</script>
"""
    assert lines("a.ejs", text) == [
        (1, "Assign(target=x, value=Member(object=user, name=id), declares=True)"),
        (2, ("Branch(test=Operator(op=and, operands=[a, b]), then=[Express(value=Element(tag=p, children=[Member(object=a, "
            "name=token)]))], otherwise=[Express(value='no')])")),
        (5, "Express(value=Element(tag=ul, children=[Comprehension(element=Element(tag=li, children=[x]), target=x, iterable=xs)]))"),
        (6, ("Express(value=Element(children=[Call(callee=include, arguments=[Argument(value='part'), "
            "Argument(value=Mapping(items=[Item(key='t', value=1)]))])]))")),
        (7, "Express(value=Element(tag=script))"),
        (8, ("Loop(body=[Express(value=Call(callee=f, arguments=[Argument(value=Text(parts=[y])), "
            "Argument(value=Call(callee=Member(object=JSON, name=stringify), arguments=[Argument(value=y)]))]))], target=y, iterable=ys)")),
    ]  # fmt: skip


def test_handlebars_and_mustache() -> None:
    text = """\
{{#if a.b}}<b>{{{c}}}</b>{{else if d}}e{{else}}f{{/if}}
{{#each xs as |x|}}<i>{{x.y}}</i>{{/each}}
{{#section}}g{{/section}}{{^section}}h{{/section}}
{{! comment }}{{!-- {{i}} --}}{{> part j}}
"""
    assert lines("a.hbs", text) == [
        (1, ("Branch(test=Member(object=a, name=b), then=[Express(value=Element(tag=b, children=[c]))], "
            "otherwise=[Branch(test=d, then=[Express(value='e')], otherwise=[Express(value='f')])])")),
        (2, "Loop(body=[Express(value=Element(tag=i, children=[Member(object=x, name=y)]))], target=x, iterable=xs)"),
        (3, "Branch(test=section, then=[Express(value='g')])"),
        (3, "Branch(test=Operator(op=not, operands=[section]), then=[Express(value='h')])"),
        (4, "Express(value=Unknown(what=include, children=[Call(callee=part, arguments=[Argument(value=j)])]))"),
    ]  # fmt: skip


def test_svelte() -> None:
    text = """\
{#if a}<p class="x {b}" on:click={() => { f({c: 1}); }} {d} {...e}>{g}</p>{:else if h}i{:else}j{/if}
{#each xs as x, n (x.id)}<i>{x}</i>{/each}
<a href={url}>{@html k}</a>
<script lang="ts">
let l: string = "{m}";
</script>
"""
    assert lines("a.svelte", text) == [
        (5, "Assign(target=l, value='{m}', declares=True, annotation=string)"),
        (1, ("Branch(test=a, then=[Express(value=Element(tag=p, attributes=[Item(key='class', value=Text(parts=['x ', b])), "
            "Item(key='on:click', value=Lambda(unit=Unit(body=[Express(value=Call(callee=f, arguments=[Argument(value="
            "Mapping(items=[Item(key='c', value=1)]))]))]))), Item(value=d), Item(value=e)], children=[g]))], "
            "otherwise=[Branch(test=h, then=[Express(value='i')], otherwise=[Express(value='j')])])")),
        (2, "Loop(body=[Express(value=Element(tag=i, children=[x]))], target=x, iterable=xs)"),
        (3, "Express(value=Element(tag=a, attributes=[Item(key='href', value=url)], children=[k]))"),
        (4, "Express(value=Element(tag=script, attributes=[Item(key='lang', value='ts')]))"),
    ]  # fmt: skip


def test_vue() -> None:
    text = """\
<template><a v-if="t" :href="u + '?x'" @click="f(1)" @x="g" title="h">{{ i.j }}</a></template>
<script setup>
const t = "{{ k }}"
</script>
"""
    assert lines("a.vue", text) == [
        (3, "Assign(target=t, value='{{ k }}', declares=True)"),
        (1, ("Express(value=Element(tag=template, children=[Element(tag=a, attributes=[Item(key='v-if', value=t), Item(key='href', "
            "value=Operator(op=+, operands=[u, '?x'])), Item(key='@click', value=Lambda(unit=Unit(body=[Express(value=Call(callee=f, "
            "arguments=[Argument(value=1)]))]))), Item(key='@x', value=g), Item(key='title', value='h')], "
            "children=[Member(object=i, name=j)])]))")),
        (2, "Express(value=Element(tag=script, attributes=[Item(key='setup', value=True)]))"),
    ]  # fmt: skip


# ---------------------------------------------------------------------------------------------- hostile


def test_too_many_and_too_long_tags_are_text() -> None:
    program = page("a.html", "{{ a }}" * (MOST + 10))
    assert len([node for node in walk(program) if isinstance(node, Name)]) == MOST
    assert len(program.problems) == 1
    assert not [node for node in walk(page("a.html", "{{ " + "a" * LONGEST + " }}")) if isinstance(node, Name)]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("a.html", "{{" * 200_000),
        ("a.html", "{{ a" * 200_000),
        ("a.html", "{% if a %}" * 50_000),
        ("a.html", "<p>" * 100 + "{% if a %}<b>" * 2_000),
        ("a.html", "{% for a in b %}<p>{% endfor %}" * 20_000),
        ("a.html", "<script>" + "{% if a %}f();" * 20_000),
        ("a.html", "<script>" + "{% if a %}f();{% endif %}" * 3_000 + "</script>"),
        ("a.html", "<script>x = " + "{% if a %}1{% else %}2{% endif %}," * 2_000 + "</script>"),
        ("a.html", "<script>" * 60_000 + "{{ a }}"),
        ("a.html", "<script>{{ a }}</script>" * 5_000),
        ("a.html", "{{ " + "a|" * 900 + "a }}"),
        ("a.html", "{{ " + "a+" * 900 + "a }}" + "{{ " + "(" * 900 + " }}"),
        ("a.html", ("{{ " + "not " * 450 + "a }}") * 200),
        ("a.html", '<a href="' + "{{ a }}" * 5_000 + '">'),
        ("a.html", "<a " + "{% if a %}b {% endif %}" * 2_000 + ">"),
        ("a.ejs", "<%" * 200_000),
        ("a.ejs", "<% " + "a.map(" * 300 + "%>" * 1_000),
        ("a.ejs", ("<% " + "a.map(" * 80 + " %>") * 1_500),
        ("a.ejs", "<%= " + "((" * 900 + " %>"),
        ("a.ejs", "<% if (a) { %>" * 5_000),
        ("a.hbs", "{{#" * 100_000),
        ("a.hbs", ("{{" + "(" * 1_900 + "}}") * 200),
        ("a.hbs", ("{{a " + "b " * 900 + "}}") * 200),
        ("a.svelte", "{" * 500_000),
        ("a.svelte", "{a}" * 100_000),
        ("a.svelte", "{'" * 200_000),
        ("a.vue", '<a :b="' + "(" * 100_000 + '">'),
        ("a.vue", '<a :b="c"' * 20_000),
    ],
)  # fmt: skip
def test_hostile_templates_end_quickly(path: str, text: str) -> None:
    started = time.process_time()
    try:
        page(path, text)
    except Unreadable as error:
        assert error.kind in ("too-deep", "too-complex")  # noqa: PT017
    assert time.process_time() - started < 6


def test_every_tag_of_a_real_page_is_found() -> None:
    text = '<form action="{{ url_for("save") }}"><input name="token" value="{{ token }}">{% csrf_token %}</form>'
    program = page("templates/a.html", text)
    calls = [node for node in walk(program) if isinstance(node, Call)]
    assert [show(call.callee) for call in calls] == ["url_for", "csrf_token"]
    assert [show(node) for node in walk(program) if isinstance(node, Text)] == [
        "Text(parts=[Call(callee=url_for, arguments=[Argument(value='save')])])",
        "Text(parts=[token])",
    ]
