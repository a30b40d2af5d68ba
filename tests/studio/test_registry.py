"""Groups, versions, their approval, and the endpoint that follows; a rollback. Over HTTP, with the real function."""

from __future__ import annotations

import json
from unittest.mock import PropertyMock, patch

import pytest

from studio.aws import Aws
from studio.registry import Package, figures
from studio.text import figure
from tests.scripts.test_operation import NAME, eventually
from tests.scripts.test_predict import ROLE
from tests.studio.accounts import models_and_browser


@pytest.fixture(scope="module")
def account(tmp_path_factory):
    with models_and_browser(tmp_path_factory.mktemp("registry")) as found:
        yield found


@pytest.fixture(scope="module")
def models(account):
    return account[0]


@pytest.fixture(scope="module")
def browser(account):
    return account[1]


@pytest.fixture(scope="module")
def served(models):
    """Two versions, the second of which is served."""
    models.record([1.0, 2.0])
    eventually(lambda: models.status() == "InService", "the first version serves")
    models.record([10.0, 20.0])
    eventually(lambda: models.score() == pytest.approx(30.0), "the second version serves")
    eventually(lambda: models.status() == "InService", "the update has ended")
    return models


def test_an_account_without_models_says_so(browser, models) -> None:
    assert "There is no endpoint here" in browser.get("/endpoints").body
    assert "There is no group of models here yet" in browser.get("/registry").body


def test_groups_and_versions_are_listed_with_their_metrics(browser, served) -> None:
    assert f'href="/registry/{NAME}"' in browser.get("/registry").body
    assert f'href="/registry/{NAME}"' not in browser.get("/registry?name=zzz").body
    page = browser.get(f"/registry/{NAME}").body
    assert page.index(f"/registry/{NAME}/2") < page.index(f"/registry/{NAME}/1")
    for text in ("37,415,870", "30,000,000 to 44,000,000", "l1=0.01 learning_rate=0.1", "Approved"):
        assert text in page
    assert 'href="/jobs/training-job/job-of-fold-1"' in page


def test_a_version_links_to_its_execution_unless_that_was_deleted(browser, served) -> None:
    steps = [{"Name": "A", "Type": "Fail", "Arguments": {"ErrorMessage": "x"}}]
    definition = json.dumps({"Version": "2020-12-01", "Steps": steps})
    served.sagemaker.create_pipeline(
        PipelineName="origin", PipelineDefinition=definition, ClientRequestToken="t" * 32, RoleArn=ROLE
    )
    arn = served.sagemaker.start_pipeline_execution(PipelineName="origin")["PipelineExecutionArn"]
    gone = f"{arn.rpartition('/')[0]}/{'x' * 12}"
    served.sagemaker.create_model_package_group(ModelPackageGroupName="origins")
    for each in (arn, gone):
        served.sagemaker.create_model_package(
            ModelPackageGroupName="origins", CustomerMetadataProperties={"pipeline_execution_arn": each}
        )
    link = f'href="/pipelines/origin/executions/{arn.rpartition("/")[2]}"'
    group, first, second = (browser.get(f"/registry/origins{version}").body for version in ("", "/1", "/2"))
    for page in (group, first):
        assert link in page
    for page in (group, second):
        assert f"<code>{'x' * 12}</code>, deleted" in page
        assert f"/executions/{'x' * 12}" not in page.replace(gone, "")


def test_a_version_shows_all_its_metadata_and_warnings(browser, served) -> None:
    page = browser.get(f"/registry/{NAME}/1").body
    assert "Only &lt;b&gt;9&lt;/b&gt; rows." in page
    assert "<b>9</b>" not in page
    for text in ("37415870.25", "endpoint_instance_type", "coefficient of age", "data-copy"):
        assert text in page
    assert f"{NAME} does not serve this version." in page
    assert f"{NAME} serves this version." in browser.get(f"/registry/{NAME}/2").body


def test_a_versions_metrics_are_named_as_it_records_them() -> None:
    recorded = {"metric": "validation:auc", "estimate_value": "0.81", "estimate_low": "none", "training_value": "0.9"}
    package = Package({"CustomerMetadataProperties": recorded})
    assert (package.metric, package.estimate) == ("AUC", "0.81")
    assert list(figures(package)) == [
        ("AUC, cross-validated", "0.81"),
        ("AUC on all rows, trained on them", "0.9"),
    ]
    former = Package({"CustomerMetadataProperties": {"estimate_mse": "4.5", "validation_mse": "4.25"}})
    assert former.estimate == "4.5"
    assert list(figures(former)) == [("MSE, cross-validated", "4.5"), ("MSE on its own fold", "4.25")]


def test_an_approval_deploys_and_the_page_follows_until_the_endpoint_has_changed(browser, served) -> None:
    served.record([100.0, 200.0], approval="PendingManualApproval")
    path = f"/registry/{NAME}/3"
    page = browser.get(path)
    assert "Approval deploys this version" in page.body
    assert "It costs nothing here." in page.body
    answer = browser.post(f"{path}/approval", csrf=page.csrf, status="Approved", comment="better <i>than</i> 2")
    assert (answer.status, answer.headers["location"]) == (303, path)
    assert f'hx-sse:connect="{path}/live"' in browser.get(path).body

    followed = browser.get(f"{path}/live").body
    assert "better &lt;i&gt;than&lt;/i&gt; 2" in followed
    assert f"{NAME} serves this version." in followed.rpartition("\n\ndata:")[2]
    assert followed.endswith("event: end\ndata: end\n\n")
    assert served.score() == pytest.approx(300.0)
    assert "hx-sse:connect" not in browser.get(path).body


