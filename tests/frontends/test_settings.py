"""The settings frontend: every format gives dotted names, values and lines; hostile files end quickly."""

from __future__ import annotations

import time

import pytest

from auditor.frontends.errors import Unreadable
from auditor.frontends.settings import lower
from auditor.frontends.settings_source import DEPTH, LARGEST, MOST
from auditor.program import Assign, Literal, Name, Unknown

Row = tuple[int, str, object]


def rows(path: str, source: str | bytes) -> list[Row]:
    """(line, name, value) of every setting; what is Unknown is its `what` in angle brackets."""
    program = lower(path, source.encode() if isinstance(source, str) else source)
    assert program.language == "settings"
    found: list[Row] = []
    for statement in program.body:
        assert isinstance(statement, Assign)
        assert statement.declares
        assert isinstance(statement.target, Name)
        value = statement.value
        if isinstance(value, Unknown):
            found.append((program.line(statement.at), statement.target.id, f"<{value.what}>"))
        else:
            assert isinstance(value, Literal)
            found.append((program.line(statement.at), statement.target.id, value.value))
        for at in (statement.at, statement.value.at):
            line, column, end_line, end_column = program.spans[at]
            assert (line, column) <= (end_line, end_column)
    return found


def refusal(path: str, source: str | bytes) -> tuple[str, int]:
    with pytest.raises(Unreadable) as caught:
        lower(path, source.encode() if isinstance(source, str) else source)
    return caught.value.kind, caught.value.line


# ------------------------------------------------------------------------------------------------ dotenv


