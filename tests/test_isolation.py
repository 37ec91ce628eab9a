"""The same input gives the same bytes, and nothing is sent anywhere."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from auditor import lowered
from auditor.audit import audit_all, plan
from auditor.cache import Cache, location, opened
from auditor.reports import RENDERERS, Options
from tests.conftest import APP, CHECK, STATE

ROOT = Path(__file__).parents[1]
FIXTURES = ROOT / "fixtures"

AUDIT = """\
import sys
from pathlib import Path
from auditor import audit, loading
workers = int(sys.argv[2])
load = loading.load
loading.load = lambda *given, **named: load(*given, workers=workers, **named)
from auditor.reports import RENDERERS, Options
made = audit.plan(Path(sys.argv[1]))
for one in audit.audit_all(made):
    sys.stdout.buffer.write(RENDERERS["json"](one.report, Options()).encode())
"""


@pytest.fixture
def several(tmp_path: Path) -> Path:
    """A folder with applications in all languages."""
    made = tmp_path / "all"
    for name in ("express-bad", "flask-bad", "django-bad", "next-bad", "fastapi-bad"):
        if (FIXTURES / name).is_dir():
            shutil.copytree(FIXTURES / name, made / name)
    assert len(list(made.iterdir())) > 1
    return made


def test_neither_the_order_of_hashes_nor_the_workers_change_a_byte(several: Path) -> None:
    texts = set()
    for seed, workers in (("0", "1"), ("1", "2"), ("77", "2")):
        environment = os.environ | {"PYTHONHASHSEED": seed}
        command = [sys.executable, "-c", AUDIT, str(several), workers]
        texts.add(subprocess.run(command, capture_output=True, check=True, env=environment).stdout)
    assert len(texts) == 1
    assert b'"rule"' in texts.pop()


def test_what_was_kept_changes_no_byte(several: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o700)
    made = plan(several)
    texts = [
        RENDERERS["json"](audit_all(made, cache=cache)[0].report, Options())
        for cache in (None, Cache(folder), Cache(folder))
    ]
    assert list(folder.iterdir())
    assert len(set(texts)) == 1


SOCKETS = """\
import sys
def watch(event, given):
    if event.startswith("socket.") and event != "socket.gethostname":
        raise AssertionError(event)
sys.addaudithook(watch)
from auditor import cli
from auditor.reports import RENDERERS
for name in RENDERERS:
    assert cli.run(["audit", "--format", name]) == 1
