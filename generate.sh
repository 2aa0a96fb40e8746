#!/usr/bin/env bash
# The only way the generated client is made: ./generate.sh [--check | --import PAGE... | --diff [REV|PAGE ...] | --help]
# Needs bash and Python >= 3.11 (PYTHON=python3.12 ./generate.sh names another one); makes its environment by itself.
set -euo pipefail
unset CDPATH # `cd` would print where it went

script=${BASH_SOURCE[0]}
while [[ -L $script ]]; do # readlink -f would do it, but not on every macOS
    link=$(readlink -- "$script")
    [[ $link == /* ]] || link=$(dirname -- "$script")/$link
    script=$link
done
root=$(cd -P -- "$(dirname -- "$script")" && pwd)

python=${PYTHON:-python3}
if ! command -v "$python" >/dev/null; then
    echo "error: $python is not there: install Python 3.11 or newer, or name one: PYTHON=python3.12 $0" >&2
    exit 2
fi

# What the caller set for Python or ruff must not reach this run. The hash seed may: nothing depends on it.
for name in "${!PYTHON@}" "${!RUFF_@}"; do
    [[ $name == PYTHONHASHSEED ]] || unset "$name"
done
export PYTHONUTF8=1 PYTHONNOUSERSITE=1 PYTHONDONTWRITEBYTECODE=1

# .venv-codegen, or in a checkout that is read-only a folder of the user's cache. 1 would mean "different".
environment=$("$python" "$root/tools/environment.py" "$root/.venv-codegen" "$root/codegen/requirements.txt" --or-in-cache) || exit 2

# -P: a file called json.py in the caller's folder must not be imported; PYTHONPATH: but codegen must.
PYTHONPATH=$root exec "$environment/bin/python" -P -m codegen "$@"
