"""The published document with changes, and the places in it."""

import copy
from typing import Any

PATH = "/v3/lightning_invoice_bolt11"
OPERATION = ("paths", PATH, "post")
JSON = ("content", "application/json")
BODY = (*OPERATION, "requestBody")
REQUEST = (*BODY, *JSON, "schema")
SENT = (*REQUEST, "properties")
RESPONSES = (*OPERATION, "responses")
REPLY = (*RESPONSES, "200", *JSON, "schema")
READ = (*REPLY, "properties")
EXAMPLE = (*REPLY[:-1], "examples", "OK", "value", "data")
PARAMETERS = (*OPERATION, "parameters")
GONE: Any = object()
KEEP: Any = object()


def at(document, *path):
    for step in path:
        document = document[step]
    return document


def changed(document, place, value):
    """A copy of the document with another value at a place; KEEP leaves it as it is."""
    document = copy.deepcopy(document)
    holder = at(document, *place[:-1])
    if value is KEEP:
        return document
    if value is GONE:
        del holder[place[-1]]
    elif isinstance(holder, list):
        holder.insert(place[-1], value)
    else:
        holder[place[-1]] = value
    return document


def places_of(value, place=()):
    """Every place in a document but its root."""
    if place:
        yield place
    for key, inner in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places_of(inner, (*place, key))


def reordered(value):
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in reversed(value)}
    return [reordered(each) for each in value] if isinstance(value, list) else value
