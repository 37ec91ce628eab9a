"""The contract with GitHub's code scanning."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import jsonschema
import msgspec
import pytest

from auditor import catalogue
from auditor.catalogue import Example, Rule
from auditor.model import RelatedPlace, Report
from auditor.questions import FlowQuestion, HandledQuestion
from auditor.reports import RENDERERS, Options
from auditor.reports.github_hash import line_hashes

SCHEMA = json.loads((Path(__file__).parents[1] / "data/sarif-2.1.0-rtm.5.json").read_text())

RULE = Rule(
    items=("C06",), title="State is compared too late", severity="high", confidence="medium",
    references=("RFC 9700 section 4.7", "CWE-352", "CWE-79"), why="Because.", decided="By `looking`.", fix="Compare.",
    check=HandledQuestion(403), name="missing-state-validation",
    examples=(
        Example("late", "python", "fail", code="exchange()\n"),
        Example("first", "python", "pass", code="compare()\n"),
        Example("late", "typescript", "fail", files={"a.ts": "exchange();\n", "b.tsx": "```\n"}),
        Example("later", "javascript", "fail", code="second();\n"),
        Example("first", "javascript", "pass", code="const clientSecret = 'made-up-1';\n"),
    ),
)  # fmt: skip

SOURCE = "import os\n\n    x = '\N{KEY}'  \nlast\n"


def run(report: Report, **options: Any) -> Any:
    (only,) = json.loads(RENDERERS["sarif"](report, Options(**options)))["runs"]
    return only


def sources(path: str) -> bytes | None:
    return ("\n" * 55 + SOURCE).encode() if path == "app/oauth.py" else None


@pytest.mark.parametrize("which", ["report", "hostile", "planted"])
def test_it_fits_the_schema(which: str, request: pytest.FixtureRequest) -> None:
    value = request.getfixturevalue(which)
    report, options = (value.report, value.options) if which == "planted" else (value, Options(part="a b"))
    text = RENDERERS["sarif"](report, options)
    assert text.isascii()
    jsonschema.Draft4Validator(SCHEMA).validate(json.loads(text))


def test_the_log() -> None:
    empty = msgspec.json.decode(
        b'{"schema":1,"tool":{"name":"connect-auditor","version":"1.2.3"},"root":".","items":[],"findings":[],'
        b'"problems":[],"files":{"read":0,"analysed":0}}',
        type=Report,
    )
    assert json.loads(RENDERERS["sarif"](empty, Options())) == {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "Connect Auditor", "version": "1.2.3", "semanticVersion": "1.2.3", "rules": [],
                    }
                },
                "automationDetails": {"id": "connect-auditor/"},
                "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": []}],
                "originalUriBaseIds": {
                    "%SRCROOT%": {"description": {"text": "The root of the audited repository."}}
                },
                "columnKind": "utf16CodeUnits",
                "results": [],
            }
        ],
    }  # fmt: skip


def test_whom_the_application_connects_to(report: Report) -> None:
    assert json.loads(RENDERERS["sarif"](report, Options()))["runs"][0]["properties"] == {
        "connections": ["Monei Connect (app/oauth.py:14)", "bank.example (app/x.py:8, not judged)"]
    }


def test_a_result(report: Report) -> None:
    found = run(report, read=sources, rules={RULE.name: RULE})
    result = found["results"][0]
    assert result == {
        "ruleId": "missing-state-validation",
        "ruleIndex": 0,
        "level": "error",
        "message": {
            "text": "The code is exchanged before state is compared.\n"
            "state is compared here: [app/oauth.py:71](1)."
        },
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "app/oauth.py", "uriBaseId": "%SRCROOT%"},
                    # The key is two units of UTF-16, and the spaces around the code do not belong to it.
                    "region": {"startLine": 58, "startColumn": 5, "endLine": 58, "endColumn": 13},
                }
            }
        ],
        "partialFingerprints": {
            "primaryLocationLineHash": line_hashes(sources("app/oauth.py") or b"")[57],
            "connectAuditor/v1": "f1",
        },
        "relatedLocations": [
            {
                "id": 1,
                "physicalLocation": {
                    "artifactLocation": {"uri": "app/oauth.py", "uriBaseId": "%SRCROOT%"},
                    "region": {"startLine": 71, "endLine": 71},
                },
                "message": {"text": "State is compared here."},
            }
        ],
        "properties": {"items": ["C06"]},
    }  # fmt: skip
    assert found["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]


def test_without_the_source_there_is_no_guess(report: Report) -> None:
    result = run(report)["results"][0]
    assert result["partialFingerprints"] == {"connectAuditor/v1": "f1"}
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 58, "endLine": 58}


def test_only_failures_that_count(report: Report) -> None:
    found = run(report)
    assert [result["ruleId"] for result in found["results"]] == [
        "missing-state-validation", *["unencrypted-token-storage"] * 8, "plain-http",
    ]  # fmt: skip
    assert [result["level"] for result in found["results"]] == ["error"] * 9 + ["note"]
    assert "secret-in-log" not in json.dumps(found)
    assert "snippet" not in json.dumps(found)


def test_a_rule_as_github_shows_it() -> None:
    (rule,) = run(msgspec.structs.replace(EMPTY), rules={RULE.name: RULE})["tool"]["driver"]["rules"]
    assert rule == {
        "id": "missing-state-validation",
        "name": "MissingStateValidation",
        "shortDescription": {"text": "State is compared too late."},
        "fullDescription": {"text": "Because."},
        "help": {
            "text": "Why: Because.\n\nHow it is decided: By `looking`.\n\nFix: Compare.\n\n"
            "References: RFC 9700 section 4.7; CWE-352; CWE-79",
            "markdown": HELP,
        },
        "defaultConfiguration": {"level": "error"},
        "properties": {
            "tags": ["security", "oauth", "external/cwe/cwe-352", "external/cwe/cwe-079", "C06"],
            "precision": "medium",
            "security-severity": "8.0",
        },
    }  # fmt: skip


EMPTY = msgspec.json.decode(
    b'{"schema":1,"tool":{"name":"connect-auditor","version":"1.2.3"},"root":".","items":[],"findings":[],'
    b'"problems":[],"files":{"read":0,"analysed":0}}',
    type=Report,
)

HELP = """\
## Why

