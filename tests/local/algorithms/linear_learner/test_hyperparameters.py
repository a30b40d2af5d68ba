import pytest

from definition_language.linear_learner import RULES_BY_TYPE, TUNABLE
from local.algorithms.errors import ClientError
from local.algorithms.linear_learner.hyperparameters import ignored_names, parse

REGRESSOR = {"predictor_type": "regressor"}
BINARY = {"predictor_type": "binary_classifier"}
MULTICLASS = {"predictor_type": "multiclass_classifier", "num_classes": "4"}


def test_the_documented_defaults_apply() -> None:
    parsed = parse(REGRESSOR)
    assert (parsed.mini_batch_size, parsed.epochs, parsed.optimizer, parsed.loss) == (1000, 15, "adam", "squared_loss")
    assert (parsed.normalize_data, parsed.normalize_label, parsed.unbias_data, parsed.unbias_label) == (True,) * 4
    assert (parsed.init_scale, parsed.init_sigma, parsed.init_bias, parsed.init_method) == (0.07, 0.01, 0, "uniform")
    assert (parsed.early_stopping_patience, parsed.early_stopping_tolerance) == (3, 0.001)
    assert (parsed.loss_insensitivity, parsed.quantile, parsed.huber_delta) == (0.01, 0.5, 1.0)
    assert parsed.num_point_for_scaler == 10_000
    assert parsed.feature_dim is None


def test_auto_written_out_is_the_default() -> None:
    automatic = dict.fromkeys(
        ["feature_dim", "optimizer", "learning_rate", "beta_1", "momentum", "l1", "wd", "loss", "num_models"], "auto"
    )
    assert parse(REGRESSOR | automatic) == parse(REGRESSOR)


def test_the_predictor_type_is_required() -> None:
    with pytest.raises(ClientError, match=r"No value.s. were specified for 'predictor_type' which are required"):
        parse({})


def test_a_predictor_type_that_does_not_exist_is_refused_with_those_that_do() -> None:
    with pytest.raises(
        ClientError, match=r"'classifier' is not one of \['binary_classifier', 'multiclass_classifier', "
    ):
        parse({"predictor_type": "classifier"})


def test_an_unknown_hyperparameter_is_refused_with_the_one_that_was_meant() -> None:
    with pytest.raises(ClientError, match=r"'lerning_rate' was unexpected.*did you mean 'learning_rate'"):
        parse(REGRESSOR | {"lerning_rate": "0.1"})


def test_a_classifiers_hyperparameter_is_refused() -> None:
    with pytest.raises(ClientError, match=r"'target_recall' was unexpected.*is for classification"):
        parse(REGRESSOR | {"target_recall": "0.9"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mini_batch_size", "0"),
        ("mini_batch_size", "100.5"),
        ("mini_batch_size", "1e2"),
        ("epochs", "auto"),
        ("epochs", "-3"),
        ("optimizer", "adagrad"),
        ("learning_rate", "0"),
        ("learning_rate", "nan"),
        ("learning_rate", "inf"),
        ("learning_rate", "1_0"),
        ("learning_rate", ""),
        ("learning_rate", "1e999"),
        ("beta_1", "1"),
        ("beta_2", "0"),
        ("momentum", "1"),
        ("l1", "-1e-9"),
        ("wd", "-1"),
        ("use_bias", "yes"),
        ("bias_lr_mult", "0"),
        ("init_method", "zeros"),
        ("lr_scheduler_factor", "1"),
        ("lr_scheduler_step", "0"),
        ("loss", "logistic"),
        ("loss", "hinge_loss"),
        ("quantile", "1"),
        ("huber_delta", "0"),
        ("num_models", "0"),
        ("early_stopping_patience", "0"),
        ("early_stopping_tolerance", "0"),
        ("feature_dim", "٣"),
    ],
)
def test_a_value_out_of_range_is_refused_with_its_name_and_what_is_valid(name, value) -> None:
    with pytest.raises(ClientError, match=rf"{name}: '{value}' is not "):
        parse(REGRESSOR | {name: value})


