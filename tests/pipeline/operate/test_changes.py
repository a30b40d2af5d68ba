from __future__ import annotations

import copy

from pipeline.operate.changes import definition_changes


def test_equal_definitions_have_no_changes(definition) -> None:
    assert definition_changes(copy.deepcopy(definition), definition) == []


def test_a_first_definition_is_told_by_its_steps(definition) -> None:
    (line,) = definition_changes(None, definition)
    assert line.startswith("pipeline: create with the steps MakeFolds, TuneFold1")


def test_changes_are_told_in_words(definition) -> None:
    before = copy.deepcopy(definition)
    del definition["Parameters"][0]
    definition["Parameters"][-1]["DefaultValue"] = 3
    del definition["Steps"][1]
    definition["Steps"][1]["Name"] = "TuneFoldX"
    application = definition["Steps"][0]["Arguments"]["AppSpecification"]
    application["ContainerArguments"][application["ContainerArguments"].index("--output-name") + 1] = "other"
    code = definition["Steps"][0]["Arguments"]["ProcessingInputs"][-1]["S3Input"]
    code["S3Uri"] = code["S3Uri"].replace("/code/", "/code/0")
    lines = definition_changes(before, definition)
    name = code["S3Uri"].rpartition("/")[2]
    assert "parameter InputDataUri: remove" in lines
    assert "parameter EndpointInstanceCount: DefaultValue 1 -> 3" in lines
    assert "step TuneFold1: remove" in lines
    assert "step TuneFold2: remove" in lines
    assert "step TuneFoldX: add" in lines
    assert any(line.startswith("step MakeFolds: Arguments.AppSpecification.ContainerArguments") for line in lines)
    assert f"step MakeFolds: code of {name} changes" in lines


def test_another_option_of_the_folds_is_told_as_one(definition, config, resources) -> None:
    from pipeline.definition.pipeline import build_definition

    seed = config.model_copy(update={"folds": config.folds.model_copy(update={"seed": 43})})
    changes = definition_changes(definition, build_definition(seed, resources))
    assert changes == ["step MakeFolds: options in fold_options.json change"]


def test_long_values_are_shown_around_their_first_difference(built) -> None:
    changed = copy.deepcopy(built)
    step = next(step for step in changed["Steps"] if step["Name"] == "SelectBest")
    was = "x" * 300 + " one end"
    step["Description"] = was
    now = copy.deepcopy(changed)
    next(step for step in now["Steps"] if step["Name"] == "SelectBest")["Description"] = was.replace("one", "other")
    (line,) = definition_changes(changed, now)
    old, _, new = line.partition(" -> ")
    assert old.endswith("x one end'")
    assert new.endswith("x other end'")
    assert len(line) < 200
