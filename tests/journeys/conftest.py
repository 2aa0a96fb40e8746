"""The fixtures of the wrapper's tests, for what crosses its rooms."""

from tests.wrapper.conftest import *  # noqa: F403 - fixtures are found by their names
from tests.wrapper.conftest import no_credentials_of_the_developer  # noqa: F401 - applied to every test
