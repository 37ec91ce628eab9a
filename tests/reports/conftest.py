"""A report with everything in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from auditor import catalogue
from auditor.model import (
    Connection,
    Evidence,
    Files,
    Finding,
    ItemResult,
    Problem,
    RelatedPlace,
    Report,
    Suppressed,
    Tool,
)
from auditor.reports import Options

DATA = Path(__file__).parents[1] / "data"


@pytest.fixture
def report() -> Report:
    items = (
        ItemResult("C01", "the secret comes from the environment", "Credentials", "pass", "It does.",
                   (Evidence("app/settings.py", 12, 12, "os.environ"), Evidence("b.py", 3, 3, "os.getenv"))),
        ItemResult("C03", "separate credentials", "Credentials", "review", "One secret and no sign of environments.",
                   (Evidence("app/settings.py", 12, 12, ""),)),
        ItemResult("C06", "state is validated", "Authorization flow", "fail", "It is not.",
                   (Evidence("app/oauth.py", 58, 58, ""),)),
        ItemResult("C10", "access tokens are encrypted", "Tokens", "fail", "Eight stores write them in clear.",
                   (Evidence("app/s0.py", 1, 1, ""),)),
        ItemResult("C15", "tokens are revoked", "Tokens", "not-applicable", "no token is stored"),
        ItemResult("C18", "the interface hides it", "Scopes", "attested", "By dana: behind a flag.",
                   (Evidence("app/ui.html", 2, 2, ""),)),
    )  # fmt: skip
    findings = (
        Finding("missing-state-validation", ("C06",), "high", "high", "app/oauth.py", 58, 58,
                "The code is exchanged before state is compared.", "compare first.", "f1",
                (RelatedPlace("app/oauth.py", 71, "state is compared here"),)),
        *(Finding("unencrypted-token-storage", ("C10",), "critical" if number == 7 else "high", "high",
                  f"app/s{number}.py", 1, 1, f"In clear: {number}.", "encrypt it.", f"s{number}") for number in range(8)),
        Finding("plain-http", (), "low", "high", "app/a.py", 3, 3, "Plain HTTP.", "use https.", "a"),
        Finding("secret-in-log", ("N03",), "high", "high", "app/log.py", 9, 9, "Logged.", "do not.", "l", (),
                Suppressed("comment", "a fake of the provider", "app/log.py", 8)),
    )  # fmt: skip
    problems = (
        Problem("app/legacy.py", "syntax", "syntax error; nothing in it was judged", 40),
        Problem("", "git", "this is not a git repository"),
    )
    connections = (Connection("Monei Connect", "app/oauth.py", 14), Connection("bank.example", "app/x.py", 8, False))
    return Report(1, Tool("connect-auditor", "1.2"), ".", items, findings, problems, Files(41, 7), "shop", connections)


HOSTILE = (
    "<img src=x onerror=alert(1)>.py", "::error::x.py", "##[error]x.py", "a|b.py", "a`b`.py", "a\n::error::b.py",
    "a\u202egnp.py", "a](javascript:alert(1)).py", "{{ 7*7 }}.py", "a&lt;b.py", "'\"><script>alert(1)</script>.py",
    "a]]>b.py", "@everyone #1 *b* _c_ ~~d~~.py", "a\\|b\\.py", "a%0Ab,c:d.py", "\x1b[2J\x00\ufffe.py", " a .py",
)  # fmt: skip
"""Names that a file may have, each of which means something to one of the formats."""


@pytest.fixture
def hostile(report: Report) -> Report:
    """The same report with every text of the audited repository replaced by hostile ones."""
    findings = tuple(
        Finding("missing-state", ("C06",), "high", "high", name, 1, 1, f"seen {name}", f"mend {name}", f"h{number}",
                (RelatedPlace(name, 2, f"here {name}"), RelatedPlace(name, 3, "")))
        for number, name in enumerate(HOSTILE)
    )  # fmt: skip
    advice = tuple(Finding("plain-http", (), "low", "high", name, 1, 1, name, name, f"a{name!r}") for name in HOSTILE)
    hidden = tuple(
        Finding("r", ("C06",), "low", "high", name, 1, 1, name, name, f"s{name!r}", (), Suppressed("comment", name))
        for name in HOSTILE
    )
    items = tuple(
        msgspec.structs.replace(item, summary=" ".join(HOSTILE), evidence=tuple(Evidence(n, 1, 1, n) for n in HOSTILE))
        for item in report.items
    )
    return msgspec.structs.replace(
        report, items=items, findings=findings + advice + hidden, application=HOSTILE[0] + HOSTILE[5],
        problems=tuple(Problem(name, "syntax", name, 1) for name in HOSTILE),
        connections=tuple(Connection(name, name, 1) for name in HOSTILE),
    )  # fmt: skip


class Planted(NamedTuple):
    """An application with secrets in it, and what an audit of it says."""

    root: Path
    report: Report
    options: Options
    secrets: tuple[str, ...]


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Planted:
    """Secrets on the lines of findings about them, beside other findings, and where no rule looks."""
    from auditor.audit import audit

    root = tmp_path_factory.mktemp("planted") / "shop"
    code = (DATA / "planted.txt").read_text()
    secrets = tuple(re.findall(r"PLANTED:([\w.\-]+)", code))
    for name, text in re.findall(r"^=== (\S+)\n(.*?)(?=^=== |\Z)", code, re.MULTILINE | re.DOTALL):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(re.sub(r"PLANTED:([\w.\-]+)", r"\1", text))

    def read(path: str) -> bytes | None:
        return (root / path).read_bytes() if (root / path).is_file() else None

    return Planted(root, audit(root), Options(read=read, rules=catalogue.load().rules), secrets)
