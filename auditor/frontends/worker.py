"""Lowers many files, Python's always in another process: libcst can end the process that it runs in.

A worker is `sys.executable` with this module's `main`, spoken to over its standard input and output: messages with
their length in front, in MessagePack. A plain child process and not `multiprocessing`: `fork` is unsafe beside threads
and gone on Windows, `spawn` runs the parent's main module again and speaks pickle, `forkserver` costs a second
process. Its import path is ours, given explicitly and without the current directory: the audited repository may lie
there, and nothing in it may ever be imported.

- One thread here for each worker hands it one file at a time. A worker that dies takes only that file with it; if it
  had done others before, the file is tried once more in a fresh one, so that what a report says does not depend on
  what was read before.
- A file has 20 seconds and a worker 2 GB (where the system can bound it).
- Starting and importing libcst takes a worker 0.2 seconds: `start` lets that happen beside other work, workers stay for
  the next call, and there are no more of them than one for each 60 KB.
- tree-sitter is robust, so other languages are lowered in this process, unless there is so much that sharing pays.
"""

from __future__ import annotations

import atexit
import os
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from typing import IO, NamedTuple, NoReturn, Self

import msgspec

from auditor.errors import InternalError
from auditor.frontends import lower
from auditor.frontends.errors import Unreadable
from auditor.model import ProblemKind
from auditor.program import Program

TIME_LIMIT = 20.0
MEMORY_LIMIT = 2 * 1024**3
# What one more worker must have to do before it is worth its start.
WORKER_BYTES = 60_000
# From here on other languages than Python are shared among workers too.
SHARED_BYTES = 4_000_000

# Programs nest as deep as the bounds of the frontends allow: some thousand levels.
_RECURSION = 20_000
_STACK = 64 * 1024**2
_LARGEST = 2**30
_BOOT = "import sys; sys.path[:] = sys.argv[2:]; from auditor.frontends.worker import main; main(sys.argv[1])"
_PROGRAM, _FAILURE = b"P", b"F"


class Job(NamedTuple):
    """A file to lower."""

    path: str
    language: str
    source: bytes


class Failure(msgspec.Struct, frozen=True, array_like=True):
    """Why there is no program of a file. `message` quotes nothing of the source; `line` 0: no line."""

    kind: ProblemKind
    message: str
    line: int = 0


_encoder = msgspec.msgpack.Encoder()
_job_decoder = msgspec.msgpack.Decoder(Job)
_program_decoder = msgspec.msgpack.Decoder(Program)
_failure_decoder = msgspec.msgpack.Decoder(Failure)


def lower_all(jobs: Sequence[Job], workers: int) -> Iterator[tuple[str, Program | Failure]]:
    """Each job's path with its program, or why there is none, in the order of the jobs.

    Uses at most `workers` processes, which stay for the next call. Not for use from several threads at once.
    """
    return _shared().lower_all(jobs, workers)


def start(workers: int = 1) -> None:
    """Starts workers for Python now, and does not wait: they are ready when other work is done."""
    _shared().start(workers)


_pools: list[Pool] = []


def _shared() -> Pool:
    """The pool of this process, which ends with it."""
    if not _pools:
        _pools.append(Pool())
        atexit.register(_pools[0].close)
    return _pools[0]


def lower_here(job: Job) -> Program | Failure:
    """The program of a file, or why there is none, worked out in this process."""
    try:
        return lower(*job)
    except Unreadable as error:
        return Failure(error.kind, error.message, error.line)
    except RecursionError:
        return Failure("too-deep", "the file is nested too deeply")
    except MemoryError:
        raise
    except Exception as error:  # noqa: BLE001 (a fault in a frontend costs one file, and the report names it)
        return Failure("crashed", f"the reader of {job.language} failed: {type(error).__name__}")


class Pool:
    """Worker processes that are started when they are needed and kept until `close`."""

    def __init__(self, time_limit: float = TIME_LIMIT, memory_limit: int = MEMORY_LIMIT) -> None:
        self._time_limit = time_limit
        self._memory_limit = memory_limit
        self._workers: list[_Worker] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def start(self, workers: int = 1) -> None:
        """Starts that many workers, with Python's frontend, and does not wait for them."""
        self._take(workers, "python")

    def close(self) -> None:
        """Ends all workers; a later call starts new ones."""
        for worker in self._workers:
            worker.close()
        self._workers.clear()

    def lower_all(self, jobs: Sequence[Job], workers: int) -> Iterator[tuple[str, Program | Failure]]:
        """See the function of that name."""
        remote = _for_workers(jobs)
        size = sum(len(jobs[index].source) for index in remote)
        count = min(max(workers, 1), max(1, size // WORKER_BYTES), len(remote))
        language = "python" if any(jobs[index].language == "python" for index in remote) else ""
        tasks = _Tasks(jobs, remote)
        for worker in self._take(count, language):
            threading.Thread(target=tasks.serve, args=(worker,), daemon=True).start()
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _RECURSION))
        waiting = set(remote)
        try:
            for index, job in enumerate(jobs):
                result = _decode(tasks.wait(index)) if index in waiting else _here(job)
                waiting.discard(index)
                yield job.path, result
        finally:
            if waiting:
                # The caller takes no more, or this is an error: do not wait for files that nobody wants.
                tasks.stop()
                self.close()

    def _take(self, count: int, language: str) -> list[_Worker]:
        """That many workers, which are starting or running."""
        while len(self._workers) < count:
            self._workers.append(_Worker(self._time_limit, self._memory_limit))
        taken = self._workers[:count]
        for worker in taken:
            worker.start(language)
        return taken


