"""Content types that the containers' default handlers read and write.

``flask_*`` are those of sagemaker-containers, which scikit-learn's and XGBoost's images use; ``toolkit_*`` those of
sagemaker-inference, which scripts may import. They differ for CSV.

Sources: ``_encoders.py`` of https://github.com/aws/sagemaker-containers, and ``encoder.py`` and ``decoder.py`` of
https://github.com/aws/sagemaker-inference-toolkit .
"""

from __future__ import annotations

import csv
import io
import json
from typing import Any, Callable, Dict

JSON, CSV, NPY = "application/json", "text/csv", "application/x-npy"
ANY = "*/*"
TEXT_TYPES = (JSON, CSV)
"""Bodies of exactly these types are given to handlers as ``str``; all others as ``bytes``."""


class UnsupportedFormatError(Exception):
    """A default handler does not know a content type."""

    def __init__(self, content_type: object) -> None:
        self.message = (
            f"Content type {content_type} is not supported by this framework.\n\n"
            "            Please implement input_fn to to deserialize the request data or an output_fn to\n"
            "            serialize the response. For more information, see the SageMaker Python SDK README."
        )
        super().__init__(self.message)


class EncodingError(Exception):
    """A body is not what its content type says."""


def json_to_array(text: str | bytes, dtype: Any = None) -> Any:
    """Return the array of a JSON document."""
    import numpy as np

    return np.array(json.loads(text), dtype=dtype)


def array_to_json(array: Any) -> str:
    """Return an array, or anything that contains arrays, as JSON."""

    def default(value: Any) -> Any:
        if hasattr(value, "tolist"):
            return value.tolist()
        return json.JSONEncoder().default(value)

    return json.dumps(array, default=default)


def npy_to_array(content: bytes) -> Any:
    """Return the array of a file in NumPy's format."""
    import numpy as np

    return np.load(io.BytesIO(content), allow_pickle=True)


def array_to_npy(array: Any) -> bytes:
    """Return an array as a file in NumPy's format."""
    import numpy as np

    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def flask_csv_to_array(text: str, dtype: Any = None) -> Any:
    """Return the array of CSV text. A single row is one-dimensional; cells that are not numbers remain text.

    Raises:
        EncodingError: The text is not CSV.
    """
    import numpy as np

    try:
        array = np.array(list(csv.reader(io.StringIO(text), strict=True))).squeeze()
        array = array.astype(dtype)
    except ValueError as error:
        if dtype is not None:
            raise EncodingError(f"Error while writing numpy array: {error}. dtype is: {dtype}") from error
    except Exception as error:
        raise EncodingError(f"Error while decoding csv: {error}") from error
    return array


def flask_array_to_csv(array: Any) -> str:
    """Return an array as CSV. A one-dimensional array is a column."""
    import numpy as np

    rows = np.array(array)
    if len(rows.shape) == 1:
        rows = np.reshape(rows, (rows.shape[0], 1))
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n", strict=True).writerows(rows)
    return stream.getvalue()


def toolkit_csv_to_array(text: str, dtype: Any = None) -> Any:
    """Return the array of CSV text. A single row is one-dimensional; cells that are not numbers are NaN."""
    import numpy as np

    return np.genfromtxt(io.StringIO(text), dtype=dtype, delimiter=",")


def toolkit_array_to_csv(array: Any) -> str:
    """Return an array as CSV."""
    import numpy as np

    stream = io.StringIO()
    np.savetxt(stream, array, delimiter=",", fmt="%s")
    return stream.getvalue()


FLASK_DECODERS: Dict[str, Callable[..., Any]] = {NPY: npy_to_array, CSV: flask_csv_to_array, JSON: json_to_array}
FLASK_ENCODERS: Dict[str, Callable[..., Any]] = {NPY: array_to_npy, CSV: flask_array_to_csv, JSON: array_to_json}
TOOLKIT_DECODERS: Dict[str, Callable[..., Any]] = {**FLASK_DECODERS, CSV: toolkit_csv_to_array}
TOOLKIT_ENCODERS: Dict[str, Callable[..., Any]] = {**FLASK_ENCODERS, CSV: toolkit_array_to_csv}


def convert(converters: Dict[str, Callable[..., Any]], value: Any, content_type: str) -> Any:
    """Return a value converted by the converter for a content type.

    Raises:
        UnsupportedFormatError: There is none.
    """
    converter = converters.get(content_type)
    if converter is None:
        raise UnsupportedFormatError(content_type)
    return converter(value)
