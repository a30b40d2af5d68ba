"""The formats of requests that XGBoost's image reads in script mode.

Source: ``encoder.py`` of https://github.com/aws/sagemaker-xgboost-container . RecordIO is not implemented.
"""

from __future__ import annotations

import csv
import os
import tempfile
from typing import Any

from . import formats

LIBSVM = ("text/libsvm", "text/x-libsvm")


def csv_to_dmatrix(content: str | bytes, dtype: Any = None) -> Any:
    """Return the DMatrix of CSV rows without labels. The delimiter is found out; an empty cell is missing."""
    import numpy as np
    import xgboost

    text = content.decode() if isinstance(content, bytes) else content
    lines = text.split("\n")
    found = csv.Sniffer().sniff(lines[0][:512]).delimiter
    delimiter = "," if found.isalnum() else found
    rows = [["nan" if cell == "" else cell for cell in line.split(delimiter)] for line in lines]
    return xgboost.DMatrix(np.array(rows).astype(dtype))


def libsvm_to_dmatrix(content: str | bytes) -> Any:
    """Return the DMatrix of LIBSVM rows."""
    import xgboost

    with tempfile.NamedTemporaryFile(delete=False) as file:
        file.write(content.encode() if isinstance(content, str) else content)
    try:
        # Since XGBoost 2, the format must be given; older versions take it too.
        return xgboost.DMatrix(f"{file.name}?format=libsvm")
    finally:
        os.remove(file.name)


def decode(content: str | bytes, content_type: str) -> Any:
    """Return the DMatrix of a request.

    Raises:
        UnsupportedFormatError: The content type is neither CSV nor LIBSVM.
    """
    media_type = content_type.partition(";")[0].strip()
    if media_type == formats.CSV:
        return csv_to_dmatrix(content)
    if media_type in LIBSVM:
        return libsvm_to_dmatrix(content)
    raise formats.UnsupportedFormatError(media_type)