def test_a_real_account_is_named_before_it_is_changed(browser, served) -> None:
    arn = served.record([6.0, 6.0], approval="PendingManualApproval")
    with patch.object(Aws, "is_local", PropertyMock(return_value=False)):
        page = browser.get(f"/registry/{NAME}/{arn.rpartition('/')[2]}").body
        assert "AWS bills the endpoint to account 123456789012 until you delete it, about $0.115 an hour." in page
        page = browser.get(f"/endpoints/{NAME}").body
        assert f"returns the endpoint in account 123456789012 to {NAME}, version" in page


def test_a_rejection_keeps_its_own_comment(browser, served) -> None:
    arn = served.record([5.0, 5.0], approval="PendingManualApproval")
    path = f"/registry/{NAME}/{arn.rpartition('/')[2]}"
    csrf = browser.get(path).csrf
    assert browser.post(f"{path}/approval", csrf=csrf, status="Rejected", comment="bad data").status == 303
    described = served.sagemaker.describe_model_package(ModelPackageName=arn)
    assert (described["ModelApprovalStatus"], described["ApprovalDescription"]) == ("Rejected", "bad data")
    assert "hx-sse:connect" not in browser.get(path).body
    assert browser.post(f"{path}/approval", csrf=csrf, status="PendingManualApproval").status == 422
    assert browser.post(f"{path}/approval", csrf=csrf, status="Rejected").status == 303
    assert served.sagemaker.describe_model_package(ModelPackageName=arn)["ApprovalDescription"] == "Rejected in Studio"


def test_an_endpoint_shows_what_it_serves_and_is_rolled_back(browser, served) -> None:
    path = f"/endpoints/{NAME}"
    eventually(lambda: served.status() == "InService", "no change is under way")
    page = browser.get(path)
    before, now = (f'href="/registry/{NAME}/{version}"' for version in (2, 3))
    assert page.body.index(now) < page.body.index("Served before") < page.body.index(before)
    assert "1 x ml.m5.large" in page.body
    assert "about $0.115 an hour" in page.body
    assert f'href="{path}"' in browser.get("/endpoints").body

    answer = browser.post(f"{path}/rollback", csrf=page.csrf)
    assert (answer.status, answer.headers["location"]) == (303, path)
    followed = browser.get(f"{path}/live").body
    assert followed.endswith("event: end\ndata: end\n\n")
    assert served.score() == pytest.approx(30.0)
    assert f'action="{path}/rollback"' not in browser.get(path).body, "nothing older is kept"
    refused = browser.post(f"{path}/rollback", csrf=page.csrf)
    assert refused.status == 409
    assert "nothing older is kept to return to" in refused.body


def test_an_endpoint_of_others_cannot_be_rolled_back(browser, served) -> None:
    (config, *_) = served.sagemaker.list_endpoint_configs()["EndpointConfigs"]
    served.sagemaker.create_endpoint(EndpointName="theirs", EndpointConfigName=config["EndpointConfigName"])
    assert "No function of this project deploys to this endpoint" in browser.get("/endpoints/theirs").body
    refused = browser.post("/endpoints/theirs/rollback", csrf=browser.get("/endpoints/theirs/try").csrf)
    assert refused.status == 409
    assert "theirs has no tag deployed-by" in refused.body


def test_a_function_that_is_gone_is_named(browser, served) -> None:
    arn = served.sagemaker.describe_endpoint(EndpointName="theirs")["EndpointArn"]
    served.sagemaker.add_tags(ResourceArn=arn, Tags=[{"Key": "deployed-by", "Value": "nobody"}])
    refused = browser.post("/endpoints/theirs/rollback", csrf=browser.get("/endpoints/theirs/try").csrf)
    assert refused.status == 409
    assert "There is no Lambda function nobody" in refused.body


@pytest.mark.parametrize("path", ["/registry/nowhere", f"/registry/{NAME}/99", "/endpoints/nowhere"])
def test_what_is_not_there_is_a_page_with_a_sentence(browser, served, path) -> None:
    answer = browser.get(path)
    assert answer.status == 404
    assert "There is no such thing" in answer.body


@pytest.mark.parametrize("card", ["", "no JSON", "[1]", '{"additional_information": 3}'])
def test_a_card_of_others_is_no_error(card) -> None:
    package = Package({"ModelCard": {"ModelCardContent": card}})
    assert package.warnings == ""
    assert isinstance(package.card, dict)


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [("37415870.25", "37,415,870"), ("0.000123456", "0.0001235"), ("12.5", "12.5"), ("none", "none"), ("inf", "inf")],
)
def test_a_figure_has_the_digits_that_a_reader_needs(recorded, shown) -> None:
    assert figure(recorded) == shown
