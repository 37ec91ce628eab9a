"""SARIF 2.1.0 as GitHub's code scanning reads it: the failures that count, and nothing that a reader must filter.

What GitHub ignores is left out, except what other viewers need. No source text is quoted: a snippet of a finding
about a secret would be the secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from auditor.model import Confidence, Finding, Problem, ProblemKind, RelatedPlace, Report, Severity
from auditor.questions import FlowQuestion
from auditor.reports import Options, examples, shared
from auditor.reports.github_hash import line_hashes
from auditor.reports.source import Sources
from auditor.reports.terminal import escape

if TYPE_CHECKING:
    from auditor.catalogue import Example, Rule

SCHEMA_URI = "https://json.schemastore.org/sarif-2.1.0.json"
ROOT = "%SRCROOT%"
OWN_FINGERPRINT = "connectAuditor/v1"

LEVELS: dict[Severity, str] = {"low": "note", "medium": "warning", "high": "error", "critical": "error"}
SCORES: dict[Severity, str] = {"low": "3.0", "medium": "5.5", "high": "8.0", "critical": "9.5"}
"""GitHub's bands: critical above 9.0, high from 7.0, medium from 4.0."""

PRECISION: dict[Confidence, str] = {"low": "low", "medium": "medium", "high": "high"}

RESULTS_LIMIT, LOCATIONS_LIMIT = 5_000, 100
"""What GitHub shows of a run and of a result; it cuts what is beyond, or refuses the file."""

TEXT_LIMIT = 1024
_LASTING = frozenset({"syntax", "unreadable", "encoding", "too-large", "too-deep", "too-complex", "crashed", "timeout"})

Json = dict[str, Any]


def render(report: Report, options: Options) -> str:
    """One run; pure ASCII, so that no reader can take a letter of a path for another."""
    run = _Run(report, options)
    log = {"$schema": SCHEMA_URI, "version": "2.1.0", "runs": [run.render()]}
    return json.dumps(log, indent=2) + "\n"


