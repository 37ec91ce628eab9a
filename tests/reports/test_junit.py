"""JUnit XML, read back by a parser that knows nothing of ours."""

from __future__ import annotations

from xml.etree import ElementTree

import msgspec

from auditor.model import Report
from auditor.reports import RENDERERS, Options


def suites(report: Report) -> ElementTree.Element:
    return ElementTree.fromstring(RENDERERS["junit"](report, Options()))


def case(report: Report, name: str) -> ElementTree.Element:
    (found,) = [one for one in suites(report).iter("testcase") if one.attrib["name"].startswith(name)]
    return found


def test_one_case_an_item_in_the_suite_of_its_section(report: Report) -> None:
    root = suites(report)
    names = {suite.attrib["name"]: [one.attrib["name"] for one in suite.iter("testcase")] for suite in root}
    assert names == {
        "Credentials": ["C01 the secret comes from the environment", "C03 separate credentials"],
        "Authorization flow": ["C06 state is validated"],
        "Tokens": ["C10 access tokens are encrypted", "C15 tokens are revoked"],
        "Scopes": ["C18 the interface hides it"],
        "Advice": ["plain-http at app/a.py:3"],
        "Could not be read or followed": ["the whole audit", "app/legacy.py:40"],
    }
    assert root.attrib == {"name": "Connect Auditor", "tests": "9", "failures": "2", "errors": "0", "time": "0.0"}
    assert sum(int(suite.attrib["skipped"]) for suite in root) == 5


def test_whom_the_application_connects_to(report: Report) -> None:
    first, *others = suites(report)
    assert first[0].tag == "properties"
    assert [(one.attrib["name"], one.attrib["value"]) for one in first.iter("property")] == [
        ("connects to", "Monei Connect (app/oauth.py:14)"),
        ("connects to", "bank.example (app/x.py:8, not judged)"),
    ]
    assert not [one for suite in others for one in suite.iter("property")]


def test_a_failure(report: Report) -> None:
    (failure,) = case(report, "C06")
    assert failure.tag == "failure"
    assert failure.attrib == {"message": "It is not.", "type": "high"}
    assert failure.text == (
        "app/oauth.py:58  The code is exchanged before state is compared. [missing-state-validation, high]\n"
        "  app/oauth.py:71  state is compared here\n"
        "Fix: compare first."
    )


def test_an_item_that_failed_without_a_place(report: Report) -> None:
    failure = case(msgspec.structs.replace(report, findings=()), "C06").find("failure")
    assert failure is not None
    assert (failure.attrib, failure.text) == ({"message": "It is not.", "type": "failed"}, "It is not.")


def test_the_other_verdicts(report: Report) -> None:
    def shown(name: str) -> list[tuple[str, str]]:
        return [(one.tag, one.attrib.get("message") or one.text or "") for one in case(report, name)]

    assert shown("C01") == [("system-out", "app/settings.py:12  os.environ\nb.py:3  os.getenv")]
    assert shown("C03") == [
        ("skipped", "to review: One secret and no sign of environments."), ("system-out", "app/settings.py:12"),
    ]  # fmt: skip
    assert shown("C15") == [("skipped", "does not apply: no token is stored")]
    assert shown("C18") == [("system-out", "attested: By dana: behind a flag.\napp/ui.html:2")]
    assert shown("plain-http") == [("skipped", "Plain HTTP.")]
    assert shown("app/legacy.py:40") == [("skipped", "syntax: syntax error; nothing in it was judged")]


def test_hostile_names_are_text(hostile: Report) -> None:
    root = suites(hostile)
    assert {one.tag for one in root.iter()} == {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "skipped", "system-out",
    }  # fmt: skip
    text = "".join(root.itertext())
    assert any("a\\n::error::b.py" in one.attrib["value"] for one in root.iter("property"))
    assert "<img src=x onerror=alert(1)>.py:1  seen <img" in text
    assert "a\\n::error::b.py:1" in text
    assert "a\\u202egnp.py:1" in text
    assert "a]]>b.py:1" in text
    assert "\\x1b[2J\\x00\\ufffe.py:1" in text
