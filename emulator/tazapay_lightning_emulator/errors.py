"""What the emulator raises in the program that starts it. What it answers over HTTP is in `replies`."""

from __future__ import annotations


class EmulatorError(RuntimeError):
    """The emulator cannot start or cannot go on; the message says why and what to do about it."""
