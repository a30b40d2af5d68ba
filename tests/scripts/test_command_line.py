"""The command lines: every option has help and make's variable, and values arrive as they are typed."""

from __future__ import annotations

import os
import re
import subprocess
import sys

import click
import pytest

from scripts import run
from scripts.command_line import make_line
from scripts.commands import unloaded_commands
from scripts.completion import exported, targets
from scripts.start import main as start
from tests.commands import ROOT, in_a_process, run_command
from tests.scripts.test_commands import COMMANDS, environment

LOADED = {name: unloaded.load() for name, unloaded in unloaded_commands().items()}
OPTIONS = [(name, each) for name, command in LOADED.items() for each in command.params if each.name != "answer"]
VARIABLES = {each.envvar for _, each in OPTIONS if each.envvar}


def help_of(name: str) -> str:
    with LOADED[name].make_context(name, [], resilient_parsing=True) as context:
        return " ".join(LOADED[name].get_help(context).split())


def test_every_command_is_listed_without_loading_any() -> None:
    assert sorted(LOADED) == COMMANDS
    finished, imported = list_of_commands()
    for name, unloaded in unloaded_commands().items():
        assert re.search(rf"^  {name} +{re.escape((unloaded.help or '')[:20])}", finished.stdout, re.MULTILINE)
    assert "scripts.commands" in imported
    assert not imported & {f"scripts.{name}" for name in COMMANDS}


def test_a_command_that_is_started_through_the_list_loads_no_other_and_not_the_sdk() -> None:
    finished, imported = list_of_commands("status", "--help")
    assert "--execution arn" in finished.stdout
    assert imported & {f"scripts.{name}" for name in COMMANDS} == {"scripts.status"}
    assert not imported & {"boto3", "sagemaker", "sagemaker.core", "pydantic"}


def list_of_commands(*arguments: str) -> tuple[subprocess.CompletedProcess[str], set[str]]:
    """Run ``python -m scripts``, and return with it the modules that it imported."""
    code = (
        "import atexit, runpy, sys; atexit.register(lambda: print(*sys.modules, file=sys.stderr));"
        "runpy.run_module('scripts', run_name='__main__')"
    )
    finished = python("-c", code, *arguments)
    assert finished.returncode == 0
    return finished, set(finished.stderr.split())


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment(), capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize(("name", "option"), OPTIONS)
def test_every_option_has_a_sentence_and_names_makes_variable(name: str, option: click.Parameter) -> None:
    text = help_of(name)
    if (name, option.name) != ("completion", "shell"):
        assert option.envvar in exported()
        assert f"env var: {option.envvar}" in text
    assert isinstance(option, click.Option | click.Argument)
    assert option.help
    assert option.help.endswith((".", "FILE]"))
    assert " ".join(option.help.split()) in text


def test_make_passes_on_what_the_options_read_and_no_more() -> None:
    assert set(exported()) == VARIABLES


@pytest.mark.parametrize("target", [name for name, target in targets().items() if target.module in LOADED])
def test_a_command_has_its_targets_name_and_the_options_that_make_help_names(target: str) -> None:
    module = targets()[target].module
    assert LOADED[module].name == target
    with LOADED[module].make_context(target, [], resilient_parsing=True) as context:
        own = re.findall(r"([A-Z_]+)=", make_line(context))
    assert set(re.findall(r"\b([A-Z_]+)=", targets()[target].help)) <= set(own)


@pytest.mark.parametrize(
    ("arguments", "variable"),
    [
        (["--param", "Note=two words", "--param=MaxMse=4e7"], ""),
        ([], "'Note=two words' MaxMse=4e7"),
        ([], '  Note="two words"   MaxMse=4e7 '),
        # The command line goes before the variable, which a shell may have from elsewhere.
        (["--param", "Note=two words", "--param=MaxMse=4e7"], "MaxMse=1"),
    ],
)
def test_a_parameter_can_have_spaces(arguments: list[str], variable: str, monkeypatch) -> None:
    monkeypatch.setenv("PARAMS", variable)
    given = start.make_context("start", arguments).params["parameters"]
    assert given == ({"Name": "Note", "Value": "two words"}, {"Name": "MaxMse", "Value": "4e7"})


