from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from pipeline.definition import resources
from pipeline.errors import ConfigError, UserError
from scripts.definition_process import DefinitionProcess


def begun(config) -> DefinitionProcess:
    """A process that builds the configuration's definition."""
    process = DefinitionProcess("123456789012")
    process.begin(config)
    return process


def test_what_building_raises_in_the_other_process_is_raised_here(config, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise UserError(f"not {config.pipeline.name}")

    monkeypatch.setattr(resources, "conventional_resources", fail)
    with pytest.raises(UserError, match=f"not {config.pipeline.name}"):
        begun(config).definition()


def test_faults_of_the_configuration_stay_single_lines(config, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise ConfigError(["dataset: a", "tuning: b"])

    monkeypatch.setattr(resources, "conventional_resources", fail)
    with pytest.raises(ConfigError) as caught:
        begun(config).definition()
    assert caught.value.faults == ["dataset: a", "tuning: b"]
    assert str(caught.value) == "dataset: a\ntuning: b"


def test_a_killed_process_is_a_sentence(config, monkeypatch) -> None:
    monkeypatch.setattr(resources, "conventional_resources", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(UserError, match="killed"):
        begun(config).definition()


def test_the_process_ends_when_nobody_waits_for_it_any_more() -> None:
    """As after ``kill -9``: the process that waits ends without a word to the other."""
    starting = (
        "import os; from scripts.definition_process import DefinitionProcess; DefinitionProcess('1'); os._exit(0)"
    )
    # The pipe of standard output closes when both have ended.
    subprocess.run([sys.executable, "-c", starting], stdout=subprocess.PIPE, check=True, timeout=60)
