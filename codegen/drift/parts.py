"""Read small parts of a schema: the types that it allows, its alternatives, the names in keys."""

from collections import Counter

from codegen.read.documents import JsonObject, JsonValue

_ONLY_REQUIRED = frozenset({"required", "type", "title", "description"})


def key_step(name: str) -> str:
    """Write the name of a field as one step of a key, in which dots, brackets and parentheses mean something.

    Examples:
        >>> key_step("d_tag_memo"), key_step("a.b[0]")
        ('d_tag_memo', 'a%2Eb%5B0]')
    """
    return "".join(f"%{ord(character):02X}" if character in "%.[(" else character for character in name)


def only_required(branches: JsonValue) -> list[frozenset[str]] | None:
    """Return the names that each of several schemas requires; None if one of them says anything else.

    Examples:
        >>> only_required([{"required": ["a"]}, {"type": "object", "required": ["b"]}])
        [frozenset({'a'}), frozenset({'b'})]
        >>> only_required([{"required": ["a"]}, {"type": "string"}])
    """
    found = []
    for branch in as_list(branches):
        names = as_list(as_dict(branch).get("required"))
        if not names or as_dict(branch).keys() - _ONLY_REQUIRED or as_dict(branch).get("type", "object") != "object":
            return None
        if not all(isinstance(name, str) for name in names):
            return None
        found.append(frozenset(key_step(str(name)) for name in names))
    return found or None


def labelled(branches: JsonValue) -> list[tuple[str, JsonValue]]:
    """Name each of several schemas by its component or its type, which stay when others come before it."""
    if only_required(branches):  # nothing to gather
        return []
    seen: Counter[str] = Counter()
    named = []
    for branch in as_list(branches):
        reference = as_dict(branch).get("$ref")
        label = (
            str(reference).rpartition("/")[2] if reference else " or ".join(sorted(kinds_of(as_dict(branch)))) or "any"
        )
        seen[label] += 1
        named.append((label if seen[label] == 1 else f"{label} {seen[label]}", branch))
    return named


def kinds_of(schema: JsonObject) -> set[str]:
    """Return the JSON types that a schema allows, from what it says and what it implies."""
    said = schema.get("type")
    kinds = {kind for kind in (said if isinstance(said, list) else [said]) if isinstance(kind, str)}
    if not kinds:
        values = [*as_list(schema.get("enum")), *([schema["const"]] if "const" in schema else [])]
        kinds = {kind_of(value) for value in values}
        kinds |= {"object"} if "properties" in schema or "additionalProperties" in schema else set()
        kinds |= {"array"} if "items" in schema else set()
    return kinds


def kind_of(value: JsonValue) -> str:
    """Return the JSON type of a value.

    Examples:
        >>> [kind_of(value) for value in (None, True, 1, 1.5, "", [], {})]
        ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object']
    """
    kinds = {bool: "boolean", int: "integer", float: "number", str: "string", list: "array", dict: "object"}
    return kinds.get(type(value), "null")


def as_list(value: JsonValue) -> list[JsonValue]:
    """Return a list, empty if the value is none."""
    return value if isinstance(value, list) else []


def as_dict(value: JsonValue) -> JsonObject:
    """Return an object, empty if the value is none."""
    return value if isinstance(value, dict) else {}
