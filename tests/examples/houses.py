"""A file of houses, for pages that tell a person to use a file of their own."""

from __future__ import annotations

import csv
import random
from pathlib import Path


def write_houses(file: Path, rows: int) -> None:
    """Write a file of houses whose prices follow from their sizes and places."""
    chance = random.Random(7)
    with file.open("w", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["area", "rooms", "place", "price"])
        for _ in range(rows):
            area, rooms, place = chance.randint(40, 200), chance.randint(1, 6), chance.choice(["city", "village"])
            price = 1500 * area + 9000 * rooms + (60000 if place == "city" else 0) + chance.gauss(0, 8000)
            writer.writerow([area, rooms, place, round(price)])
