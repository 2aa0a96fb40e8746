"""Logs of this package on stderr, where the variable TAZAPAY_LOG asks for them."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from tazapay_lightning.errors import ConfigurationError
from tazapay_lightning.values.safe_text import shown

_NAME = "TAZAPAY_LOG"


def log_as_the_environment_says(variables: Mapping[str, str]) -> None:
    """Write the log to stderr if TAZAPAY_LOG is "info" (a line for each retry) or "debug" (one for each attempt).

    Raises:
        ConfigurationError: TAZAPAY_LOG is something else.
    """
    asked = variables.get("TAZAPAY_LOG", "").strip().lower()
    if not asked:
        return
    if asked not in {"info", "debug"}:
        raise ConfigurationError(f'TAZAPAY_LOG must be "info" or "debug"; got {shown(asked)}')
    logger = logging.getLogger("tazapay_lightning")
    logger.setLevel(asked.upper())
    if not any(handler.name == _NAME for handler in logger.handlers):  # for another client of this program
        handler = logging.StreamHandler()
        handler.name = _NAME
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        logger.addHandler(handler)
