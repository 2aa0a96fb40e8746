"""Faults: their kinds, the plan of which request gets which, and their injection into requests."""
