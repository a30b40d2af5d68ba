"""Check what the library trusts in a model file: sizes that agree, and nodes, features and groups that exist.

The library checks little of it, and reads memory at random instead. Source:
https://xgboost.readthedocs.io/en/stable/tutorials/saving_model.html , "JSON Schema".
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

Integers = npt.NDArray[np.int64]

_MOST = 2**24
"""The largest number of features and of groups."""
_NO_PARENT: Final = (-1, 2**31 - 1)
_NODE_ARRAYS: Final = (
    *("base_weights", "default_left", "left_children", "loss_changes", "parents", "right_children"),
    *("split_conditions", "split_indices", "split_type", "sum_hessian"),
)


def check(document: Any) -> None:
    """Check a model.

    Args:
        document: The content of a model file.

    Raises:
        ValueError: The model contradicts itself.
        KeyError, TypeError: It has not the form of a model.
    """
    learner = document["learner"]
    parameters = learner["learner_model_param"]
    features = _size(parameters["num_feature"])
    groups = max(1, _size(parameters["num_class"]), _size(parameters.get("num_target", "1")))
    booster = learner["gradient_booster"]
    if booster["name"] == "gblinear":
        _require(len(booster["model"]["weights"]) == (features + 1) * groups, "the weights do not fit the features")
        return
    if booster["name"] == "dart":
        booster = booster["gbtree"] | {"weight_drop": booster["weight_drop"]}
    _check_trees(booster, features, groups)


def _check_trees(booster: Any, features: int, groups: int) -> None:
    model = booster["model"]
    trees = model["trees"]
    count = len(trees)
    _require(_size(model["gbtree_model_param"]["num_trees"]) == count, "the number of trees is another one")
    group_of = _integers(model["tree_info"])
    _require(len(group_of) == count and _within(group_of, groups), "a tree is of a group that does not exist")
    bounds = _integers(model["iteration_indptr"])
    _require(
        len(bounds) > 0 and bounds[0] == 0 and bounds[-1] == count and bool((np.diff(bounds) >= 0).all()),
        "the rounds do not fit the trees",
    )
    _require("weight_drop" not in booster or len(booster["weight_drop"]) == count, "weight_drop does not fit the trees")
    for number, tree in enumerate(trees):
        _require(int(tree["id"]) == number, "the trees are in another order")
        _check_tree(tree, features)


def _check_tree(tree: Any, features: int) -> None:
    parameters = tree["tree_param"]
    nodes = _size(parameters["num_nodes"])
    _require(nodes > 0 and all(len(tree[name]) == nodes for name in _NODE_ARRAYS), "a tree's arrays differ in length")
    _require(_size(parameters["size_leaf_vector"]) <= 1, "a tree has leaves of several values")
    _require(_size(parameters["num_feature"]) == features, "a tree has another number of features")
    left, right, parents = (_integers(tree[name]) for name in ("left_children", "right_children", "parents"))
    inner = np.flatnonzero((left != -1) | (right != -1))
    children = np.concatenate([left[inner], right[inner]])
    _require(
        bool((children > 0).all())
        and _within(children, nodes)
        and len(np.unique(children)) == len(children)
        and bool((parents[children] == np.concatenate([inner, inner])).all())
        and parents[0] in _NO_PARENT,
        "a tree's nodes do not form a tree",
    )
    _require(_within(_integers(tree["split_indices"])[inner], max(features, 1)), "a tree splits by an unknown feature")
    _check_categories(tree, nodes)


def _check_categories(tree: Any, nodes: int) -> None:
    names = ("categories_nodes", "categories_segments", "categories_sizes", "categories")
    of_nodes, starts, sizes, categories = (_integers(tree[name]) for name in names)
    _require(
        len(of_nodes) == len(starts) == len(sizes)
        and _within(of_nodes, nodes)
        and bool((starts >= 0).all() and (sizes >= 0).all() and (starts + sizes <= len(categories)).all())
        and _within(categories, _MOST),
        "a tree's categories do not fit its nodes",
    )
    categorical = set(np.flatnonzero(_integers(tree["split_type"]) != 0).tolist())
    _require(categorical <= set(of_nodes.tolist()), "a tree splits by categories that it does not have")


def _integers(values: Any) -> Integers:
    array = np.asarray(values)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        raise ValueError("an array has other values than integers")
    return array.astype(np.int64)


def _within(values: Integers, size: int) -> bool:
    return bool(((values >= 0) & (values < size)).all())


def _size(text: Any) -> int:
    value = int(text)
    _require(0 <= value <= _MOST, f"{value} is not a size")
    return value


def _require(holds: bool, fault: str) -> None:
    if not holds:
        raise ValueError(fault)
