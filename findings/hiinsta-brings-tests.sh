#!/usr/bin/env bash
# hiinsta 0.7.1 (client for the Instagram messaging API): installing it takes the name `tests` from
# your own tests, if that folder has no __init__.py.
#
# Its wheel has its own test files as a top-level package, site-packages/tests/__init__.py. A
# folder without __init__.py is a namespace package, and Python prefers any regular
# package of that name, also one further down sys.path. capi-param-builder-python 1.3.2, which
# Meta's facebook-business 26.0.3 requires, brings `test` in the same way.
#
# The guess: a dependency adds its own package and metadata; my folder comes first on sys.path, so
# its modules are found first.
#
# For those who rely on it: `from tests.support import …` and `python -m tests.…` work until the
# client is installed, then end with "No module named 'tests.support'", and nothing in the
# message names the client. Add an __init__.py to your folder, or remove site-packages/tests.
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/shop/tests"
echo 'print("the shop'"'"'s own tests, from", __file__.rsplit("/", 3)[-3])' >"$work/shop/tests/support.py"
python3 -m venv "$work/venv"
cd "$work/shop"
echo "before: $("$work/venv/bin/python" -c 'import tests.support')"
"$work/venv/bin/pip" install -qq --no-compile --disable-pip-version-check hiinsta==0.7.1
timeout 100 "$work/venv/bin/python" - <<'PY'
import importlib
from importlib.metadata import files, version

print("hiinsta", version("hiinsta"))
print("installs", sorted({file.parts[0] for file in files("hiinsta") if ".dist-info" not in file.parts[0]}))
try:
    importlib.import_module("tests.support")
    outcome = "found"
except ModuleNotFoundError as error:
    outcome = str(error)
import tests

print("after:", outcome)
print("tests is", tests.__file__.split("/lib/")[-1])
assert "No module named 'tests.support'" in outcome, "the shop's own tests are found"
PY
