"""GitHub's fingerprint of a line, exactly as the upload-sarif action computes it (src/fingerprints.ts).

If a SARIF file brings another value under `primaryLocationLineHash`, the action warns about every result.
"""

from __future__ import annotations

from itertools import accumulate

BLOCK = 100
"""Characters that are hashed from the start of a line on: the window runs into the lines below."""

BASE = 37
END_OF_FILE = 65535
_MASK = (1 << 64) - 1
_LINE_FEED, _CARRIAGE_RETURN, _SKIPPED = 10, 13, frozenset({9, 32})


def line_hashes(data: bytes) -> list[str]:
    """The fingerprint of each line of a file: the hash in hexadecimal, `:`, and how often it has been seen so far.

    The hash is a polynomial in 37 modulo 2**64 over the next 100 UTF-16 units. Spaces and tabs do not count, every
    end of line is one line feed, and after the end of the file come 65535 and zeros.
    """
    units, starts = _units(data)
    # With prefix[i] the hash of the first i units, a window's hash is prefix[i + 100] - prefix[i] * 37**100.
    prefix = list(accumulate((*units, *[0] * BLOCK), lambda value, unit: (value * BASE + unit) & _MASK, initial=0))
    beyond = pow(BASE, BLOCK, 1 << 64)
    seen: dict[int, int] = {}
    out: list[str] = []
    for start in starts:
        value = (prefix[start + BLOCK] - prefix[start] * beyond) & _MASK
        seen[value] = seen.get(value, 0) + 1
        out.append(f"{value:x}:{seen[value]}")
    return out


def _units(data: bytes) -> tuple[list[int], list[int]]:
    """What is hashed of a file, and at which of these units each line starts."""
    text = data.decode("utf-8", "replace").encode("utf-16-le", "surrogatepass")
    units: list[int] = []
    starts: list[int] = []
    at_start, after_return = True, False
    for unit in (*memoryview(text).cast("H"), END_OF_FILE):
        # A space between a carriage return and a line feed makes them two ends of line, as in the original.
        folded = unit in _SKIPPED or (after_return and unit == _LINE_FEED)
        after_return = unit == _CARRIAGE_RETURN
        if folded:
            continue
        if at_start:
            starts.append(len(units))
        units.append(_LINE_FEED if after_return else unit)
        at_start = units[-1] == _LINE_FEED
    return units, starts
