"""Languages, roles and words."""

from __future__ import annotations

import pytest

from auditor.discover.prefilter import (
    compile_needles,
    find_words,
    is_analysed,
    language,
    may_be_source,
    role,
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("a.py", "python"), ("a.PYW", "python"), ("a.pyc", None), ("a.pyi", None),
        ("a.js", "javascript"), ("a.jsx", "javascript"), ("a.mjs", "javascript"), ("a.cjs", "javascript"),
        ("a.ts", "typescript"), ("a.tsx", "typescript"), ("a.mts", "typescript"), ("a.cts", "typescript"),
        ("a.d.ts", None), ("a.d.mts", None),
        ("a.html", "html"), ("a.vue", "html"), ("a.svelte", "html"), ("a.ejs", "html"), ("a.html.j2", "html"),
        (".env", "settings"), (".env.production", "settings"), (".env_local", "settings"), ("prod.env", "settings"),
        (".envrc", "settings"), ("env.example", "settings"), (".flaskenv", "settings"),
        ("c.yaml", "settings"), ("docker-compose.yml", "settings"), ("a.toml", "settings"), ("a.json", "settings"),
        ("setup.cfg", "settings"), ("Dockerfile", "settings"), ("Dockerfile.prod", "settings"), ("Info.plist", "settings"),
        ("res/values/strings.xml", "settings"), ("other.xml", None), ("build.gradle", "settings"),
        ("README.md", None), ("logo.png", None), ("Makefile", "settings"), ("dir.py/data", None),
    ],
)  # fmt: skip
def test_language_by_name(path: str, expected: str | None) -> None:
    assert language(path) == expected


@pytest.mark.parametrize(
    "line", [b"#!/usr/bin/env python3\n", b"#!/usr/bin/python\n", b"#! /usr/bin/env -S python3.12 -u"]
)
def test_a_name_without_suffix_is_python_by_its_first_line(line: bytes) -> None:
    assert language("bin/serve", line + b"print()") == "python"
    assert may_be_source("bin/serve")


def test_other_first_lines_are_not_python() -> None:
    assert language("bin/serve", b"#!/bin/sh\npython") is None
    assert language("bin/serve", b"\n#!/usr/bin/python") is None
    assert language("data.bin", b"#!/usr/bin/python") is None
    assert not may_be_source("logo.png")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("app/oauth.py", "production"), ("src/contest/latest.py", "production"), ("app/migrations/0001.py", "production"),
        ("app/attestation.py", "production"), ("specification.js", "production"), ("testimonials.ts", "production"),
        ("connect-auditor.baseline.json", "audit"), ("api/connect-auditor.attestations.toml", "audit"),
        ("connect-auditor.html", "audit"), ("connect-auditor.js", "production"),
        ("tests/app.py", "test"), ("a/__tests__/b.ts", "test"), ("test_app.py", "test"), ("app_test.py", "test"),
        ("conftest.py", "test"), ("app/tests.py", "test"), ("src/a.test.tsx", "test"), ("src/a.spec.js", "test"),
        ("cypress/x.js", "test"), ("e2e/x.ts", "test"), ("Mocks/x.js", "test"), ("fixtures/app/x.py", "test"),
        ("docs/conf.py", "docs"), ("node_modules/x/i.js", "vendored"), ("a/vendor/test/x.js", "vendored"),
        ("third_party/a.py", "vendored"), ("static/jquery-3.6.0.js", "vendored"), ("static/jquery.min.js", "vendored"),
        ("static/app.min.js", "generated"), ("dist/index.js", "generated"), ("package-lock.json", "generated"),
        ("api_pb2.py", "generated"), ("examples/flask/app.py", "example"), ("sample/app.py", "example"),
        ("examples/tests/app.py", "test"),
    ],
)  # fmt: skip
def test_role_by_path(path: str, expected: str) -> None:
    assert role(path) == expected


def test_production_and_examples_are_analysed() -> None:
    roles = ("production", "example", "test", "docs", "generated", "vendored")
    assert [kind for kind in roles if is_analysed(kind)] == ["production", "example"]


def test_parts_are_found_anywhere_in_any_case_and_names_only_whole() -> None:
    needles = compile_needles(["OAuth", "/token"], ["verifyState", "get_user"])
    assert find_words(b"class MyOAUTH2: url = '/Token'", needles) == {"OAuth", "/token"}
    assert find_words(b"await VerifyState(x); get_users()", needles) == {"verifyState"}
    assert find_words(b"x.get_user\n", needles) == {"get_user"}
    assert find_words(b"nothing", needles) == set()


def test_a_name_that_is_no_identifier_is_searched_as_a_part() -> None:
    needles = compile_needles([], ["/connect/callback", "user.connected", "\N{LATIN SMALL LETTER E WITH ACUTE}t", ""])
    assert find_words(b"app.get('/connect/callback?')", needles) == {"/connect/callback"}
    assert find_words("\N{LATIN SMALL LETTER E WITH ACUTE}tat".encode(), needles) == {
        "\N{LATIN SMALL LETTER E WITH ACUTE}t"
    }


def test_no_words_find_nothing() -> None:
    assert find_words(b"anything", compile_needles([], [])) == set()


def test_utf16_is_searched() -> None:
    assert find_words("CLIENT_SECRET=x".encode("utf-16"), compile_needles(["client_secret"])) == {"client_secret"}
