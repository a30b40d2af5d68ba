"""What the configuration's money-saving options would save, by the model of ``pipeline.operate.estimate``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.config.models import Config, ServerlessSection
from pipeline.operate.estimate import Prices, estimate, jobs_per_fold


@dataclass(frozen=True)
class Saving:
    """One option.

    Attributes:
        setting: what to write into config.yaml.
        effect: what it does and what it costs otherwise.
        dollars: what it typically saves, of each execution or a month; None where the model cannot say.
        per: what the dollars are counted for, for example ``a month``.
    """

    setting: str
    effect: str
    dollars: float | None
    per: str


def savings(config: Config, prices: Prices) -> list[Saving]:
    """Options that are not in use yet and would save something."""
    return [*_of_executions(config, prices), *_of_the_endpoint(config, prices)]


def _of_executions(config: Config, prices: Prices) -> Iterator[Saving]:
    now = estimate(config, prices)

    def saved(**changes: dict[str, Any]) -> float:
        return now.typical_dollars - estimate(_changed(config, **changes), prices).typical_dollars

    verify = next(step for step in now.steps if step.name == "VerifyEndpoint")
    effect = "a repeat with the same data and settings runs VerifyEndpoint only"
    caching = "in use" if config.caching.enabled else "caching.enabled: true"
    yield Saving(f"step caching ({caching})", effect, now.typical_dollars - verify.typical_dollars, "a repeat")
    if not config.tuning.spot:
        effect = "jobs may wait for an instance and be started again"
        yield Saving("tuning.spot: true", effect, saved(tuning={"spot": True}), "an execution")
    if config.tuning.strategy == "Grid" and jobs_per_fold(config) > 1:
        half = jobs_per_fold(config) // 2
        effect = f"{half} random points a fold, from ranges [lowest, highest], not the grid's {jobs_per_fold(config)}"
        fewer = {"strategy": "Random", "max_jobs": half}
        yield Saving(f"tuning.strategy: Random, max_jobs: {half}", effect, saved(tuning=fewer), "an execution")
    if config.tuning.early_stopping == "Off":
        effect = "ends jobs that fall behind; how many depends on the data, and jobs of minutes gain little"
        yield Saving("tuning.early_stopping: Auto", effect, None, "an execution")
    if config.folds.count > 3:
        effect = "fewer models to tune; the error of each says a little less"
        yield Saving("folds.count: 3", effect, saved(folds={"count": 3}), "an execution")
    if config.folds.instance_count > 1:
        effect = "folds are made more slowly, where the data is large"
        yield Saving("folds.instance_count: 1", effect, saved(folds={"instance_count": 1}), "an execution")
    effect = "would save minutes, not dollars: SageMaker has no keep-alive period for a tuning job's instances"
    yield Saving("warm pools", effect, None, "an execution")


def _of_the_endpoint(config: Config, prices: Prices) -> Iterator[Saving]:
    deploy, month = config.deploy, estimate(config, prices).endpoint_dollars
    if deploy.serverless is None:
        serverless = {"serverless": ServerlessSection(), "autoscaling": None, "data_capture_percentage": 0}
        requests = estimate(_changed(config, deploy=serverless), prices).request_dollars
        effect = (
            f"no instance; {requests:.2f} dollars for 100 000 requests of 50 ms, and the first one waits for seconds"
        )
        yield Saving("deploy.serverless: {}", effect, month[0] - requests, "a month")
        yield Saving("make delete LEVEL=endpoint", "when nobody asks for predictions", month[0], "a month")
    if deploy.instance_count > 1 and not (deploy.autoscaling or deploy.serverless):
        effect = "one instance; an outage of its zone is an outage of the endpoint"
        one = estimate(_changed(config, deploy={"instance_count": 1}), prices).endpoint_dollars
        yield Saving("deploy.instance_count: 1", effect, month[0] - one[0], "a month")


def _changed(config: Config, **sections: dict[str, Any]) -> Config:
    changed = {name: getattr(config, name).model_copy(update=values) for name, values in sections.items()}
    return config.model_copy(update=changed)
