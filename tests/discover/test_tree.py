"""Which files are listed, how they are read, and what becomes a problem."""

from __future__ import annotations

import os
import shutil
import subprocess
import unicodedata
from collections.abc import Callable
from pathlib import Path

import pytest

from auditor.discover import tree as trees
from auditor.discover.tree import Tree, commit_tree, index_tree, working_tree
from auditor.errors import UsageError
from auditor.model import Problem

Git = Callable[..., str]
Write = Callable[[Path, str], Path]
CAFE = "caf\N{LATIN SMALL LETTER E WITH ACUTE}.py"


def paths(tree: Tree) -> list[str]:
    return [entry.path for entry in tree.entries]


def problems(tree: Tree) -> list[tuple[str, str]]:
    return [(problem.path, problem.kind) for problem in tree.problems]


def contents(tree: Tree) -> dict[str, bytes | Problem]:
    return {entry.path: data for entry, data in tree.read_all(tree.entries)}


# ---- the working directory


def test_lists_tracked_and_untracked_but_not_ignored(repository: Path, write: Write) -> None:
    write(repository / "app/new.py", "new")
    write(repository / "app/debug.log", "ignored")
    write(repository / "private/key.py", "ignored")
    tree = working_tree(repository)
    assert (tree.kind, tree.root, tree.prefix, tree.problems) == ("working", repository, "", ())
    assert paths(tree) == [".gitignore", "app/.env", "app/main.py", "app/new.py", "other/x.js"]
    assert [entry.path for entry in tree.entries if not entry.tracked] == ["app/new.py"]


def test_a_file_that_is_ignored_but_tracked_is_listed_as_tracked(repository: Path) -> None:
    assert next(entry for entry in working_tree(repository).entries if entry.path == "app/.env").tracked


def test_only_what_lies_in_the_audited_folder(repository: Path, write: Write) -> None:
    write(repository / "app2/x.py", "x")
    tree = working_tree(repository / "app")
    assert (tree.root, tree.prefix) == (repository, "app/")
    assert paths(tree) == ["app/.env", "app/main.py"]
    assert [tree.relative(entry) for entry in tree.entries] == [".env", "main.py"]


def test_a_single_file(repository: Path, write: Write) -> None:
    write(repository / "app/main.py.bak", "x")
    tree = working_tree(repository / "app/main.py")
    assert (paths(tree), tree.prefix) == (["app/main.py"], "app/")


