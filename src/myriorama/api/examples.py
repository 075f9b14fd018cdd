"""An example of each request body, put together from what its fields declare."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_BY_FORMAT = {
    "uuid": "0198c6f2-7d7e-7b9a-8f53-2f6c5b1f2a10",
    "date-time": "2026-11-22T12:00:00Z",
}


def example(schema: Schema, schemas: Mapping[str, Schema]) -> Any:
    """Return a value of the schema; `schemas` are the components that it may refer to."""
    if "$ref" in schema:
        return example(schemas[schema["$ref"].rpartition("/")[2]], schemas)
    for declared in ("examples", "enum"):
        if schema.get(declared):
            return schema[declared][0]
    if "const" in schema:
        return schema["const"]
    for alternatives in ("oneOf", "anyOf"):
        if alternatives in schema:
            kinds = [kind for kind in schema[alternatives] if kind.get("type") != "null"]
            return example(kinds[0], schemas)
    return _by_type(schema, schemas)


def _by_type(schema: Schema, schemas: Mapping[str, Schema]) -> Any:
    declared: str | list[str] = schema.get("type", "string")
    kinds = [declared] if isinstance(declared, str) else declared
    match next(kind for kind in kinds if kind != "null"):
        case "object":
            fields = schema.get("properties", {})
            return {name: example(field, schemas) for name, field in fields.items()}
        case "array":
            return [example(schema["items"], schemas)] if schema.get("items") else []
        case "integer" | "number":
            return schema.get("minimum", 1)
        case "boolean":
            return True
        case _:
            return _BY_FORMAT.get(schema.get("format", ""), "text")