def test_dotenv() -> None:
    text = (
        "# comment\n\n\nexport A=1\nB=\"x # y\\n\"\nC='a\nb' # rest\nD=plain # rest\nE=\nF\n  G = spaced \n"
        "?! broken\nH=a#b\nI=`x`\nclient_secret: colon\nJ=${A}\nJ=twice\n"
    )
    assert rows(".env", text) == [
        (4, "A", "1"), (5, "B", "x # y\n"), (6, "C", "a\nb"), (8, "D", "plain"), (9, "E", ""), (10, "F", None),
        (11, "G", "spaced"), (13, "H", "a#b"), (14, "I", "x"), (15, "client_secret", "colon"), (16, "J", "${A}"),
        (17, "J", "twice"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "name", [".env", ".env.production", "a/.env.example", "prod.env", ".envrc", "env.sample", ".flaskenv"]
)
def test_variants_of_dotenv(name: str) -> None:
    assert rows(name, "use nix\nexport CLIENT_SECRET='x y'\n")[-1] == (2, "CLIENT_SECRET", "x y")


def test_the_spans_cover_the_setting_and_its_value() -> None:
    program = lower(".env", b"\n  A = 'x'\n")
    assert program.spans == ((2, 3, 2, 10), (2, 7, 2, 10))
    program = lower("a.json", '{"é": "ü"}'.encode())
    assert program.spans == ((1, 2, 1, 10), (1, 7, 1, 10))
    program = lower("a.yaml", "# 🙂 ü\nk: 'v'\n".encode())
    assert program.spans == ((2, 1, 2, 7), (2, 4, 2, 7))


def test_windows_lines_and_byte_order_marks() -> None:
    for name, text in (
        (".env", "A=1\r\nB=2\r\n"),
        ("a.ini", "A=1\r\nB=2\r\n"),
        ("a.yaml", "A: '1'\r\nB: '2'\r\n"),
        ("a.toml", "A='1'\r\nB='2'\r\n"),
        ("a.json", '{"A": "1",\r\n"B": "2"}'),
        ("Dockerfile", "ENV A=1\r\nENV B=2\r\n"),
    ):
        for data in (
            text.encode(),
            text.encode("utf-8-sig"),
            text.encode("utf-16"),
            text.replace("\r\n", "\r").encode(),
        ):
            assert rows(name, data) == [(1, "A", "1"), (2, "B", "2")]


# -------------------------------------------------------------------------------------------------- YAML


def test_yaml() -> None:
    text = """\
# comment
monzo:
  client_secret: "a # b"
  scopes: [read, 'write']
  list:
    - name: x
      n: 1
    - {deep: [true, ~, 1.5, 0x10]}
key: |
  line one
  line two
folded: >-
  a
  b

last: plain # comment
---
second: document
"""
    assert rows("a.yml", text) == [
        (3, "monzo.client_secret", "a # b"), (4, "monzo.scopes.0", "read"), (4, "monzo.scopes.1", "write"),
        (6, "monzo.list.0.name", "x"), (7, "monzo.list.0.n", 1), (8, "monzo.list.1.deep.0", True),
        (8, "monzo.list.1.deep.1", None), (8, "monzo.list.1.deep.2", 1.5), (8, "monzo.list.1.deep.3", "0x10"),
        (9, "key", "line one\nline two\n"), (12, "folded", "a b"), (16, "last", "plain"), (18, "second", "document"),
    ]  # fmt: skip
    program = lower("a.yml", text.encode())
    assert program.spans[18][2] == 11
    assert program.text_lines == 18


def test_yaml_tags_construct_nothing() -> None:
    text = "a: !!python/object/apply:os.system ['x']\nb: !!python/name:os.system x\nc: !Ref Secret\nd: !!str 1\ne: !vault |\n  6162\n"
    assert rows("a.yaml", text) == [
        (1, "a.0", "x"), (2, "b", "<os.system>"), (3, "c", "<!Ref>"), (4, "d", "1"),
        (5, "e", "<!vault>"),
    ]  # fmt: skip


def test_yaml_aliases_are_names() -> None:
    assert rows("a.yaml", "a: &x secret\nb: *x\nc: &m {k: v}\nd:\n  <<: *m\n") == [
        (1, "a", "secret"), (2, "b", "secret"), (3, "c.k", "v"), (5, "d.<<", None),
    ]  # fmt: skip
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    assert len(rows("a.yaml", bomb)) == 2 + 29 * 9


def test_yaml_odd_keys_and_duplicates() -> None:
    assert rows("a.yaml", "? [a, b]\n: 1\n? {c: d}\n: {e: f}\nx: 1\nx: 2\n1: y\n") == [
        (1, "?.0", "a"), (1, "?.1", "b"), (1, "?", 1), (3, "?.c", "d"), (4, "?.e", "f"), (5, "x", 1),
        (6, "x", 2), (7, "1", "y"),
    ]  # fmt: skip


def test_compose_and_other_lists_of_an_environment() -> None:
    text = """\
services:
  web:
    environment:
      - CLIENT_SECRET=a=b
      - ONLY_NAMED
  api:
    environment:
      CLIENT_SECRET: c
containers:
  - env:
      - name: CLIENT_SECRET
        value: d
      - name: OTHER
        valueFrom: {x: y}
"""
    found = rows("docker-compose.yml", text)
    assert [row for row in found if row[1].endswith("CLIENT_SECRET")] == [
        (4, "services.web.environment.CLIENT_SECRET", "a=b"),
        (8, "services.api.environment.CLIENT_SECRET", "c"),
        (12, "containers.0.env.CLIENT_SECRET", "d"),
    ]


def test_templates_of_yaml_and_json() -> None:
    text = '{{- if .x }}\na:\n  client_secret: {{ .Values.secret | quote }}\n  b: "{{ x }}-y"\n{{- end }}\nc: fixed\n'
    assert rows("a.yaml", text) == [(3, "a.client_secret", "<template>"), (4, "a.b", "<template>"), (6, "c", "fixed")]
    assert rows("a.json", '{"a": {{ x }}, "b": "{{ y }}", "c": "d"}') == [
        (1, "a", "<template>"), (1, "b", "<template>"), (1, "c", "d"),
    ]  # fmt: skip
    assert refusal("a.yaml", "a: {{ x }}\nb: [\n")[0] == "syntax"


# -------------------------------------------------------------------------------------------------- JSON


def test_json_and_what_people_add_to_it() -> None:
    text = """\
// comment
{
  /* several
     lines */
  "a": {"client_secret": "x\\u0041\\n// no comment", "n": -1, "f": 1.5, "t": true, "z": null},
  "list": [1, {"b": "c"},],
  unquoted: 'it\\'s',
  "a": "twice",
}
"""
    assert rows("a.jsonc", text) == [
        (5, "a.client_secret", "xA\n// no comment"), (5, "a.n", -1), (5, "a.f", 1.5), (5, "a.t", True), (5, "a.z", None),
        (6, "list.0", 1), (6, "list.1.b", "c"), (7, "unquoted", "it's"), (8, "a", "twice"),
    ]  # fmt: skip
    assert rows("a.json", "") == []
    assert rows("a.json", '"x"') == [(1, "", "x")]


@pytest.mark.parametrize(
    ("text", "line"),
    [('{"a": 1\n"b": 2}', 2), ('{"a"\n 1}', 1), ("[1\n2]", 2), ('{"a": "x\ny"}', 1), ("{}\n{}", 2), ("{,}", 1), ("\n[1", 2),
     ('{"a": bare}', 1), ("/* open", 1)],
)  # fmt: skip
def test_broken_json(text: str, line: int) -> None:
    assert refusal("a.json", text) == ("syntax", line)


# -------------------------------------------------------------------------------------------------- TOML


def test_toml() -> None:
    text = """\
# comment
title = "x # y" # rest
a.b."c.d" = 'lit'
[monzo]
client_secret = "s\\tq"
date = 1979-05-27 07:32:00
list = [
  "one", # comment
  {k = "v", n = 1.5},
]
[[apps]]
name = "first"
[[apps]]
name = "second"
[apps.inner]
text = \"\"\"
line\"\"\"
bare-key = true
raw = '''a''b'''
"""
    assert rows("a.toml", text) == [
        (2, "title", "x # y"), (3, "a.b.c.d", "lit"), (5, "monzo.client_secret", "s\tq"),
        (6, "monzo.date", "1979-05-27 07:32:00"), (8, "monzo.list.0", "one"), (9, "monzo.list.1.k", "v"),
        (9, "monzo.list.1.n", 1.5), (12, "apps.0.name", "first"), (14, "apps.1.name", "second"),
        (16, "apps.1.inner.text", "line"), (18, "apps.1.inner.bare-key", True), (19, "apps.1.inner.raw", "a''b"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "line"),
    [("a = 1\nb = \n", 2), ("a = 1\na = 2\n", 2), ("x = [1\n", 1), ('a = "x\n', 1), ("[a\nb=1", 1), ("a 1", 1)],
)
def test_broken_toml(text: str, line: int) -> None:
    kind, where = refusal("a.toml", text)
    assert kind == "syntax"
    assert where in (line, line + 1)


# --------------------------------------------------------------------------------------------------- INI


def test_ini_and_its_relatives() -> None:
    text = """\
; comment
TOP = 'python like' # rest
[oauth]
client_secret = abc;def ; rest
client-id: x
url = http://a/b//c
deeper =
  one
  two
[other]
# a = b
quoted = "x # y"
"""
    assert rows("a.ini", text) == [
        (2, "TOP", "python like"), (4, "oauth.client_secret", "abc;def"), (5, "oauth.client-id", "x"),
        (6, "oauth.url", "http://a/b//c"), (7, "oauth.deeper", "one\n  two"), (12, "other.quoted", "x # y"),
    ]  # fmt: skip
    assert rows("keys.cfg", "API_KEY = 'k'\nCLIENT_ID = \"c\"") == [(1, "API_KEY", "k"), (2, "CLIENT_ID", "c")]
    assert rows("a.properties", "! c\na.client\\\n = x\napp.secret=one\\\n   two\nother value\n")[-2:] == [
        (4, "app.secret", "onetwo"), (6, "other", "value"),
    ]  # fmt: skip
    assert rows("a.conf", "fastcgi_param CLIENT_SECRET abc;\nEnvironment=\"CLIENT_SECRET=x\"\n")[1:] == [
        (2, "Environment", "CLIENT_SECRET=x"), (2, "Environment.CLIENT_SECRET", "x"),
    ]  # fmt: skip
    assert rows("a.xcconfig", "CLIENT_SECRET = abc // c\n") == [(1, "CLIENT_SECRET", "abc")]
    assert rows("a.tfvars", 'client_secret = "abc"\n') == [(1, "client_secret", "abc")]


# --------------------------------------------------------------------------------- containers, commands


def test_dockerfile() -> None:
    text = """\
FROM x
ENV A=1 B="two words" \\
    # comment
    CLIENT_SECRET='x'
env OLD one two
ARG TOKEN=abc
ARG NONE
RUN X=1 make
"""
    assert rows("Dockerfile.prod", text) == [
        (2, "A", "1"), (2, "B", "two words"), (4, "CLIENT_SECRET", "x"), (5, "OLD", "one two"), (6, "TOKEN", "abc"),
    ]  # fmt: skip


def test_procfile() -> None:
    assert rows("Procfile", "# c\nweb: CLIENT_SECRET=abc A='b c' gunicorn app\n") == [
        (2, "CLIENT_SECRET", "abc"),
        (2, "A", "b c"),
    ]


def test_gradle() -> None:
    text = """\
buildConfigField "String", "CLIENT_SECRET", "\\"abc\\""
resValue("string", "client_secret", "abc")
// ext.x = "y"
ext.clientSecret = 'x'
manifestPlaceholders = [clientSecret: "y"]
buildConfigField 'String', 'A', '"b"'
"""
    assert rows("build.gradle", text)[:4] == [
        (1, "CLIENT_SECRET", "abc"), (2, "client_secret", "abc"), (4, "ext.clientSecret", "x"), (5, "clientSecret", "y"),
    ]  # fmt: skip


# --------------------------------------------------------------------------------------------------- XML


def test_android_strings_and_manifest() -> None:
    text = """\
<?xml version="1.0" encoding="utf-8"?>
<resources>
  <!-- comment -->
  <string name="client_secret">a&amp;b</string>
  <string name="quoted">"q"</string>
  <string name="long"
    >x
  </string>
</resources>
"""
    assert rows("res/values/strings.xml", text) == [(4, "client_secret", "a&b"), (5, "quoted", "q"), (6, "long", "x")]
    manifest = '<manifest xmlns:android="x"><application>\n<meta-data android:name="a.SECRET" android:value="v"/>\n</application></manifest>'
    assert rows("AndroidManifest.xml", manifest) == [(2, "a.SECRET", "v")]


def test_property_list() -> None:
    text = """\
<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<plist version="1.0">
<dict>
  <key>ClientSecret</key>
  <string>abc</string>
  <key>Types</key>
  <array>
    <dict><key>Name</key><string>x</string></dict>
    <string>y</string>
    <true/>
  </array>
  <key>Last</key>
  <integer>5</integer>
</dict>
</plist>
"""
    assert rows("Info.plist", text) == [
        (5, "ClientSecret", "abc"), (9, "Types.0.Name", "x"), (10, "Types.1", "y"), (11, "Types.2", True), (13, "Last", "5"),
    ]  # fmt: skip


def test_entities_are_refused() -> None:
    bomb = '<!DOCTYPE r [\n<!ENTITY a "xxxx">\n<!ENTITY b "&a;&a;">]>\n<r><string name="x">&b;</string></r>'
    assert refusal("strings.xml", bomb) == ("unsupported", 2)
    outside = '<!DOCTYPE r [\n<!ENTITY a SYSTEM "file:///etc/passwd">]>\n<r><string name="x">&a;</string></r>'
    assert refusal("strings.xml", outside) == ("unsupported", 2)
    assert refusal("strings.xml", "<r>\n<string>\n</r>") == ("syntax", 3)
    assert refusal("Info.plist", b"bplist00\x00\x01") == ("encoding", 1)


# ---------------------------------------------------------------------------------------------- hostile


def test_sizes_are_bounded() -> None:
    assert refusal("a.yaml", b"a" * (LARGEST + 1)) == ("too-large", 0)
    assert refusal("a.ini", b"a=1\n\0") == ("encoding", 2)
    assert refusal(".env", "A=1\n" * (MOST + 1)) == ("too-complex", MOST + 1)
    assert len(rows(".env", "A=1\n" * MOST)) == MOST


@pytest.mark.parametrize("levels", [DEPTH + 1, 100_000])
def test_nesting_is_bounded(levels: int) -> None:
    blocks = "".join(f"{' ' * level}a:\n" for level in range(min(levels, 1000)))
    for name, text in (
        ("a.json", "[" * levels),
        ("a.json", '{"a":' * levels),
        ("a.yaml", "[" * levels),
        ("a.yaml", blocks + " " * 1001 + "x"),
        ("a.yaml", "- " * levels + "x"),
        ("a.toml", "a = " + "[" * levels),
        ("a.toml", "a = " + "{b=" * levels),
        ("a.toml", "a" + ".a" * levels + " = 1"),
        ("strings.xml", "<a>" * levels),
        ("Info.plist", "<array>" * levels),
    ):
        assert refusal(name, text)[0] == "too-deep", (name, text[:20])


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env", "A=" + " " * 500_000 + "x"),
        (".env", "A='" * 200_000),
        (".env", '"' * 500_000),
        (".env", "A=" + "\\" * 500_000),
        (".env", ("A=" + " " * 199 + "x\n") * 5_000),
        (".env", "\n" * 500_000),
        ("a.json", '"' + "\\u0041" * 100_000),
        ("a.json", "/*" * 300_000),
        ("a.json", '{"' + "k" * 500_000 + '":[' + "1," * 10_000 + "1]}"),
        ("a.yaml", "{" * 500_000),
        ("a.yaml", "a: " * 200_000),
        ("a.yaml", "&a " * 200_000),
        ("a.yaml", "? " * 200_000),
        ("a.yaml", "\t" * 500_000),
        ("a.yaml", "a: b\n" * 15_000),
        ("a.yaml", '"' + "x\n" * 200_000),
        ("a.toml", '"""' * 200_000),
        ("a.toml", "a = '''" + "''" * 200_000),
        ("a.toml", "[" + "a" * 500_000),
        ("a.toml", "".join(f"[a{n}]\nb=1\n" for n in range(15_000))),
        ("a.toml", "[[a]]\nb=1\n" * 15_000),
        ("a.ini", "a" * 500_000),
        ("a.ini", " " * 500_000),
        ("a.ini", "a=\n" + "  b\n" * 200_000),
        ("a.ini", "[" * 500_000),
        ("a.ini", "a=" + " ;" * 200_000),
        ("a.ini", 'a="' + '\\"' * 200_000),
        ("a.conf", 'a="' + "x" * 500_000),
        ("Dockerfile", "ENV " + "A" * 500_000),
        ("Dockerfile", "ENV A=" + "\\\n" * 200_000),
        ("Dockerfile", "ENV A=" + '"' * 500_000),
        ("Procfile", "A='" * 200_000),
        ("build.gradle", "a." * 200_000),
        ("build.gradle", 'a="' * 200_000),
        ("build.gradle", 'resValue("' * 100_000),
        ("strings.xml", "<a " + "b='c' " * 100_000),
        ("a.yaml", "{{" * 300_000),
        ("a.json", "{%" * 300_000),
        ("a.json", "{{" + "x}" * 300_000),
    ],
)  # fmt: skip
def test_hostile_files_end_quickly(name: str, text: str) -> None:
    started = time.process_time()
    try:
        lower(name, text.encode())
    except Unreadable as error:
        assert text[:40] not in error.message  # noqa: PT017
    assert time.process_time() - started < 4


