"""Uvicorn in a thread, and the socket that it listens on."""
