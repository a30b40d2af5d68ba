"""Serve a model with the user's handlers: ``python image FRAMEWORK BASE_FOLDER``.

This folder holds what a framework's image has besides its packages: the model server, and the modules of the
serving containers that users' scripts import. An image's Python runs it, so it needs Python 3.8 and the standard
library only. NumPy and the framework are imported where a default handler needs them.
"""

from __future__ import annotations

import sys

from model_server.server import main

if __name__ == "__main__":
    main(*sys.argv[1:])