def test_a_relative_path_and_a_link_to_the_folder(
    repository: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(repository)
    assert "app/main.py" in paths(working_tree(Path("app")))
    (tmp_path / "link").symlink_to(repository)
    assert working_tree(tmp_path / "link").root == repository


def test_deleted_files_are_not_listed(repository: Path) -> None:
    (repository / "app/main.py").unlink()
    tree = working_tree(repository)
    assert "app/main.py" not in paths(tree)
    assert tree.problems == ()


def test_bytes_are_read_as_they_are(repository: Path) -> None:
    (repository / "app/main.py").write_bytes(b"a\r\nb\r\n\x00\xff")
    assert contents(working_tree(repository))["app/main.py"] == b"a\r\nb\r\n\x00\xff"


def test_an_unmerged_file_is_listed_once(repository: Path, git: Git, write: Write) -> None:
    git(repository, "checkout", "-qb", "other")
    write(repository / "app/main.py", "theirs\n")
    git(repository, "commit", "-qam", "theirs")
    git(repository, "checkout", "-q", "-")
    write(repository / "app/main.py", "ours\n")
    git(repository, "commit", "-qam", "ours")
    with pytest.raises(Exception, match="merge"):
        git(repository, "merge", "other")
    assert paths(working_tree(repository)).count("app/main.py") == 1
    assert contents(index_tree(repository))["app/main.py"] == b"theirs\n"


def test_names_with_newlines_spaces_and_unicode(repository: Path, write: Write) -> None:
    decomposed = unicodedata.normalize("NFD", CAFE)
    for name in ("new\nline.py", "tab\tspace .py", decomposed, "-rf.py", ":(top)x.py"):
        write(repository / "app" / name, "x")
    tree = working_tree(repository / "app")
    assert {f"app/{CAFE}", "app/new\nline.py", "app/tab\tspace .py", "app/-rf.py", "app/:(top)x.py"} <= set(paths(tree))
    assert set(contents(tree).values()) >= {b"x"}
    assert tree.problems == ()


def test_names_that_are_not_utf8_are_shown_as_ascii_and_read(repository: Path) -> None:
    Path(os.fsdecode(os.fsencode(repository) + b"/app/\xe9.py")).write_bytes(b"latin")
    assert contents(working_tree(repository))["app/\\xe9.py"] == b"latin"


def test_two_unicode_forms_of_one_name_are_a_problem(repository: Path, write: Write) -> None:
    write(repository / CAFE, "composed")
    write(repository / unicodedata.normalize("NFD", CAFE), "decomposed")
    if len(list(repository.glob("caf*"))) < 2:
        pytest.skip("this file system knows only one form")
    tree = working_tree(repository)
    assert paths(tree).count(CAFE) == 1
    assert problems(tree) == [(CAFE, "unsupported")]


def test_an_empty_repository_has_nothing_to_audit(tmp_path: Path, git: Git) -> None:
    git(tmp_path, "init", "-q")
    with pytest.raises(UsageError, match="nothing to audit"):
        working_tree(tmp_path)


def test_a_repository_without_commits(tmp_path: Path, git: Git, write: Write) -> None:
    git(tmp_path, "init", "-q")
    write(tmp_path / "a.py", "a")
    assert paths(working_tree(tmp_path)) == ["a.py"]


def test_a_folder_that_git_ignores_has_nothing_to_audit(repository: Path, write: Write) -> None:
    write(repository / "private/key.py", "x")
    for path in (repository / "private", repository / "private/key.py"):
        with pytest.raises(UsageError, match="nothing to audit: private"):
            working_tree(path)


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    (tmp_path / "loop").symlink_to("loop")
    for name in ("nothing", "loop", "nul\0"):
        with pytest.raises(UsageError, match="no such file or folder"):
            working_tree(tmp_path / name)


# ---- links, pipes, permissions, sizes


def test_links_are_not_followed_and_only_what_they_hide_is_a_problem(
    repository: Path, write: Write, tmp_path: Path
) -> None:
    write(tmp_path / "outside.py", "outside")
    for name, target in {
        "broken.py": "nowhere",
        "out.py": "../../outside.py",
        "out": "../..",
        "loop.py": "loop.py",
        "inside.py": "main.py",
        "to-other": "../other",
        "absolute.py": str(tmp_path / "outside.py"),
    }.items():
        (repository / "app" / name).symlink_to(target)
    hidden = [(f"app/{name}", "link") for name in ("absolute.py", "broken.py", "loop.py", "out", "out.py")]
    tree = working_tree(repository)
    assert problems(tree) == hidden
    assert "app/inside.py" not in paths(tree)
    assert ("app/to-other", "link") in problems(working_tree(repository / "app"))


def test_a_tracked_folder_that_became_a_link_is_not_followed(repository: Path, write: Write, tmp_path: Path) -> None:
    shutil.rmtree(repository / "other")
    write(tmp_path / "elsewhere/x.js", "outside")
    (repository / "other").symlink_to(tmp_path / "elsewhere")
    tree = working_tree(repository)
    assert "other/x.js" not in paths(tree)
    assert ("other", "link") in problems(tree)


def test_a_pipe_in_place_of_a_tracked_file(repository: Path) -> None:
    (repository / "app/main.py").unlink()
    os.mkfifo(repository / "app/main.py")
    tree = working_tree(repository)
    assert problems(tree) == [("app/main.py", "unreadable")]


def test_a_file_that_changes_into_something_else_before_it_is_read(repository: Path, tmp_path: Path) -> None:
    tree = working_tree(repository)
    main = repository / "app/main.py"
    main.unlink()
    entry = next(entry for entry in tree.entries if entry.path == "app/main.py")
    gone = tree.read(entry)
    assert isinstance(gone, Problem)
    os.mkfifo(main)
    assert tree.read(entry) == Problem("app/main.py", "unreadable", "not a regular file")
    main.unlink()
    main.symlink_to("/etc/hostname")
    linked = tree.read(entry)
    assert isinstance(linked, Problem)
    assert linked.kind == "unreadable"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_a_problem(repository: Path) -> None:
    (repository / "app/main.py").chmod(0)
    read = contents(working_tree(repository))["app/main.py"]
    assert isinstance(read, Problem)
    assert read.message == "could not be read: Permission denied"


def test_an_error_while_opening_is_a_problem(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = working_tree(repository)

    def refuse(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert tree.read(tree.entries[0]) == Problem(".gitignore", "unreadable", "could not be read: Permission denied")


@pytest.mark.parametrize("staged", [False, True])
def test_a_file_that_is_too_large_is_a_problem_when_it_is_read(repository: Path, git: Git, staged: bool) -> None:
    (repository / "big.js").write_bytes(b"x" * (trees.SIZE_LIMIT + 1))
    (repository / "full.js").write_bytes(b"y" * trees.SIZE_LIMIT)
    git(repository, "add", ".")
    tree = index_tree(repository) if staged else working_tree(repository)
    read = contents(tree)
    assert read["big.js"] == Problem("big.js", "too-large", "larger than 2 MiB: not read")
    assert read["full.js"] == b"y" * trees.SIZE_LIMIT
    assert tree.problems == ()


def test_nested_repositories_and_submodules_are_named(repository: Path, git: Git, write: Write) -> None:
    for name in ("nested", "module"):
        write(repository / name / "x.py", "x")
        git(repository / name, "init", "-q")
        git(repository / name, "add", ".")
        git(repository / name, "commit", "-qm", "x")
    git(repository, "add", "module")
    for tree in (working_tree(repository), index_tree(repository)):
        assert ("module", "unsupported") in problems(tree)
        assert not any("x.py" in path for path in paths(tree))
    assert ("nested", "unsupported") in problems(working_tree(repository))


def test_what_a_sparse_checkout_leaves_out_is_counted(repository: Path, git: Git) -> None:
    git(repository, "sparse-checkout", "set", "app")
    tree = working_tree(repository)
    assert "other/x.js" not in paths(tree)
    assert problems(tree) == [("", "incomplete")]


def test_excluding_drops_files_and_their_problems(repository: Path) -> None:
    (repository / "app/broken.py").symlink_to("nowhere")
    tree = working_tree(repository).excluding(lambda path: path.startswith("app/"))
    assert paths(tree) == [".gitignore", "other/x.js"]
    assert tree.problems == ()


# ---- the index and commits


def test_the_index_holds_what_is_staged(repository: Path, git: Git, write: Write) -> None:
    write(repository / "app/main.py", "staged\n")
    git(repository, "add", "app/main.py")
    write(repository / "app/main.py", "not staged\n")
    write(repository / "app/untracked.py", "x")
    tree = index_tree(repository / "app")
    assert (tree.kind, paths(tree)) == ("index", ["app/.env", "app/main.py"])
    assert contents(tree) == {"app/.env": b"CLIENT_SECRET=x\n", "app/main.py": b"staged\n"}
    assert tree.read(tree.entries[1]) == b"staged\n"


def test_a_commit_holds_what_was_committed(repository: Path, git: Git, write: Write) -> None:
    write(repository / "app/main.py", "second\n")
    git(repository, "commit", "-qam", "two")
    assert contents(commit_tree(repository, "HEAD~1"))["app/main.py"] == b"print('main')\n"
    assert contents(commit_tree(repository, "HEAD"))["app/main.py"] == b"second\n"
    assert paths(commit_tree(repository / "app/main.py", "HEAD")) == ["app/main.py"]


@pytest.mark.parametrize("revision", ["nothing", "--help", "--all", "HEAD:app", ""])
def test_an_unknown_revision_is_the_users_error(repository: Path, revision: str) -> None:
    with pytest.raises(UsageError, match="rev-parse failed"):
        commit_tree(repository, revision)


def test_links_in_a_commit(repository: Path, git: Git) -> None:
    for name, target in {"in.py": "main.py", "dir": "../other", "out.py": "../../x.py", "broken.py": "gone"}.items():
        (repository / "app" / name).symlink_to(target)
    git(repository, "add", ".")
    assert problems(index_tree(repository)) == [("app/broken.py", "link"), ("app/out.py", "link")]


def test_a_missing_object_is_a_problem(repository: Path, git: Git) -> None:
    blob = git(repository, "rev-parse", "HEAD:app/main.py")
    (repository / ".git/objects" / blob[:2] / blob[2:]).unlink()
    tree = commit_tree(repository, "HEAD")
    assert problems(tree) == [("app/main.py", "git")]
    assert "app/main.py" not in paths(tree)


def test_blobs_are_read_in_batches_and_in_order(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trees, "BATCH", 10)
    tree = index_tree(repository)
    assert [entry.path for entry, _ in tree.read_all(tree.entries)] == paths(tree)
    assert contents(tree)["other/x.js"] == b"x\n"


def test_sha256_repositories(tmp_path: Path, git: Git, write: Write) -> None:
    git(tmp_path, "init", "-q", "--object-format=sha256")
    write(tmp_path / "a.py", "a")
    git(tmp_path, "add", ".")
    assert contents(index_tree(tmp_path)) == {"a.py": b"a"}
    assert contents(working_tree(tmp_path)) == {"a.py": b"a"}


def test_index_and_commit_need_git(tmp_path: Path, write: Write) -> None:
    write(tmp_path / "a.py", "a")
    with pytest.raises(UsageError, match="not a git repository"):
        index_tree(tmp_path)
    with pytest.raises(UsageError, match="not a git repository"):
        commit_tree(tmp_path, "HEAD")


# ---- without git


@pytest.fixture
def folder(tmp_path: Path, write: Write) -> Path:
    root = tmp_path / "folder"
    for name in ("app/main.py", "app/debug.log", "node_modules/x/i.js", "dist/b.js", ".venv/a.py", "env/pyvenv.cfg",
                 "env/lib.py", "keep/important.log", "app/deep/x.tmp"):  # fmt: skip
        write(root / name, name)
    write(root / ".gitignore", "*.log\n")
    write(root / "keep/.gitignore", "!important.log\n")
    write(root / "app/.gitignore", "deep/\n")
    return root


def test_a_folder_without_git_is_walked(folder: Path) -> None:
    tree = working_tree(folder)
    assert (tree.kind, tree.root, problems(tree)) == ("folder", folder, [("", "git")])
    assert paths(tree) == [".gitignore", "app/.gitignore", "app/main.py", "keep/.gitignore", "keep/important.log"]
    assert not any(entry.tracked for entry in tree.entries)
    assert contents(tree)["app/main.py"] == b"app/main.py"


@pytest.mark.parametrize("breakage", ["no program", "empty .git", "gitdir nowhere", "garbage index"])
def test_without_a_usable_git_the_repository_is_walked_and_paths_keep_their_root(
    repository: Path, breakage: str, monkeypatch: pytest.MonkeyPatch, write: Write
) -> None:
    write(repository / "app/debug.log", "ignored from above")
    if breakage == "no program":
        monkeypatch.setenv("PATH", "/nowhere")
    elif breakage == "garbage index":
        (repository / ".git/index").write_bytes(b"garbage")
    else:
        shutil.rmtree(repository / ".git")
        if breakage == "empty .git":
            (repository / ".git").mkdir()
        else:
            write(repository / ".git", "gitdir: ../nowhere\n")
    tree = working_tree(repository / "app")
    assert (tree.kind, tree.root, tree.prefix) == ("folder", repository, "app/")
    assert paths(tree) == ["app/main.py"]
    (problem,) = tree.problems
    assert problem.kind == "git"
    assert "whether a file is committed is not known" in problem.message
    assert str(repository) not in problem.message


def test_the_walk_does_not_enter_what_an_outer_ignore_file_ignores(repository: Path, write: Write) -> None:
    write(repository / "private/deep/key.py", "x")
    shutil.rmtree(repository / ".git")
    (repository / ".git").mkdir()
    with pytest.raises(UsageError, match="nothing to audit"):
        working_tree(repository / "private/deep")


def test_the_walk_names_pipes_links_and_other_repositories(folder: Path, git: Git, tmp_path: Path) -> None:
    os.mkfifo(folder / "app/pipe.py")
    (folder / "app/broken.py").symlink_to("nowhere")
    (folder / "app/up").symlink_to("..")
    (folder / "app/out").symlink_to(tmp_path)
    (folder / "clone").mkdir()
    git(folder / "clone", "init", "-q")
    assert problems(working_tree(folder)) == [
        ("", "git"), ("app/broken.py", "link"), ("app/out", "link"), ("app/pipe.py", "unreadable"),
        ("clone", "unsupported"),
    ]  # fmt: skip


def test_the_walk_is_not_hung_by_ignore_files(folder: Path) -> None:
    (folder / "app/.gitignore").unlink()
    os.mkfifo(folder / "app/.gitignore")
    (folder / "keep/.gitignore").write_text("*a*a*a*a*a*a*b\n")
    tree = working_tree(folder)
    assert ("app/.gitignore", "unreadable") in problems(tree)
    assert Problem(
        "keep/.gitignore", "unsupported", "a pattern with more than 4 wildcards: it ignores nothing", 1
    ) in tree.problems  # fmt: skip


def test_the_walk_goes_deeper_than_python_recurses(tmp_path: Path) -> None:
    (tmp_path / "a.py").touch()
    home = Path.cwd()
    os.chdir(tmp_path)
    try:
        for _ in range(1200):
            os.mkdir("d")
            os.chdir("d")
        os.chdir(home)
        assert paths(working_tree(tmp_path)) == ["a.py"]
    finally:
        os.chdir(home)
        subprocess.run(["rm", "-r", str(tmp_path / "d")], check=True)