def test_an_unreadable_file_quotes_nothing() -> None:
    with pytest.raises(Unreadable) as caught:
        lower("a.yaml", b"client_secret: 'verysecret\n")
    assert "verysecret" not in caught.value.message
    assert caught.value.__cause__ is None


# -------------------------------------------------------------------------------------------------- commands


@pytest.mark.parametrize("name", ["run.sh", "Makefile", "start.bat", "deploy.ps1"])
def test_scripts(name: str) -> None:
    text = (
        '# A=1\nexport B=\'x y\'\nC=1 D="2" node app.js\nset E=3\n$env:F = "4"\nG := 5\necho H\ncurl \\\n  --data I=6\n'
    )
    found = [row for row in rows(name, text) if row[1] not in ("I",)]
    assert found == [(2, "B", "x y"), (3, "C", "1"), (3, "D", "2"), (4, "E", "3"), (5, "F", "4"), (6, "G", "5")]


def test_a_command_within_a_setting() -> None:
    text = '{"scripts": {"start": "KEY=value OTHER=\'a b\' node app.js", "plain": "node --a=b app.js"}}'
    assert rows("package.json", text)[2:] == [(1, "scripts.start.KEY", "value"), (1, "scripts.start.OTHER", "a b")]


def test_blocks() -> None:
    text = (
        'variable "key" {\n  default = "x" # rest\n}\n# a = "b"\nresource "app" "shop" {\n  env = {\n    KEY = "y"\n  }\n'
        '  plain = var.key\n}\nlast = "z"\n'
    )
    assert rows("main.tf", text) == [
        (2, "variable.key.default", "x"), (7, "resource.app.shop.env.KEY", "y"), (11, "last", "z"),
    ]  # fmt: skip


@pytest.mark.parametrize("name", [".env~", ".env copy", ".env.bak", "env", ".dev.vars"])
def test_copies_of_dotenv(name: str) -> None:
    assert rows(name, "A='b' # c\n") == [(1, "A", "b")]


@pytest.mark.parametrize("text", ["x" + " " * 500_000, 'a = "' + "\\" * 500_000, "{" * 500_000, "a=" * 250_000])
@pytest.mark.parametrize("name", ["main.tf", "run.sh"])
def test_hostile_scripts_end_quickly(name: str, text: str) -> None:
    before = time.process_time()
    rows(name, text.replace("a=", "a= ", 10))
    assert time.process_time() - before < 5