def test_booleans_may_be_capitalised_as_the_sdk_sends_them() -> None:
    assert not parse(REGRESSOR | {"use_bias": "False"}).use_bias


def test_without_bias_nothing_is_unbiased_and_asking_for_it_is_refused() -> None:
    parsed = parse(REGRESSOR | {"use_bias": "false"})
    assert not parsed.unbias_data
    assert not parsed.unbias_label
    with pytest.raises(ClientError, match=r"unbias_data: 'true' needs use_bias"):
        parse(REGRESSOR | {"use_bias": "false", "unbias_data": "true"})


def test_a_tuning_job_trains_one_model_whatever_the_user_asks_for() -> None:
    tuned = REGRESSOR | {"_tuning_objective_metric": "validation:mse", "num_models": "8"}
    assert parse(tuned).num_models == 1
    assert len(parse(tuned).models()) == 1


def test_the_services_own_hyperparameters_are_accepted() -> None:
    parse(REGRESSOR | {"_kvstore": "auto", "_num_gpus": "auto", "_log_level": "info"})


def test_several_models_vary_only_what_was_left_at_auto() -> None:
    models = parse(REGRESSOR | {"learning_rate": "0.5"}).models()
    assert len(models) == 8
    assert {model.learning_rate for model in models} == {0.5}
    assert len({(model.l1, model.wd) for model in models}) == 8
    fixed = parse(REGRESSOR | {"learning_rate": "0.5", "l1": "0", "wd": "0"})
    assert len(fixed.models()) == 1


def test_the_first_of_several_models_has_the_jobs_own_values() -> None:
    parsed = parse(REGRESSOR | {"num_models": "5"})
    first = parsed.models()[0]
    assert len(parsed.models()) == 5
    assert (first.learning_rate, first.wd, first.l1) == (parsed.learning_rate, parsed.wd, parsed.l1)


def test_no_more_models_are_trained_than_there_are_combinations() -> None:
    assert parse(REGRESSOR | {"num_models": "1000"}).num_models == 32
    assert parse(REGRESSOR | {"num_models": "4", "learning_rate": "1", "l1": "0", "wd": "0"}).num_models == 1


@pytest.mark.parametrize("job", [REGRESSOR, BINARY, MULTICLASS], ids=lambda job: job["predictor_type"])
def test_the_ends_of_a_tunable_range_are_valid_values(job) -> None:
    for name in TUNABLE.keys() & RULES_BY_TYPE[job["predictor_type"]].keys():
        tunable = TUNABLE[name]
        values = tunable.values or (format(tunable.minimum, "g"), format(tunable.maximum, "g"))
        for value in values:
            parse(job | {name: value})


def test_the_documented_defaults_of_classifiers_apply() -> None:
    binary, multiclass = parse(BINARY), parse(MULTICLASS)
    assert (binary.loss, binary.margin, binary.positive_example_weight_mult) == ("logistic", 1.0, 1.0)
    assert binary.binary_classifier_model_selection_criteria == "accuracy"
    assert (binary.target_precision, binary.target_recall, binary.f_beta) == (0.8, 0.8, 1.0)
    assert (multiclass.loss, multiclass.num_classes, multiclass.accuracy_top_k) == ("softmax_loss", 4, 3)
    assert not multiclass.balance_multiclass_weights
    assert (binary.outputs, multiclass.outputs) == (1, 4)


def test_the_number_of_classes_is_required_and_checked() -> None:
    with pytest.raises(ClientError, match=r"No value.s. were specified for 'num_classes' which are required"):
        parse({"predictor_type": "multiclass_classifier"})
    for value in ("2", "1000001", "3.5", "auto", ""):
        with pytest.raises(ClientError, match=rf"num_classes: '{value}' is not an integer from 3 to 1000000"):
            parse(MULTICLASS | {"num_classes": value})


