"""Which file an import means. What is not found in the tree is a library's."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable

_JS_SUFFIXES = (".ts", ".tsx", ".js", ".jsx", ".mjs", ".cjs", ".mts", ".cts", ".vue", ".svelte")
_JS_INDEX = tuple(f"/index{suffix}" for suffix in _JS_SUFFIXES)
_ALIASES = ("@/", "~/", "@@/", "$lib/", "#/")
_REMAPPED = {".js": (".ts", ".tsx"), ".jsx": (".tsx",), ".mjs": (".mts",), ".cjs": (".cts",)}


class Linker:
    """Resolves imports over the set of all paths of the tree, loaded or not."""

    def __init__(self, paths: Iterable[str]) -> None:
        self._paths = frozenset(paths)
        self._found: dict[tuple[str, str, str], str | None] = {}

    def resolve(self, importer: str, module: str, language: str) -> str | None:
        """The path of the file that `module` means in `importer`, or None for a library."""
        key = (posixpath.dirname(importer), module, "python" if language == "python" else "javascript")
        if key not in self._found:
            find = self._python if language == "python" else self._javascript
            self._found[key] = find(key[0], module)
        return self._found[key]

    def submodule(self, importer: str, module: str, name: str) -> str | None:
        """The file of `name` in `from module import name`, when it is a module of its own (Python)."""
        joined = module + name if module.endswith(".") else f"{module}.{name}"
        return self.resolve(importer, joined, "python")

    def _python(self, folder: str, module: str) -> str | None:
        dots = len(module) - len(module.lstrip("."))
        tail = module[dots:].replace(".", "/")
        if dots:
            base = folder
            for _ in range(dots - 1):
                base = posixpath.dirname(base)
            return self._python_file(posixpath.join(base, tail) if tail else base)
        for base in _upwards(folder):
            for source in ("", "src"):
                found = self._python_file(posixpath.join(base, source, tail))
                if found:
                    return found
        return None

    def _python_file(self, stem: str) -> str | None:
        for candidate in (f"{stem}.py", f"{stem}/__init__.py"):
            if candidate.lstrip("/") in self._paths:
                return candidate.lstrip("/")
        return None

    def _javascript(self, folder: str, module: str) -> str | None:
        if module.startswith("."):
            return self._javascript_file(posixpath.normpath(posixpath.join(folder, module)))
        tail = next((module[len(alias) :] for alias in _ALIASES if module.startswith(alias)), None)
        if tail is None and ("/" not in module or module.startswith("@")):
            return None
        for base in _upwards(folder):
            for source in ("", "src", "app") if tail is not None else ("", "src"):
                found = self._javascript_file(posixpath.join(base, source, tail if tail is not None else module))
                if found:
                    return found
        return None

    def _javascript_file(self, stem: str) -> str | None:
        stem = stem.lstrip("/")
        if stem in self._paths and "." in posixpath.basename(stem):
            return stem
        root, suffix = posixpath.splitext(stem)
        for candidate in (
            *(stem + ending for ending in _JS_SUFFIXES),
            *(root + ending for ending in _REMAPPED.get(suffix, ())),
            *(stem + ending for ending in _JS_INDEX),
        ):
            if candidate in self._paths:
                return candidate
        return None


def _upwards(folder: str) -> list[str]:
    """The folder and all above it, the nearest first."""
    out = [folder]
    while out[-1] and posixpath.dirname(out[-1]) != out[-1]:
        out.append(posixpath.dirname(out[-1]))
    return out