Because.

## How it is decided

By `looking`.

## Fix

Compare.

## Fails: late (python)

```python
exchange()
```

## Passes: first (python)

```python
compare()
```

## Fails: late (typescript)

`a.ts`

```typescript
exchange();
```

`b.tsx`

````tsx
```
````

## Passes: first (javascript)

```javascript
const clientSecret = '•••';
```

## References

- RFC 9700 section 4.7
- CWE-352
- CWE-79
"""


def test_github_s_limits_hold_for_every_rule_of_the_catalogue() -> None:
    rules = run(EMPTY, rules=catalogue.load().rules)["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == sorted(catalogue.load().rules)
    for rule in rules:
        assert 0 < len(rule["shortDescription"]["text"]) <= 1024
        assert 0 < len(rule["fullDescription"]["text"]) <= 1024
        assert rule["help"]["text"]
        assert len(rule["name"]) <= 255
        assert len(rule["properties"]["tags"]) <= 10
        assert rule["properties"]["precision"] in ("low", "medium", "high", "very-high")
        assert 0.0 < float(rule["properties"]["security-severity"]) <= 10.0
        for language in ("(python)", "script)"):
            assert f"{language}\n" in rule["help"]["markdown"]


@pytest.mark.parametrize(
    ("severity", "level", "score"),
    [("critical", "error", "9.5"), ("high", "error", "8.0"), ("medium", "warning", "5.5"), ("low", "note", "3.0")],
)
def test_severities(report: Report, severity: Any, level: str, score: str) -> None:
    finding = msgspec.structs.replace(report.findings[0], severity=severity)
    found = run(msgspec.structs.replace(report, findings=(finding,)))
    assert found["results"][0]["level"] == level
    (rule,) = found["tool"]["driver"]["rules"]
    assert rule["properties"]["security-severity"] == score


def test_a_leak_of_several_places_is_a_flow_that_ends_at_the_finding(report: Report) -> None:
    related = (RelatedPlace("app/a.py", 3, "read here"), RelatedPlace("app/b.py", 7, "handed on"))
    finding = msgspec.structs.replace(report.findings[0], related=related)
    leak = msgspec.structs.replace(RULE, check=FlowQuestion(kinds=("access-token",), to="log"))
    one = msgspec.structs.replace(report, findings=(finding,))
    assert "codeFlows" not in run(one, rules={RULE.name: RULE})["results"][0]
    (flow,) = run(one, rules={RULE.name: leak})["results"][0]["codeFlows"]
    (thread,) = flow["threadFlows"]
    places = [step["location"]["physicalLocation"] for step in thread["locations"]]
    assert [(place["artifactLocation"]["uri"], place["region"]["startLine"]) for place in places] == [
        ("app/a.py", 3), ("app/b.py", 7), ("app/oauth.py", 58),
    ]  # fmt: skip
    assert [step["location"]["message"]["text"] for step in thread["locations"]] == [
        "Read here.", "Handed on.", "The code is exchanged before state is compared.",
    ]  # fmt: skip


def test_problems_are_notifications(report: Report) -> None:
    invocation = run(report)["invocations"][0]
    assert invocation["toolExecutionNotifications"] == [
        {
            "descriptor": {"id": "syntax"},
            "level": "warning",
            "message": {"text": "Syntax error; nothing in it was judged."},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "app/legacy.py", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 40},
                    }
                }
            ],
        },
        {"descriptor": {"id": "git"}, "level": "note", "message": {"text": "This is not a git repository."}},
    ]


def test_an_item_that_failed_without_a_place_is_said(report: Report) -> None:
    bare = msgspec.structs.replace(report, findings=(), problems=())
    notes = run(bare)["invocations"][0]["toolExecutionNotifications"]
    assert [(note["level"], note["message"]["text"]) for note in notes] == [
        ("error", "C06, state is validated: It is not."),
        ("error", "C10, access tokens are encrypted: Eight stores write them in clear."),
    ]


def test_a_part_of_a_repository_has_a_category_of_its_own(report: Report) -> None:
    assert run(report, part="apps/my shop")["automationDetails"] == {"id": "connect-auditor/apps/my%20shop/"}


def test_paths_are_relative_uris(hostile: Report) -> None:
    for finding, result in zip(hostile.findings, run(hostile)["results"], strict=False):
        location = result["locations"][0]["physicalLocation"]["artifactLocation"]
        assert unquote(location["uri"]) == finding.path
        assert not set(location["uri"]) & set("<>\"'`:\\ #?|\n[]{}")


