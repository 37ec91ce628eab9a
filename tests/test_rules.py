"""Every example of every rule is a test: what is found lies on the marked lines, and nowhere else.

`known_gaps/` holds examples in the same form that the analysis does not yet judge as they say. They are run as well,
so that one which begins to work is noticed and moves to its rule.
"""

from __future__ import annotations

import os
import pathlib
import re
import subprocess
from collections.abc import Collection, Mapping
from importlib import resources

import msgspec
import pytest
import yaml

from auditor import catalogue
from auditor.audit import audit
from auditor.catalogue import Example, Part, Rule
from auditor.errors import UsageError
from auditor.model import Report
from auditor.questions import TrackedQuestion

GAPS = pathlib.Path(__file__).parent / "known_gaps"
SUFFIXES = {"python": "py", "javascript": "js", "typescript": "ts"}
MARK = re.compile(r"[ \t]*(?:#|//) here: fail[ \t]*$", re.MULTILINE)

Lines = set[tuple[str, int]]


class Gaps(Part, frozen=True):
    """A file of `known_gaps/`: examples of the rule that it is named after."""

    examples: tuple[Example, ...]


def files_of(example: Example) -> dict[str, str]:
    """An example's files by path. One without a path of its own is called `app`."""
    if example.files:
        return example.files
    return {example.path or f"app.{SUFFIXES[example.language]}": example.code}


def marked(files: Mapping[str, str]) -> Lines:
    """The lines that must be found: those that a mark ends, or those below one that stands alone."""
    return {
        (path, number if MARK.sub("", line) else number + 1)
        for path, text in files.items()
        for number, line in enumerate(text.splitlines(), 1)
        if MARK.search(line)
    }


def unmarked(files: Mapping[str, str]) -> dict[str, str]:
    """The same files, line by line, without the marks."""
    return {path: MARK.sub("", text) for path, text in files.items()}


def audited(files: Mapping[str, str], folder: pathlib.Path, untracked: Collection[str] | None = None) -> Report:
    """The report on an application of these files in a repository that tracks what it does not ignore.

    `untracked`: it tracks all but these, even what it ignores.
    """
    _lay_out(folder, {path: text for path, text in files.items() if path not in (untracked or ())})
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    for command in (["init", "-q"], ["add", "--all", *(["--force"] if untracked is not None else [])]):
        subprocess.run(["git", *command], cwd=folder, env=environment, check=True, capture_output=True)
    _lay_out(folder, {path: files[path] for path in untracked or ()})
    return audit(folder)


def _lay_out(folder: pathlib.Path, files: Mapping[str, str]) -> None:
    for path, text in files.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")


def untracked(rule: Rule, example: Example) -> Collection[str] | None:
    """The files of an example that are not committed; None where the rule does not ask what is."""
    return example.untracked if isinstance(rule.check, TrackedQuestion) else None


def found(report: Report, rule: str) -> Lines:
    """Where a rule found something."""
    return {(finding.path, finding.line) for finding in report.findings if finding.rule == rule}


def statuses(report: Report, rule: Rule) -> dict[str, str]:
    """What the report says of a rule's items."""
    return {item.id: item.status for item in report.items if item.id in rule.items}


def decided(rule: Rule, example: Example) -> dict[str, str]:
    """What an example says of the rule's items: a fault is one of them all, any other status is the first one's."""
    return dict.fromkeys(rule.items if example.status == "fail" else rule.items[:1], example.status)


def check(rule: Rule, example: Example, folder: pathlib.Path) -> None:
    """Assert that an example is judged as it says."""
    report = audited(unmarked(files_of(example)), folder, untracked(rule, example))
    assert found(report, rule.name) == marked(files_of(example))
    assert statuses(report, rule).items() >= decided(rule, example).items()


def gaps_of(rule: Rule) -> tuple[Example, ...]:
    """The examples of a rule that are not yet judged as they say."""
    path = GAPS / f"{rule.name}.yaml"
    if not path.exists():
        return ()
    gaps: Gaps = catalogue.parse(path.read_text(encoding="utf-8"), Gaps, path.name)
    return gaps.examples


RULES = [rule for _, rule in sorted(catalogue.load().rules.items())]
EXAMPLES = [
    pytest.param(rule, example, id=f"{rule.name}/{example.name}/{example.language}")
    for rule in RULES
    for example in rule.examples
]
KNOWN_GAPS = [
    pytest.param(rule, example, id=f"{rule.name}/{example.name}/{example.language}")
    for rule in RULES
    for example in gaps_of(rule)
]
each_rule = pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)


@pytest.mark.parametrize(("rule", "example"), EXAMPLES)
def test_example(rule: Rule, example: Example, tmp_path: pathlib.Path) -> None:
    check(rule, example, tmp_path)


@pytest.mark.xfail(reason="the analysis does not know this yet", raises=AssertionError)
@pytest.mark.parametrize(("rule", "example"), KNOWN_GAPS)
def test_known_gap(rule: Rule, example: Example, tmp_path: pathlib.Path) -> None:
    check(rule, example, tmp_path)


def test_a_known_gap_belongs_to_a_rule() -> None:
    assert {path.stem for path in GAPS.glob("*.yaml")} <= {rule.name for rule in RULES}


@each_rule
def test_a_rule_names_items_of_the_checklist(rule: Rule) -> None:
    assert set(rule.items) <= {item.id for item in catalogue.load().checklist}


@each_rule
def test_an_example_is_marked_when_it_fails_and_only_then(rule: Rule) -> None:
    for example in (*rule.examples, *gaps_of(rule)):
        assert bool(marked(files_of(example))) == (example.status == "fail"), example.name


