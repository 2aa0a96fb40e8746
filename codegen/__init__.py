"""What `./generate.sh` runs: from Tazapay's published document to the committed client.

Read `regeneration` first, and `importing` for `--import`: they say what happens in which order. The rest has one duty
for each module.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - said before anything is loaded that an older one cannot read
    running = f"{sys.executable} is {sys.version.split()[0]}"
    advice = "Name another one: PYTHON=python3.12 ./generate.sh"
    print(f"error: Python 3.11 or newer is needed; {running}. {advice}", file=sys.stderr)
    sys.exit(2)
