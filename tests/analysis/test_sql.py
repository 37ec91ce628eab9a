"""What is read of a statement of SQL: the verb, the table, what goes into which column."""

from __future__ import annotations

import pytest

from auditor.analysis.sql import Statement, Written, read

NULL = Written("null")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "INSERT OR REPLACE INTO links (member, token) VALUES (?, ?)",
            Statement("insert", "links", (("member", Written("given", 0)), ("token", Written("given", 1)))),
        ),
        ("insert into links values ($2, NULL)", Statement("insert", "links", (("0", Written("given", 1)), ("1", NULL)))),
        (
            "UPDATE shop.links SET a = NULL, b='', c = now() WHERE id = %s",
            Statement("update", "links", (("a", NULL), ("b", Written("text", "")), ("c", Written("other")))),
        ),
        ('UPDATE "Links" AS l SET token = :tokens', Statement("update", "links", (("token", Written("given", "tokens")),))),
        ("update links set a = %(a)s, b = $2::text", Statement("update", "links", (("a", Written("given", "a")), ("b", Written("given", 1))))),
        ("UPDATE links SET a = '\0003\000' WHERE id = 1", Statement("update", "links", (("a", Written("hole", 3)),))),
        ("DELETE FROM `links` WHERE id = ? -- gone", Statement("delete", "links")),
        (
            "SELECT l.token, refresh AS r, count(*) FROM links l",
            Statement("select", "links", columns=(("token", "token"), ("r", "refresh"), (")", ""))),
        ),
        ("SELECT * FROM links", Statement("select", "links", columns=(("*", ""),))),
        ("select the best offer", None),
        ("Update your profile", None),
        ("SELECT 1", None),
        ("DELETE FROM", None),
        ("INSERT INTO t (a", Statement("insert", "t", ())),
    ],
)  # fmt: skip
def test_read(text: str, expected: Statement | None) -> None:
    assert read(text) == expected


def test_every_prefix_is_read_or_is_not() -> None:
    text = "INSERT INTO a.b (c, \"d\") VALUES ('x''y', (SELECT e FROM f), $1::text) ON CONFLICT DO UPDATE SET c = NULL;"
    for end in range(len(text)):
        found = read(text[:end])
        assert found is None or found.verb == "insert"
