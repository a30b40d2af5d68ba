"""Each command of each page is said by a test, or is an exception with a reason; each snippet is in its language."""

from __future__ import annotations

import ast
import importlib.util
import re
from functools import cache

import pytest
import yaml

from local.runtime.images.custom import CustomImage
from pipeline.config.loading import load_config
from scripts.completion import targets
from tests.docs.commands import block_commands, inline_commands, make_calls, section_commands, snippets, words_of
from tests.docs.pages import PAGES, ROOT, name_of
from tests.examples import test_account_pages, test_offline_pages

PAGES_WITH_COMMANDS = [page for page in PAGES if page.name != "CHANGELOG.md"]
"""The changelog names commands as they were."""

WALKED = [
    *block_commands(ROOT / "docs/tutorial.md"),
    *(
        command
        for section in ("Your own data", "On AWS", "The local service", "Using the endpoint")
        for command in section_commands(ROOT / "README.md", section)
    ),
    *(step.command for step in (*test_account_pages.STEPS, *test_offline_pages.STEPS)),
]
"""What tests/examples says: test_tutorial.py, test_readme_commands.py, test_account_pages.py, test_offline_pages.py."""

ELSEWHERE = {
    "make run": "tests/examples/test_readme_commands.py",
    "make run CONFIG=examples/wages.yaml": "tests/examples/test_runs.py",
    "make run CONFIG=examples/insurance-xgboost.yaml": "tests/examples/test_runs.py",
    "make setup PYTHON=/path/to/python3.12": "tests/scripts/setup/test_start.py",
}
"""Commands that other tests say, and which."""

CI = {"make check", "make docs", "make test", "make test-slow", "make browser"}
"""What .ci/run says on every change."""

NOT_SAID = {
    ".ci/run": "it runs all tests",
    "make test-long": "it runs the tests that say these commands",
    "make coverage": "it is make test again",
    "make format": "it changes the project's files",
    "make test-clients": "it fetches version 2 of the SDK and takes minutes",
    "make pictures": "it changes the project's files, and needs Chromium",
    "make bench": "it fetches packages and takes half an hour",
    ".venv/bin/python -m benchmarks.folds [--rows 1e5 1e6 1e7] [--turns 4] [--only manifest polars ...]": (
        "it needs the packages that make bench installs"
    ),
    "make -s completion | source": "it is fish's; tests/scripts/test_completion.py lets fish read the script",
    "make -s -C <folder>": "a part of a command",
    ".uv/bin/uv cache clean": "it empties the cache of whoever runs the tests",
    "aws sso login": "it needs an account",
    "aws logs tail": "it needs version 2 of the AWS CLI, which PyPI does not have",
    "aws sagemaker create-pipeline --endpoint-url http://127.0.0.1:8566": "the page follows this request",
    ".venv/bin/jupyter kernelspec remove cross-validation": "it changes the reader's own Jupyter",
    "pip install": "what a job's code says, not a reader",
    "uv pip install": "what the service says, not a reader",
    "python script.py": "any script",
    "python3 select_best.pyz": "what SageMaker says, not a reader",
    "sysctl kernel.apparmor_restrict_unprivileged_userns=0": "it needs root and weakens the machine",
    "ulimit -Hn": "it prints a limit of the shell",
}
"""Commands that no test says, and why."""


SAID = [
    part.strip()
    for command in (*WALKED, *ELSEWHERE, *CI)
    for part in (command, *([] if "\n" in command else re.split("&&|;", command)))
]
"""Each command that is said; of several in one line, each alone too."""


def is_within(command: str, other: str) -> bool:
    """Return whether a command in a sentence names the program of another one and no word that the other lacks."""
    mentioned, said = (normal(words_of(each)) for each in (command, other))
    begin = 2 if mentioned[0] in ("make", "aws") else 3
    return mentioned[:begin] == said[:begin] and set(mentioned) <= set(said)


def normal(words: list[str]) -> list[str]:
    """Return words without make's switches and without variables that have no value."""
    words = [word.removeprefix(".venv/bin/") for word in words]
    return [word for word in words if word != "-s" and not re.fullmatch("[A-Z_]+=", word)]


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=name_of)
def test_each_command_is_said_by_a_test_or_is_an_exception(page) -> None:
    known = {*WALKED, *ELSEWHERE, *CI, *NOT_SAID}
    blocks = [command for command in block_commands(page) if command not in known]
    sentences = [
        command
        for command in inline_commands(page)
        if command not in known and not any(is_within(command, said) for said in SAID)
    ]
    assert blocks + sentences == []


def test_no_exception_and_no_step_is_stale() -> None:
    named = {command for page in PAGES_WITH_COMMANDS for command in (*block_commands(page), *inline_commands(page))}
    assert {*NOT_SAID, *ELSEWHERE, *CI} - named == set()
    assert set(WALKED) - named == set()
    assert {*NOT_SAID} & {*WALKED, *ELSEWHERE, *CI} == set()
    assert [test for test in ELSEWHERE.values() if not (ROOT / test).is_file()] == []


def test_ci_says_what_is_left_to_it() -> None:
    script = (ROOT / ".ci/run").read_text()
    assert {command for command in CI if not re.search(rf"^{command}\b(?!-)", script, re.MULTILINE)} == set()


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=name_of)
def test_each_target_of_make_exists_and_has_the_variables(page) -> None:
    calls = [call for command in (*block_commands(page), *inline_commands(page)) for call in make_calls(command)]
    assert {target for target, _ in calls} <= {*targets()}
    assert {(target, name) for target, values in calls for name in values if name not in variables_of(target)} == set()


@cache
def variables_of(target: str) -> list[str]:
    """Return the variables that ``make help`` and the command of a target name."""
    return targets()[target].variables()


@pytest.mark.parametrize("page", PAGES_WITH_COMMANDS, ids=name_of)
def test_each_block_is_in_its_language(page) -> None:
    for snippet in snippets(page):
        assert snippet.language in ("sh", "python", "yaml", "text", "html", "drawing"), snippet
        if snippet.language == "yaml" and not is_comment(snippet.text):
            assert isinstance(yaml.safe_load(snippet.text), dict | list), snippet
        if snippet.language == "python":
            compile(snippet.text, snippet.page, "exec")
            assert [name for name in imports_of(snippet.text) if importlib.util.find_spec(name) is None] == []


def is_comment(text: str) -> bool:
    """Return whether a snippet is only a comment, such as the first line of a file."""
    return all(line.startswith("#") for line in text.splitlines())


def imports_of(code: str) -> set[str]:
    """Return the modules that a snippet imports."""
    nodes = list(ast.walk(ast.parse(code)))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return plain | {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}


YAML = [(each, yaml.safe_load(each.text)) for page in PAGES for each in snippets(page) if each.language == "yaml"]


@pytest.mark.parametrize(
    "snippet", [each for each, content in YAML if isinstance(content, dict) and "dataset" in content]
)
def test_each_configuration_is_valid(snippet, tmp_path) -> None:
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump({"pipeline": {"name": "example"}} | yaml.safe_load(snippet.text)))
    load_config(file)


def test_each_entry_for_an_image_is_valid() -> None:
    entries = [entry for _, content in YAML if isinstance(content, list) for entry in content]
    assert len(entries) > 2
    for entry in entries:
        assert CustomImage.model_validate(entry).image
