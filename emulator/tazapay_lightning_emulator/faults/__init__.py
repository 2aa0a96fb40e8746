"""How the emulator fails when it is told to: kinds, plan, chance, and what each does to a request."""
