"""The estimate: its arithmetic, its bounds, and what it does with a bad price file."""

from __future__ import annotations

import os
import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as some

from pipeline.config.loading import parse_config
from pipeline.errors import UserError
from pipeline.operate.estimate import DEFAULT_PRICES, estimate, load_prices
from tests.commands import in_a_process
from tests.pipeline.operate.conftest import ROOT


def about(value: float) -> Any:
    """Return ``pytest.approx(value)``, untyped: mypy refuses to compare its type with a float inside a tuple."""
    return pytest.approx(value)


@pytest.fixture(scope="module")
def prices():
    return load_prices(DEFAULT_PRICES)


def test_sixty_training_jobs_are_no_surprise(config, prices) -> None:
    found = estimate(config, prices)
    folds, tuning = found.steps[:2]
    assert [step.jobs for step in found.steps] == [1, 60, 1, 1]
    assert found.jobs == 63
    assert tuning.longest_hours == 60 * config.tuning.max_runtime_minutes / 60
    assert tuning.longest_dollars == pytest.approx(60 * 0.115)
    assert folds.longest_dollars == pytest.approx(0.23)
    assert found.longest_dollars == pytest.approx(sum(step.longest_dollars for step in found.steps))


def test_a_model_of_all_rows_is_one_more_training(configure, prices) -> None:
    fold = estimate(configure(selection={"rule": "lowest_mse"}), prices)
    refit = estimate(configure(selection={"rule": "lowest_mean_mse"}), prices)
    assert [step.name for step in refit.steps][3:] == ["RefitModel", "VerifyEndpoint"]
    assert refit.jobs == fold.jobs + 1
    job = prices.start_minutes + prices.typical_minutes.training_job
    assert refit.typical_minutes == pytest.approx(fold.typical_minutes + job)


def test_another_algorithm_is_estimated_by_its_own_grid(prices) -> None:
    document = {
        "pipeline": {"name": "trees"},
        "training": {"algorithm": "xgboost"},
        "dataset": {"input": "rows.csv", "label": "y", "numeric": ["x"]},
        "tuning": {"grid": {"max_depth": [3, 6], "num_round": [30, 100, 300]}, "instance_type": "ml.m5.xlarge"},
    }
    tuning = estimate(parse_config(document, "config.yaml"), prices).steps[1]
    assert (tuning.jobs, tuning.instance_type) == (30, "ml.m5.xlarge")


def test_the_longest_path_counts_rounds_of_jobs_and_waves_of_folds(configure, prices) -> None:
    alone = configure(tuning={"max_parallel_jobs": 12}, pipeline={"max_parallel_steps": 5})
    rounds = configure(tuning={"max_parallel_jobs": 4}, pipeline={"max_parallel_steps": 5})
    waves = configure(tuning={"max_parallel_jobs": 12}, pipeline={"max_parallel_steps": 1})
    job = prices.start_minutes + prices.typical_minutes.training_job
    base = estimate(alone, prices).typical_minutes
    assert estimate(rounds, prices).typical_minutes == pytest.approx(base + 2 * job)
    assert estimate(waves, prices).typical_minutes == pytest.approx(base + 4 * job)


@settings(max_examples=40, deadline=None)
@given(
    folds=some.integers(2, 20),
    parallel_jobs=some.integers(1, 12),
    parallel_steps=some.integers(1, 50),
    minutes=some.integers(2, 500),
    spot=some.booleans(),
)
def test_what_is_typical_is_never_above_the_bound(folds, parallel_jobs, parallel_steps, minutes, spot) -> None:
    prices = load_prices(DEFAULT_PRICES)
    document = yaml.safe_load((ROOT / "config.yaml").read_text())
    document["folds"] |= {"count": folds, "max_runtime_minutes": minutes}
    document["tuning"] |= {"max_parallel_jobs": parallel_jobs, "max_runtime_minutes": minutes, "spot": spot}
    document["tuning"] |= {"max_wait_minutes": minutes * 2}
    document["pipeline"] |= {"max_parallel_steps": parallel_steps}
    found = estimate(parse_config(document, "config.yaml"), prices)
    assert found.typical_dollars <= found.longest_dollars
    assert found.typical_minutes <= found.longest_minutes
    assert all(step.typical_hours <= step.longest_hours for step in found.steps)


def test_a_running_endpoint_is_counted_by_the_month(configure, prices) -> None:
    two = estimate(configure(deploy={"instance_count": 2}), prices)
    assert two.endpoint_dollars == (about(2 * 0.115 * 730),) * 2
    scaled = estimate(configure(deploy={"autoscaling": {"min_instances": 1, "max_instances": 3}}), prices)
    assert scaled.endpoint_dollars == (about(0.115 * 730), about(3 * 0.115 * 730))


def test_a_serverless_endpoint_costs_by_the_request(configure, prices) -> None:
    found = estimate(configure(deploy={"serverless": {"memory_megabytes": 2048}}), prices)
    assert found.endpoint_dollars == (0.0, 0.0)
    assert found.request_dollars == pytest.approx(100_000 * 0.05 * 2 * 0.00002)


def test_the_price_file_knows_every_type_that_studio_offers(prices) -> None:
    # Read as text: importing the parameters would import the SDK, which takes longer than all of these tests.
    offered = set(re.findall(r'"(ml\.[a-z0-9.]+)"', (ROOT / "pipeline" / "definition" / "parameters.py").read_text()))
    assert "ml.m5.large" in offered
    assert offered <= set(prices.hourly)


def test_an_instance_without_a_price_is_a_sentence(configure, prices) -> None:
    config = configure(tuning={"instance_type": "ml.p4d.24xlarge"})
    with pytest.raises(UserError, match=r"no price for ml.p4d.24xlarge.*PRICES="):
        estimate(config, prices)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("as_of: [", "not YAML"),
        ("as_of: 2025-06\nhourly: {ml.m5.large: cheap}\n", "hourly.ml.m5.large: a number is expected, not 'cheap'"),
        ("prices: 1\n", "prices.yaml: prices: unknown key"),
        ("", r"prices.yaml: a section with keys is expected, such as \{as_of: \.\.\.\}, not None"),
        ("churn,age\n1,2\n" * 99, r"keys is expected, such as \{as_of: .*\}, not 'churn,age 1,2 .{30,50}\.\.\."),
    ],
)
def test_a_bad_price_file_is_a_sentence(tmp_path, content, sentence) -> None:
    (tmp_path / "prices.yaml").write_text(content)
    with pytest.raises(UserError, match=sentence):
        load_prices(tmp_path / "prices.yaml")


def test_the_command_needs_no_account_and_says_how_old_its_prices_are() -> None:
    inherited = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    # A proxy that is not there: a command that asked AWS would fail.
    environment = inherited | {"COLUMNS": "200", "HTTPS_PROXY": "http://127.0.0.1:9"}
    finished = in_a_process("estimate", environment)
    assert finished.returncode == 0, finished.stderr
    assert "63" in finished.stdout
    assert f"Prices as of {load_prices(DEFAULT_PRICES).as_of} in us-east-1" in finished.stdout
