"""The knowledge in rules/ says each thing once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml

from auditor import catalogue
from auditor.catalogue import Provider, check_provider
from auditor.errors import UsageError
from auditor.library import Library

RULES = Path(__file__).parents[1] / "rules"


def library(name: str, *said: str, language: str = "python") -> Library:
    text = f"library: {name}\nlanguage: {language}\n" + "\n".join(said)
    return catalogue.parse(text, Library, f"{name}.yaml")  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("first", "second", "problem"),
    [
        ("names: {a.b: {status: true}}", "names: {a.b: {ok: true}}", "the name 'a.b' has another meaning in one.yaml"),
        ("names: {a.b: {status: true}}", 'names: {"a.{b,c}": {ok: true}}', "the name 'a.b' has another meaning in one.yaml"),
        ("errors: {a.E: [a.F]}", "errors: {a.E: [a.G]}", "the error 'a.E' has another meaning in one.yaml"),
        ("names: {a.b: {status: true}}", "names: {a.b: {status: true}}", ""),
        ("names: {a.b: {status: true}}", "names: {a.c: {ok: true}}", ""),
    ],
)  # fmt: skip
def test_a_name_has_one_meaning(first: str, second: str, problem: str) -> None:
    """The last of two would silently win."""
    files = {"one.yaml": library("one", first), "two.yaml": library("two", second)}
    if not problem:
        catalogue.check_libraries(files)
        return
    with pytest.raises(UsageError) as raised:
        catalogue.check_libraries(files)
    assert str(raised.value) == f"two.yaml: {problem}"


def test_a_name_may_mean_another_thing_in_another_language() -> None:
    said = "names: {a.b: {status: true}}", "names: {a.b: {ok: true}}"
    catalogue.check_libraries({"1": library("one", said[0]), "2": library("two", said[1], language="javascript")})


def test_the_loader_looks_at_the_names_of_a_repositorys_own_models() -> None:
    said = {
        f"{name}.yaml": f"library: {name}\nlanguage: python\nnames: {{a.b: {{{what}: true}}}}\n"
        for name, what in (("one", "status"), ("two", "ok"))
    }
    with pytest.raises(UsageError, match=r"two\.yaml: the name 'a\.b' has another meaning in .*one\.yaml"):
        catalogue.libraries_of(catalogue.load(), said)


@pytest.mark.parametrize(
    ("added", "problem"),
    [
        ("providers/bank.yaml", "name: bank\nhosts: [bank.example]"),
        ("providers/bank.yaml", "name: benk\nhosts: [bank.example]\nsource: a page"),
    ],
)
def test_an_installed_provider_is_called_like_its_file_and_names_its_source(
    tmp_path: Path, added: str, problem: str
) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    (tmp_path / "rules" / added).write_text(problem)
    with pytest.raises(UsageError, match="called like its file and names the source"):
        catalogue.read(tmp_path / "rules")


@pytest.mark.parametrize(
    ("hosts", "problem"),
    [
        ("[api.bank.example, monei.cc]", "'monei.cc' is the name of the host of a provider in providers/monei.yaml already"),
        ("[api.bank.example, api.bank.example]", "'api.bank.example' is the name of the host of a provider in providers/zbank"),
    ],
)  # fmt: skip
def test_a_host_is_one_providers(tmp_path: Path, hosts: str, problem: str) -> None:
    shutil.copytree(RULES, tmp_path / "rules")
    (tmp_path / "rules/providers/zbank.yaml").write_text(f"name: zbank\nhosts: {hosts}\nsource: a page\n")
    with pytest.raises(UsageError, match=problem.replace(".", r"\.")):
        catalogue.read(tmp_path / "rules")


@pytest.mark.parametrize(
    ("text", "kind", "problem"),
    [
        ("name: a\nhosts: [a.example]\nhost: [a]", Provider, "unknown field `host`: did you mean 'hosts'?"),
        ("name: a\nhosts: [a.example]\nexpire: true", Provider, "unknown field `expire`: did you mean 'expires'?"),
        ("name: a\nhosts: [a.example]\nzzzz: true", Provider, "unknown field `zzzz`"),
        ("library: a\nlanguage: python\nnames: {a.b: {staus: true}}", Library, "did you mean 'status'?"),
    ],
)  # fmt: skip
def test_an_unknown_field_is_refused_with_what_was_probably_meant(text: str, kind: type, problem: str) -> None:
    with pytest.raises(UsageError) as raised:
        catalogue.parse(text, kind, "a.yaml")
    assert problem in str(raised.value)
    assert ("did you mean" in problem) == ("did you mean" in str(raised.value))


@pytest.mark.parametrize("file", sorted(RULES.rglob("*.yaml")), ids=lambda file: file.relative_to(RULES).as_posix())
def test_no_key_is_written_twice(file: Path) -> None:
    """YAML keeps the last of two equal keys and says nothing."""

    def check(node: yaml.Node | None) -> None:
        if isinstance(node, yaml.MappingNode):
            keys = [key.value for key, _ in node.value]
            assert len(keys) == len(set(keys)), [key for key in keys if keys.count(key) > 1]
            for _, value in node.value:
                check(value)
        elif isinstance(node, yaml.SequenceNode):
            for value in node.value:
                check(value)

    check(yaml.compose(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader))


def test_providers() -> None:
    providers = catalogue.load().providers
    assert {"monei", "spotify", "strava", "github", "google"} <= {one.name for one in providers}
    for one in providers:
        assert one.title
        assert one.authorize
        assert one.token
        assert one.source
    monei = next(one for one in providers if one.name == "monei")
    assert (monei.expires, monei.scopes) == (True, True)
    assert next(one for one in providers if one.name == "github").expires is None


@pytest.mark.parametrize(
    ("provider", "message"),
    [
        (Provider("bank", ()), "a provider has a name and hosts"),
        (Provider("bank", ("https://bank.example",)), "'https://bank.example' is not the name of a host"),
        (Provider("bank", ("Bank.example",)), "in lower case"),
        (Provider("bank", ("bank.example",), authorize=("authorize",)), "'authorize' is not a path"),
        (Provider("bank", ("bank.example",), token_prefixes=("b_",)), "the prefix 'b_' has less than 4 letters"),
    ],
)
def test_what_a_provider_must_have(provider: Provider, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace(".", r"\.")):
        check_provider(provider, "bank.yaml")
