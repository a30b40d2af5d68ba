"""Says how a training weighs classes against each other, and what to try if it misses one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from evaluation.models import LINEAR_LEARNER

_CRITERION = "binary_classifier_model_selection_criteria"
_DEFAULTS = {
    _CRITERION: ("accuracy", "loss_function"),
    "positive_example_weight_mult": ("1", "1.0"),
    "balance_multiclass_weights": ("false",),
    "scale_pos_weight": ("1", "1.0"),
}
"""Hyperparameters that trade accuracy for a class, with the values that do not."""

_LINEAR_LEARNER_BINARY = (
    f"try the static hyperparameter {_CRITERION}: f_beta (or loss_function, with positive_example_weight_mult: "
    "balanced), and validation:roc_auc_score as tuning.objective."
)
_LINEAR_LEARNER_MULTICLASS = (
    "try the static hyperparameter balance_multiclass_weights: true with validation:macro_f_beta as tuning.objective."
)


@dataclass(frozen=True)
class ClassWeighting:
    """The training of the chosen model.

    Attributes:
        algorithm: the algorithm's name.
        hyperparameters: those of its training jobs, tuned or not.
    """

    algorithm: str
    hyperparameters: Mapping[str, str]

    @property
    def trades_accuracy(self) -> bool:
        """Whether the configuration gives up accuracy on purpose, for one of the classes."""
        return any(
            name in self.hyperparameters and self.hyperparameters[name].lower() not in plain
            for name, plain in _DEFAULTS.items()
        )

    def remedy(self, class_rows: Sequence[int]) -> str:
        """Return what to try if a class is missed, as the end of a sentence.

        Args:
            class_rows: the number of rows of each class; of two, the second is the positive one.
        """
        if self.trades_accuracy:
            return "do the features tell the classes apart?"
        if self.algorithm == LINEAR_LEARNER:
            if len(class_rows) > 2:
                return _LINEAR_LEARNER_MULTICLASS
            # The F measure is that of the positive class.
            exchange = "name the rarer class last in dataset.classes, and " if class_rows[1] > class_rows[0] else ""
            return exchange + _LINEAR_LEARNER_BINARY
        if len(class_rows) == 2:
            return f"try the static hyperparameter scale_pos_weight: {class_rows[0] / class_rows[1]:.3g}."
        return "try validation:f1_macro as tuning.objective."