@each_rule
def test_a_rule_has_examples_that_deceive_in_both_languages(rule: Rule) -> None:
    deceptive = {example.language == "python" for example in rule.examples if example.deceptive}
    assert deceptive == {True, False}


@each_rule
def test_no_two_examples_of_a_rule_share_a_name(rule: Rule) -> None:
    names = [(example.name, example.language) for example in (*rule.examples, *gaps_of(rule))]
    assert len(names) == len(set(names))


@each_rule
def test_a_mark_changes_nothing(rule: Rule, tmp_path: pathlib.Path) -> None:
    for number, example in enumerate(one for one in rule.examples if one.status == "fail"):
        files = files_of(example)
        outside = untracked(rule, example)
        with_marks = audited(files, tmp_path / f"{number}-marked" / "shop", outside)
        without = audited(unmarked(files), tmp_path / f"{number}-plain" / "shop", outside)
        assert found(with_marks, rule.name) == found(without, rule.name), example.name
        assert statuses(with_marks, rule) == statuses(without, rule), example.name


def test_no_report_holds_a_secret(tmp_path: pathlib.Path) -> None:
    rule = catalogue.load().rules["hardcoded-client-secret"]
    quoted, bare = re.compile(r"""["']([\w+/=. -]{12,})["']"""), re.compile(r"[:=]\s*([\w+/=.-]{12,})")
    for number, example in enumerate(one for one in rule.examples if one.status == "fail"):
        files = files_of(example)
        lines = [files[path].splitlines()[line - 1] for path, line in sorted(marked(files))]
        found = [value for line in lines for value in quoted.findall(line) or bare.findall(line)]
        secrets = [value for value in found if re.search(r"\d", value)]
        assert secrets, example.name
        report = msgspec.json.encode(audited(unmarked(files), tmp_path / str(number))).decode()
        for secret in secrets:
            assert secret not in report, example.name
            assert secret[-12:] not in report, example.name


# ------------------------------------------------------------------------------------------------ the loader

EXAMPLE = """\
examples:
  - {name: bad, language: python, status: fail, code: "pass  # here: fail"}
  - {name: good, language: python, status: pass, code: "pass"}
  - {name: bad, language: typescript, status: fail, code: "0 // here: fail"}
  - {name: good, language: javascript, status: pass, code: "0"}
"""
RULE = """\
items: [C06]
title: a title
severity: high
references: [RFC 9700 section 2.1]
why: because
decided: by looking
fix: mend it
check: {question: guarded, action: exchange, against: forged}
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    """A catalogue with one rule, to be spoiled."""
    (tmp_path / "signs").mkdir()
    for name in ("checklist.yaml", "signs/words.yaml"):
        (tmp_path / name).write_text(resources.files("auditor.rules").joinpath(name).read_text(encoding="utf-8"))
    (tmp_path / "libraries").mkdir()
    (tmp_path / "libraries" / "none.yaml").write_text("library: none\nlanguage: python\n")
    (tmp_path / "some-rule.yaml").write_text(RULE + EXAMPLE)
    return tmp_path


def test_a_rule_is_named_after_its_file(folder: pathlib.Path) -> None:
    assert catalogue.read(folder).rules["some-rule"].name == "some-rule"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("title: a title", "title: a title\npattern: x", "pattern", id="unknown key"),
        pytest.param("code: \"pass\"", "code: \"pass\", line: 3", "line", id="unknown key in an example"),
        pytest.param("against: forged", "against: forged, sink: log", "sink", id="unknown parameter of a question"),
        pytest.param("items: [C06]", "items: [C06, C99]", "'C99'", id="unknown item"),
        pytest.param("question: guarded", "question: smells", "smells", id="unknown question"),
        pytest.param("against: forged", "against: luck", "luck", id="unknown kind of attack"),
        pytest.param("severity: high", "severity: awful", "awful", id="unknown severity"),
        pytest.param("language: typescript", "language: perl", "perl", id="unknown language"),
        pytest.param("why: because", 'why: " "', "why is empty", id="empty why"),
        pytest.param("fix: mend it", 'fix: ""', "fix is empty", id="empty fix"),
        pytest.param("decided: by looking", 'decided: ""', "decided is empty", id="empty decided"),
        pytest.param("title: a title", 'title: ""', "title is empty", id="empty title"),
        pytest.param("why: because\n", "", "why", id="no why"),
        pytest.param("check:", "checks:", "check", id="no check"),
        pytest.param(EXAMPLE, "", "no examples", id="no examples"),
        pytest.param(
            "language: typescript, status: fail", "language: typescript, status: review",
            "no example in javascript whose status is fail", id="no failing example in JavaScript",
        ),
        pytest.param(
            "language: python, status: pass", "language: python, status: review",
            "no example in python whose status is pass", id="no passing example in Python",
        ),
        pytest.param(
            "question: guarded, action: exchange, against: forged",
            "question: flow, kinds: [access-token], to: log",
            "no example in python whose status is review or not-applicable", id="no quiet example where none can pass",
        ),
        pytest.param("items: [C06]", "items: [C06", "not valid YAML", id="not YAML"),
    ],
)  # fmt: skip
def test_the_loader_refuses_a_rule_and_says_which(folder: pathlib.Path, old: str, new: str, said: str) -> None:
    file = folder / "some-rule.yaml"
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    with pytest.raises(UsageError) as refused:
        catalogue.read(folder)
    assert "some-rule.yaml" in str(refused.value)
    assert said in str(refused.value)


def test_the_rules_of_this_repository_are_plain_yaml() -> None:
    for file in resources.files("auditor.rules").iterdir():
        if file.name.endswith(".yaml"):
            assert isinstance(yaml.safe_load(file.read_text(encoding="utf-8")), dict), file.name
