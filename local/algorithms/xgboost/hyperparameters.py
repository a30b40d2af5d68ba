"""The hyperparameters of one training job, as the container checks them and passes them to the library."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from definition_language.xgboost import HyperparameterError, parse
from local.algorithms.errors import ClientError
from local.algorithms.xgboost.metrics import CUSTOM_METRICS

_NOT_FOR_THE_LIBRARY: Final = (
    *("num_round", "csv_weights", "early_stopping_rounds", "save_model_on_termination", "eval_metric"),
    *("_tuning_objective_metric", "use_dask_gpu_training", "nthread"),
)
_SCRIPT_MODE: Final = ("sagemaker_program", "sagemaker_submit_directory")


@dataclass(frozen=True)
class Hyperparameters:
    """Holds what a training job asks for.

    Attributes:
        rounds: The number of boosting rounds.
        library: The library's parameters.
        custom_metrics: The names of the metrics that the container computes itself.
        csv_weights: Whether the second column of CSV holds the rows' weights.
        early_stopping: The number of rounds and the metric of early stopping, or None.
        early_stopping_without_metric: Whether early stopping is asked for, but has no metric to watch.
        save_on_termination: Whether SIGTERM keeps the model so far.
    """

    rounds: int
    library: dict[str, Any]
    custom_metrics: tuple[str, ...]
    csv_weights: bool
    early_stopping: tuple[int, str] | None
    early_stopping_without_metric: bool
    save_on_termination: bool


def read(raw: Mapping[str, str]) -> Hyperparameters:
    """Check the hyperparameters of a training job.

    Args:
        raw: The names and values of CreateTrainingJob, all strings.

    Raises:
        ClientError: A hyperparameter is invalid, or the local service does not implement it.
    """
    for name in _SCRIPT_MODE:
        if name in raw:
            raise ClientError(f"{name}: script mode of the XGBoost image is not implemented by the local service")
    try:
        values = parse(raw)
    except HyperparameterError as error:
        raise ClientError(str(error)) from None
    _refuse_what_is_not_implemented(values)
    tuned = values["_tuning_objective_metric"].split(":")[1] if "_tuning_objective_metric" in values else None
    given = values.get("eval_metric")
    metrics = _all_metrics(tuned, given)
    library = {name: value for name, value in values.items() if name not in _NOT_FOR_THE_LIBRARY}
    library["nthread"] = min(values.get("nthread", cores()), cores())
    if "updater" in library:
        library["updater"] = ",".join(library["updater"])
    if builtin := [name for name in metrics if name not in CUSTOM_METRICS]:
        library["eval_metric"] = builtin
    watched = tuned or (given[-1] if given else None)
    patience = values.get("early_stopping_rounds")
    return Hyperparameters(
        rounds=values["num_round"],
        library=library,
        custom_metrics=tuple(name for name in metrics if name in CUSTOM_METRICS),
        csv_weights=values.get("csv_weights") == 1,
        early_stopping=(patience, watched) if patience and watched else None,
        early_stopping_without_metric=bool(patience and not watched),
        save_on_termination=values.get("save_model_on_termination") == "true",
    )


def cores() -> int:
    """Return the number of processors that this program can use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def _refuse_what_is_not_implemented(values: Mapping[str, Any]) -> None:
    for name in ("_kfold", "_num_cv_round"):
        if name in values:
            raise ClientError(
                f"Hyperparameter {name}: the container's own cross-validation is not implemented by the local service"
            )
    for name, value in (("use_dask_gpu_training", "true"), ("predictor", "gpu_predictor"), ("dsplit", "col")):
        if values.get(name) == value:
            raise ClientError(f"Hyperparameter {name}: {value} is not implemented by the local service")


def _all_metrics(tuned: str | None, given: list[str] | None) -> list[str]:
    """Return the metrics to log, in the container's order: that of eval_metric alone, else by name."""
    if tuned is None:
        return given or []
    return sorted({tuned, *(given or [])})
