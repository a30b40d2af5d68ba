"""Calls the handlers of the user's script in the way of the framework's container.

Scikit-learn's container answers by Flask: whatever a handler raises becomes a page with status 500. XGBoost's answers
by sagemaker-inference: the body of an error is the message and the traceback.

Sources: ``_transformer.py`` of https://github.com/aws/sagemaker-containers, ``transformer.py`` of
https://github.com/aws/sagemaker-inference-toolkit .
"""

from __future__ import annotations

import importlib
import inspect
import sys
import traceback
from typing import Any, Callable, Dict, Optional

from . import formats
from .defaults import DEFAULTS
from .response import Answer, flask_answer, toolkit_answer

_PAGE = (
    b'<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 3.2 Final//EN">\n<title>500 Internal Server Error</title>\n'
    b"<h1>Internal Server Error</h1>\n<p>The server encountered an internal error and was unable to complete your "
    b"request. Either the server is overloaded or there is an error in the application.</p>\n"
)


class Handlers:
    """The handlers of one model, with the loaded model.

    Args:
        framework: A key of ``DEFAULTS``.
        module_name: The user's module.
        model_dir: The folder of the extracted artifact.
        default_accept: The content type of responses to requests that do not say.

    Raises:
        ValueError: The module defines ``transform_fn`` beside a handler that it replaces.
        Exception: The module or the model cannot be loaded.
    """

    def __init__(self, framework: str, module_name: str, model_dir: str, default_accept: str) -> None:
        module = importlib.import_module(module_name)
        own = {name: getattr(module, name, None) for name in ("input_fn", "predict_fn", "output_fn")}
        self._transform: Optional[Callable[..., Any]] = getattr(module, "transform_fn", None)
        if self._transform and any(own.values()):
            raise ValueError("Cannot use transform_fn implementation with input_fn, predict_fn, and/or output_fn")
        defaults = DEFAULTS[framework]
        self._functions: Dict[str, Callable[..., Any]] = {name: own[name] or defaults[name] for name in own}
        self._is_flask = framework == "scikit-learn"
        self._default_accept = default_accept
        if not self._is_flask and hasattr(module, "pre_model_fn"):
            self._call(module.pre_model_fn, model_dir)
        self._model = self._call(getattr(module, "model_fn", None) or defaults["model_fn"], model_dir)
        if not self._is_flask and hasattr(module, "model_warmup_fn"):
            self._call(module.model_warmup_fn, model_dir, self._model)

    def answer(self, body: bytes, content_type: Optional[str], accept: Optional[str]) -> Answer:
        """Answer a request. The traceback of what a handler raises goes to the log."""
        content_type = content_type or formats.JSON
        accept = accept if accept and accept != formats.ANY else self._default_accept
        try:
            content = body.decode() if content_type in formats.TEXT_TYPES else body
            if self._transform:
                result = self._call(self._transform, self._model, content, content_type, accept)
            else:
                data = self._call(self._functions["input_fn"], content, content_type)
                prediction = self._call(self._functions["predict_fn"], data, self._model)
                result = self._call(self._functions["output_fn"], prediction, accept)
            return flask_answer(result) if self._is_flask else toolkit_answer(result, accept)
        except Exception as error:
            trace = traceback.format_exc()
            print(trace, end="", file=sys.stderr, flush=True)
            return self._failure(error, trace)

    def _failure(self, error: Exception, trace: str) -> Answer:
        if self._is_flask:
            return 500, "text/html; charset=utf-8", _PAGE
        # sagemaker-inference's errors bring their own status.
        status, message = getattr(error, "status_code", 500), getattr(error, "message", str(error))
        return status, "text/plain", f"{message}\n{trace}".encode()

    def _call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Call a handler. Those of sagemaker-inference may take the request's context as a last argument."""
        if self._is_flask:
            return function(*arguments)
        taken = len(inspect.signature(function).parameters)
        if taken not in (len(arguments), len(arguments) + 1):
            name = getattr(function, "__name__", "handler")
            raise TypeError(f"{name} takes {taken} arguments but {len(arguments)} were given.")
        return function(*arguments, *[None] * (taken - len(arguments)))
