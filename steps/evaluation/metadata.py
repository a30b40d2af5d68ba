"""Makes a registered version's metadata valid."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping


def recordable(text: str) -> str:
    """Return a text as valid model metadata: other characters become ``_``, and it is cut after 256 characters.

    SageMaker would otherwise refuse it when it registers the model, after all training.

    Source: CustomerMetadataValue of https://docs.aws.amazon.com/sagemaker/latest/APIReference/API_CreateModelPackage.html
    """
    admitted = (c if unicodedata.category(c)[0] in "LZN" or c in "_.:/=+-@" else "_" for c in text)
    return "".join(admitted)[:256] or "none"


def metadata_of(values: Mapping[str, object]) -> dict[str, str]:
    """Return values as metadata. Numbers are written in full, and None as ``none``."""
    return {
        name: recordable("none" if value is None else value if isinstance(value, str) else repr(value))
        for name, value in values.items()
    }
