"""The guides as texts: complete, typed, and refusing to start without what they need."""

from __future__ import annotations

import sys
from pathlib import Path

import attrs
import pytest

from tests.frameworks.guides import ALL, File, guide
from tests.frameworks.projects import Project

STRICT = f"{sys.executable} -m mypy --strict --no-error-summary --cache-dir={sys.prefix}/mypy-cache"
# as the documentation of django-stubs has it: without its plugin no field of a model has a type
DJANGO_PLUGIN = """
[mypy]
plugins = mypy_django_plugin.main
[mypy.plugins.django-stubs]
django_settings_module = project.settings
[mypy-project.settings] # what django-admin writes is not typed strictly
ignore_errors = True
"""


@pytest.mark.parametrize("variable", ["TAZAPAY_API_SECRET", "TAZAPAY_WEBHOOK_SECRET"])
def test_the_server_does_not_start_without(variable: str, project: Project) -> None:
    lacking = attrs.evolve(project, variables={k: v for k, v in project.variables.items() if k != variable})
    done = lacking.run(project.guide.servers[-1])
    assert done.returncode != 0
    assert variable in done.stdout


@pytest.mark.parametrize("name", ALL)
def test_every_python_file_of_a_guide_passes_the_strict_type_checker(name: str, tmp_path: Path) -> None:
    reader = Project(
        guide(name), tmp_path, {"TAZAPAY_WEBHOOK_SECRET": "whsec", "TAZAPAY_API_KEY": "k", "TAZAPAY_API_SECRET": "s"}
    )
    reader.prepare()
    (tmp_path / "mypy.ini").write_text(DJANGO_PLUGIN if name == "django" else "[mypy]\n")
    blocks = [step for step in reader.guide.steps if isinstance(step, File)]
    files = [block.name for block in blocks if block.name.endswith(".py") and not block.is_added]  # to another's file
    assert files
    done = reader.run(f"{STRICT} {' '.join(files)}")
    assert done.returncode == 0, done.stdout
