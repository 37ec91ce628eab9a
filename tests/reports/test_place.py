"""The page of a line: no secret is on it."""

from __future__ import annotations

from typing import Any

from auditor import lookup
from auditor.audit import observe, plan
from auditor.discover.changes import WHOLE
from auditor.reports.place import render


def test_no_secret_is_shown_at_any_line(planted: Any) -> None:
    made = plan(planted.root)
    scope = made.scopes[0]
    seen, application = observe(made, WHOLE.tree(scope.path))
    shown = 0
    for path in ("app/oauth.py", "app/pay.js", "app/token.py", ".env", "config/settings.yaml"):
        for line in range(1, len((planted.root / path).read_text().splitlines()) + 1):
            looked = lookup.look_up(made, scope, seen, application, path, line)
            page = render(looked.explanation, looked.findings, planted.options)
            assert f"{path}:{line}" in page
            assert [secret for secret in planted.secrets if secret in page] == []
            shown += len(looked.explanation.actions)
    assert shown > 5
