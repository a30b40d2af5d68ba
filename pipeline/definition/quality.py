"""CheckQuality and RejectModel: reject a model whose estimate does not keep the limit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.config.models import Config
from pipeline.definition.parameter_descriptions import limit_name, no_limit
from pipeline.definition.sdk import (
    ConditionEquals,
    ConditionGreaterThan,
    ConditionGreaterThanOrEqualTo,
    ConditionLessThan,
    ConditionLessThanOrEqualTo,
    ConditionOr,
    ConditionStep,
    FailStep,
    Join,
)
from pipeline.definition.selection import Selection
from pipeline.definition.step_factory import StepFactory


@dataclass(frozen=True)
class _Terms:
    """How an objective is compared, and the words for it.

    Attributes:
        metric: the objective's name in sentences.
        keeps: the condition on an estimate and a limit.
        beats: the condition on an estimate and a baseline.
        worse_end: the key of the interval's worse end.
        end: its name in sentences.
        within: what an estimate is that keeps the limit.
        beyond: what an estimate is that does not.
    """

    metric: str
    keeps: Any
    beats: Any
    worse_end: str
    end: str
    within: str
    beyond: str


def quality_conditions(factory: StepFactory, selection: Selection) -> list[Any]:
    """Return the conditions that a good model meets: its estimate keeps the limit.

    A parameter says whether the estimate or the worse end of its interval counts. If the configuration sets no limit,
    the estimate must also be better than that of predicting the same for every row, on the same folds.
    """
    config, terms = factory.config, _terms(factory.config)
    limit, applies_to = factory.parameters.limit, factory.parameters.limit_applies_to
    estimate = selection.best(f"estimate.{_value(config)}")
    conditions = [terms.keeps(left=estimate, right=limit)]
    if _has_interval(config):
        within = terms.keeps(left=selection.best(f"estimate.{terms.worse_end}"), right=limit)
        conditions.append(ConditionOr(conditions=[ConditionEquals(left=applies_to, right="Mean"), within]))
    if config.quality.given is None:
        conditions.append(terms.beats(left=estimate, right=selection.best(f"baselines.{_baseline(config)}")))
    return conditions


def check_quality(factory: StepFactory, selection: Selection) -> Any:
    """Return the condition that fails the execution unless the model is good."""
    config, terms, name = factory.config, _terms(factory.config), limit_name(factory.config)
    rejection, question = f"is {terms.beyond} {name}", f"{terms.within} {name}?"
    if config.quality.given is None:
        what = "the mean" if _is_regression(config) else "always the same"
        better = "below" if config.direction == "Minimize" else "above"
        rejection = f"{rejection}, or no better than {'the mean' if _is_regression(config) else 'a constant'}'s"
        question = f"{better} that of predicting {what}?"
    reject = FailStep(
        name="RejectModel",
        display_name="Reject model",
        description=f"The estimated {'error' if _is_mse(config) else terms.metric} of the chosen model {rejection}",
        error_message=Join(" ", _rejection(factory, selection)),
    )
    return ConditionStep(
        name="CheckQuality",
        display_name="Check quality",
        description=f"Is the estimated {terms.metric} of the chosen model {question}",
        conditions=quality_conditions(factory, selection),
        if_steps=[],
        else_steps=[reject],
    )


def _rejection(factory: StepFactory, selection: Selection) -> list[Any]:
    """Return the parts of RejectModel's message: SelectBest's sentences, and the limit of this execution."""
    config, terms, name = factory.config, _terms(factory.config), limit_name(factory.config)
    must, notes = f"It must be {terms.within} {name}", []
    parts = ["Not registered.", selection.best("quality.estimate")]
    if config.quality.given is None:
        parts.append(selection.best("quality.baseline"))
        must, notes = f"It must also be {terms.within} {name}", [f"{no_limit(config):g}: no limit is set"]
    if _has_interval(config):
        notes.append(f"with {name}AppliesTo UpperEnd, the {terms.end} end of its interval too")
    parts += [f"{must} ({'; '.join(notes)})." if notes else f"{must}.", f"{name} is", factory.parameters.limit]
    return [*parts, f"and {name}AppliesTo is", factory.parameters.limit_applies_to]


def _terms(config: Config) -> _Terms:
    metric = "MSE" if _is_mse(config) else config.task.metric
    if config.direction == "Minimize":
        return _Terms(
            metric, ConditionLessThanOrEqualTo, ConditionLessThan, "high", "upper", within="at most", beyond="above"
        )
    return _Terms(
        metric, ConditionGreaterThanOrEqualTo, ConditionGreaterThan, "low", "lower", within="at least", beyond="below"
    )


def _value(config: Config) -> str:
    return "mse" if _is_mse(config) else "value"


def _baseline(config: Config) -> str:
    return "mean" if _is_mse(config) else "constant"


def _is_mse(config: Config) -> bool:
    return config.task.metric == "mse"


def _is_regression(config: Config) -> bool:
    return config.training.problem == "regression"


def _has_interval(config: Config) -> bool:
    return config.tuning.strategy != "Bayesian"
