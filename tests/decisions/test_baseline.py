"""The baseline, and the identity of findings on which it rests."""

from __future__ import annotations

import json
import random
import re
import shutil
from datetime import date
from pathlib import Path

import pytest

from auditor import cli
from auditor.audit import audit
from auditor.decisions import baseline
from auditor.errors import UsageError
from auditor.model import Finding
from auditor.reports import RENDERERS, Options
from tests.conftest import APP, CHECK, Repository

EDITS = 200
FIXTURE = Path(__file__).parents[2] / "fixtures/flask-bad"


def failures(shop: Repository) -> set[tuple[str, str, str]]:
    return {(one.path, one.rule, one.fingerprint) for one in audit(shop.root).findings}


def edited(text: str, chance: random.Random) -> str:
    """The program after one edit that touches no finding: its functions in another order, more lines, other names."""
    head, *functions = re.split(r"(?m)^(?=@app)", text)
    functions = [one.rstrip("\n") + "\n\n\n" for one in functions]
    what = chance.randrange(5)
    if what == 0:
        chance.shuffle(functions)
    elif what == 1:
        helper = f"def helper_{chance.randrange(1000)}(value):\n    return value * {chance.randrange(9)}\n\n\n"
        functions.insert(chance.randrange(len(functions) + 1), helper)
    elif what == 2:
        head = head.replace(
            "app = Flask", f"# a line\nNUMBER_{chance.randrange(1000)} = {chance.random()}\napp = Flask"
        )
    elif what == 3:
        at = chance.randrange(len(functions))
        functions[at] = functions[at].replace("    data =", f"    # {chance.random()}\n\n    data =")
    else:
        name = f"payload_{chance.randrange(1000)}"
        functions = [re.sub(r"\bdata\b(?!=)|\bpayload_\d+\b(?!=)", name, one) for one in functions]
    return head + "".join(functions)


def test_identity_holds_through_edits_that_do_not_touch_the_finding(shop: Repository) -> None:
    chance = random.Random(20261125)
    shop.shop(checked=False)
    before = failures(shop)
    assert {rule for _, rule, _ in before} == {"missing-state-validation"}
    text = shop.read("app.py")
    seen = set()
    for number in range(EDITS):
        text = edited(text, chance) if number % 8 else APP.replace(CHECK, "")
        seen.add(text)
        shop.write("app.py", text)
        assert failures(shop) == before, text
    assert len(seen) > EDITS / 2


def test_identity_holds_for_all_findings_of_an_application(shop: Repository) -> None:
    """The same over many findings of many rules, in the report and in SARIF."""
    chance = random.Random(4)
    shutil.copytree(FIXTURE, shop.root, dirs_exist_ok=True)
    head, *functions = re.split(r"(?m)^(?=@app)", shop.read("app.py"))
    before = failures(shop)
    assert len({rule for _, rule, _ in before}) > 4
    for number in range(20):
        chance.shuffle(functions)
        spaces = ["\n" * chance.randrange(3) + f"# {chance.random()}\nUNUSED_{number} = 1\n\n\n" for _ in functions]
        shop.write("app.py", head + "".join(map("".join, zip(spaces, functions, strict=True))))
        assert failures(shop) == before
    runs = json.loads(RENDERERS["sarif"](audit(shop.root), Options()))["runs"]
    stable = {prints[key] for one in runs[0]["results"] for prints in [one["partialFingerprints"]] for key in prints}
    assert {identity for _, _, identity in before} <= stable


@pytest.fixture
def old(shop: Repository) -> Repository:
    """An old repository: one failure, in the baseline."""
    shop.shop(checked=False)
    assert cli.run(["audit"]) == 1
    assert cli.run(["baseline"]) == 0
    return shop


def test_the_file_has_no_line_and_no_date(old: Repository) -> None:
    written = json.loads(old.read(baseline.FILE_NAME))
    assert written["schema"] == 1
    assert [set(one) for one in written["findings"]] == [{"path", "rule", "fingerprint"}]
    assert str(date.today().year) not in old.read(baseline.FILE_NAME)
    first = old.read(baseline.FILE_NAME)
    old.write("app.py", "# another line\n" + old.read("app.py"))
    assert cli.run(["baseline"]) == 0
    assert old.read(baseline.FILE_NAME) == first


def test_only_new_failures_count(old: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["audit"]) == 0
    out = capsys.readouterr().out
    assert "? C06" in out
    assert "1 failure is suppressed: it was there when the baseline was written" in " ".join(out.split())
    assert cli.run(["audit", "--no-baseline"]) == 1
    old.shop("new/", checked=False)
    assert cli.run(["audit", "--format", "json"]) == 1
    found = json.loads(capsys.readouterr().out.partition("{")[2].join(("{", "")))["findings"]
    assert sorted((one["path"], (one["suppressed"] or {}).get("by")) for one in found) == [
        ("app.py", "baseline"), ("new/app.py", None)]  # fmt: skip


