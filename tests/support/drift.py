"""The published document with one change, and the places in it."""

import copy
from typing import Any

PATH = "/v3/lightning_invoice_bolt11"
OPERATION = ("paths", PATH, "post")
JSON = ("content", "application/json")
REQUEST = (*OPERATION, "requestBody", *JSON, "schema")
SENT = (*REQUEST, "properties")
REPLY = (*OPERATION, "responses", "200", *JSON, "schema")
SHOWN = (*REPLY[:-1], "examples", "OK", "value", "data")
METADATA = (*SENT, "metadata")
GONE: Any = object()


def at(document, *path):
    for step in path:
        document = document[step]
    return document


def changed(document, place, value):
    """A copy of the document with another value at a place."""
    document = copy.deepcopy(document)
    holder = at(document, *place[:-1])
    if value is GONE:
        del holder[place[-1]]
    elif isinstance(holder, list):
        holder.insert(place[-1], value)
    else:
        holder[place[-1]] = value
    return document


def only(drift):
    (change,) = drift.changes
    return change


def reordered(value):
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(each) for each in value] if isinstance(value, list) else value
