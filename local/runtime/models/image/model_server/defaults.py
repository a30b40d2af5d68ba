"""The handlers of each framework's image for those that the user's script does not define.

Sources: ``serving.py`` of https://github.com/aws/sagemaker-scikit-learn-container, ``handler_service.py`` of
https://github.com/aws/sagemaker-xgboost-container, and ``default_pytorch_inference_handler.py`` of
https://github.com/aws/sagemaker-pytorch-inference-toolkit .
"""

from __future__ import annotations

import os
from typing import Any, Callable, Dict

from . import formats, xgboost_formats
from .response import Response

Handlers = Dict[str, Callable[..., Any]]


def no_model_fn(_model_dir: str) -> Any:
    """Fail: most frameworks have no default ``model_fn``."""
    raise NotImplementedError(
        "\nPlease provide a model_fn implementation.\n"
        "See documentation for model_fn at https://github.com/aws/sagemaker-python-sdk\n"
    )


def _scikit_learn_input(content: Any, content_type: str) -> Any:
    import numpy as np

    array = formats.convert(formats.FLASK_DECODERS, content, content_type)
    return array.astype(np.float32) if content_type in formats.TEXT_TYPES else array


def _scikit_learn_predict(data: Any, model: Any) -> Any:
    return model.predict(data)


def _scikit_learn_output(prediction: Any, accept: str) -> Any:
    return Response(formats.convert(formats.FLASK_ENCODERS, prediction, accept), mimetype=accept)


def _xgboost_predict(data: Any, model: Any) -> Any:
    return model.predict(data, validate_features=False)


def _xgboost_output(prediction: Any, accept: str) -> Any:
    return formats.convert(formats.FLASK_ENCODERS, prediction, accept)


def _device() -> Any:
    import torch

    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def _pytorch_model(model_dir: str) -> Any:
    import torch

    path = os.path.join(model_dir, "model.pt")
    if not os.path.exists(path):
        found = [name for name in os.listdir(model_dir) if name.endswith((".pt", ".pth"))]
        if len(found) != 1:
            raise ValueError(f"Exactly one .pth or .pt file is required for PyTorch models: {found}")
        path = os.path.join(model_dir, found[0])
    try:
        return torch.jit.load(path, map_location=_device()).to(_device())
    except RuntimeError as error:
        raise RuntimeError(f"Failed to load {path}. Please ensure model is saved using torchscript.") from error


def _pytorch_input(content: Any, content_type: str) -> Any:
    import torch

    array = formats.convert(formats.TOOLKIT_DECODERS, content, content_type)
    is_text = content_type in formats.TEXT_TYPES
    return (torch.FloatTensor(array) if is_text else torch.from_numpy(array)).to(_device())


def _pytorch_predict(data: Any, model: Any) -> Any:
    import torch

    with torch.no_grad():
        model = model.to(_device())
        model.eval()
        return model(data.to(_device()))


def _pytorch_output(prediction: Any, accept: str) -> Any:
    import torch

    if isinstance(prediction, torch.Tensor):
        prediction = prediction.detach().cpu().numpy().tolist()
    for content_type in (part.partition(";")[0].strip() for part in accept.split(",")):
        if content_type in formats.TOOLKIT_ENCODERS:
            return formats.TOOLKIT_ENCODERS[content_type](prediction)
    raise formats.UnsupportedFormatError(accept)


DEFAULTS: Dict[str, Handlers] = {
    "scikit-learn": {
        "model_fn": no_model_fn,
        "input_fn": _scikit_learn_input,
        "predict_fn": _scikit_learn_predict,
        "output_fn": _scikit_learn_output,
    },
    "xgboost": {
        "model_fn": no_model_fn,
        "input_fn": xgboost_formats.decode,
        "predict_fn": _xgboost_predict,
        "output_fn": _xgboost_output,
    },
    "pytorch": {
        "model_fn": _pytorch_model,
        "input_fn": _pytorch_input,
        "predict_fn": _pytorch_predict,
        "output_fn": _pytorch_output,
    },
}
"""The default handlers by framework."""
