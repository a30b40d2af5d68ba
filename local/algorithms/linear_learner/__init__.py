"""SageMaker's linear-learner, reimplemented from its documentation for one machine.

``python -m local.algorithms.linear_learner ROOT ...`` trains models, and ``inference`` serves them.
``docs/linear-learner.md`` lists the details that AWS does not document, with our choices.
"""
