"""Which steps run, and when, in pipelines of every shape."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.local.interpreter.documents import FALSE, TRUE, condition


@dataclass(frozen=True)
class Node:
    """A condition step: its outcome, what it depends on, and in which branch of which step it stands."""

    outcome: bool
    depends_on: frozenset[int]
    parent: int | None
    branch: bool


@st.composite
def graphs(draw):
    nodes: list[Node] = []
    for position in range(draw(st.integers(1, 9))):
        earlier = st.integers(0, position - 1) if position else st.nothing()
        nodes.append(
            Node(
                outcome=draw(st.booleans()),
                depends_on=frozenset(draw(st.sets(earlier, max_size=min(2, position)))),
                parent=draw(st.one_of(st.none(), earlier)),
                branch=draw(st.booleans()),
            )
        )
    return nodes


def documents(nodes, parent=None, branch=True):
    """The steps of a branch; the last made come first, as the order in a definition means nothing."""
    return [
        condition(
            f"Step{position}",
            TRUE if node.outcome else FALSE,
            then=documents(nodes, position, True),
            otherwise=documents(nodes, position, False),
            DependsOn=[f"Step{other}" for other in node.depends_on],
        )
        for position, node in reversed(list(enumerate(nodes)))
        if node.parent == parent and (parent is None or node.branch == branch)
    ]


def expected(nodes):
    ran: list[bool] = []
    for node in nodes:
        taken = node.parent is None or (ran[node.parent] and nodes[node.parent].outcome == node.branch)
        ran.append(taken and all(ran[other] for other in node.depends_on))
    return {f"Step{position}" for position, value in enumerate(ran) if value}


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(nodes=graphs(), limit=st.integers(1, 4))
def test_exactly_the_steps_on_taken_branches_run_each_after_what_it_depends_on(pipelines, nodes, limit) -> None:
    name = pipelines.create(*documents(nodes))
    outcome = pipelines.wait(pipelines.start(name, ParallelismConfiguration={"MaxParallelExecutionSteps": limit}))
    assert outcome.status == "Succeeded"
    assert set(outcome.steps) == expected(nodes)
    for position, node in enumerate(nodes):
        step = outcome.steps.get(f"Step{position}")
        for other in node.depends_on | ({node.parent} - {None}) if step else ():
            assert outcome.steps[f"Step{other}"]["EndTime"] <= step["StartTime"]
