"""Where the steps of a definition are drawn."""

from __future__ import annotations

import itertools

from studio.definitions import Definition, read_definition
from studio.graph import HEIGHT, WIDTH, Graph, draw
from tests.conftest import ROOT
from tests.local.interpreter.documents import TRUE, condition, definition, fail, get, processing


def project() -> Definition:
    return read_definition((ROOT / "tests/pipeline/definition.json").read_text())


def arrows(read: Definition) -> set[tuple[str, str, str]]:
    return {(edge.source, edge.target, edge.label) for edge in read.edges}


def well_drawn(graph: Graph) -> None:
    places = {box.name: box for box in graph.boxes}
    for a, b in itertools.combinations(graph.boxes, 2):
        assert abs(a.x - b.x) >= WIDTH or abs(a.y - b.y) >= HEIGHT, (a, b)
    for arrow in graph.arrows:
        assert places[arrow.edge.target].y > places[arrow.edge.source].y + HEIGHT
    for box in graph.boxes:
        assert 0 <= box.x <= graph.width - WIDTH
        assert 0 <= box.y <= graph.height - HEIGHT


def test_the_project_is_drawn_from_top_to_bottom_in_its_order() -> None:
    graph = draw(project())
    well_drawn(graph)
    places = {box.name: box for box in graph.boxes}
    tunings = [places[f"TuneFold{fold}"] for fold in range(1, 6)]
    assert len({box.y for box in tunings}) == 1
    assert tunings == sorted(tunings, key=lambda box: box.x)


def test_branches_are_labelled_and_shortcuts_left_out() -> None:
    found = arrows(project())
    assert ("CheckNewModel", "RegisterModel", "if") in found
    assert ("CheckQuality", "RejectModel", "else") in found
    assert ("TuneFold1", "SelectBest", "") in found
    assert ("MakeFolds", "SelectBest", "") not in found, "it follows from the way through the tunings"


def test_a_step_waits_for_what_it_names_and_what_it_reads() -> None:
    read = read_definition(
        definition(
            fail("A"),
            fail("B", DependsOn=["A"]),
            processing("C", get("Steps.B.ErrorMessage")),
            condition("D", TRUE, [fail("E"), fail("F", DependsOn=["E"])], DependsOn=["C"]),
        )
    )
    assert arrows(read) == {("A", "B", ""), ("B", "C", ""), ("C", "D", ""), ("D", "E", "if"), ("E", "F", "")}


def test_steps_without_arrows_and_many_steps_are_drawn() -> None:
    well_drawn(draw(read_definition(definition(fail("A"), fail("B")))))
    chain = [fail(f"S{n}", DependsOn=[f"S{n - 1}"] if n else []) for n in range(40)]
    wide = [fail(f"W{n}", DependsOn=[f"S{n % 40}"]) for n in range(160)]
    well_drawn(draw(read_definition(definition(*chain, *wide))))


def test_a_long_arrow_goes_beside_the_steps_between() -> None:
    chain = [fail("A"), fail("B", DependsOn=["A"]), fail("C", DependsOn=["B"]), fail("D", DependsOn=["C", "X"])]
    graph = draw(read_definition(definition(*chain, fail("X", DependsOn=["A"]))))
    well_drawn(graph)
    long = next(arrow for arrow in graph.arrows if (arrow.edge.source, arrow.edge.target) == ("X", "D"))
    assert " V" in long.path
