"""How files become programs: lowered now, remembered within a run, or kept from an earlier one."""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TypeAlias

import msgspec

from auditor import program as ir
from auditor.analysis.secrets import is_secret_name, judge
from auditor.cache import Cache
from auditor.frontends.worker import Failure, Job, lower_all
from auditor.program import Program

Lowering: TypeAlias = Callable[[Sequence[Job], int], Iterable[tuple[str, Program | Failure]]]
"""How files become programs: `lower_all`, or one that remembers what it has lowered."""

_KEPT = ("python", "javascript", "typescript")  # settings are made of values, and are quickly read
_HERE = Path(__file__).parent
_PARSERS = (
    "libcst", "msgspec", "tree_sitter", "tree_sitter_javascript", "tree_sitter_typescript", "tree_sitter_html", "yaml",
)  # fmt: skip
_DEEPEST = 20_000  # as deep as the frontends let programs nest


class Remembering:
    """Lowers each file once, however many trees hold it: a tree and the one before it differ in little."""

    def __init__(self, lowering: Lowering = lower_all) -> None:
        self._lowering = lowering
        self._known: dict[Job, Program | Failure] = {}

    def __call__(self, jobs: Sequence[Job], workers: int) -> Iterable[tuple[str, Program | Failure]]:
        """As `lower_all`."""
        new = [job for job in jobs if job not in self._known]
        for job, (_, result) in zip(new, self._lowering(new, workers), strict=True):
            self._known[job] = result
        return [(job.path, self._known[job]) for job in jobs]


class Kept:
    """Keeps programs between runs, by the bytes of their files and the frontends that read them.

    A file is not kept when its program may hold a secret (see `holds_secret`), and no failure is: what took too long
    once may not the next time.
    """

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self._decoder = msgspec.msgpack.Decoder(Program)

    def __call__(self, jobs: Sequence[Job], workers: int) -> Iterator[tuple[str, Program | Failure]]:
        """As `lower_all`."""
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEEPEST))
        found = [self._found(job) for job in jobs]
        new = [job for job, program in zip(jobs, found, strict=True) if program is None]
        made = iter(lower_all(new, workers)) if new else iter(())
        for job, program in zip(jobs, found, strict=True):
            if program is not None:
                yield job.path, program
                continue
            path, result = next(made)
            self._keep(job, result)
            yield path, result

    def _found(self, job: Job) -> Program | None:
        data = self._cache.get(_key(job)) if job.language in _KEPT else None
        if data is None:
            return None
        try:
            program = self._decoder.decode(data)
        except (msgspec.MsgspecError, RecursionError):
            return None
        return program if (program.path, program.language) == (job.path, job.language) else None

    def _keep(self, job: Job, result: Program | Failure) -> None:
        if isinstance(result, Program) and job.language in _KEPT and not holds_secret(result):
            self._cache.put(_key(job), msgspec.msgpack.encode(result))


def _key(job: Job) -> bytes:
    digest = hashlib.blake2b(_version())
    for part in (job.path.encode("utf-8", "surrogatepass"), job.language.encode(), job.source):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()


@functools.cache
def _version() -> bytes:
    """What a program depends on besides its file: the code of the frontends, the language, the parsers."""
    return _digest([_HERE / "program.py", *(_HERE / "frontends").glob("*.py")])


@functools.cache
def engine_version() -> bytes:
    """What an audit depends on besides files and catalogue: all code of this program, the language, the parsers."""
    return _digest(_HERE.rglob("*.py"))


def _digest(code: Iterable[Path]) -> bytes:
    digest = hashlib.blake2b(sys.version.encode())
    for file in sorted(code):
        data = file.read_bytes()
        digest.update(b"%d " % len(data) + data)
    for name in _PARSERS:
        spec = importlib.util.find_spec(name)
        status = os.stat(spec.origin) if spec is not None and spec.origin is not None else None
        digest.update(f"{name} {status and (status.st_size, status.st_mtime_ns)}".encode())
    return digest.digest()


# ------------------------------------------------------------------------------------------------- secrets

_TOKEN = re.compile(r"[A-Za-z0-9+/_=.:\-]{8,}")
_VALUE = re.compile(r"=([A-Za-z0-9+/_.\-]{8,})")  # of a parameter within a longer text
_PIECE = r"(?:[A-Za-z]{2,}[0-9]{0,2}|[A-Za-z]?[0-9]{1,4}[A-Za-z]?|[A-Za-z])"
_WORDS_AND_NUMBERS = re.compile(rf"[-_/.=:+]*{_PIECE}(?:[-_/.=:+]+{_PIECE})*[-_/.=:+]*")


def holds_secret(program: Program) -> bool:
    """Whether a literal of a program may be a secret, so that it must not be written anywhere.

    In a program that names a client secret that is every literal that would be judged one there; in others every
    literal with a part that would be, unless it is made of words and short numbers (`oauth2/token`, `0001_initial`).
    """
    names: set[str] = set()
    texts = set(program.directives)
    for node in ir.walk(program):
        kind = node.__class__
        if kind is ir.Literal:
            value = node.value  # type: ignore[attr-defined]
            if isinstance(value, str):
                texts.add(value)
        elif kind is ir.Operator or kind is ir.Text:
            texts.add(ir.joined(node) or "")
        elif kind is ir.Name:
            names.add(node.id)  # type: ignore[attr-defined]
        elif kind is ir.Member or kind is ir.Argument:
            names.add(node.name or "")  # type: ignore[attr-defined]
    strict = any(_names_secret(name) for name in names) or any(_names_secret(text) for text in texts)
    return any(_may_be_secret(text, strict) for text in texts)


@functools.lru_cache(maxsize=100_000)
def _names_secret(name: str) -> bool:
    return len(name) < 80 and "secret" in name.lower() and is_secret_name(name)


@functools.lru_cache(maxsize=100_000)
def _may_be_secret(text: str, strict: bool) -> bool:
    parts = [text.strip(), *_TOKEN.findall(text), *_VALUE.findall(text)]
    return any(judge(part) == "real" and (strict or not _WORDS_AND_NUMBERS.fullmatch(part)) for part in parts)
