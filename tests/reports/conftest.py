"""A report with everything in it."""

from __future__ import annotations

import pytest

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
    connections = (Connection("Monei Connect", "app/oauth.py", 14), Connection("", "app/x.py", 8))
    return Report(1, Tool("connect-auditor", "1.2"), ".", items, findings, problems, Files(41, 7), "shop", connections)
