"""Uvicorn in a thread, its listening socket, and its connections."""
