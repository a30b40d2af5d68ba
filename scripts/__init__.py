"""The commands behind the Makefile. Each has a command line, whose options make passes on as variables."""

from definition_language.interruption import end_quietly_at_ctrl_c

end_quietly_at_ctrl_c()
