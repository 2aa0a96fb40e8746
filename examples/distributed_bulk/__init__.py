"""A bulk of orders, billed by many worker processes on many machines: Celery hands out, Redis remembers."""