def test_stale_entries_are_reported_and_pruned(old: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    old.shop()
    assert cli.run(["audit"]) == 0
    assert "stale: missing-state-validation in app.py is there no more" in " ".join(capsys.readouterr().out.split())
    old.shop("new/", checked=False)
    assert cli.run(["baseline", "--prune"]) == 0
    assert "0 failures, 0 added, 1 dropped" in capsys.readouterr().err
    assert cli.run(["audit"]) == 1


def test_of_a_file_that_cannot_be_read_nothing_is_stale(old: Repository) -> None:
    old.write("app.py", old.read("app.py") + "\n)\n")
    assert [one for one in audit(old.root).problems if one.kind == "baseline"] == []


def test_a_part_of_the_repository(old: Repository) -> None:
    old.shop("new/", checked=False)
    assert cli.run(["baseline", "new"]) == 0
    assert [one["path"] for one in json.loads(old.read(baseline.FILE_NAME))["findings"]] == ["app.py", "new/app.py"]
    assert cli.run(["audit"]) == 0
    assert [one for one in audit(old.root / "new").problems if one.kind == "baseline"] == []


def test_the_hook_reads_the_staged_baseline_and_never_writes_it(old: Repository) -> None:
    old.write("readme.txt", "x\n")
    old.git("add", "readme.txt", "app.py", "state.py")
    assert cli.run(["hook"]) == 1
    old.git("add", "--all")
    before = old.read(baseline.FILE_NAME)
    assert cli.run(["hook"]) == 0
    old.shop()
    old.git("add", "--all")
    assert cli.run(["hook"]) == 0
    assert old.read(baseline.FILE_NAME) == before


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "not a baseline"), ("[]", "not a baseline"), ('{"schema": 1, "findings": [], "x": 1}', "not a baseline"),
     ('{"schema": 2, "findings": []}', "another version"),
     ('{\n<<<<<<< HEAD\n  "schema": 1,\n=======\n  "schema": 1,\n>>>>>>> side\n}', "conflict markers")],
)  # fmt: skip
def test_a_broken_baseline_is_no_clean_audit(
    old: Repository, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    old.write(baseline.FILE_NAME, text)
    assert cli.run(["audit"]) == 2
    assert message in capsys.readouterr().err
    assert cli.run(["baseline"]) == 0
    assert cli.run(["audit"]) == 0


def test_a_baseline_outside_of_the_repository(old: Repository) -> None:
    (old.root / baseline.FILE_NAME).unlink()
    (old.root / baseline.FILE_NAME).symlink_to("/etc/hostname")
    assert cli.run(["audit"]) == 2
    old.write("connect-auditor.toml", 'baseline = "../x.json"\n')
    assert cli.run(["audit"]) == 2


def test_another_place(old: Repository) -> None:
    old.write("connect-auditor.toml", 'baseline = "audit/old.json"\n')
    old.write("audit/.keep", "")
    assert cli.run(["audit"]) == 1
    assert cli.run(["baseline"]) == 0
    assert "missing-state-validation" in old.read("audit/old.json")
    assert cli.run(["audit"]) == 0


def test_what_a_comment_suppresses_is_not_in_the_baseline() -> None:
    finding = Finding("r", ("C01",), "low", "high", "a.py", 1, 1, "m", "f", "x")
    assert [one.rule for one in baseline.entries_of([finding])] == ["r"]
    from msgspec.structs import replace

    from auditor.model import Suppressed

    assert (
        baseline.entries_of([replace(finding, suppressed=Suppressed("comment", "r")), replace(finding, items=())]) == []
    )


def test_parse_refuses() -> None:
    with pytest.raises(UsageError):
        baseline.parse(b'{"schema": 1}', "b.json")


def test_a_renamed_file(old: Repository, capsys: pytest.CaptureFixture[str]) -> None:
    """The path is part of what a failure is known by. The hook knows a renamed file, and blocks nobody for it."""
    old.commit()
    old.git("mv", "app.py", "main.py")
    assert cli.run(["hook"]) == 0
    assert "1 failure was there before" in capsys.readouterr().err
    assert cli.run(["audit"]) == 1
    assert "stale: missing-state-validation in app.py is there no more" in " ".join(capsys.readouterr().out.split())
    assert cli.run(["baseline"]) == 0
    assert "1 failures, 1 added, 1 dropped" in capsys.readouterr().err.replace("1 failure,", "1 failures,")
    assert cli.run(["audit"]) == 0


def test_a_link_in_the_index(old: Repository) -> None:
    """It is followed as in the working directory, and never out of the repository."""
    old.write("decisions/old.json", old.read(baseline.FILE_NAME))
    (old.root / baseline.FILE_NAME).unlink()
    (old.root / baseline.FILE_NAME).symlink_to("decisions/old.json")
    old.git("add", "--all")
    assert cli.run(["hook"]) == 0
    assert cli.run(["audit"]) == 0
    (old.root / baseline.FILE_NAME).unlink()
    (old.root / baseline.FILE_NAME).symlink_to("../old.json")
    old.git("add", "--all")
    assert cli.run(["hook"]) == 2
    assert cli.run(["audit"]) == 2


def test_what_is_decided_in_the_working_directory_is_not_decided_in_the_index(old: Repository) -> None:
    old.git("add", "--all")
    (old.root / baseline.FILE_NAME).unlink()
    assert cli.run(["hook"]) == 0
    assert cli.run(["audit"]) == 1
    old.git("rm", "--quiet", "--cached", baseline.FILE_NAME)
    old.write(baseline.FILE_NAME, '{"schema": 2}')
    assert cli.run(["hook"]) == 1
