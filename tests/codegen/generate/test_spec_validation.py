"""Our way of asking openapi-spec-validator finds exactly what its own way finds."""

from collections.abc import Iterator
from copy import deepcopy
from itertools import cycle

import pytest
from openapi_spec_validator import OpenAPIV30SpecValidator, OpenAPIV31SpecValidator
from openapi_spec_validator.schemas import schema_v30, schema_v31
from openapi_spec_validator.schemas.backend.jsonschema import create_validator

from codegen.generate.regeneration import merged_document
from codegen.generate.spec_validation import VALIDATORS
from tests.support.thorough import THOROUGH, sample


class OfTheLibrary30(OpenAPIV30SpecValidator):
    """As the library is where jsonschema-rs, which it prefers and our lock does not have, is not installed."""

    schema_validator = create_validator(dict(schema_v30))


class OfTheLibrary31(OpenAPIV31SpecValidator):
    schema_validator = create_validator(dict(schema_v31))


OF_THE_LIBRARY = {"3.0": OfTheLibrary30, "3.1": OfTheLibrary31}
WRONG = (None, [], {}, "x", 1, {"$ref": "#/components/schemas/Missing"}, True, {"type": "strange"}, [{}], "")


def found(validator, document):
    """What a validator says of a document; an exception, over some of what it should refuse, counts as said."""
    said = []
    try:
        said += [(error.message, list(error.absolute_path)) for error in validator(document).iter_errors()]
    except Exception as error:  # noqa: BLE001 - whatever it stumbles over, both have to
        said.append((type(error), str(error)))
    return said


def places(value) -> Iterator[tuple[str | int, ...]]:
    for key, member in value.items() if isinstance(value, dict) else enumerate(value):
        yield (key,)
        if isinstance(member, dict | list):
            yield from ((key, *rest) for rest in places(member))


def broken_in_one_place(document):
    """Yield the document once for each of its places: by turns without it, and with something wrong in it."""
    wrong = cycle(WRONG)
    for number, place in enumerate(places(document)):
        damaged = deepcopy(document)
        holder = damaged
        for step in place[:-1]:
            holder = holder[step]
        if number % 2:
            del holder[place[-1]]
        else:
            holder[place[-1]] = next(wrong)
        yield place, damaged


@pytest.mark.parametrize("version", ["3.0", "3.1"])
def test_what_is_wrong_in_any_place_of_a_document_is_found_as_the_library_finds_it(repository, version):
    document = merged_document(repository)[0] | {"openapi": f"{version}.0"}
    assert found(VALIDATORS[version], document) == found(OF_THE_LIBRARY[version], document) == []
    refused, tried = 0, sample(broken_in_one_place(document), 9)  # an odd number, so that both kinds of damage are left
    for place, damaged in tried:
        expected = found(OF_THE_LIBRARY[version], damaged)
        assert found(VALIDATORS[version], damaged) == expected, place
        refused += bool(expected)
    assert refused > len(tried) / 3 > (15 if THOROUGH else 5), "what was broken was not wrong enough to show anything"