def _for_workers(jobs: Sequence[Job]) -> list[int]:
    """The jobs that go to a worker: Python's always, the others if they are many."""
    others = sum(len(job.source) for job in jobs if job.language != "python")
    return [index for index, job in enumerate(jobs) if job.language == "python" or others > SHARED_BYTES]


def _here(job: Job) -> Program | Failure:
    """A job done in this process, where running out of memory is one file's fault as well."""
    try:
        return lower_here(job)
    except MemoryError:
        return Failure("crashed", "there was not enough memory to read the file")


def _decode(answer: bytes | Failure | InternalError) -> Program | Failure:
    """What a worker's message says; a message that says nothing is a crash."""
    if isinstance(answer, InternalError):
        raise answer
    if isinstance(answer, Failure):
        return answer
    try:
        if answer[:1] == _PROGRAM:
            return _program_decoder.decode(memoryview(answer)[1:])
        return _failure_decoder.decode(memoryview(answer)[1:])
    except RecursionError:
        return Failure("too-deep", "the file is nested too deeply")
    except msgspec.MsgspecError:
        return Failure("crashed", "the parser's answer was damaged")


class _Tasks:
    """Jobs that several workers take, and their answers."""

    def __init__(self, jobs: Sequence[Job], remote: Sequence[int]) -> None:
        self._jobs = jobs
        self._open = deque(remote)
        self._answers: dict[int, bytes | Failure | InternalError] = {}
        self._changed = threading.Condition()

    def serve(self, worker: _Worker) -> None:
        """Runs in a thread of its own: hands jobs to one worker until there are none."""
        while True:
            try:
                index = self._open.popleft()
            except IndexError:
                return
            answer: bytes | Failure | InternalError
            try:
                answer = worker.lower(self._jobs[index])
            except InternalError as error:
                answer = error
            with self._changed:
                self._answers[index] = answer
                self._changed.notify()

    def wait(self, index: int) -> bytes | Failure | InternalError:
        """The answer to a job, once it is there."""
        with self._changed:
            while index not in self._answers:
                self._changed.wait()
            return self._answers.pop(index)

    def stop(self) -> None:
        """No more jobs are taken."""
        self._open.clear()


class _Worker:
    """One worker process, and a fresh one when it has died."""

    def __init__(self, time_limit: float, memory_limit: int) -> None:
        self._time_limit = time_limit
        self._memory_limit = memory_limit
        self._process: subprocess.Popen[bytes] | None = None
        self._language = ""
        self._greeted = False
        self._done = 0
        self._expired = False
        self._closed = False
        # `close` comes from another thread than `lower`: no process may start behind its back.
        self._changing = threading.RLock()

    def start(self, language: str = "") -> subprocess.Popen[bytes]:
        """The running process. `language`: the frontend that it imports at once."""
        with self._changing:
            if self._closed:
                raise InternalError("the process that reads Python files was ended")
            self._language = language or self._language
            if self._process is None:
                self._process = _spawn(f"{self._language}:{self._memory_limit}")
                self._greeted = False
                self._done = 0
            return self._process

    def lower(self, job: Job) -> bytes | Failure:
        """A worker's answer to a job. One that had done others before may have died of them: then once more."""
        while True:
            process = self.start()
            used = self._done
            answer = self._ask(process, job)
            self._done += 1
            if answer is not None:
                return answer
            # A process that has ended keeps its own exit code.
            self._kill()
            if self._expired:
                return Failure("timeout", f"the file could not be read within {self._time_limit:g} seconds")
            if not used or self._closed:
                how = _signal(process.returncode)
                return Failure("crashed", f"the parser crashed or ran out of memory on this file{how}")

    def _ask(self, process: subprocess.Popen[bytes], job: Job) -> bytes | None:
        """The answer, None when the process died or took too long."""
        self._expired = False
        timer = threading.Timer(self._time_limit, self._expire, (process,))
        timer.daemon = True
        timer.start()
        try:
            assert process.stdin is not None
            assert process.stdout is not None
            self._greet(process.stdout)
            _write(process.stdin, _encoder.encode(job))
            return _read(process.stdout)
        except (OSError, ValueError):
            # The process has ended, or `_kill` has closed the pipe.
            return None
        finally:
            timer.cancel()

    def _greet(self, stream: IO[bytes]) -> None:
        """Waits until a new process has imported what it needs. One that cannot do that will never read a file."""
        if not self._greeted:
            greeting = _read(stream)
            if greeting != b"" and not self._expired:
                reason = greeting.decode("utf-8", "replace") if greeting is not None else "it ended at once"
                raise InternalError(f"the process that reads Python files cannot be started: {reason}")
            self._greeted = True

    def _expire(self, process: subprocess.Popen[bytes]) -> None:
        """The time is over."""
        self._expired = True
        process.kill()

    def close(self) -> None:
        """Ends the process for good, whatever it is doing."""
        with self._changing:
            self._closed = True
            self._kill()

    def _kill(self) -> None:
        """Ends the process, if there is one."""
        with self._changing:
            process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for stream in (process.stdin, process.stdout):
            try:
                if stream is not None:
                    stream.close()
            except OSError:
                continue
        process.wait()


