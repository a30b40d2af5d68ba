"""SageMaker and the services around it on one machine, behind AWS's API on localhost.

Layers, top to bottom; an import goes down only: ``app``, ``api``, ``interpreter``, ``runtime``, ``records``,
``storage``, ``aws``, ``core``. ``algorithms`` imports nothing of the rest.
"""

import signal
import sys

# Python locates one of these modules as the main one. Until its imports are done, Ctrl-C ends the process without their
# traceback.
if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
