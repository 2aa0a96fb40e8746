"""Which modules can be looked at for doctests: where Celery is missing, those that need it cannot be imported."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = ["worker.py"]  # without settings and credentials it refuses to be imported at all
if find_spec("celery") is None:
    collect_ignore += ["enqueuer.py", "queueing.py", "running.py"]