def _spawn(setting: str) -> subprocess.Popen[bytes]:
    """A new process that runs `main` with this setting."""
    command = [_interpreter(), "-I", "-S", "-c", _BOOT, setting, *_import_path()]
    if sys.dont_write_bytecode:
        command.insert(1, "-B")
    try:
        return subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except OSError as error:
        raise InternalError(f"the process that reads Python files cannot be started: {error.strerror}") from error


def _interpreter() -> str:
    """Our own interpreter. On Windows a virtual environment's is only a launcher, which would not die with its child."""
    base = getattr(sys, "_base_executable", None) if sys.platform == "win32" else None
    return str(base or sys.executable)


def _import_path() -> list[str]:
    """Where a worker imports from: as we do, but never from the current directory, unless this package lies there."""
    here = os.path.realpath(os.getcwd())
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    paths = [path for path in sys.path if os.path.isabs(path) and path != root and os.path.realpath(path) != here]
    return [*paths, root]


def _signal(code: int | None) -> str:
    """How a process ended, in words."""
    return f" (signal {-code})" if code is not None and code < 0 else ""


def _write(stream: IO[bytes], message: bytes) -> None:
    """Sends a message."""
    stream.write(len(message).to_bytes(4, "big"))
    stream.write(message)
    stream.flush()


def _read(stream: IO[bytes]) -> bytes | None:
    """The next message; None when there is none any more."""
    header = stream.read(4)
    length = int.from_bytes(header, "big")
    if len(header) < 4 or length > _LARGEST:
        return None
    message = stream.read(length)
    return message if len(message) == length else None


# ------------------------------------------------------------------------------------------ in the worker process


def main(setting: str) -> None:
    """The worker: `setting` names the frontend to import and the limit of memory. Ends with its standard input."""
    import signal

    # Ctrl-C is for the parent, which ends us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    language, _, limit = setting.partition(":")
    requests, answers = sys.stdin.buffer, sys.stdout.buffer
    # Nothing that a library prints may come between the messages.
    sys.stdout = sys.stderr
    _bound_memory(int(limit))
    try:
        if language == "python":
            lower("", language, b"")
    except Exception as error:  # noqa: BLE001 (the parent says it)
        _write(answers, f"{type(error).__name__}: {error}".encode())
        return
    _write(answers, b"")
    # The parser recurses on the stack of its thread, which the main thread's size would bound on some systems.
    threading.stack_size(_STACK)
    thread = threading.Thread(target=_serve, args=(requests, answers))
    thread.start()
    thread.join()


def _bound_memory(limit: int) -> None:
    """Bounds this process's memory, where the system can, and leaves no core dump."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for what, most in ((resource.RLIMIT_AS, limit), (resource.RLIMIT_CORE, 0)):
        try:
            _, hard = resource.getrlimit(what)
            soft = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(what, (soft, hard))
        except (OSError, ValueError):
            continue


def _serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Answers each request with its program or failure."""
    import gc

    # Syntax trees have no cycles, and collecting them costs libcst a quarter of its time.
    gc.disable()
    sys.setrecursionlimit(_RECURSION)
    try:
        number = 0
        while (request := _read(requests)) is not None:
            _write(answers, _answer(_job_decoder.decode(request)))
            number += 1
            if number % 100 == 0:
                gc.collect()
    except OSError:
        # The parent has gone.
        return
    except BaseException:  # noqa: BLE001 (no memory, or a panic of the parser: nothing here can be trusted any more)
        _die()


def _answer(job: Job) -> bytes:
    """The message for one job."""
    result = lower_here(job)
    if isinstance(result, Failure):
        return _FAILURE + _encoder.encode(result)
    try:
        return _PROGRAM + _encoder.encode(result)
    except RecursionError:
        return _FAILURE + _encoder.encode(Failure("too-deep", "the file is nested too deeply"))


def _die() -> NoReturn:
    """Ends the process at once; the parent sees it."""
    os._exit(70)