@pytest.mark.parametrize("job", [BINARY, MULTICLASS], ids=lambda job: job["predictor_type"])
def test_a_classifiers_label_is_not_normalised_whatever_is_asked(job) -> None:
    asked = job | {"normalize_label": "true", "unbias_label": "true"}
    assert not parse(asked).normalize_label
    assert not parse(asked).unbias_label
    assert ignored_names(asked) == ["normalize_label", "unbias_label"]
    # Without a bias, only removing the mean of features is contradictory.
    assert not parse(asked | {"use_bias": "false"}).unbias_data
    with pytest.raises(ClientError, match=r"normalize_label: 'maybe' is not"):
        parse(job | {"normalize_label": "maybe"})


def test_what_aws_ignores_for_other_predictor_types_is_taken_without_effect() -> None:
    given = {"num_classes": "1", "balance_multiclass_weights": "true"}
    for job in (REGRESSOR, BINARY):
        assert parse(job | given) == parse(job)
        assert ignored_names(job | given) == ["num_classes", "balance_multiclass_weights"]


@pytest.mark.parametrize(
    ("job", "name", "owner"),
    [
        (BINARY, "quantile", "regressor"),
        (BINARY, "accuracy_top_k", "multiclass_classifier"),
        (MULTICLASS, "margin", "binary_classifier"),
        (MULTICLASS, "positive_example_weight_mult", "binary_classifier"),
        (MULTICLASS, "huber_delta", "regressor"),
    ],
)
def test_a_hyperparameter_of_another_predictor_type_is_refused_with_its_owner(job, name, owner) -> None:
    with pytest.raises(ClientError, match=rf"'{name}' was unexpected.*{name} is for {owner}, and predictor_type is"):
        parse(job | {name: "1"})


@pytest.mark.parametrize(
    ("job", "name", "value"),
    [
        (BINARY, "loss", "softmax_loss"),
        (BINARY, "loss", "squared_loss"),
        (MULTICLASS, "loss", "logistic"),
        (BINARY, "binary_classifier_model_selection_criteria", "f1"),
        (BINARY, "positive_example_weight_mult", "0"),
        (BINARY, "positive_example_weight_mult", "Balanced"),
        (BINARY, "target_recall", "1"),
        (BINARY, "target_precision", "0"),
        (BINARY, "margin", "0"),
        (BINARY, "f_beta", "0"),
        (MULTICLASS, "accuracy_top_k", "0"),
        (MULTICLASS, "balance_multiclass_weights", "balanced"),
        (MULTICLASS, "f_beta", "auto"),
    ],
)
def test_a_classifiers_value_out_of_range_is_refused(job, name, value) -> None:
    with pytest.raises(ClientError, match=rf"^{name}: '{value}' is not "):
        parse(job | {name: value})


def test_an_automatic_positive_weight_trains_every_model_with_both_candidates() -> None:
    tuned = BINARY | {"_tuning_objective_metric": "validation:recall", "positive_example_weight_mult": "auto"}
    assert [model.positive_example_weight_mult for model in parse(tuned).models()] == [1.0, "balanced"]
    several = parse(BINARY | {"positive_example_weight_mult": "auto", "num_models": "3"})
    assert len(several.models()) == several.num_models == 6
    by_loss = tuned | {"binary_classifier_model_selection_criteria": "loss_function"}
    assert [model.positive_example_weight_mult for model in parse(by_loss).models()] == [1.0]


def test_the_objective_of_another_predictor_type_is_refused() -> None:
    parse(BINARY | {"_tuning_objective_metric": "validation:roc_auc_score"})
    for job, metric in ((BINARY, "validation:mse"), (REGRESSOR, "validation:recall"), (MULTICLASS, "test:precision")):
        with pytest.raises(ClientError, match=rf"{metric} is not valid for predictor_type"):
            parse(job | {"_tuning_objective_metric": metric})
