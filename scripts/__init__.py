"""The commands behind the Makefile. Each has a command line, whose options make passes on as variables."""

import signal
import sys

# Python locates one of these modules as the main one. Until its imports are done, Ctrl-C ends the process without their
# traceback.
if sys.argv[0] == "-m" and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
    signal.signal(signal.SIGINT, signal.SIG_DFL)
