"""From programs to facts: modules first, in the order of their imports, then every entry."""

from __future__ import annotations

from collections.abc import Iterable

from auditor import program as ir
from auditor.analysis import calls, effects, entries
from auditor.analysis.link import Linker
from auditor.analysis.state import State
from auditor.analysis.walk import Walker
from auditor.analysis.world import Frame, OverBudget, World
from auditor.facts import Entry, Facts
from auditor.library import Libraries
from auditor.model import Problem


def analyse(programs: Iterable[ir.Program], paths: Iterable[str], libraries: Libraries) -> Facts:
    """All facts of the loaded programs. `paths` are all paths of the tree: an import may mean a file not loaded."""
    loaded = {program.path: program for program in programs if program.language != "settings"}
    world = World(loaded, libraries, Linker(paths))
    walker = Walker(world)
    modules = tuple(_walk_module(walker, loaded[path], number) for number, path in enumerate(_import_order(world)))
    startup = len(world.events), len(world.writes), len(world.problems)
    closures = dict(world.closures)
    found = entries.run_all(walker)
    if world.mutable or world.rewalk:  # some entry writes what another reads: walk again, knowing it
        del world.events[startup[0] :], world.writes[startup[1] :], world.problems[startup[2] :]
        world.walked.clear()
        world.closures = closures  # those of the first walk are made again where they are handed on
        found = entries.run_all(walker)
    return Facts(
        entries=(*modules, *found),
        events=tuple(world.events),
        writes=tuple(world.writes),
        problems=tuple(world.problems),
        kinds=world.kinds,
        outside=world.outside,
        media=world.media,
        terms=world.terms,
        answered={term: world.place(program, at) for term, (program, at) in world.answered.items()},
        made={term: world.place(program, at) for term, (program, at) in world.made.items()},
        tokens=frozenset(world.tokens),
        readers=world.read_at,
        reached=_reached(world),
        heads={
            (info.program.path, info.qualified): info.program.spans[info.unit.head or info.unit.at][0]
            for info in world.units.values()
        },
        where={
            term: tuple(world.place(program, at) for (_, at), program in made.items())
            for term, made in world.where.items()
        },
    )


def _reached(world: World) -> dict[tuple[str, str], frozenset[tuple[str, str]]]:
    """Which entries enter a unit: of several units of one name, those of all of them."""
    out: dict[tuple[str, str], set[tuple[str, str]]] = {}
    for key, walked in world.walked.items():
        info = world.units[key]
        found = out.setdefault((info.program.path, info.qualified), set())
        found.update((entry.path, entry.name) for entry in walked if entry is not None)
    return {name: frozenset(entries) for name, entries in out.items()}


def _import_order(world: World) -> list[str]:
    """Modules before those that import them; a cycle is entered at its first path."""
    order: list[str] = []
    state: dict[str, int] = {}
    for start in sorted(world.programs, key=lambda path: (not path.endswith("settings.py"), path)):
        stack: list[tuple[str, list[str]]] = [(start, _imports(world, start))] if start not in state else []
        state.setdefault(start, 1)
        while stack:
            path, waiting = stack[-1]
            if waiting:
                nearest = waiting.pop(0)
                if nearest not in state:
                    state[nearest] = 1
                    stack.append((nearest, _imports(world, nearest)))
                continue
            order.append(path)
            stack.pop()
    return order


def _imports(world: World, path: str) -> list[str]:
    language = "python" if world.programs[path].language == "python" else "javascript"
    found: dict[str, None] = {}
    for module, name in world.relevance.indexes[path].imports:
        target = world.linker.resolve(path, module, language)
        if target in world.programs:
            found[str(target)] = None
        if language == "python" and name:
            sub = world.linker.submodule(path, module, name)
            if sub in world.programs:
                found[str(sub)] = None
    return [one for one in found if one != path]


def _walk_module(walker: Walker, program: ir.Program, number: int) -> Entry:
    world = walker.world
    language = "python" if program.language == "python" else "javascript"
    entry = Entry(number, "module", program.path, "", 1, max(1, program.text_lines), language)
    scope = ("module", program.path)
    frame = Frame(scope, (scope,), program, None, "", startup=True)
    state = State({}, frozenset())
    if program.language == "python":
        state.put((scope, "__name__"), walker.terms.literal("__main__"))
    with world.entered(entry):
        try:
            walker.block(program.body, state, frame)
        except OverBudget:
            world.problems.append(Problem(program.path, "incomplete", "this file is too large to follow", 1))
        except RecursionError:
            world.problems.append(Problem(program.path, "too-deep", "this file nests too deeply to follow", 1))
        except Exception as error:  # noqa: BLE001  one module that the analysis fails on must not end the audit
            world.problems.append(Problem(program.path, "crashed", entries.failure("", error), 1))
        finally:
            world.stack.clear()
    world.globals.update(state.slots)
    return entry


__all__ = ["analyse", "calls", "effects"]