def test_brackets_of_audited_text_make_no_link(report: Report) -> None:
    finding = msgspec.structs.replace(report.findings[0], message="a[0] is \\ [x](http://evil)", related=())
    text = run(msgspec.structs.replace(report, findings=(finding,)))["results"][0]["message"]["text"]
    assert text == r"a\[0\] is \\ \[x\](http://evil)."


def test_what_is_beyond_github_s_limit_is_said_and_the_worst_stay(report: Report) -> None:
    low = report.findings[9]
    many = tuple(msgspec.structs.replace(low, line=number, fingerprint=str(number)) for number in range(1, 5003))
    found = run(msgspec.structs.replace(report, findings=(*many, report.findings[0]), problems=()))
    assert len(found["results"]) == 5000
    assert found["results"][-1]["ruleId"] == "missing-state-validation"
    notes = found["invocations"][0]["toolExecutionNotifications"]
    assert notes[-1]["message"]["text"] == "3 further findings of lower severity had no room in this file."


def test_a_long_description_is_cut_at_a_sentence() -> None:
    long = msgspec.structs.replace(RULE, why="One sentence is here. " * 60)
    (rule,) = run(EMPTY, rules={RULE.name: long})["tool"]["driver"]["rules"]
    text = rule["fullDescription"]["text"]
    assert 900 < len(text) <= 1024
    assert text.endswith("is here.")
