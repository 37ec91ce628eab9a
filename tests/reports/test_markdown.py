"""Markdown as GitHub reads it."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import msgspec
import pytest
from markdown_it import MarkdownIt

from auditor.model import Report
from auditor.reports import RENDERERS, Options
from auditor.reports.markdown import code, prose


def markdown(report: Report) -> str:
    return RENDERERS["markdown"](report, Options())


PAGE = """\
## Connect Auditor · shop

**2 fail · 1 pass · 1 to review · 1 attested · 1 does not apply**

41 files read, 7 analysed, 2 problems · connects to Monei Connect (`app/oauth.py:14`), bank.example (`app/x.py:8`, not judged)

| Verdict | Item | | Where |
| :-- | :-- | :-- | :-- |
| | | **Credentials** | |
| ✅ pass | C01 | the secret comes from the environment | `app/settings.py:12` |
| 🔍 review | C03 | separate credentials<br>One secret and no sign of environments. | `app/settings.py:12` |
| | | **Authorization flow** | |
| ❌ **fail** | C06 | state is validated<br>It is not. | `app/oauth.py:58` |
| | | **Tokens** | |
| ❌ **fail** | C10 | access tokens are encrypted<br>Eight stores write them in clear. | `app/s0.py:1` |
| ➖ n/a | C15 | tokens are revoked<br>no token is stored |  |
| | | **Scopes** | |
| ✍️ attested | C18 | the interface hides it<br>By dana: behind a flag. | `app/ui.html:2` |

### Failures

**C10** · critical · `unencrypted-token-storage` · `app/s7.py:1`

In clear: 7.

**Fix:** Encrypt it.

**C06** · high · `missing-state-validation` · `app/oauth.py:58`

The code is exchanged before state is compared.

- `app/oauth.py:71` state is compared here

**Fix:** Compare first.

**C10** · high · `unencrypted-token-storage` · `app/s0.py:1`

In clear: 0.

**Fix:** as above for this rule.
"""

END = """\
### Advice

`plain-http` · `app/a.py:3`

Plain HTTP.

<details><summary>To review (1)</summary>

- **C03 separate credentials**: One secret and no sign of environments.
  - `app/settings.py:12`

</details>

<details><summary>Passed (2)</summary>

- **C01 the secret comes from the environment**: It does.
  - `app/settings.py:12` os.environ
  - `b.py:3` os.getenv
- **C18 the interface hides it**: By dana: behind a flag.
  - `app/ui.html:2`

</details>

<details><summary>Could not be read or followed (2)</summary>

- this is not a git repository
- `app/legacy.py:40` syntax error; nothing in it was judged

</details>

<details><summary>Suppressed (1)</summary>

- `secret-in-log` `app/log.py:9` comment: a fake of the provider

</details>
"""


def test_the_whole_page(report: Report) -> None:
    page = markdown(report)
    assert page[: len(PAGE)] == PAGE
    assert page[page.index("### Advice") :] == END


class Reader(HTMLParser):
    """The tags and the text of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        assert not [name for name, _ in attrs if name not in ("style",)]

    def handle_data(self, data: str) -> None:
        self.text += data


def read(page: str) -> Reader:
    reader = Reader()
    reader.feed(MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(page))
    return reader


def test_hostile_names_are_text(hostile: Report) -> None:
    reader = read(markdown(hostile))
    assert reader.tags <= {
        "h2", "h3", "p", "strong", "table", "thead", "tbody", "tr", "th", "td", "br", "code", "ul", "li", "details",
        "summary", "blockquote",
    }  # fmt: skip
    plain = reader.text.replace("\u200b", "")
    for name in ("<img src=x onerror=alert(1)>.py:1", "::error::x.py:1", "a|b.py:1", "a`b`.py:1", "a\\n::error::b.py:1",
                 "a\\u202egnp.py:1", "a](javascript:alert(1)).py:1", "a&lt;b.py:1", "a\\|b\\.py:1",
                 "@everyone #1 *b* _c_ ~~d~~.py:1"):  # fmt: skip
        assert name in plain
    assert "Seen @everyone #1 *b* _c_ ~~d~~.py" in plain


def test_the_table_keeps_its_four_columns(hostile: Report) -> None:
    page = MarkdownIt("gfm-like", {"html": True, "linkify": False}).render(markdown(hostile))
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    assert len(rows) == 1 + 4 + 6
    assert {row.count("<td") + row.count("<th") for row in rows} == {4}


def test_nobody_is_called_and_nothing_is_linked() -> None:
    shown = prose("@octocat fixes #12 at https://evil.example and www.evil.example, mail me@evil.example")
    assert not re.search(r"@\w|#\d|https:|www\.", re.sub(r"&#\d+;", "", shown))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("use `a[0]` or *b*", "use `a[0]` or &#42;b&#42;"),
        ("`a|b`", "<code>a&#124;b</code>"),
        ("one ` alone", "one &#96; alone"),
        ("<b>&amp;", "&#60;b&#62;&#38;amp;"),
        ("two\n lines", "two lines"),
        ("- no list", "\u200b- no list"),
    ],
)
def test_prose(text: str, shown: str) -> None:
    assert prose(text) == shown


def test_code() -> None:
    assert code("app/[id]/route.ts:3") == "`app/[id]/route.ts:3`"
    assert code("a`b.py") == "<code>a&#96;b.py</code>"
    assert code("") == ""


def test_it_is_cut_at_a_whole_entry_and_says_so(report: Report) -> None:
    many = tuple(
        msgspec.structs.replace(report.findings[0], line=number, message="It is exchanged too early. " * 10)
        for number in range(1, 1001)
    )
    page = markdown(msgspec.structs.replace(report, findings=many))
    assert 55_000 < len(page) < 60_000
    shown = page.count("**C06** · high")
    assert page.endswith(
        f"> **Cut:** there was no room for {1000 - shown} more failures. The other formats hold everything.\n"
    ) or f"no room for {1000 - shown} more failures" in page.splitlines()[-1]  # fmt: skip
    assert page.count("<details>") == page.count("</details>")


def test_the_limit_holds_for_whatever_a_repository_is_called(hostile: Report) -> None:
    long = "`|" * 30_000
    items = tuple(
        msgspec.structs.replace(item, summary=long, evidence=tuple(
            msgspec.structs.replace(one, path=long, message=long) for one in item.evidence))
        for item in hostile.items * 5
    )  # fmt: skip
    findings = tuple(msgspec.structs.replace(one, path=long, message=long) for one in hostile.findings)
    page = markdown(msgspec.structs.replace(hostile, items=items, findings=findings, application=long))
    assert len(page) < 60_000
    assert "no room for" in page
