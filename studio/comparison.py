"""Puts executions side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from studio.aws import Aws
from studio.executions import Execution, all_parameters, read_execution
from studio.results import Evaluation, Finding, read_results
from studio.text import number

FEWEST, MOST = 2, 5
"""The executions that a comparison may have."""

_DATA = ("InputDataUri", "DataVersion")
"""The parameters that say which data an execution uses."""


@dataclass(frozen=True)
class Compared:
    """An execution of a comparison.

    Attributes:
        execution: the execution.
        parameters: its parameters by name, with the defaults of its definition.
        finding: its results.
    """

    execution: Execution
    parameters: Mapping[str, str]
    finding: Finding


@dataclass(frozen=True)
class Row:
    """A property of all executions of a comparison.

    Attributes:
        name: its name.
        values: its value in each execution; None in those without it.
    """

    name: str
    values: tuple[str | None, ...]

    @property
    def differs(self) -> bool:
        """Whether not all executions have the same."""
        return len(set(self.values)) > 1


def read_compared(aws: Aws, arns: Sequence[str]) -> list[Compared]:
    """Read executions and their results, several at once."""
    with ThreadPoolExecutor(MOST) as pool:
        return list(pool.map(lambda arn: _read(aws, arn), arns))


def parameter_rows(compared: Sequence[Compared]) -> list[Row]:
    """Return the parameters, those that differ first."""
    names = dict.fromkeys(name for each in compared for name in each.parameters)
    rows = [Row(name, tuple(each.parameters.get(name) for each in compared)) for name in names]
    return sorted(rows, key=lambda row: not row.differs)


def result_rows(compared: Sequence[Compared]) -> list[Row]:
    """Return the results; none if no execution has some."""
    found = [each.finding.evaluation for each in compared]
    tuned = dict.fromkeys(name for each in found if each for name in each.hyperparameters)
    titles = dict.fromkeys(each.metric.title for each in found if each)
    simple = dict.fromkeys(name for each in found if each for name in each.baselines)
    metrics = dict.fromkeys(name for each in found if each for name in each.metrics)
    properties: list[tuple[str, Callable[[Evaluation], str | None]]] = [
        *((f"Estimated {title}", _estimate_in(title)) for title in titles),
        ("95 % interval", interval_text),
        *((name, _number_of("metrics", name)) for name in metrics),
        *(
            (f"{title[0].upper()}{title[1:]} of {name[0].lower()}{name[1:]}", _baseline_in(title, name))
            for title in titles
            for name in simple
        ),
        ("Rows", lambda each: f"{each.rows:,}"),
        ("Folds", lambda each: str(len(each.fold_rows))),
        ("Rule", lambda each: each.rule),
        *((name, _hyperparameter(name)) for name in tuned),
        ("Model package", _package_text),
        ("Endpoint", lambda each: f"{each.endpoint} ({each.endpoint_state})" if each.endpoint else each.endpoint_state),
    ]
    rows = (Row(name, tuple(read(each) if each else None for each in found)) for name, read in properties)
    return [row for row in rows if any(row.values)]


def interval_text(evaluation: Evaluation) -> str:
    """Return the interval as text."""
    if evaluation.low is None or evaluation.high is None:
        return "not known: a Bayesian search has the error on one fold only"
    return f"{number(evaluation.low)} to {number(evaluation.high)}"


def has_other_data(compared: Sequence[Compared]) -> bool:
    """Return whether the executions used different data, so that their errors cannot be compared."""

    def data(each: Compared) -> tuple[object, ...]:
        found = each.finding.evaluation
        return (*map(each.parameters.get, _DATA), found and found.fold_rows)

    return len({data(each) for each in compared if each.finding.evaluation}) > 1


def has_other_metrics(compared: Sequence[Compared]) -> bool:
    """Return whether the executions are measured in different metrics, so that their estimates cannot be compared."""
    return len({each.finding.evaluation.metric.title for each in compared if each.finding.evaluation}) > 1


def _read(aws: Aws, arn: str) -> Compared:
    execution = read_execution(aws, arn)
    parameters = {name: value for name, (value, _) in all_parameters(aws, arn).items()}
    return Compared(execution, parameters, read_results(aws, execution))


def _number_of(member: str, name: str) -> Callable[[Evaluation], str | None]:
    def read(each: Evaluation) -> str | None:
        values: Mapping[str, float] = getattr(each, member)
        return number(values[name]) if name in values else None

    return read


def _estimate_in(title: str) -> Callable[[Evaluation], str | None]:
    return lambda each: number(each.value) if each.metric.title == title else None


def _baseline_in(title: str, name: str) -> Callable[[Evaluation], str | None]:
    read = _number_of("baselines", name)
    return lambda each: read(each) if each.metric.title == title else None


def _package_text(evaluation: Evaluation) -> str:
    return f"{evaluation.model_package or 'none'}{' (deleted since)' if evaluation.package_deleted else ''}"


def _hyperparameter(name: str) -> Callable[[Evaluation], str | None]:
    return lambda each: each.hyperparameters.get(name)
