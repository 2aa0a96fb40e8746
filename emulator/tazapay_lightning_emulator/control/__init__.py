"""The endpoints under ``/_emulator/``, with which another process controls a running emulator."""
