"""The page at `/`, for people: what the emulator holds and sent, live, with buttons for what a test would call."""
