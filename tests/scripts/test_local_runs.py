from __future__ import annotations

import os
import signal

import pytest

from pipeline.errors import ConfigError, UserError
from scripts import local_runs


def test_what_building_raises_in_the_other_process_is_raised_here(config, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise UserError(f"not {config.pipeline.name}")

    monkeypatch.setattr(local_runs, "conventional_resources", fail)
    with pytest.raises(UserError, match=f"not {config.pipeline.name}"):
        local_runs.building(config)()


def test_faults_of_the_configuration_stay_single_lines(config, monkeypatch) -> None:
    def fail(*_: object) -> None:
        raise ConfigError(["dataset: a", "tuning: b"])

    monkeypatch.setattr(local_runs, "conventional_resources", fail)
    with pytest.raises(ConfigError) as caught:
        local_runs.building(config)()
    assert caught.value.faults == ["dataset: a", "tuning: b"]
    assert str(caught.value) == "dataset: a\ntuning: b"


def test_a_killed_process_is_a_sentence(config, monkeypatch) -> None:
    monkeypatch.setattr(local_runs, "conventional_resources", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(UserError, match="killed"):
        local_runs.building(config)()
