"""What `make test` leaves to `make thorough`, where a sample of it would say nothing."""

import pytest

from tests.support.thorough import THOROUGH

nightly = pytest.mark.skipif(not THOROUGH, reason="`make thorough` runs it")
"""Marks a test, or a case of one."""
