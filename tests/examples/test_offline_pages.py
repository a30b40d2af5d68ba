"""The commands of the pages that need no service, said in their order in a folder as after a clone."""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.docs.commands import block_commands, inline_commands, snippets
from tests.examples.clones import ROOT, Shell, free_port, own_copy
from tests.examples.houses import write_houses
from tests.examples.steps import Check, Step, take

DATA = ROOT / "data/README.md"


def _is_the_reviewed_definition(folder: Path, printed: str) -> None:
    assert printed == (ROOT / "tests/pipeline/definition.json").read_text()


def _drafts_trees(folder: Path, printed: str) -> None:
    assert "algorithm: xgboost" in (folder / "trees.yaml").read_text()


def _writes_anew(name: str) -> Check:
    """Return a check that a command has written a file as it is in the project."""

    def check(folder: Path, printed: str) -> None:
        assert (folder / name).read_text("utf-8") == (ROOT / name).read_text("utf-8")

    return check


def _is_the_file_here(folder: Path, printed: str) -> None:
    digest = hashlib.sha256((folder / "insurance.csv").read_bytes()).hexdigest()
    assert digest in DATA.read_text()
    assert digest == hashlib.sha256((ROOT / "data/insurance.csv").read_bytes()).hexdigest()


def _leaves_nothing_installed(folder: Path, printed: str) -> None:
    assert [name for name in (".venv", ".uv", ".local", "build") if (folder / name).exists()] == []
    assert (folder / "Makefile").exists()


HELP = (Step("make help", prints=("run +Run the whole pipeline", "delete +Delete what")),)
ANOTHER_PORT = "make local PORT=9000"
CONFIGURATION = (
    Step("make definition", said="make -s definition", check=_is_the_reviewed_definition),
    Step("make definition CONFIG=other.yaml", prints=('"Name": ?"MakeFolds"', "prices")),
    Step("make init DATA=houses.csv LABEL=price CONFIG=houses.yaml", writes=("houses.yaml",)),
    Step("make init DATA=houses.csv LABEL=price CONFIG=trees.yaml ALGORITHM=xgboost", check=_drafts_trees),
    Step("make check-data", prints=("charges +label",)),
    Step("make check-data CONFIG=houses.yaml", prints=("price +label",)),
    Step("make check-data CONFIG=houses.yaml DATA=new-houses.csv", prints=("price +label",)),
    Step("make check-data DATA=houses.csv LABEL=price", prints=("price +label",)),
)
OPERATIONS = (
    Step(
        "make lint-definition FILE=definition.json",
        said="make -s definition > definition.json && make lint-definition FILE=definition.json",
    ),
    Step(".venv/bin/python -m scripts", prints=("bootstrap +Create", "predict +Score")),
    Step(".venv/bin/python -m scripts.start --help", prints=("--param", "PARAMS")),
    Step('eval "$(make -s completion)"'),
    Step("make completion", prints=("complete -",)),
    Step(".venv/bin/python -m scripts.completion zsh", prints=("compdef",)),
)
WRITTEN = {
    command.rpartition(" > ")[2]: command
    for page in (ROOT / "CONTRIBUTING.md", ROOT / "docs/coverage.md")
    for command in (*block_commands(page), *inline_commands(page))
    if " > " in command
}
"""The files that a change of the code changes, and the command that writes each anew."""

CHANGES = (
    Step(
        ".venv/bin/pre-commit install",
        said="git init -q && .venv/bin/pre-commit install",
        writes=(".git/hooks/pre-commit",),
    ),
    *(Step(command, check=_writes_anew(name)) for name, command in WRITTEN.items()),
)
ALGORITHMS = tuple(
    Step(
        f".venv/bin/python -m local.algorithms.{name} ROOT [ROOT ...]",
        said=f".venv/bin/python -m local.algorithms.{name} {name}-1 {name}-2",
        writes=(f"{name}-1/model/{artifact}", f"{name}-2/model/{artifact}"),
    )
    for name, artifact in (("linear_learner", "model_algo-1"), ("xgboost", "xgboost-model"))
)
BENCHMARKS = tuple(
    Step(command, said=re.sub(r" \[.*", "", command) + " --help", prints=tuple(re.findall(r"\[(--[a-z]+) ", command)))
    for command in (
        ".venv/bin/python -m benchmarks.datasets [--only diamonds ames ...]",
        ".venv/bin/python -m benchmarks.estimates [--only penguins Chile ...] [--algorithms xgboost]",
        ".venv/bin/python -m benchmarks.linear_learner",
        ".venv/bin/python -m benchmarks.endpoint [--seconds 60]",
        ".venv/bin/python -m benchmarks.run [--runs 3] [--other FOLDER]",
    )
)
"""What they measure takes minutes. They exist, and have the options that the pages name."""

