"""What is a comment and what only looks like one, in every language that is read."""

from __future__ import annotations

import time

import pytest

from auditor.discover.prefilter import language
from auditor.frontends.comments import Comments, comments


def read(path: str, text: str) -> Comments:
    kind = language(path, text.encode())
    assert kind is not None
    return comments(path, kind, text.encode())


def lines(path: str, text: str) -> list[tuple[int, int, bool]]:
    return [(one.line, one.end_line, one.alone) for one in read(path, text).found]


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.py", 'x = "# no"  # yes\n# alone\ny = """\n# no\n"""\n', [(1, 1, False), (2, 2, True)]),
        ("a.js", 'const x = "// no"; // yes\n/* alone\n */\nconst u = `// no ${1}`;\n', [(1, 1, False), (2, 3, True)]),
        ("a.js", "const r = /\\/\\/ no/; const s = 'a//b';\n", []),
        ("a.jsx", "const a = <div>\n  {/* alone */}\n  // text\n  <b /> {/* beside */}\n</div>;\n",
         [(2, 2, True), (4, 4, False)]),
        ("a.tsx", "const a = <T,>(x: T) => x; // é yes\n", [(1, 1, False)]),
        ("a.ts", "type A = '// no';\n  // alone\n", [(2, 2, True)]),
        ("a.html", '<p title="<!-- no -->">\n<!-- alone -->\n<script>\nx = "<!-- no -->"; // yes\n</script>\n',
         [(2, 2, True), (4, 4, False)]),
        ("a.vue", '<script lang="ts">\nlet x: string = "// no" // yes\n</script>\n<!-- alone -->\n',
         [(2, 2, False), (4, 4, True)]),
        ("a.html", "{# é alone #}\n<p>{{ x }}</p> {# beside #}\n", [(1, 1, True), (2, 2, False)]),
        ("a.ejs", "<%# alone %>\n<p><%= x %></p>\n", [(1, 1, True)]),
        ("a.svelte", "{#if x}\n<p>{x}</p>\n<!-- alone -->\n{/if}\n", [(3, 3, True)]),
        (".env", "A='x # no'\nB=x#no\nC=x # yes\n# alone\nD=\"x\n# no\n\"\n", [(3, 3, False), (4, 4, True)]),
        ("a.yaml", "a: 'x # no' # yes\nb: |\n  # no\nc: x#no\n# alone\n", [(1, 1, False), (5, 5, True)]),
        ("a.toml", 'a = "x # no" # yes\nb = """\n# no\n"""\n# alone\nc = \'"\' # yes\n',
         [(1, 1, False), (5, 5, True), (6, 6, False)]),
        ("a.jsonc", '{"a": "// no", // yes\n/* alone */\n"b": 1}\n', [(1, 1, False), (2, 2, True)]),
        ("a.ini", "[a]\n; alone\nb = c ; no\n# alone\n", [(2, 2, True), (4, 4, True)]),
        ("Dockerfile", "FROM x\n# alone\nENV A=b # no\n", [(2, 2, True)]),
        ("a.plist", "<a>\n<!-- alone -->\n<![CDATA[<!-- no -->]]></a>\n", [(2, 2, True)]),
    ],
)  # fmt: skip
def test_comments(path: str, text: str, expected: list[tuple[int, int, bool]]) -> None:
    assert lines(path, text) == expected
    assert read(path, text).unread_from == 0


def test_what_cannot_be_read_is_said() -> None:
    assert read("a.py", 'x = 1  # yes\ny = "\n# unknown\n').unread_from == 2
    assert read("a.yaml", 'a: 1 # yes\nb: "\n# unknown\n').unread_from > 1
    assert comments("a.js", "javascript", b"x\0y").unread_from == 1


HOSTILE = {
    "a.toml": ['"' + '\\"' * 200_000, "'''" * 100_000, '"""' * 100_001 + "\\", "#" * 400_000],
    ".env": ['A="' + '\\"' * 200_000, "='" * 150_000, "= " * 200_000],
    "a.jsonc": ["/*" * 200_000, '"' + '\\"' * 200_000, "'\\" * 200_000],
    "a.plist": ["<!--" * 100_000, "<![CDATA[" * 50_000],
    "a.html": ["{#" * 200_000, "<%#" * 100_000, "{{!--" * 50_000, "{{!" * 100_000],
    "a.ini": ["\t" * 400_000, "\n" * 400_000],
    "a.yaml": ["#" * 400_000, " #" * 200_000],
    "a.js": ["/*" * 200_000, "//\n" * 100_000],
    "a.py": ["#\n" * 100_000, "(" * 1000],
}


@pytest.mark.parametrize(("path", "text"), [(path, text) for path, texts in HOSTILE.items() for text in texts])
def test_hostile_files_take_no_time(path: str, text: str) -> None:
    began = time.perf_counter()
    read(path, text)
    assert time.perf_counter() - began < 5
