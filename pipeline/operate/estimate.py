"""Estimates the cost and the duration of an execution, and the cost of the endpoint.

Each has two figures: a typical one, from the price file's assumptions, and an upper bound, from the configuration's
limits. The bound ignores retries after SageMaker's own faults. It also ignores storage, requests and logs, which cost
cents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.config.fault_words import in_words
from pipeline.config.models import Config
from pipeline.errors import UserError

DEFAULT_PRICES = Path(__file__).resolve().parents[2] / "infra" / "prices.yaml"

HOURS_PER_MONTH = 730
SCRIPT_INSTANCE = "ml.m5.large"
"""The instance type of SelectBest and VerifyEndpoint."""

SCRIPT_LIMIT_MINUTES = 60
"""The time limit of SelectBest and VerifyEndpoint."""


class TypicalMinutes(BaseModel):
    """Typical billed minutes of a job of each kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    make_folds: float = Field(gt=0)
    training_job: float = Field(gt=0)
    select_best: float = Field(gt=0)
    verify_endpoint: float = Field(gt=0)


class Prices(BaseModel):
    """The price file: prices in US dollars, their date, and assumptions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    as_of: str
    region: str
    hourly: dict[str, float]
    serverless_gigabyte_second: float = Field(ge=0)
    start_minutes: float = Field(ge=0)
    typical_minutes: TypicalMinutes
    spot_discount: float = Field(ge=0, lt=1)


@dataclass(frozen=True)
class StepCost:
    """The cost of the jobs of one kind.

    Attributes:
        name: the step or steps.
        jobs: number of jobs.
        instances: instances for each job.
        instance_type: the instances' type.
        hourly: dollars for one hour of one instance.
        typical_minutes: typical billed minutes of one job.
        longest_minutes: maximum billed minutes of one job.
        rounds: number of jobs that run one after another.
    """

    name: str
    jobs: int
    instances: int
    instance_type: str
    hourly: float
    typical_minutes: float
    longest_minutes: float
    rounds: int

    @property
    def typical_hours(self) -> float:
        """The typical instance hours."""
        return self.jobs * self.instances * self.typical_minutes / 60

    @property
    def longest_hours(self) -> float:
        """The maximum instance hours."""
        return self.jobs * self.instances * self.longest_minutes / 60

    @property
    def typical_dollars(self) -> float:
        """The typical cost, in dollars."""
        return self.typical_hours * self.hourly

    @property
    def longest_dollars(self) -> float:
        """The maximum cost, in dollars."""
        return self.longest_hours * self.hourly


@dataclass(frozen=True)
class Estimate:
    """An execution's cost and time, and the endpoint's cost.

    Attributes:
        steps: cost by step, in the order of the pipeline.
        typical_minutes: typical duration of the longest path through the pipeline.
        longest_minutes: maximum duration of the longest path through the pipeline.
        endpoint_dollars: the endpoint's monthly cost with its minimum and its maximum of instances; zeros for a
            serverless endpoint.
        request_dollars: the cost of 100 000 requests of 50 ms to a serverless endpoint; zero for instances.
    """

    steps: list[StepCost]
    typical_minutes: float
    longest_minutes: float
    endpoint_dollars: tuple[float, float]
    request_dollars: float

    @property
    def typical_dollars(self) -> float:
        """The typical cost of an execution, in dollars."""
        return sum(step.typical_dollars for step in self.steps)

    @property
    def longest_dollars(self) -> float:
        """The maximum cost of an execution, in dollars."""
        return sum(step.longest_dollars for step in self.steps)

    @property
    def jobs(self) -> int:
        """The number of jobs."""
        return sum(step.jobs for step in self.steps)


def load_prices(path: Path) -> Prices:
    """Read a price file.

    Raises:
        UserError: it cannot be read, or is not a price file.
    """
    try:
        document = yaml.safe_load(path.read_text("utf-8"))
        return Prices.model_validate(document)
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    except ValidationError as error:
        places = [".".join(map(str, fault["loc"])) for fault in error.errors()]
        faults = [
            f"{path}: {place}{': ' if place else ''}{in_words(fault)}"
            for place, fault in zip(places, error.errors(), strict=True)
        ]
        raise UserError("\n".join(faults)) from None


def estimate(config: Config, prices: Prices) -> Estimate:
    """Estimate an execution with the configuration's defaults of the parameters.

    Raises:
        UserError: the price file has no price for an instance type.
    """
    _require_prices(config, prices)
    steps, tuning = _steps(config, prices), config.tuning
    start = prices.start_minutes
    # A spot job may wait for an instance until max_wait_minutes have passed.
    longest_round = tuning.max_wait_minutes if tuning.spot else tuning.max_runtime_minutes
    trains = [step.name.startswith(("TuneFold", "RefitModel")) for step in steps]
    longest = [longest_round if waits else step.longest_minutes for step, waits in zip(steps, trains, strict=True)]
    return Estimate(
        steps=steps,
        typical_minutes=sum(step.rounds * (start + step.typical_minutes) for step in steps),
        longest_minutes=sum(step.rounds * (start + minutes) for step, minutes in zip(steps, longest, strict=True)),
        endpoint_dollars=_endpoint_dollars(config, prices),
        request_dollars=_request_dollars(config, prices),
    )


def _steps(config: Config, prices: Prices) -> list[StepCost]:
    folds, tuning, usual = config.folds, config.tuning, prices.typical_minutes
    jobs = jobs_per_fold(config)
    rounds = math.ceil(jobs / tuning.max_parallel_jobs)
    waves = math.ceil(folds.count / config.pipeline.max_parallel_steps)
    hourly = prices.hourly
    training_price = hourly[tuning.instance_type] * (1 - prices.spot_discount if tuning.spot else 1)
    script, limit = hourly[SCRIPT_INSTANCE], SCRIPT_LIMIT_MINUTES
    return [
        StepCost(
            "MakeFolds",
            1,
            folds.instance_count,
            folds.instance_type,
            hourly[folds.instance_type],
            min(usual.make_folds, folds.max_runtime_minutes),
            folds.max_runtime_minutes,
            1,
        ),
        StepCost(
            f"TuneFold1 to TuneFold{folds.count}",
            folds.count * jobs,
            1,
            tuning.instance_type,
            training_price,
            min(usual.training_job, tuning.max_runtime_minutes),
            tuning.max_runtime_minutes,
            waves * rounds,
        ),
        StepCost("SelectBest", 1, 1, SCRIPT_INSTANCE, script, usual.select_best, limit, 1),
        *([_refit(config, training_price, usual)] if config.selection.refits else []),
        StepCost("VerifyEndpoint", 1, 1, SCRIPT_INSTANCE, script, usual.verify_endpoint, limit, 1),
    ]


def _refit(config: Config, hourly: float, usual: TypicalMinutes) -> StepCost:
    tuning = config.tuning
    typical = min(usual.training_job, tuning.max_runtime_minutes)
    return StepCost("RefitModel", 1, 1, tuning.instance_type, hourly, typical, tuning.max_runtime_minutes, 1)


def jobs_per_fold(config: Config) -> int:
    """Return the number of training jobs of one fold; a grid has one for each point."""
    tuning = config.tuning
    return tuning.points if tuning.strategy == "Grid" else tuning.max_jobs


def _endpoint_dollars(config: Config, prices: Prices) -> tuple[float, float]:
    deploy = config.deploy
    if deploy.serverless:
        return 0.0, 0.0
    month = prices.hourly[deploy.instance_type] * HOURS_PER_MONTH
    if deploy.autoscaling:
        return deploy.autoscaling.min_instances * month, deploy.autoscaling.max_instances * month
    return deploy.instance_count * month, deploy.instance_count * month


def _request_dollars(config: Config, prices: Prices) -> float:
    if config.deploy.serverless is None:
        return 0.0
    gigabytes = config.deploy.serverless.memory_megabytes / 1024
    return 100_000 * 0.05 * gigabytes * prices.serverless_gigabyte_second


def _require_prices(config: Config, prices: Prices) -> None:
    needed = {config.folds.instance_type, config.tuning.instance_type, SCRIPT_INSTANCE}
    if config.deploy.serverless is None:
        needed.add(config.deploy.instance_type)
    if missing := sorted(needed - set(prices.hourly)):
        raise UserError(
            f"There is no price for {', '.join(missing)}. Copy infra/prices.yaml to mine.yaml, add the price under "
            "'hourly' and run: make estimate PRICES=mine.yaml"
        )
