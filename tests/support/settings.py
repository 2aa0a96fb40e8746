"""Settings of a client, made without its environment."""

from __future__ import annotations

from typing import Any

from tazapay_lightning.transport.settings import Credentials, Settings


def settings(**arguments: Any) -> Settings:
    """Return settings with these arguments of a client; credentials are made up where none are given."""
    complete = {"api_key": "my-key", "api_secret": "my-secret", "environment": None, "base_url": None, "variables": {}}
    given = {**complete, **arguments}
    return Settings.build(credentials=Credentials(given.pop("api_key"), given.pop("api_secret")), **given)
