"""The endpoints under ``/_emulator/``, by which another process directs a running emulator."""
