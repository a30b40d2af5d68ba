"""The handlers of each framework's image for those that the user's script does not define.

Sources: ``serving.py`` of https://github.com/aws/sagemaker-scikit-learn-container, and ``handler_service.py`` of
https://github.com/aws/sagemaker-xgboost-container .
"""

from __future__ import annotations

from typing import Any, Callable, Dict

from . import formats, xgboost_formats
from .response import Response

Handlers = Dict[str, Callable[..., Any]]


def no_model_fn(_model_dir: str) -> Any:
    """Fail: neither framework has a default ``model_fn``."""
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
}
"""The default handlers by framework."""
