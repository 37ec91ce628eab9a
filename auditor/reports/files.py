"""Writes reports to files: whole, or not at all."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path

from auditor.errors import UsageError


def write_all(contents: Mapping[Path, bytes]) -> None:
    """Write each file, or raise UsageError that names the one that cannot be written.

    All of them are first written beside their names and then renamed, so that nobody ever reads half a report, and
    an old one stays until the new one is complete.
    """
    waiting: list[tuple[Path, Path, Path]] = []
    try:
        for path, data in contents.items():
            try:
                target = path.resolve()
                if _is_special(path, target):
                    _append(path, data)
                else:
                    waiting.append((path, _beside(target, data), target))
            except OSError as error:
                raise _refusal(path, error) from None
        for path, written, target in waiting:
            try:
                written.replace(target)
            except OSError as error:
                raise _refusal(path, error) from None
    finally:
        for _, written, _ in waiting:
            written.unlink(missing_ok=True)


def _beside(target: Path, data: bytes) -> Path:
    """A new file in the target's folder that holds the data, with the mode that the target has or would get."""
    if target.is_dir():
        raise IsADirectoryError(0, "Is a directory")
    if target.exists() and not os.access(target, os.W_OK):
        raise PermissionError(0, "Permission denied")
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name[:100]}.", suffix=".tmp", dir=target.parent)
    written = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        written.chmod(stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o666 & ~_umask())
    except BaseException:
        written.unlink(missing_ok=True)
        raise
    return written


def _is_special(path: Path, target: Path) -> bool:
    """A pipe or a device, where there is nothing to rename to. /dev/stdout may be a regular file that is open."""
    if path.is_absolute() and path.parts[1:2] in (("dev",), ("proc",)):
        return True
    return target.exists() and not target.is_file() and not target.is_dir()


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def _umask() -> int:
    """The mask of new files; it can only be asked by setting it."""
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _refusal(path: Path, error: OSError) -> UsageError:
    return UsageError(f"{path}: could not be written: {error.strerror}")
