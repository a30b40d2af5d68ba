"""Training of one model, written to be read: the order of evaluation that the fast ones must agree with."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from local.algorithms.linear_learner.choices import Choices
from local.algorithms.linear_learner.hyperparameters import Hyperparameters, parse
from local.algorithms.linear_learner.losses import loss_of
from local.algorithms.linear_learner.optimizers import initial_weights


@dataclass
class Trained:
    weights: np.ndarray
    bias: float
    train_losses: list[float]
    validation_losses: list[float]


def job(**values: object) -> Hyperparameters:
    """Hyperparameters of a regressor under a tuning job, so of one model."""
    texts = {name: str(value).lower() for name, value in values.items()}
    return parse({"predictor_type": "regressor", "_tuning_objective_metric": "validation:mse", **texts})


def classifier(**values: object) -> Hyperparameters:
    """Hyperparameters of a classifier of one model: multiclass if there is ``num_classes``, else binary."""
    texts = {name: str(value).lower() for name, value in values.items()}
    predictor_type = "multiclass_classifier" if "num_classes" in values else "binary_classifier"
    return parse({"predictor_type": predictor_type, "_tuning_objective_metric": "validation:objective_loss", **texts})


def train(rows: np.ndarray, validation: np.ndarray, hyperparameters: Hyperparameters, choices: Choices) -> Trained:
    hp = hyperparameters
    batch_size = hp.mini_batch_size
    if choices.tail_batch == "drop":
        rows = rows[: len(rows) // batch_size * batch_size]
    points = max(min(len(rows), hp.num_point_for_scaler) // batch_size * batch_size, batch_size)
    sample = rows[:points]
    mean, deviation = sample.mean(axis=0), sample.std(axis=0)
    unbias = np.array([hp.unbias_label] + [hp.unbias_data] * (rows.shape[1] - 1))
    normalise = np.array([hp.normalize_label] + [hp.normalize_data] * (rows.shape[1] - 1))
    shift, scale = np.where(unbias, mean, 0), np.where(normalise & (deviation > 0), deviation, 1)
    data, held_out = (rows - shift) / scale, (validation - shift) / scale

    loss = loss_of(hp)
    w = initial_weights(rows.shape[1] - 1, hp, choices.seed)[:, 0]
    constant = (rows[:, 1:] == rows[0, 1:]).all(axis=0) & hp.use_bias
    data[:, 1:][:, constant] = held_out[:, 1:][:, constant] = 0
    w[:-1][constant] = 0
    regularised = np.append(np.ones(len(w) - 1), 0)
    wd = hp.wd * np.append(np.ones(len(w) - 1), hp.bias_wd_mult)
    rate_multipliers = np.append(np.ones(len(w) - 1), hp.bias_lr_mult if hp.use_bias else 0)
    m, v = np.zeros_like(w), np.zeros_like(w)
    step, bad_epochs, best, best_w = 0, 0, math.inf, w
    trained = Trained(w, 0.0, [], [])
    for _ in range(hp.epochs):
        total = 0.0
        for start in range(0, len(data), batch_size):
            batch = data[start : start + batch_size]
            z, t = np.column_stack([batch[:, 1:], np.ones(len(batch))]), batch[:, 0]
            residual = z @ w - t
            total += loss.values(residual).sum()
            gradient = z.T @ loss.slopes(residual) / len(batch) + wd * w
            if choices.l1_method == "subgradient":
                gradient = gradient + hp.l1 * regularised * np.sign(w)
            step += 1
            rate: Any = hp.learning_rate
            if hp.use_lr_scheduler:
                lowest = min(rate, hp.lr_scheduler_minimum_lr)
                rate = max(rate * hp.lr_scheduler_factor ** ((step - 1) // hp.lr_scheduler_step), lowest)
            rate = rate * rate_multipliers
            if hp.optimizer == "adam":
                m = hp.beta_1 * m + (1 - hp.beta_1) * gradient
                v = hp.beta_2 * v + (1 - hp.beta_2) * gradient**2
                rate = rate * math.sqrt(1 - hp.beta_2**step) / (1 - hp.beta_1**step) / (np.sqrt(v) + 1e-8)
                w, threshold = w - rate * m, rate * hp.l1
            elif hp.optimizer == "sgd":
                m = hp.momentum * m - rate * gradient
                w, threshold = w + m, rate * hp.l1 / (1 - hp.momentum)
            else:
                v = 0.9 * v + 0.1 * gradient**2
                rate = rate / np.sqrt(v + 1e-8)
                w, threshold = w - rate * gradient, rate * hp.l1
            if choices.l1_method == "proximal":
                w = np.sign(w) * np.maximum(np.abs(w) - threshold * regularised, 0)
        residual = np.column_stack([held_out[:, 1:], np.ones(len(held_out))]) @ w - held_out[:, 0]
        criterion = loss.values(residual).mean()
        trained.train_losses.append(total / len(data))
        trained.validation_losses.append(criterion * scale[0] ** loss.degree)
        improved = best == math.inf or (best - criterion) / best >= hp.early_stopping_tolerance
        if criterion < best:
            best, best_w = criterion, w
        bad_epochs = 0 if improved else bad_epochs + 1
        if bad_epochs == hp.early_stopping_patience:
            break
    trained.weights = best_w[:-1] * scale[0] / scale[1:]
    trained.bias = best_w[-1] * scale[0] + shift[0] - shift[1:] @ trained.weights
    return trained
