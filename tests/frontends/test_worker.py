"""Files lowered in worker processes: what comes back, in which order, and what a dying worker takes with it."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor import program as ir
from auditor.errors import InternalError
from auditor.frontends import lower, worker
from auditor.frontends.errors import Unreadable
from auditor.frontends.worker import Failure, Job, Pool
from auditor.program import Program

# A worker that does what libcst does to it at its worst: it ends, it hangs, it takes all memory, it lies.
_WILD = """
import os, sys, time
sys.path[:] = sys.argv[2:]
from auditor.frontends import python, worker

def wild(path, source, lower=python.lower):
    if b"ABORT" in source: os.abort()
    if b"EXIT" in source: os._exit(3)
    if b"HANG" in source: time.sleep(60)
    if b"MEMORY" in source: bytearray(8 * 1024**3)
    if b"PANIC" in source: raise type("PanicException", (BaseException,), {})()
    if b"FAULT" in source: raise KeyError("sk_live_secret")
    if b"PRINT" in source: print("noise")
    if b"TIRED" in source and wild.seen: os._exit(4)
    wild.seen += 1
    return lower(path, source)

wild.seen = -1
python.lower = wild
answer = worker._answer
worker._answer = lambda job: b"P\\x93garbage" if b"LIE" in job.source else answer(job)
worker.main(sys.argv[1])
"""


@pytest.fixture
def pool() -> Iterator[Pool]:
    with Pool() as made:
        yield made


@pytest.fixture
def wild(monkeypatch: pytest.MonkeyPatch) -> Iterator[Pool]:
    monkeypatch.setattr(worker, "_BOOT", _WILD)
    with Pool(time_limit=2) as made:
        yield made


def _python(*sources: str) -> list[Job]:
    return [Job(f"{number}.py", "python", source.encode()) for number, source in enumerate(sources)]


def _results(pool: Pool, jobs: list[Job], workers: int = 1) -> list[Program | Failure]:
    answers = list(pool.lower_all(jobs, workers))
    assert [path for path, _ in answers] == [job.path for job in jobs]
    return [result for _, result in answers]


def _kinds(results: list[Program | Failure]) -> list[str]:
    return [result.kind if isinstance(result, Failure) else "program" for result in results]


def test_a_program_comes_back_as_it_was(pool: Pool) -> None:
    source = Path(__file__).read_bytes()
    (result,) = _results(pool, [Job("app.py", "python", source)])
    assert isinstance(result, Program)
    here = lower("app.py", "python", source)
    assert (result.path, result.spans, result.text_lines) == (here.path, here.spans, here.text_lines)
    assert [(type(node), node.at) for node in ir.walk(result)] == [(type(node), node.at) for node in ir.walk(here)]


def test_nothing_to_do(pool: Pool) -> None:
    assert _results(pool, [], 4) == []
    assert pool._workers == []


def test_an_unreadable_file_is_a_failure(pool: Pool) -> None:
    results = _results(pool, _python("x = 1", "a = 1\nraise A, 'x'", "x = " + "(" * 200 + ")" * 200, "y = 2"))
    assert _kinds(results) == ["program", "syntax", "too-deep", "program"]
    assert isinstance(results[1], Failure)
    assert results[1].line == 2
    assert "raise" in results[1].message


def test_order_of_languages_and_workers(pool: Pool) -> None:
    filler = "# " + "x" * 40_000
    jobs = [
        job
        for number in range(6)
        for job in (
            Job(f"{number}.py", "python", f"{filler}\nx{number} = 1".encode()),
            Job(f"{number}.js", "javascript", f"const x{number} = 1".encode()),
            Job(f"{number}.ts", "typescript", f"const x{number}: number = 1".encode()),
            Job(f"{number}.cob", "cobol", b""),
        )
    ]
    results = _results(pool, jobs, 2)
    assert len(pool._workers) == 2
    assert _kinds(results) == ["program", "program", "program", "unsupported"] * 6
    for job, result in zip(jobs, results, strict=True):
        if isinstance(result, Program):
            (assign,) = result.body
            assert isinstance(assign, ir.Assign)
            assert assign.target.id == f"x{job.path[0]}"  # type: ignore[union-attr]
            assert result.language == job.language


def test_few_files_start_one_worker_and_other_languages_none(pool: Pool) -> None:
    _results(pool, [Job("a.js", "javascript", b"x")], 4)
    assert pool._workers == []
    _results(pool, _python(*["x = 1"] * 5), 4)
    assert len(pool._workers) == 1


def test_many_scripts_are_shared(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "SHARED_BYTES", 10)
    results = _results(
        pool, [Job("a.js", "javascript", b"const first = 1"), Job("b.js", "javascript", b"const b = 2")], 2
    )
    assert _kinds(results) == ["program", "program"]
    assert len(pool._workers) == 1


def test_workers_stay_for_the_next_call(pool: Pool) -> None:
    pool.start()
    first = pool._workers[0].start()
    _results(pool, _python("x = 1"))
    _results(pool, _python("x = 1"))
    assert pool._workers[0].start() is first
    pool.close()
    assert first.poll() is not None
    assert _kinds(_results(pool, _python("x = 1"))) == ["program"]


@pytest.mark.parametrize("how", ["ABORT", "EXIT", "PANIC", "LIE"])
def test_a_crash_takes_one_file(wild: Pool, how: str) -> None:
    results = _results(wild, _python("a = 1", f"b = '{how}'", "c = 1", "d = 1"))
    assert _kinds(results) == ["program", "crashed", "program", "program"]


def test_a_crash_says_how(wild: Pool) -> None:
    (result,) = _results(wild, _python("b = 'ABORT'"))
    assert isinstance(result, Failure)
    if sys.platform != "win32":
        assert "signal 6" in result.message


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there is memory bounded for certain")
def test_memory_is_bounded(wild: Pool) -> None:
    assert _kinds(_results(wild, _python("a = 'MEMORY'", "c = 1"))) == ["crashed", "program"]


def test_time_is_bounded(wild: Pool) -> None:
    before = time.perf_counter()
    assert _kinds(_results(wild, _python("a = 1", "b = 'HANG'", "c = 1"))) == ["program", "timeout", "program"]
    assert time.perf_counter() - before < 10


def test_a_fault_of_ours_is_named_and_quotes_nothing(wild: Pool) -> None:
    results = _results(wild, _python("a = 'FAULT'", "b = 1"))
    assert _kinds(results) == ["crashed", "program"]
    assert isinstance(results[0], Failure)
    assert results[0].message == "the reader of python failed: KeyError"


def test_noise_does_not_disturb_the_answers(wild: Pool) -> None:
    assert _kinds(_results(wild, _python("a = 'PRINT'", "b = 1"))) == ["program", "program"]


def test_a_worker_that_dies_of_its_past_gives_the_file_another_chance(wild: Pool) -> None:
    assert _kinds(_results(wild, _python("a = 1", "b = 'TIRED'", "c = 'TIRED'"))) == ["program"] * 3


def test_two_workers_and_many_crashes(wild: Pool) -> None:
    filler = "# " + "x" * 20_000
    jobs = _python(*(f"{filler}\nx = {'ABORT' if number % 5 == 0 else 1}" for number in range(20)))
    results = _results(wild, jobs, 2)
    assert _kinds(results) == ["crashed" if number % 5 == 0 else "program" for number in range(20)]


def test_a_caller_that_leaves_early_leaves_no_process(wild: Pool) -> None:
    answers = wild.lower_all(_python("a = 1", "b = 'HANG'", "c = 1"), 1)
    next(answers)
    process = wild._workers[0].start()
    del answers
    gc.collect()
    assert process.wait(5) is not None
    assert wild._workers == []


def test_a_worker_that_cannot_start_is_our_fault(pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "_BOOT", "import sys; sys.exit(1)")
    with pytest.raises(InternalError, match="cannot be started"):
        _results(pool, _python("a = 1"))
    monkeypatch.setattr(worker, "_interpreter", lambda: "/nowhere/python")
    with pytest.raises(InternalError, match="cannot be started"):
        _results(pool, _python("a = 1"))


def test_nothing_is_imported_from_the_current_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("libcst", "msgspec", "json", "sitecustomize", "auditor"):
        (tmp_path / f"{name}.py").write_text("import os; os._exit(9)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", ["", str(tmp_path), ".", *sys.path])
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    assert str(tmp_path) not in worker._import_path()
    with Pool() as pool:
        assert _kinds(_results(pool, _python("a = 1"))) == ["program"]


def test_the_shared_pool() -> None:
    code = (
        "import sys, time; sys.path[:] = sys.argv[1:]\n"
        "from auditor.frontends import worker\n"
        "worker.start()\n"
        "for _ in range(2): print([type(r).__name__ for _, r in worker.lower_all([worker.Job('a.py', 'python', b'x = 1')], 2)])\n"
        "assert 'libcst' not in sys.modules\n"
        "print(worker._pools[0]._workers[0].start().pid)\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *worker._import_path()],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    first, second, process = done.stdout.splitlines()
    assert first == second == "['Program']"
    assert done.stderr == ""
    if sys.platform != "win32":
        with pytest.raises(ProcessLookupError):
            os.kill(int(process), 0)


def test_one_small_file_is_quick() -> None:
    source = b"def f(a):\n    return g(a.b[1], c=f'{a}')\n\n" * 66
    before = time.perf_counter()
    with Pool() as pool:
        assert _kinds(_results(pool, [Job("a.py", "python", source)])) == ["program"]
    # 0.2 seconds on an idle machine; this only guards against a second import or a second process.
    assert time.perf_counter() - before < 2


def test_dispatch() -> None:
    assert lower("a.py", "python", b"x = 1").language == "python"
    assert lower("a.js", "javascript", b"x = 1").language == "javascript"
    assert lower("a.ts", "typescript", b"x = 1").language == "typescript"
    assert lower("a.html", "html", b"<p>a</p>").language == "html"
    with pytest.raises(Unreadable, match="cobol"):
        lower("a.cob", "cobol", b"")