"""


def test_no_socket_is_opened(tmp_path: Path) -> None:
    """Neither for an audit that finds a secret, whose randomness is measured by another package, nor for any format."""
    (tmp_path / "app.py").write_text(APP.replace(CHECK, ""))
    (tmp_path / "state.py").write_text(STATE)
    (tmp_path / "old.py").write_text('MONEI_CLIENT_SECRET = "' + "9f8e7d6c5b" + '4a39281706"\n')
    done = subprocess.run([sys.executable, "-c", SOCKETS], check=False, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "hardcoded-client-secret" in done.stdout


def test_what_measures_secrets_is_imported_only_for_a_candidate(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(APP.replace(CHECK, ""))
    (tmp_path / "state.py").write_text(STATE)
    code = (
        "import sys; from auditor import cli; cli.run(['audit', '--no-cache'])\n"
        "sys.exit(any(one.startswith('detect_secrets') for one in sys.modules))\n"
    )
    run = [sys.executable, "-c", code]
    assert subprocess.run(run, check=False, cwd=tmp_path, capture_output=True).returncode == 0
    (tmp_path / "old.py").write_text('MONEI_CLIENT_SECRET = "' + "9f8e7d6c5b" + '4a39281706"\n')
    assert subprocess.run(run, check=False, cwd=tmp_path, capture_output=True).returncode == 1


# ------------------------------------------------------------------------------------------------- the cache


@pytest.fixture
def kept(tmp_path: Path) -> Cache:
    folder = tmp_path / "kept"
    folder.mkdir(mode=0o700)
    return Cache(folder)


def file_of(tmp_path: Path) -> Path:
    (file,) = (tmp_path / "kept").iterdir()
    return file


def test_what_was_put_is_got(kept: Cache) -> None:
    assert kept.get(b"key") is None
    kept.put(b"key", b"content")
    assert kept.get(b"key") == b"content"
    assert kept.get(b"other") is None


def test_what_is_damaged_or_of_another_key_is_ignored(kept: Cache, tmp_path: Path) -> None:
    kept.put(b"key", b"content")
    file = file_of(tmp_path)
    whole = file.read_bytes()
    for forged in (b"", whole[:-1], whole + b"x", whole[:32] + b"CONTENT"):
        file.write_bytes(forged)
        assert kept.get(b"key") is None
    file.unlink()
    kept.put(b"other", b"content")
    file_of(tmp_path).rename(file)
    assert kept.get(b"key") is None


def test_what_is_no_program_is_ignored(kept: Cache, tmp_path: Path) -> None:
    """A right digest over wrong content: whoever wrote it knew the key."""
    job = lowered.Job("a.py", "python", b"x = 1\n")
    (first,) = lowered.Kept(kept)([job], 1)
    for content in (b"", b"\xff", b"\x93\x01\x02\x03"):
        kept.put(lowered._key(job), content)
        (again,) = lowered.Kept(kept)([job], 1)
        assert isinstance(again[1], lowered.Program)
        assert again[0] == first[0]


def test_the_oldest_go_first(kept: Cache, tmp_path: Path) -> None:
    for number in range(4):
        kept.put(b"%d" % number, bytes(1000))
        for file in (tmp_path / "kept").iterdir():
            os.utime(file, (os.stat(file).st_atime, os.stat(file).st_mtime - 10))
    kept.tidy(limit=2500)
    assert [kept.get(b"%d" % number) is not None for number in range(4)] == [False, False, True, True]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such modes")
def test_a_folder_that_is_not_safe_is_not_used(tmp_path: Path) -> None:
    environment = {"XDG_CACHE_HOME": str(tmp_path / "x")}
    root = tmp_path / "root"
    assert opened(root, environment=environment) is not None
    assert opened(tmp_path, environment=environment) is None  # it would be audited
    assert opened(root, False, environment) is None
    assert opened(root, environment=environment | {"CI": "true"}) is None
    assert opened(root, True, environment | {"CI": "true"}) is not None
    (tmp_path / "x/connect-auditor").chmod(0o777)
    assert opened(root, environment=environment) is None
    (tmp_path / "x/connect-auditor").rmdir()
    (tmp_path / "x/connect-auditor").write_text("")
    assert opened(root, environment=environment) is None


def test_where_each_platform_keeps_it(tmp_path: Path) -> None:
    assert location({}, "linux", tmp_path) == tmp_path / ".cache/connect-auditor"
    assert location({"XDG_CACHE_HOME": "relative"}, "linux", tmp_path) == tmp_path / ".cache/connect-auditor"
    assert location({"XDG_CACHE_HOME": str(tmp_path)}, "linux") == tmp_path / "connect-auditor"
    assert location({}, "darwin", tmp_path) == tmp_path / "Library/Caches/connect-auditor"
    assert location({}, "win32") is None


SECRETS = (
    'X = "mcs_live_' + '9f8e7d6c5b4a3928"',
    'X = f"Bearer {a} sk_live_' + '9f8e7d6c5b4a3928"',
    'X = """Use 9f8e7d6c5b4a' + '39281706 for tests."""',
    'connect(client_secret="abc' + '-def-12ghi")',
    'client_secret = "9f8e7d" ' + '+ "6c5b4a"',
    'X = "client_id=shop&client_secret=' + '9f8e7d6c5b4a3928"',
)
HARMLESS = ('X = "oauth2/token"', 'X = "0001_initial"', 'client_secret = os.environ["MONEI_CLIENT_SECRET"]', "x = 1")


@pytest.mark.parametrize("source", [*SECRETS, *HARMLESS])
def test_a_program_with_a_secret_is_not_kept(kept: Cache, tmp_path: Path, source: str) -> None:
    list(lowered.Kept(kept)([lowered.Job("a.py", "python", source.encode())], 1))
    assert bool(list((tmp_path / "kept").iterdir())) == (source in HARMLESS)
