"""What instances cost, as far as infra/prices.yaml tells. It asks nobody."""

from __future__ import annotations

from functools import cache

from pipeline.errors import UserError
from pipeline.operate.estimate import DEFAULT_PRICES, Prices, load_prices


def hourly_dollars(instance_type: str, instances: int) -> float | None:
    """Return the dollars for one hour of some instances; None if the price file does not have their type."""
    prices = _prices()
    hourly = None if prices is None else prices.hourly.get(instance_type)
    return None if hourly is None else hourly * instances


def source_of_prices() -> str:
    """Return where the prices come from, for the reader of a price."""
    prices = _prices()
    return "" if prices is None else f"infra/prices.yaml: {prices.region}, {prices.as_of}"


@cache
def _prices() -> Prices | None:
    try:
        return load_prices(DEFAULT_PRICES)
    except UserError:
        return None
