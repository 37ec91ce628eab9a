"""What is kept between runs in the user's cache folder: bytes under a key, never anything that can be executed.

Whoever can write there can make an audit say anything, so the folder must be the user's own and nobody else's to
write, must not lie in what is audited, and is not used where CI is set unless it is asked for. What is damaged or was
moved from another key is ignored: every file begins with a digest of its key and its content. The cache is a
convenience: no failure of it is an error.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from auditor.discover.files import read_regular

NAME = "connect-auditor"
ENTRY_LIMIT = 16 * 1024 * 1024
TOTAL_LIMIT = 128 * 1024 * 1024
_DIGEST = 32


def location(environment: Mapping[str, str], platform: str = sys.platform, home: Path | None = None) -> Path | None:
    """The folder that the platform has for a program's cache; None if it has none. Relative settings are ignored."""
    if platform == "win32":
        base = environment.get("LOCALAPPDATA", "")
        return Path(base, NAME, "Cache") if os.path.isabs(base) else None
    chosen = environment.get("XDG_CACHE_HOME", "")
    if os.path.isabs(chosen):
        return Path(chosen, NAME)
    try:
        folder = home or Path.home()
    except RuntimeError:  # there is no home
        return None
    return folder / ("Library/Caches" if platform == "darwin" else ".cache") / NAME


def opened(root: Path, wanted: bool | None = None, environment: Mapping[str, str] = os.environ) -> Cache | None:
    """The cache for an audit of `root`; `wanted` None: unless CI is set. None where there is none or it is not safe."""
    if wanted is False or (wanted is None and environment.get("CI", "").lower() not in ("", "0", "false")):
        return None
    folder = location(environment)
    if folder is None:
        return None
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        real = folder.resolve(strict=True)
        if real.is_relative_to(root) or not _is_ours(real):
            return None
    except (OSError, RuntimeError):
        return None
    return Cache(real)


def _is_ours(folder: Path) -> bool:
    """Whether it is the user's own folder that nobody else may write to. Windows has no such modes."""
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode):
        return False
    return sys.platform == "win32" or (status.st_uid == os.getuid() and not status.st_mode & 0o022)


class Cache:
    """Entries of one folder. `tidy` once at the end keeps it small."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written = False

    def get(self, key: bytes) -> bytes | None:
        """What was kept under a key, or None."""
        try:
            data = read_regular(os.fsencode(self._path(key)), ENTRY_LIMIT)
        except OSError:
            return None
        content = data[_DIGEST:]
        return content if data[:_DIGEST] == _seal(key, content) else None

    def put(self, key: bytes, content: bytes) -> None:
        """Keep something. Others see all of it or nothing."""
        if len(content) + _DIGEST > ENTRY_LIMIT:
            return
        try:
            handle, name = tempfile.mkstemp(dir=self._folder, prefix="new-")
        except OSError:
            return
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_seal(key, content) + content)
            os.replace(name, self._path(key))
            self._written = True
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(name)

    def tidy(self, limit: int = TOTAL_LIMIT) -> None:
        """After something was written: drop the oldest entries until the rest is small enough."""
        if not self._written:
            return
        self._written = False
        try:
            with os.scandir(self._folder) as entries:
                found = sorted(
                    (one.stat(follow_symlinks=False).st_mtime, one.name, one.stat().st_size) for one in entries
                )
        except OSError:
            return
        total = sum(size for _, _, size in found)
        for _, name, size in found:
            if total <= limit:
                return
            with contextlib.suppress(OSError):
                os.unlink(self._folder / name)
            total -= size

    def _path(self, key: bytes) -> Path:
        return self._folder / hashlib.blake2b(key, digest_size=20).hexdigest()


def _seal(key: bytes, content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST, key=hashlib.blake2b(key).digest()).digest()
