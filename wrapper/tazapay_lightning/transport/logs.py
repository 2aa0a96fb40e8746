"""Logs of this package on stderr, where the variable TAZAPAY_LOG asks for them."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from tazapay_lightning.errors import ConfigurationError
from tazapay_lightning.values.safe_text import shown

_LEVELS = {"info": logging.INFO, "debug": logging.DEBUG}


def log_as_the_environment_says(variables: Mapping[str, str]) -> None:
    """Write the log to stderr if TAZAPAY_LOG is "info" (a line for each retry) or "debug" (one for each attempt).

    Raises:
        ConfigurationError: TAZAPAY_LOG is something else.
    """
    asked = variables.get("TAZAPAY_LOG", "").strip().lower()
    if not asked:
        return
    if asked not in _LEVELS:
        raise ConfigurationError(f'TAZAPAY_LOG must be "info" or "debug"; got {shown(asked)}')
    logger = logging.getLogger("tazapay_lightning")
    logger.setLevel(_LEVELS[asked])
    if not any(isinstance(handler, _ToStderr) for handler in logger.handlers):
        logger.addHandler(_ToStderr())


class _ToStderr(logging.StreamHandler):  # type: ignore[type-arg]  # generic in type stubs only
    """Told from handlers of the application, so that it is there once."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
