"""Attestations: they answer reviews, and never hide a failure."""

from __future__ import annotations

import datetime
import json
import tomllib

import pytest

from auditor import cli
from auditor.audit import audit_all, plan
from auditor.decisions import attest
from auditor.errors import UsageError
from auditor.model import ItemResult, Report
from tests.conftest import Repository

ITEMS = ("C01", "C03", "C05")
ADA = attest.Attestation("Ada", "they are", datetime.date(2026, 1, 2))


def run(*arguments: str) -> int:
    return cli.run(["attest", *arguments, "--by", 'Ada "L"', "--because", "two\nprojects \\ é"])


def item(report: Report, name: str) -> ItemResult:
    return next(one for one in report.items if one.id == name)


def audited(shop: Repository, today: datetime.date | None = None) -> Report:
    return audit_all(plan(shop.root), today=today)[0].report


def test_a_review_becomes_attested(shop: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    shop.shop()
    assert item(audited(shop), "C03").status == "review"
    assert run("c03") == 0
    found = item(audited(shop), "C03")
    assert found.status == "attested"
    assert found.summary == f'attested by Ada "L" on {datetime.date.today()}: two projects \\ é'
    assert cli.run(["audit"]) == 0
    assert "○ C03" in capsys.readouterr().out


def test_the_file_is_sorted_and_stable(shop: Repository) -> None:
    shop.shop()
    assert run("N01", "--expires", "2999-01-31") == 0
    assert run("C03") == 0
    text = shop.read(attest.FILE_NAME)
    assert list(tomllib.loads(text)) == ["C03", "N01"]
    assert tomllib.loads(text)["N01"]["expires"] == datetime.date(2999, 1, 31)
    assert run("C03") == 0
    assert shop.read(attest.FILE_NAME) == text


def test_an_expired_one_returns_to_review(shop: Repository) -> None:
    shop.shop()
    assert run("C03", "--expires", "2999-01-31") == 0
    assert item(audited(shop, datetime.date(2999, 1, 31)), "C03").status == "attested"
    late = audited(shop, datetime.date(2999, 2, 1))
    assert item(late, "C03").status == "review"
    assert item(late, "C03").summary.endswith('the attestation of Ada "L" ended with 2999-01-31')
    assert [(one.path, one.line) for one in late.problems if one.kind == "attestation"] == [(attest.FILE_NAME, 3)]


def test_a_failure_is_never_green(shop: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    shop.shop(checked=False)
    assert run("C06") == 0
    assert cli.run(["audit", "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    assert [one["status"] for one in report["items"] if one["id"] == "C06"] == ["fail"]
    assert any("the attestation is contradicted" in one["message"] for one in report["problems"])
    # A suppressed failure is a failure.
    assert cli.run(["baseline"]) == 0
    assert item(audited(shop), "C06").status == "review"
    assert any("contradicted" in one.message for one in audited(shop).problems)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [(["C99"], "there is no item 'C99': did you mean 'C"), (["state"], "`connect-auditor checklist` shows"),
     (["C03", "--expires", "soon"], "give a date"), (["C03", "--expires", "2020-01-01"], "still to come"),
     (["C03", "--application", "api"], "there is no application 'api'")],
)  # fmt: skip
def test_wrong_arguments(
    shop: Repository, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert run(*arguments) == 2
    assert message in capsys.readouterr().err
    assert not (shop.root / attest.FILE_NAME).exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [("[C99]\nby='a'\nbecause='b'\non=2026-01-01", "C99"), ("x", "attestations.toml"), ("C03 = 1", "C03"),
     ("[C03]\nby='a'\nbecause=''\non=2026-01-01", "empty"), ("[C03]\nby='a'\non=2026-01-01", "because"),
     ("[C03]\nby='a'\nbecause='b'\non='today'", "C03"), ("[C03]\nby='a'\nbecause='b'\non=2026-01-01\nuntil=1", "until")],
)  # fmt: skip
def test_a_broken_file(shop: Repository, capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    shop.shop()
    shop.write(attest.FILE_NAME, text)
    assert cli.run(["audit"]) == 2
    assert message in capsys.readouterr().err


def test_every_text_comes_back() -> None:
    text = "".join(map(chr, range(0x20))) + "\x7f\\\"'é\U0001f600\u2028"
    written = attest.render({"C03": attest.Attestation(text, text, datetime.date(2026, 1, 2))}, ITEMS)
    assert attest.parse(written, "f", ITEMS)["C03"].by == text


def test_what_is_settled_needs_no_attestation() -> None:
    items = [ItemResult("C01", "", "", "pass", "p"), ItemResult("C03", "", "", "not-applicable", "n")]
    assert attest.apply(items, {"C01": ADA, "C03": ADA}, (), "f", {}, ADA.on) == (tuple(items), ())


def test_an_item_in_the_file_is_written_as_in_the_checklist() -> None:
    with pytest.raises(UsageError):
        attest.parse(b"[c03]\nby='a'\nbecause='b'\non=2026-01-01", "f", ITEMS)
