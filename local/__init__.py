"""SageMaker and the services around it on one machine, behind AWS's API on localhost.

Layers, top to bottom; an import goes down only: ``app``, ``api``, ``interpreter``, ``runtime``, ``records``,
``storage``, ``aws``, ``core``. ``algorithms`` imports nothing of the rest.
"""

from definition_language.interruption import end_quietly_at_ctrl_c

end_quietly_at_ctrl_c()