INSTALLATION = (
    Step("make setup"),
    Step(
        "make clean-all",
        said="rm -f .venv .uv && mkdir -p .venv/bin .uv .local && make clean-all",
        check=_leaves_nothing_installed,
    ),
)
FETCHED = tuple(
    Step(command, check=_is_the_file_here if command.startswith("unzip") else None) for command in block_commands(DATA)
)
STEPS = (
    *HELP,
    Step(ANOTHER_PORT),
    *CONFIGURATION,
    *OPERATIONS,
    *CHANGES,
    *ALGORITHMS,
    *BENCHMARKS,
    *INSTALLATION,
    *FETCHED,
)


@pytest.fixture
def shell(clone: Path) -> Iterator[Shell]:
    shell = Shell(clone, SHELL="/bin/bash")
    yield shell
    shell.close()


def write_root(root: Path, **hyperparameters: str) -> None:
    """Write the ``/opt/ml`` of a training job with two numbers a row, whose label follows from them."""
    chance = random.Random(3)
    (root / "input/config").mkdir(parents=True)
    channels = {name: {"ContentType": "text/csv", "TrainingInputMode": "File"} for name in ("train", "validation")}
    documents = {
        "hyperparameters": hyperparameters,
        "inputdataconfig": channels,
        "resourceconfig": {"current_host": "algo-1", "hosts": ["algo-1"]},
    }
    for name, content in documents.items():
        (root / f"input/config/{name}.json").write_text(json.dumps(content))
    for name in channels:
        folder = root / "input/data" / name
        folder.mkdir(parents=True)
        rows = [(chance.random(), chance.random()) for _ in range(60)]
        (folder / "part-0.csv").write_text("".join(f"{3 * a - b},{a},{b}\n" for a, b in rows))


@pytest.mark.slow
@pytest.mark.long
def test_the_commands_about_a_configuration_do_what_its_page_says(shell: Shell) -> None:
    write_houses(shell.folder / "houses.csv", 300)
    write_houses(shell.folder / "new-houses.csv", 60)
    complete = next(each.text for each in snippets(ROOT / "docs/configuration.md") if each.language == "yaml")
    (shell.folder / "other.yaml").write_text(complete)
    with (shell.folder / "prices.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["price", "area", "rooms", "year"])
        rows.writerows([1000 * number, number, number % 5, 1950 + number % 70] for number in range(50, 150))
    take(shell, CONFIGURATION)
    take(shell, OPERATIONS)
    assert shell.say(".venv/bin/python -m scripts.start --nonsense").status == 2


@pytest.mark.slow
@pytest.mark.long
def test_the_service_takes_another_port(shell: Shell) -> None:
    port = free_port()
    take(shell, HELP)
    with shell.in_another(ANOTHER_PORT.replace("9000", str(port)), "Nothing to restore"):
        said = shell.say(f'eval "$(make -s local-env PORT={port})" && .venv/bin/aws s3 ls && echo "$AWS_ENDPOINT_URL"')
    assert (said.status, said.printed) == (0, f"http://127.0.0.1:{port}\n")


@pytest.mark.slow
@pytest.mark.long
def test_the_commands_for_a_change_write_what_is_reviewed(shell: Shell) -> None:
    assert {*WRITTEN} >= {"tests/pipeline/definition.json", "docs/coverage.md"}
    for name in WRITTEN:
        # Without a copy, the command would write into the project itself.
        own_copy(shell.folder, name.partition("/")[0])
        (shell.folder / name).unlink()
    take(shell, CHANGES)


@pytest.mark.slow
@pytest.mark.long
def test_an_algorithm_trains_in_several_folders_by_hand(shell: Shell) -> None:
    for number in (1, 2):
        linear = {"predictor_type": "regressor", "mini_batch_size": "20", "epochs": "2"}
        write_root(shell.folder / f"linear_learner-{number}", **linear)
        write_root(shell.folder / f"xgboost-{number}", num_round="3")
    take(shell, ALGORITHMS)
    (snippet,) = [each.text for each in snippets(ROOT / "docs/linear-learner.md") if each.language == "python"]
    (shell.folder / "snippet.py").write_text(
        "from pathlib import Path\nimport local.algorithms.linear_learner.inference\n"
        "path, body, content_type, accept = Path('model.tar.gz'), b'0.5,0.5\\n', 'text/csv', ''\n"
        f"print({snippet.strip()})\n"
    )
    said = shell.say("tar czf model.tar.gz -C linear_learner-1/model model_algo-1 && .venv/bin/python snippet.py")
    assert re.search(r'"predictions": ?\[\{"score": [\d.]+\}\]', said.printed), said.printed


@pytest.mark.slow
@pytest.mark.long
def test_each_benchmark_has_the_options_of_its_page(shell: Shell) -> None:
    take(shell, BENCHMARKS)


@pytest.mark.slow
@pytest.mark.long
def test_the_commands_about_the_installation_set_up_and_remove_it(shell: Shell) -> None:
    take(shell, INSTALLATION)


@pytest.mark.slow
@pytest.mark.long
@pytest.mark.skipif(
    not (shutil.which("pip") and shutil.which("unzip")), reason="the page's commands need pip and unzip"
)
def test_the_data_can_be_made_again(shell: Shell) -> None:
    take(shell, FETCHED)
