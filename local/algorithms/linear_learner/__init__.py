"""SageMaker's linear-learner, reimplemented from its documentation for one machine.

``python -m local.algorithms.linear_learner ROOT ...`` trains; ``inference`` serves. ``docs/linear-learner.md`` lists
what AWS does not document, with the choice made here.
"""
