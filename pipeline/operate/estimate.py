"""What an execution and the endpoint would cost, and how long an execution takes: a model, before anything runs.

Two figures for everything: what is typical, from the price file's assumptions, and an upper bound, from the limits
that the configuration sets. The bound does not count repeats of jobs that SageMaker failed by its own fault, nor
storage, requests and logs, which are cents.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pipeline.config.models import Config
from pipeline.errors import UserError

DEFAULT_PRICES = Path(__file__).resolve().parents[2] / "infra" / "prices.yaml"

HOURS_PER_MONTH = 730
SCRIPT_INSTANCE = "ml.m5.large"
"""What SelectBest and VerifyEndpoint run on."""

SCRIPT_LIMIT_MINUTES = 60
"""After which SelectBest and VerifyEndpoint are stopped."""


class TypicalMinutes(BaseModel):
    """Billed minutes that are usual for a job of each kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    make_folds: float = Field(gt=0)
    training_job: float = Field(gt=0)
    select_best: float = Field(gt=0)
    verify_endpoint: float = Field(gt=0)


class Prices(BaseModel):
    """The price file: US dollars and assumptions, with their date."""

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
    """Jobs of one kind.

    Attributes:
        name: the step, or steps.
        jobs: how many jobs.
        instances: instances of each job.
        instance_type: their type.
        hourly: dollars an hour and instance.
        typical_minutes: billed minutes of one job, usually.
        longest_minutes: billed minutes of one job, at most.
        rounds: how many of the jobs run after one another.
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
        """Instance hours, usually."""
        return self.jobs * self.instances * self.typical_minutes / 60

    @property
    def longest_hours(self) -> float:
        """Instance hours, at most."""
        return self.jobs * self.instances * self.longest_minutes / 60

    @property
    def typical_dollars(self) -> float:
        """Cost, usually."""
        return self.typical_hours * self.hourly

    @property
    def longest_dollars(self) -> float:
        """Cost, at most."""
        return self.longest_hours * self.hourly


@dataclass(frozen=True)
class Estimate:
    """An execution's cost and time, and the endpoint's cost.

    Attributes:
        steps: cost by step, in the order of the pipeline.
        typical_minutes: the longest path through the pipeline, usually.
        longest_minutes: the longest path through the pipeline, at most.
        endpoint_dollars: the endpoint a month, with as few and with as many instances as it may have; both zero for a
            serverless one.
        request_dollars: what 100 000 requests of 50 ms cost of a serverless endpoint; zero for instances.
    """

    steps: list[StepCost]
    typical_minutes: float
    longest_minutes: float
    endpoint_dollars: tuple[float, float]
    request_dollars: float

    @property
    def typical_dollars(self) -> float:
        """An execution's cost, usually."""
        return sum(step.typical_dollars for step in self.steps)

    @property
    def longest_dollars(self) -> float:
        """An execution's cost, at most."""
        return sum(step.longest_dollars for step in self.steps)

    @property
    def jobs(self) -> int:
        """Number of jobs."""
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
        faults = [f"{'.'.join(str(part) for part in fault['loc'])}: {fault['msg']}" for fault in error.errors()]
        raise UserError("\n".join(f"{path}: {fault}" for fault in faults)) from None


def estimate(config: Config, prices: Prices) -> Estimate:
    """Estimate an execution with the configuration's own parameters.

    Raises:
        UserError: the price file has no price for an instance type.
    """
    _require_prices(config, prices)
    folds, tuning, usual = config.folds, config.tuning, prices.typical_minutes
    jobs = jobs_per_fold(config)
    rounds = math.ceil(jobs / tuning.max_parallel_jobs)
    waves = math.ceil(folds.count / config.pipeline.max_parallel_steps)
    hourly = prices.hourly
    training_price = hourly[tuning.instance_type] * (1 - prices.spot_discount if tuning.spot else 1)
    script, limit = hourly[SCRIPT_INSTANCE], SCRIPT_LIMIT_MINUTES
    steps = [
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
        StepCost("VerifyEndpoint", 1, 1, SCRIPT_INSTANCE, script, usual.verify_endpoint, limit, 1),
    ]
    start = prices.start_minutes
    # A spot job may wait for an instance until its whole time is up.
    longest_round = tuning.max_wait_minutes if tuning.spot else tuning.max_runtime_minutes
    longest = [longest_round if step.name.startswith("TuneFold") else step.longest_minutes for step in steps]
    return Estimate(
        steps=steps,
        typical_minutes=sum(step.rounds * (start + step.typical_minutes) for step in steps),
        longest_minutes=sum(step.rounds * (start + minutes) for step, minutes in zip(steps, longest, strict=True)),
        endpoint_dollars=_endpoint_dollars(config, prices),
        request_dollars=_request_dollars(config, prices),
    )


def jobs_per_fold(config: Config) -> int:
    """Training jobs of one fold: a grid has one a point."""
    tuning = config.tuning
    return len(tuning.learning_rate) * len(tuning.l1) if tuning.strategy == "Grid" else tuning.max_jobs


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
            f"There is no price for {', '.join(missing)}: copy infra/prices.yaml, add it under 'hourly' and pass "
            "the file: make estimate PRICES=mine.yaml"
        )
