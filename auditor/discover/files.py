"""The names and bytes of files, as far as a hostile folder allows."""

from __future__ import annotations

import os
import stat
import unicodedata


def shown(name: bytes) -> str:
    """A path as the file system spells it, as text for a report: NFC, bytes that are not UTF-8 as `\\xe9`.

    Control characters stay: it is for each renderer to escape what its format cannot hold.
    """
    return unicodedata.normalize("NFC", name.decode("utf-8", "backslashreplace"))


class NotRegularError(OSError):
    """It is a folder, a link, a device, a pipe or a socket."""

    def __init__(self) -> None:
        super().__init__(0, "not a regular file")


def read_regular(path: bytes, limit: int) -> bytes:
    """Up to `limit + 1` bytes of a regular file, so that the caller sees that it is too large. Raises OSError.

    Whether it is one is asked of the open file, never of its name before, and opening waits for nothing: a named
    pipe without a writer would.
    """
    flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NotRegularError
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return file.read(limit + 1)
    finally:
        os.close(descriptor)
