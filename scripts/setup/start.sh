#!/bin/sh
# Find a Python that this project supports, and set up .venv with it. PYTHON names another Python.
# A shell script, because it must also answer where there is no Python, or only an old one.
set -eu
cd "$(dirname "$0")/../.."

if [ -n "${PYTHON:-}" ]; then
  set -- "$PYTHON"
else
  set -- python3 python3.12 python3.11 python
fi

found=
for candidate; do
  # The command may exist and fail: pyenv has one for each version that is installed but not selected.
  version=$("$candidate" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2> /dev/null) || continue
  case $version in
    3.11.* | 3.12.*) exec "$candidate" -m scripts.setup ;;
  esac
  found="$found $candidate is $version;"
done

cat >&2 <<EOF
Python 3.11 or 3.12 is needed. Found:${found:- no $*;}
  Debian, Ubuntu   sudo apt install python3.12, or python3.11
  Fedora, RHEL 9   sudo dnf install python3.12
  macOS            brew install python@3.12
Or name a Python that is not on your PATH: make setup PYTHON=/path/to/python3.12
EOF
exit 1