class _Run:
    """A report on its way to a run: rules are referred to by their number."""

    def __init__(self, report: Report, options: Options) -> None:
        self.report = report
        self.options = options
        self.sources = Sources(options.read)
        self.findings = shared.active(report)
        self.rules = _rules(options.rules, self.findings)
        self.numbers = {rule["id"]: number for number, rule in enumerate(self.rules)}
        # Only there the related places are steps of a way; elsewhere they stand beside one another.
        self.flows = {name for name, rule in options.rules.items() if isinstance(rule.check, FlowQuestion)}
        self._hashes: dict[str, list[str]] = {}

    def render(self) -> Json:
        kept = set(map(id, shared.worst_first(self.findings)[:RESULTS_LIMIT]))
        results = [self._result(finding) for finding in self.findings if id(finding) in kept]
        notifications = self._notifications(len(self.findings) - len(results))
        driver: Json = {
            "name": shared.TITLE,
            "version": self.report.tool.version,
            **_semantic(self.report.tool.version),
            "rules": self.rules,
        }
        part = self.options.part.strip("/")
        return {
            "tool": {"driver": driver},
            # "category/run-id": the category tells the parts of a repository apart, the run has no name of its own.
            "automationDetails": {
                "id": f"{self.report.tool.name}/{_uri(part)}/" if part else f"{self.report.tool.name}/"
            },
            "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notifications}],
            "originalUriBaseIds": {ROOT: {"description": {"text": "The root of the audited repository."}}},
            "columnKind": "utf16CodeUnits",
            "results": results,
            **self._connections(),
        }

    def _connections(self) -> Json:
        """Whom the application connects to, for who looks: no reader of SARIF has a place of its own for that."""
        named = [escape(one) for one in shared.connections(self.report)]
        return {"properties": {"connections": named}} if named else {}

    def _result(self, finding: Finding) -> Json:
        related = finding.related[:LOCATIONS_LIMIT]
        result: Json = {
            "ruleId": finding.rule,
            "ruleIndex": self.numbers[finding.rule],
            "level": LEVELS[finding.severity],
            "message": {"text": _message(finding.message, related)},
            "locations": [self._location(finding.path, finding.line, finding.end_line)],
            "partialFingerprints": self._fingerprints(finding),
        }
        if related:
            result["relatedLocations"] = [
                {"id": number, **self._location(one.path, one.line, one.line, one.message)}
                for number, one in enumerate(related, 1)
            ]
        if len(related) > 1 and finding.rule in self.flows:
            result["codeFlows"] = [self._flow(finding, related)]
        if finding.items:
            result["properties"] = {"items": list(finding.items)}
        return result

    def _location(self, path: str, line: int, end_line: int, message: str = "") -> Json:
        """A place; with columns where the file can be read."""
        line, end_line = max(1, line), max(1, line, end_line)
        region: Json = {"startLine": line, "endLine": end_line}
        span = self.sources.span(path, line, end_line)
        if span is not None:
            region = {
                "startLine": span.line,
                "startColumn": span.column,
                "endLine": span.end_line,
                "endColumn": span.end_column,
            }
        where: Json = {"artifactLocation": {"uri": _uri(path), "uriBaseId": ROOT}, "region": region}
        return {"physicalLocation": where, **({"message": {"text": _plain(message)}} if message else {})}

    def _flow(self, finding: Finding, related: Iterable[RelatedPlace]) -> Json:
        """The way through the related places in their order, to where the finding lies."""
        steps = [(one.path, one.line, one.line, one.message) for one in related]
        if all((path, line) != (finding.path, finding.line) for path, line, _, _ in steps):
            steps.append((finding.path, finding.line, finding.end_line, finding.message))
        return {"threadFlows": [{"locations": [{"location": self._location(*step)} for step in steps]}]}

    def _fingerprints(self, finding: Finding) -> Json:
        out = {}
        if finding.path not in self._hashes:
            data = self.sources.data(finding.path)
            self._hashes[finding.path] = [] if data is None else line_hashes(data)
        hashes = self._hashes[finding.path]
        if 0 < finding.line <= len(hashes):
            out["primaryLocationLineHash"] = hashes[finding.line - 1]
        return {**out, OWN_FINGERPRINT: finding.fingerprint}

    def _notifications(self, left_out: int) -> list[Json]:
        """What could not be read or followed, what failed without a place, and what had no room."""
        notes = [self._problem(problem) for problem in self.report.problems]
        for item in shared.unexplained(self.report):
            notes.append(_note("failed-item", "error", f"{item.id}, {item.title}: {item.summary}"))
        if left_out:
            text = f"{shared.plural(left_out, 'further finding')} of lower severity had no room in this file."
            notes.append(_note("left-out", "warning", text))
        return notes

    def _problem(self, problem: Problem) -> Json:
        note = _note(problem.kind, _problem_level(problem.kind), problem.message)
        if problem.path:
            where: Json = {"artifactLocation": {"uri": _uri(problem.path), "uriBaseId": ROOT}}
            if problem.line:
                where["region"] = {"startLine": problem.line}
            note["locations"] = [{"physicalLocation": where}]
        return note


# --------------------------------------------------------------------------------------------------- rules


def _rules(known: Mapping[str, Rule], findings: Iterable[Finding]) -> list[Json]:
    """All rules, not only those that found something: runs of one version then differ in their results alone."""
    described = {name: _rule(rule, name) for name, rule in known.items()}
    for finding in findings:
        described.setdefault(finding.rule, _unknown(finding))
    return [described[name] for name in sorted(described)]


def _rule(rule: Rule, name: str) -> Json:
    return {
        "id": name,
        "name": "".join(part.capitalize() for part in re.split(r"[\W_]+", name))[:255] or name,
        "shortDescription": {"text": _cut(shared.sentence(rule.title))},
        "fullDescription": {"text": _cut(shared.sentence(rule.why))},
        "help": {"text": _help_text(rule), "markdown": _help_markdown(rule)},
        "defaultConfiguration": {"level": LEVELS[rule.severity]},
        "properties": {
            "tags": _tags(rule),
            "precision": PRECISION[rule.confidence],
            "security-severity": SCORES[rule.severity],
        },
    }


