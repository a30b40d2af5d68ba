"""The definition, and what publishing makes, in regions of AWS's other partitions."""

from __future__ import annotations

import json

import pytest

from pipeline.config.loading import parse_config
from pipeline.definition.lint import lint
from pipeline.definition.resources import conventional_resources
from pipeline.errors import ConfigError
from pipeline.operate.triggers import wanted_rules

ELSEWHERE = [
    ("cn-north-1", "aws-cn", ".amazonaws.com.cn/"),
    ("us-gov-west-1", "aws-us-gov", ".amazonaws.com/"),
]


def in_region(config, region):
    return config.model_copy(
        update={
            "aws": config.aws.model_copy(update={"region": region}),
            "triggers": config.triggers.model_copy(update={"schedule": "rate(1 day)"}),
        }
    )


@pytest.mark.parametrize(("region", "partition", "domain"), ELSEWHERE)
def test_the_definition_names_resources_of_the_regions_partition(config, region, partition, domain) -> None:
    from pipeline.definition.pipeline import build_definition

    elsewhere = in_region(config, region)
    definition = build_definition(elsewhere, conventional_resources(elsewhere))
    text = json.dumps(definition)
    assert lint(definition) == []
    assert "arn:aws:" not in text
    assert f"arn:{partition}:iam::123456789012:role/{config.pipeline.name}-job-{region}" in text
    assert f"arn:{partition}:lambda:{region}:123456789012:function:{config.pipeline.name}-deploy" in text
    assert f".dkr.ecr.{region}{domain}" in text


@pytest.mark.parametrize(("region", "partition", "domain"), ELSEWHERE)
def test_rules_have_targets_of_the_regions_partition(config, region, partition, domain) -> None:
    elsewhere = in_region(config, region)
    targets = [rule.target for rule in wanted_rules(elsewhere, conventional_resources(elsewhere))]
    assert len(targets) == 3
    for target in targets:
        assert target["Arn"].startswith(f"arn:{partition}:")
        assert target.get("RoleArn", f"arn:{partition}:").startswith(f"arn:{partition}:")


def test_a_region_of_no_partition_is_refused(config) -> None:
    document = config.model_dump()
    document["aws"]["region"] = "mars-north-1"
    with pytest.raises(ConfigError, match=r"aws\.region: 'mars-north-1' is not an AWS region"):
        parse_config(document, "config.yaml")
