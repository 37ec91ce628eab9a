"""The page: what is on it, that it is safe and accessible, and what a real browser makes of it.

The browser is driven by its command line alone. Without one those tests are skipped, unless
CONNECT_AUDITOR_REQUIRE_BROWSER=1 says that there must be one.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterator
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auditor.model import Evidence, ItemResult, RelatedPlace, Report
from auditor.reports import RENDERERS, Options

VOID = {"meta", "input", "br", "link", "img"}


class Node:
    """An element with its attributes, its text and the elements in it."""

    def __init__(self, tag: str, attributes: dict[str, str], parent: Node | None) -> None:
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.children: list[Node] = []
        self.pieces: list[str] = []

    def all(self, tag: str = "", **attributes: str) -> list[Node]:
        return list(self._all(tag, {name.rstrip("_"): value for name, value in attributes.items()}))

    def _all(self, tag: str, wanted: dict[str, str]) -> Iterator[Node]:
        for child in self.children:
            if (not tag or child.tag == tag) and all(child.has(name, value) for name, value in wanted.items()):
                yield child
            yield from child._all(tag, wanted)

    def one(self, tag: str = "", **attributes: str) -> Node:
        (found,) = self.all(tag, **attributes)
        return found

    def has(self, name: str, value: str) -> bool:
        own = self.attributes.get(name)
        return own is not None and (own == value or (name == "class" and value in own.split()))

    @property
    def text(self) -> str:
        return " ".join("".join(self.pieces).split())


class Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = self.at = Node("", {}, None)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, {name: value or "" for name, value in attrs}, self.at)
        self.at.children.append(node)
        if tag not in VOID:
            self.at = node

    def handle_endtag(self, tag: str) -> None:
        assert self.at.tag == tag, f"</{tag}> closes <{self.at.tag}>"
        assert self.at.parent is not None
        self.at = self.at.parent

    def handle_data(self, data: str) -> None:
        node: Node | None = self.at
        while node is not None:
            node.pieces.append(data)
            node = node.parent


def parse(page: str) -> Node:
    builder = Builder()
    builder.feed(page)
    builder.close()
    assert builder.at is builder.root
    return builder.root


def html(report: Report, **options: Any) -> str:
    return RENDERERS["html"](report, Options(**options))


# ---------------------------------------------------------------------------------------------- what is on it


def test_the_sections_with_their_counts_and_items(report: Report) -> None:
    page = parse(html(report))
    assert page.one("title").text == "shop · Connect Auditor"
    assert page.one("h1").text == "shop"
    assert page.one("header").text == (
        "Connect Auditor shop 41 files read, 7 analysed, 2 problems "
        "Connects to Monei Connect app/oauth.py:14, bank.example app/x.py:8, not judged "
        "✗ 2 Fail ✓ 1 Pass ? 1 To review ○ 1 Attested – 1 Does not apply"
    )
    assert [one.text for one in page.all("h2")] == [
        "Credentials", "Authorization flow", "Tokens", "Scopes", "Advice", "Suppressed", "Could not be read or followed",
    ]  # fmt: skip
    assert [one.text for one in page.all(class_="tally")][:4] == ["1 pass1 to review", "1 fail", "1 fail1 does not apply",
                                                                  "1 attested"]  # fmt: skip
    assert [one.one("summary").text for one in page.all("details", class_="item")] == [
        "✓ C01 the secret comes from the environment Pass It does. app/settings.py:12",
        "? C03 separate credentials To review One secret and no sign of environments. app/settings.py:12",
        "✗ C06 state is validated Fail It is not. app/oauth.py:58",
        "✗ C10 access tokens are encrypted Fail Eight stores write them in clear. app/s7.py:1",
        "– C15 tokens are revoked Does not apply no token is stored",
        "○ C18 the interface hides it Attested By dana: behind a flag. app/ui.html:2",
    ]
    assert [one.attributes["id"] for one in page.all("details", class_="item", open="")] == ["C06", "C10"]


def test_a_finding_with_its_lines_related_places_and_fix(report: Report) -> None:
    source = "\n" * 54 + "a = 1\n\ndef back():\n\texchange(code) < 'x'\n    compare()\n"
    page = parse(html(report, read={"app/oauth.py": source.encode()}.get))
    finding = page.one(id="C06").one("article")
    assert finding.one(class_="meta").text == "high app/oauth.py:58 missing-state-validation"
    assert finding.one(class_="message").text == "The code is exchanged before state is compared."
    lines = finding.one(class_="code").all("li")
    assert [(one.attributes["value"], "".join(one.pieces)) for one in lines] == [
        ("55", "a = 1"), ("56", ""), ("57", "def back():"), ("58", "    exchange(code) < 'x'"), ("59", "    compare()"),
    ]  # fmt: skip
    assert [one.attributes["value"] for one in lines if one.has("class", "marked")] == ["58"]
    assert finding.one("ul", class_="places").text == "app/oauth.py:71 state is compared here"
    assert finding.one(class_="fix").text == "Fix compare first."


def test_what_several_findings_share_is_said_once(report: Report) -> None:
    found = parse(html(report)).one(id="C10")
    assert [one.one("code", class_="where").text for one in found.all("article")] == [
        "app/s7.py:1", *(f"app/s{number}.py:1" for number in range(7)),
    ]  # fmt: skip
    assert [one.text for one in found.all(class_="fix")] == ["Fix encrypt it."]


def test_a_finding_of_two_items_is_shown_once(report: Report) -> None:
    both = msgspec.structs.replace(report.findings[0], items=("C06", "C10"))
    page = parse(html(msgspec.structs.replace(report, findings=(both,))))
    assert len(page.one(id="C06").all(class_="fix")) == 1
    assert page.one(id="C10").all(class_="fix") == []
    assert page.one(id="C10").one(class_="told").text == "It fails C06, too, and is shown there with its fix."
    assert page.one(id="C10").one("a").attributes["href"] == "#C06"


def test_a_related_place_has_its_lines_unless_they_are_shown_already(report: Report) -> None:
    source = "\n".join(f"line {number}" for number in range(1, 100)).encode()
    near, far = (RelatedPlace("app/oauth.py", line, "here") for line in (60, 71))
    finding = msgspec.structs.replace(report.findings[0], related=(near, far))
    one = msgspec.structs.replace(report, findings=(finding,))
    page = parse(RENDERERS["html"](one, Options(read=lambda _: source)))
    assert [node.text for node in page.one(id="C06").all("li", class_="marked")] == ["line 58", "line 71"]


def test_why_and_how_come_from_the_rule(planted: Any) -> None:
    page = parse(RENDERERS["html"](planted.report, planted.options))
    rule = planted.options.rules["missing-state-validation"]
    texts = [one.text for one in page.all("details", class_="more")]
    assert any(" ".join(rule.why.split()).replace("`", "") in text for text in texts)


def test_lines_of_a_secret_show_no_value(planted: Any) -> None:
    page = parse(RENDERERS["html"](planted.report, planted.options))
    marked = [one.text for one in page.one(id="C01").all("li", class_="marked")]
    assert 'MONEI_CLIENT_SECRET = "•••"' in marked
    assert "clientSecret: '•••'," in marked


def test_the_other_parts(report: Report) -> None:
    page = parse(html(report))
    sections = {one.attributes["aria-labelledby"]: one for one in page.all("section")}
    assert sections["advice"].one("article").text == "low app/a.py:3 plain-http Plain HTTP. Fix use https."
    assert sections["suppressed"].one(class_="reason").text == "Suppressed by comment: a fake of the provider"
    assert [one.text for one in sections["problems"].all("li")] == [
        "this is not a git repository", "app/legacy.py:40 syntax error; nothing in it was judged",
    ]  # fmt: skip


# ------------------------------------------------------------------------------------------- safe, accessible


def test_nothing_from_elsewhere_and_nothing_inline(hostile: Report) -> None:
    page = parse(html(hostile))
    for node in page.all():
        assert not [name for name in node.attributes if name.startswith("on") or name in ("style", "src", "srcset")]
        assert node.attributes.get("href", "#").startswith("#")
    assert {node.tag for node in page.all()} == {
        "html", "head", "meta", "title", "style", "body", "a", "header", "p", "h1", "h2", "h3", "ul", "li", "span",
        "strong", "code", "form", "fieldset", "legend", "label", "input", "div", "button", "main", "section", "details",
        "summary", "article", "footer", "script",
    }  # fmt: skip
    assert "url(" not in page.one("style").text
    assert "@import" not in page.one("style").text


def test_the_policy_knows_the_style_and_the_script_by_their_hashes(report: Report) -> None:
    page = html(report)
    tree = parse(page)
    policy = tree.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]

    def digest(tag: str) -> str:
        (content,) = re.findall(rf"<{tag}>(.*?)</{tag}>", page, re.DOTALL)
        return base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()

    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest('style')}'; script-src 'sha256-{digest('script')}'; "
        "base-uri 'none'; form-action 'none'"
    )
    order = [node.attributes.get("http-equiv", node.tag) for node in tree.one("head").children]
    assert order.index("Content-Security-Policy") < order.index("style")


def test_hostile_names_are_text(hostile: Report) -> None:
    text = parse(html(hostile)).one("main").text
    for name in ("<img src=x onerror=alert(1)>.py:1", "::error::x.py:1", "a|b.py:1", "a\\n::error::b.py:1",
                 "a\\u202egnp.py:1", "{{ 7*7 }}.py:1", "a&lt;b.py:1", "'\"><script>alert(1)</script>.py:1"):  # fmt: skip
        assert name in text


def test_headings_landmarks_and_labels(report: Report) -> None:
    page = parse(html(report))
    assert page.one("html").attributes["lang"] == "en"
    levels = [int(node.tag[1]) for node in page.all() if re.fullmatch("h[1-6]", node.tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    for landmark in ("header", "main", "footer"):
        page.one(landmark)
    page.one("form", role="search")
    ids = [node.attributes["id"] for node in page.all() if "id" in node.attributes]
    assert len(ids) == len(set(ids))
    for node in page.all("section"):
        assert node.attributes["aria-labelledby"] in ids
    for field in page.all("input"):
        assert field.parent is not None
        assert field.parent.tag == "label"
        assert field.parent.text
    assert page.one("a", class_="skip").attributes["href"] == "#checklist"
    assert all(node.attributes["tabindex"] == "0" for node in page.all(class_="code"))


def luminance(color: str) -> float:
    color = color.lstrip("#")
    parts = [int(part, 16) / 255 for part in (re.findall("..", color) if len(color) == 6 else [c * 2 for c in color])]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [0, 1, 2], ids=["light", "dark", "print"])
def test_contrast(report: Report, theme: int) -> None:
    """WCAG AA for all text: 4.5 to 1, in each theme."""
    style = re.findall(r"<style>(.*?)</style>", html(report), re.DOTALL)[0]
    blocks = [dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{3,6})", block)) for block in re.findall(r":root \{(.*?)\}", style,
                                                                                               re.DOTALL)]  # fmt: skip
    assert len(blocks) == 3
    color = blocks[0] | blocks[theme]
    pairs = [(text, back) for text in ("ink", "soft", "link") for back in ("page", "card", "code")]
    pairs += [("ink", "marked"), ("soft", "marked"), ("ink", "pass-back")]
    statuses = ("fail", "review", "pass", "attested", "not-applicable")
    pairs += [(status, f"{status}-back") for status in statuses] + [(status, "card") for status in statuses]
    pairs += [("page", status) for status in statuses] + [(status, "page") for status in statuses]
    assert [(pair, round(contrast(color[pair[0]], color[pair[1]]), 2)) for pair in pairs
            if contrast(color[pair[0]], color[pair[1]]) < 4.5] == []  # fmt: skip


# -------------------------------------------------------------------------------------------- in a real browser

REQUIRED = "CONNECT_AUDITOR_REQUIRE_BROWSER"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
SWITCHES = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars",
)  # fmt: skip


class Browser:
    """Opens pages, each time with a new profile."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder = program, folder

    def page(self, text: str) -> Path:
        page = self._folder / "report.html"
        page.write_text(text)
        return page

    def dom(self, text: str, fragment: str = "", *switches: str) -> Node:
        """The page after its script ran."""
        done = self._run("--dump-dom", *switches, f"{self.page(text).as_uri()}{fragment}")
        return parse(done.stdout.replace("<!DOCTYPE html>", ""))

    def console(self, text: str) -> str:
        return self._run("--dump-dom", "--enable-logging=stderr", self.page(text).as_uri()).stderr

    def pdf(self, text: str) -> bytes:
        target = self._folder / "page.pdf"
        self._run(f"--print-to-pdf={target}", "--no-pdf-header-footer", self.page(text).as_uri())
        return target.read_bytes()

    def screenshot(self, text: str, *switches: str) -> bytes:
        target = self._folder / "page.png"
        self._run(f"--screenshot={target}", "--window-size=1280,900", *switches, self.page(text).as_uri())
        return target.read_bytes()

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        profile = self._folder / "profile"
        command = [self._program, *SWITCHES, f"--user-data-dir={profile}", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        shutil.rmtree(profile, ignore_errors=True)
        return done


@pytest.fixture
def browser(tmp_path: Path) -> Browser:
    program = next(filter(None, map(shutil.which, NAMES)), None)
    if program is None:
        message = "no Chromium is installed"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(f"{message}, and {REQUIRED} is set")
        pytest.skip(message)
    return Browser(program, tmp_path)


def shown(page: Node) -> list[str]:
    """The items that the filter left."""
    return [one.attributes["id"] for one in page.all("details", class_="item") if "hidden" not in one.attributes]


@pytest.mark.parametrize(
    ("fragment", "items", "sections"),
    [
        ("", ["C01", "C03", "C06", "C10", "C15", "C18"], 7),
        ("#status=fail", ["C06", "C10"], 2),
        ("#status=not-applicable", ["C15"], 1),
        ("#text=OAuth.py", ["C06"], 1),
        ("#status=fail&text=store%20clear", ["C10"], 1),
        ("#text=legacy", [], 1),
        ("#status=pass&text=legacy", [], 0),
        ("#status=nonsense", ["C01", "C03", "C06", "C10", "C15", "C18"], 7),
        ("#%E0%A4%A", ["C01", "C03", "C06", "C10", "C15", "C18"], 7),
        ("#C03", ["C01", "C03", "C06", "C10", "C15", "C18"], 7),
    ],
)  # fmt: skip
def test_the_filter(browser: Browser, report: Report, fragment: str, items: list[str], sections: int) -> None:
    page = browser.dom(html(report), fragment)
    assert shown(page) == items
    assert len([one for one in page.all("section") if "hidden" not in one.attributes]) == sections
    assert "hidden" not in page.one("form").attributes
    assert ("hidden" in page.one(class_="nothing").attributes) is bool(items)
    assert page.one(role="status").text == ("" if len(items) == 6 else f"{len(items)} of 6 items")
    assert ("open" in page.one(id="C03").attributes) is (fragment == "#C03")


def test_without_the_script_everything_is_there(browser: Browser, report: Report) -> None:
    page = browser.dom(re.sub(r"<script>.*?</script>", "", html(report), flags=re.DOTALL), "#status=fail")
    assert len(shown(page)) == 6
    assert "hidden" in page.one("form").attributes


def test_the_browser_has_nothing_to_complain_of(browser: Browser, report: Report) -> None:
    assert "CONSOLE" not in browser.console(html(report))


def test_the_policy_stops_another_script(browser: Browser, report: Report) -> None:
    evil = "<script>document.title='evil'</script><p onclick=x id=p style='color:red'>p</p></body>"
    text = html(report).replace("</body>", evil)
    assert browser.dom(text).one("title").text == "shop · Connect Auditor"
    assert browser.console(text).count("Content Security Policy") >= 2


def test_hostile_names_make_no_element(browser: Browser, hostile: Report) -> None:
    page = browser.dom(html(hostile))
    assert page.all("img") == []
    assert len(page.all("script")) == 1
    assert page.one(id="C06").text.count("<img src=x onerror=alert(1)>.py:1") >= 1


@pytest.mark.parametrize("width", [500, 1280])
def test_it_fits_the_width(browser: Browser, planted: Any, width: int) -> None:
    """Measured by a script of the test, on a page without the policy that would stop it."""
    probe = "<script>document.title = document.documentElement.scrollWidth + ' ' + innerWidth</script></body>"
    text = RENDERERS["html"](planted.report, planted.options).replace("Content-Security-Policy", "X")
    page = browser.dom(text.replace("</body>", probe), "", f"--window-size={width},900")
    scroll, inner = map(int, page.one("title").text.split())
    assert scroll <= inner == width


PRESSED = """<script>
const counts = [];
const count = () => counts.push(document.querySelectorAll("details.item[open]:not([hidden])").length);
count();
document.querySelector("[data-do=open]").click(); count();
document.querySelector("[data-do=close]").click(); count();
const text = document.querySelector("[name=text]");
text.value = "OAUTH.py"; text.dispatchEvent(new Event("input", { bubbles: true }));
document.querySelector("[data-do=open]").click(); count();
document.title = counts.join(" ") + " " + location.hash;
</script></body>"""


def test_the_buttons_unfold_and_fold_what_the_filter_shows(browser: Browser, report: Report) -> None:
    """Two items fail and are open at first; only one is about the file that is typed, in whatever case."""
    text = html(report).replace("Content-Security-Policy", "X").replace("</body>", PRESSED)
    assert browser.dom(text).one("title").text == "2 6 0 1 #text=OAUTH.py"


def first_pixel(png: bytes) -> str:
    """Whatever a PNG's first line is filtered by: before its first pixel there is nothing to subtract."""
    at, data = 8, b""
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            data += png[at + 8 : at + 8 + size]
        at += 12 + size
    return f"#{zlib.decompress(data)[1:4].hex()}"


@pytest.mark.parametrize(("scheme", "color"), [(1, "#f6f7f9"), (0, "#10151c")], ids=["light", "dark"])
def test_light_and_dark(browser: Browser, report: Report, scheme: int, color: str) -> None:
    assert first_pixel(browser.screenshot(html(report), f"--blink-settings=preferredColorScheme={scheme}")) == color


def test_on_paper_everything_is_unfolded(browser: Browser, report: Report) -> None:
    """Folded these items would fill two pages."""
    places = tuple(Evidence("a.py", number, number, "seen here " * 20) for number in range(1, 21))
    items = tuple(ItemResult(f"C{n:02}", "title", "Section", "pass", "Yes.", places) for n in range(1, 11))
    pdf = browser.pdf(html(msgspec.structs.replace(report, items=items, findings=(), problems=())))
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) > 6