def _unknown(finding: Finding) -> Json:
    """A rule that the catalogue at hand does not have."""
    title = finding.rule.replace("-", " ")
    fix = shared.sentence(finding.fix) or "See the message."
    return {
        "id": finding.rule,
        "shortDescription": {"text": _cut(shared.sentence(title))},
        "fullDescription": {"text": _cut(shared.sentence(title))},
        "help": {"text": fix, "markdown": fix},
        "defaultConfiguration": {"level": LEVELS[finding.severity]},
        "properties": {
            "tags": ["security"],
            "precision": PRECISION[finding.confidence],
            "security-severity": SCORES[finding.severity],
        },
    }


def _tags(rule: Rule) -> list[str]:
    """At most ten are shown. CWE numbers as CodeQL writes them, which is what GitHub knows."""
    numbers = [match[1] for match in map(re.compile(r"CWE-(\d+)").fullmatch, rule.references) if match]
    return ["security", "oauth", *(f"external/cwe/cwe-{number:0>3}" for number in numbers), *rule.items][:10]


def _parts(rule: Rule) -> list[tuple[str, str]]:
    """(heading, text) of what is told of a rule, in order."""
    particular = [(f"Fix with {name}", more) for name, more in rule.fix_with.items()]
    return [("Why", rule.why), ("How it is decided", rule.decided), ("Fix", rule.fix), *particular]


def _help_text(rule: Rule) -> str:
    parts = _parts(rule)
    text = "\n\n".join(f"{heading}: {' '.join(body.split())}" for heading, body in parts)
    return f"{text}\n\nReferences: {'; '.join(rule.references)}" if rule.references else text


def _help_markdown(rule: Rule) -> str:
    parts = _parts(rule)
    blocks = [f"## {heading}\n\n{' '.join(body.split())}" for heading, body in parts]
    blocks += [_example(example) for example in examples.telling(rule.examples)]
    if rule.references:
        blocks.append("## References\n\n" + "\n".join(f"- {reference}" for reference in rule.references))
    return "\n\n".join(blocks) + "\n"


def _example(example: Example) -> str:
    blocks = [f"## {examples.VERDICTS[example.status]}: {example.name} ({example.language})"]
    for path, lines in examples.files(example):
        shown = "\n".join(f"{one.text}  {one.comment} found here" if one.comment else one.text for one in lines)
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", shown)), default=0))
        title = f"`{path}`\n\n" if path else ""
        blocks.append(f"{title}{fence}{_language(path, example.language)}\n{shown}\n{fence}")
    return "\n\n".join(blocks)


def _language(path: str, default: str) -> str:
    ending = path.rpartition(".")[2]
    return {"": default, "env": "ini", "tsx": "tsx", "jsx": "jsx", "html": "html", "yaml": "yaml"}.get(ending, default)


# ---------------------------------------------------------------------------------------------------- words


def _message(text: str, related: Iterable[RelatedPlace]) -> str:
    """The message and, as links to `relatedLocations`, the places that belong to it."""
    links = [
        f"{_bracketed(one.message) or 'See also'}: [{_bracketed(shared.place(one.path, one.line))}]({number})."
        for number, one in enumerate(related, 1)
    ]
    return "\n".join((shared.sentence(_bracketed(text)) or "Failed.", *links))


def _bracketed(text: str) -> str:
    """Text for a message with links, in which brackets and backslashes have a meaning."""
    return re.sub(r"([\\\[\]])", r"\\\1", escape(" ".join(text.split())))


def _plain(text: str) -> str:
    return shared.sentence(_bracketed(text))


def _note(kind: str, level: str, text: str) -> Json:
    return {"descriptor": {"id": kind}, "level": level, "message": {"text": _plain(text)}}


def _problem_level(kind: ProblemKind) -> str:
    return "warning" if kind in _LASTING else "note"


def _cut(text: str) -> str:
    """At most 1,024 characters, by whole sentences where that leaves something."""
    if len(text) <= TEXT_LIMIT:
        return text
    head = text[: TEXT_LIMIT - 1]
    end = head.rfind(". ")
    return head[: end + 1] if end > 0 else head + "…"


def _uri(path: str) -> str:
    """A relative URI: forward slashes, everything else than unreserved characters percent-encoded."""
    return quote(path, safe="/", errors="surrogatepass")


def _semantic(version: str) -> Json:
    return {"semanticVersion": version} if re.fullmatch(r"\d+\.\d+\.\d+(?:[-+].+)?", version) else {}