def test_empty_variables_count_as_not_given(monkeypatch) -> None:
    for name in exported():
        monkeypatch.setenv(name, "")
    # Of a whole process.
    monkeypatch.setattr(run, "isolate", lambda: None)
    monkeypatch.setattr(run, "side_process", lambda: None)
    for name in ("bootstrap", "delete", "report", "rollback", "run", "start", "upsert", "estimate"):
        given = LOADED[name].make_context(name, []).params
        with LOADED[name].make_context(name, []) as context:
            defaults = {each.name: each.get_default(context) for each in LOADED[name].params}
        for key in given.keys() - {"config", "parameters", "price_file"}:
            assert given[key] in (defaults[key], None), (name, key)
        assert given.get("parameters", ()) == ()


@pytest.mark.parametrize(
    ("name", "variables", "sentence"),
    [
        ("delete", {"LEVEL": "everything"}, "LEVEL: 'everything' is not one of 'endpoint', 'pipeline', 'all'."),
        ("delete", {"YES": "perhaps"}, "YES: 'perhaps' is neither 1 (yes) nor 0 (no)."),
        ("bootstrap", {"EXPIRATION_DAYS": "soon"}, "EXPIRATION_DAYS: 'soon' is not a whole number from 0."),
        ("fold", {"FOLDS": "1", "INPUT": "data", "OUTPUT": "x"}, "FOLDS: '1' is not a whole number from 2 to 20."),
        ("run", {"DATA": "not there.csv"}, "DATA: File 'not there.csv' does not exist."),
        ("start", {"PARAMS": "MaxMse"}, "PARAMS: 'MaxMse' is not Name=value, for example MaxMse=4e7."),
        ("start", {"PARAMS": "=3"}, "PARAMS: '=3' is not Name=value, for example MaxMse=4e7."),
        ("start", {"PARAMS": "'Note=two"}, 'PARAMS: "\'Note=two" has a quote without its end.'),
    ],
)
def test_a_wrong_variable_is_named_as_make_has_it(name: str, variables: dict[str, str], sentence: str) -> None:
    finished = run_command(name, environment(**variables))
    assert (finished.returncode, finished.stdout) == (2, "")
    assert finished.stderr == f"{sentence} See: .venv/bin/python -m scripts.{name} --help\n"


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (
            "fold --fold 3",
            "No such option '--fold'. Did you mean '--folds'? See: .venv/bin/python -m scripts.fold --help",
        ),
        ("start MaxMse=3", "Got unexpected extra argument (MaxMse=3). See: .venv/bin/python -m scripts.start --help"),
        (
            "start --param 3",
            "--param: '3' is not Name=value, for example MaxMse=4e7. See: .venv/bin/python -m scripts.start --help",
        ),
        (
            "clean_local --keep",
            "Option '--keep' requires an argument. See: .venv/bin/python -m scripts.clean_local --help",
        ),
        (
            "clean_local --keep -1",
            "--keep: '-1' is not a whole number from 0. See: .venv/bin/python -m scripts.clean_local --help",
        ),
    ],
)
def test_a_wrong_command_line_is_a_sentence(command: str, sentence: str) -> None:
    name, *arguments = command.split()
    finished = run_command(name, environment(), *arguments)
    assert (finished.returncode, finished.stdout, finished.stderr) == (2, "", f"{sentence}\n")


def test_make_passes_on_values_with_spaces(tmp_path) -> None:
    make = ["make", "-s", "lint-definition", "FILE=two words.json"]
    finished = subprocess.run(make, cwd=ROOT, env=dict(os.environ), capture_output=True, text=True, check=False)
    assert finished.stderr.splitlines()[0] == "two words.json: cannot be read: No such file or directory"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["OUTPT=x"], "There is no option OUTPT: 'make help' lists the options"),
        (["config=churn.yaml"], "There is no option config: 'make help' lists the options"),
        (["churn.yaml"], "churn.yaml is no command: give a file with its option, such as CONFIG=config.yaml"),
    ],
)
def test_make_ignores_no_word(words: list[str], sentence: str) -> None:
    finished = subprocess.run(["make", "-n", "run", *words], cwd=ROOT, capture_output=True, text=True, check=False)
    assert finished.returncode == 2
    assert sentence in finished.stderr


def test_the_list_says_what_it_does_not_know() -> None:
    finished = python("-m", "scripts", "stats")
    assert finished.returncode == 2
    assert finished.stderr.startswith("No such command 'stats'.")
    assert finished.stderr.endswith("See: .venv/bin/python -m scripts --help\n")


def test_a_command_of_the_list_starts_as_the_module_does() -> None:
    through_list = python("-m", "scripts", "start", "--config", "missing.yaml")
    as_module = in_a_process("start", environment(CONFIG="missing.yaml"))
    assert (through_list.returncode, through_list.stderr) == (as_module.returncode, as_module.stderr)
    assert through_list.returncode == 1
