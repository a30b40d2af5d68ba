"""Compares what a configuration says of its model with what the model's package records."""

from __future__ import annotations

from collections.abc import Sequence

from definition_language.objectives import problem_of
from pipeline.config.columns import DatasetSection
from pipeline.errors import UserError
from pipeline.operate.model_columns import ModelColumns
from pipeline.text import some_of


def check_label(configured: DatasetSection, recorded: ModelColumns, described: str) -> None:
    """Check that a model predicts what a configuration asks for.

    Args:
        configured: the configuration's columns.
        recorded: the model's columns.
        described: which model it is: ``the model of the endpoint prices: arn:...``.

    Raises:
        UserError: it has another label, or another problem: a number, two classes, or more classes.
    """
    asked, found = configured.classes or (), recorded.classes
    if (configured.label, problem_of(asked)) != (recorded.label, problem_of(found)):
        raise UserError(
            f"The configuration predicts {configured.label} ({_values(asked)}), and the model predicts "
            f"{recorded.label} ({_values(found)}). It is {described}. Use the configuration with which this model was "
            "trained: CONFIG=file; or another endpoint: ENDPOINT=name"
        )


def differences(configured: DatasetSection, recorded: ModelColumns) -> list[str]:
    """Return sentences about features and classes that a configuration and a model do not have in common.

    Values that a configuration leaves to the data are those that the model found: they make no difference.
    """
    sentences = []
    features = _features(configured, recorded)
    if features != recorded.features:
        only_configured = [name for name in features if name not in set(recorded.features)]
        only_recorded = [name for name in recorded.features if name not in set(features)]
        if not only_configured and not only_recorded:
            only_configured, only_recorded = features, recorded.features
        sentences.append(
            f"The configuration's features differ from those of {recorded.source}: the configuration has "
            f"{some_of(only_configured) or 'no other'}, the model package has {some_of(only_recorded) or 'no other'}. "
            "The model package's are used."
        )
    if tuple(configured.classes or ()) != recorded.classes:
        sentences.append(
            f"The configuration's classes ({some_of(configured.classes or ())}) differ from those of "
            f"{recorded.source} ({some_of(recorded.classes)}). The model package's are used."
        )
    return sentences


def _values(classes: Sequence[str]) -> str:
    return f"{len(classes)} classes: {some_of(classes, 5)}" if classes else "a number"


def _features(configured: DatasetSection, recorded: ModelColumns) -> list[str]:
    """Return the configuration's features. A category whose values it leaves to the data has the model's."""
    found = {
        name: category.model_copy(update={"values": list(recorded.categorical.get(name, ())) or ["..."]})
        for name, category in configured.categorical.items()
        if not category.values
    }
    complete = configured.model_copy(update={"categorical": configured.categorical | found})
    return complete.features or []
