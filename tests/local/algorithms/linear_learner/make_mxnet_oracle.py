"""Make the committed numbers that the optimizers, the artifact and its predictions are compared with.

Everything here is computed by Apache MXNet 1.9.1, the library that linear-learner is built on. It needs an
environment of its own, because it does not run with today's numpy:

    python3.11 -m venv mxnet-oracle
    mxnet-oracle/bin/pip install mxnet==1.9.1 "numpy<1.24"
    mxnet-oracle/bin/python tests/linear_learner/make_mxnet_oracle.py

It writes ``data/mxnet_optimizers.json``, ``data/reference.params`` and ``data/mxnet_predictions.json``. The
last one needs ``data/artifact/``, the four members of an artifact that ``local.algorithms.linear_learner.artifact``
wrote (``unzip model_algo-1 -d data/artifact``) for the model in ``reference.params``. ``data/mxnet_classifiers.json``
needs ``data/artifact_logistic/`` and so on in the same way, for the models in ``test_artifact.py``.
"""

import json
from pathlib import Path
from typing import Any

import mxnet as mx
import numpy as np

DATA = Path(__file__).parent / "data"
ROWS, FEATURES, BATCH, EPOCHS = 60, 4, 10, 6

# MXNet takes an optimizer's parameters as float32, whatever the weights' type. Betas that float32 holds
# exactly make the comparison sharper than the defaults do.
EXACT = {"beta_1": 0.875, "beta_2": 0.9921875}
SETTINGS = [
    {"optimizer": "adam", "learning_rate": 0.1, "wd": 0.0},
    {"optimizer": "adam", "learning_rate": 0.03, "wd": 0.01, "use_lr_scheduler": True},
    {"optimizer": "adam", "learning_rate": 0.03, "wd": 0.01, "use_lr_scheduler": True, **EXACT},
    {"optimizer": "adam", "learning_rate": 0.1, "wd": 0.3, "use_lr_scheduler": True, "bias_lr_mult": 10.0, **EXACT},
    {"optimizer": "adam", "learning_rate": 0.05, "wd": 0.1, "bias_wd_mult": 1.0, **EXACT},
    {"optimizer": "sgd", "learning_rate": 0.02, "wd": 0.01, "momentum": 0.9, "use_lr_scheduler": True},
    {"optimizer": "sgd", "learning_rate": 0.05, "wd": 0.0},
    {"optimizer": "rmsprop", "learning_rate": 0.02, "wd": 0.05, "use_lr_scheduler": True},
]
SCHEDULER = {"step": 10, "factor": 0.7, "stop_factor_lr": 0.01}


def make_rows() -> np.ndarray:
    random = np.random.RandomState(7)
    features = random.normal(size=(ROWS, FEATURES))
    label = features @ [1.0, -0.5, 0.0, 0.25] + 0.5 + 0.3 * random.normal(size=ROWS)
    return np.round(np.column_stack([label, features]), 6)


def make_optimizer(setting: dict[str, Any]) -> mx.optimizer.Optimizer:
    arguments = {"learning_rate": setting["learning_rate"], "wd": setting["wd"]}
    if setting.get("use_lr_scheduler"):
        arguments["lr_scheduler"] = mx.lr_scheduler.FactorScheduler(**SCHEDULER)
    if setting["optimizer"] == "adam":
        arguments |= {"beta1": setting.get("beta_1", 0.9), "beta2": setting.get("beta_2", 0.999)}
    if setting["optimizer"] == "sgd":
        arguments["momentum"] = setting.get("momentum", 0.0)
    optimizer = mx.optimizer.create(setting["optimizer"], param_idx2name={0: "fc0_weight", 1: "fc0_bias"}, **arguments)
    optimizer.set_lr_mult({"fc0_bias": setting.get("bias_lr_mult", 1.0)})
    optimizer.set_wd_mult({"fc0_bias": setting.get("bias_wd_mult", 0.0)})
    return optimizer


def train(rows: np.ndarray, start: list[float], setting: dict[str, Any]) -> list[list[float]]:
    """The weights, bias last, after every epoch of mini-batches in order."""
    # MXNet keeps RMSProp's state in float32 whatever the weights' type, and then refuses to mix them.
    dtype = "float32" if setting["optimizer"] == "rmsprop" else "float64"
    updater = mx.optimizer.get_updater(make_optimizer(setting))
    weight = mx.nd.array([start[:-1]], dtype=dtype)
    bias = mx.nd.array(start[-1:], dtype=dtype)
    weight.attach_grad()
    bias.attach_grad()
    history = []
    for _ in range(EPOCHS):
        for begin in range(0, ROWS, BATCH):
            batch = mx.nd.array(rows[begin : begin + BATCH], dtype=dtype)
            with mx.autograd.record():
                prediction = mx.nd.FullyConnected(batch[:, 1:], weight, bias, num_hidden=1)
                loss = mx.nd.mean(mx.nd.square(prediction[:, 0] - batch[:, 0]))
            loss.backward()
            updater(0, weight.grad, weight)
            updater(1, bias.grad, bias)
        history.append([*weight.asnumpy()[0].tolist(), float(bias.asnumpy()[0])])
    return history


def write_optimizers() -> None:
    rows = make_rows()
    start = [0.05, -0.03, 0.01, 0.06, 0.0]
    runs = [{"setting": setting, "weights": train(rows, start, setting)} for setting in SETTINGS]
    document = {
        "mxnet": mx.__version__,
        "mini_batch_size": BATCH,
        "scheduler": SCHEDULER,
        "rows": rows.tolist(),
        "start": start,
        "runs": runs,
    }
    (DATA / "mxnet_optimizers.json").write_text(json.dumps(document, indent=1) + "\n")


def write_params() -> None:
    weights = mx.nd.array([[0.25, -1.5, 3.1415927, 1e-7]])
    mx.nd.save(str(DATA / "reference.params"), {"arg:fc0_weight": weights, "arg:fc0_bias": mx.nd.array([12.5])})


def predict(folder: str) -> dict[str, Any]:
    """Rows, and what MXNet predicts for them with the artifact in a folder."""
    rows = np.round(np.random.RandomState(11).normal(size=(8, FEATURES)) * 10, 3)
    module = mx.mod.Module.load(str(DATA / folder / "mx-mod"), 0, data_names=["data"], label_names=["out_label"])
    module.bind(data_shapes=[("data", rows.shape)], for_training=False)
    predicted = module.predict(mx.io.NDArrayIter(rows.astype("float32"), batch_size=len(rows))).asnumpy()
    return {"rows": rows.tolist(), "scores": (predicted[:, 0] if predicted.shape[1] == 1 else predicted).tolist()}


def write_predictions() -> None:
    document = {"mxnet": mx.__version__, **predict("artifact")}
    (DATA / "mxnet_predictions.json").write_text(json.dumps(document, indent=1) + "\n")
    losses = [folder.name.removeprefix("artifact_") for folder in sorted(DATA.glob("artifact_*"))]
    document = {"mxnet": mx.__version__} | {loss: predict(f"artifact_{loss}") for loss in losses}
    (DATA / "mxnet_classifiers.json").write_text(json.dumps(document, indent=1) + "\n")


if __name__ == "__main__":
    write_optimizers()
    write_params()
    if (DATA / "artifact").is_dir():
        write_predictions()
