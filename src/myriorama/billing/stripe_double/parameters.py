"""Requests as Stripe reads them: forms with brackets, held against the types of its own client.

The client's typed dictionaries are made from Stripe's specification; so the double cannot come to
accept what Stripe does not know.
"""

import sys
from collections.abc import Mapping
from functools import lru_cache
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin
from urllib.parse import parse_qsl

import stripe
from typing_extensions import get_type_hints, is_typeddict

Form = dict[str, Any]

_OPTIONS = frozenset(stripe.RequestOptions.__annotations__)
_DECIMAL_DIGITS_MAX = 18


class ParameterWrong(ValueError):
    """A parameter is unknown, missing, or of the wrong type; `name` as the form has it."""

    def __init__(self, message: str, name: str, code: str) -> None:
        super().__init__(message)
        self.name = name
        self.code = code


def parsed(encoded: str) -> Form:
    """Return a form with brackets as nested dictionaries; lists are dictionaries still."""
    form: Form = {}
    for name, value in parse_qsl(encoded, keep_blank_values=True):
        head, *rest = name.replace("]", "").split("[")
        place = form
        for inner in rest:
            place = cast("Form", place.setdefault(head, {}))
            head = inner
        place[head] = value
    return form


def checked(kind: Any, form: Form) -> Form:
    """Return the form with numbers, truths and lists in it, as the typed dictionary says.

    Raises:
        ParameterWrong: it is not as the dictionary says.
    """
    return _members(kind, form, "")


def _members(kind: Any, form: Form, path: str) -> Form:
    hints = _hints(kind)
    for missing in kind.__required_keys__ - form.keys() - _OPTIONS:
        name = _named(path, missing)
        raise ParameterWrong(f"Missing required param: {name}.", name, "parameter_missing")
    read: Form = {}
    for key, value in form.items():
        name = _named(path, key)
        if key not in hints:
            raise ParameterWrong(f"Received unknown parameter: {name}", name, "parameter_unknown")
        read[key] = _value(hints[key], value, name)
    return read


def _value(kind: Any, value: Any, name: str) -> Any:
    if get_origin(kind) in {Union, UnionType}:
        return _one_of(get_args(kind), value, name)
    if is_typeddict(kind):
        if isinstance(value, Mapping):
            return _members(kind, cast("Form", value), name)
        raise ParameterWrong(f"Invalid object: {name}", name, "parameter_invalid")
    if get_origin(kind) is list:
        return _list(get_args(kind)[0], value, name)
    if get_origin(kind) is dict and isinstance(value, Mapping):
        return dict(cast("Form", value))
    if isinstance(value, str):
        return _text(kind, value, name)
    raise ParameterWrong(f"Invalid value for {name}", name, "parameter_invalid")


def _one_of(kinds: tuple[Any, ...], value: Any, name: str) -> Any:
    wrong = ParameterWrong(f"Invalid value for {name}", name, "parameter_invalid")
    for kind in kinds:
        try:
            return _value(kind, value, name)
        except ParameterWrong as error:
            if is_typeddict(kind):  # which says more exactly what is wrong
                wrong = error
    raise wrong


def _list(kind: Any, value: Any, name: str) -> list[Any]:
    if not isinstance(value, Mapping):
        raise ParameterWrong(f"Invalid array: {name}", name, "parameter_invalid")
    items = cast("Form", value)
    order = sorted(items, key=int) if all(map(str.isdecimal, items)) else list(items)
    return [_value(kind, items[index], f"{name}[{index}]") for index in order]


def _text(kind: Any, value: str, name: str) -> Any:
    if kind is str:
        return value
    if kind is int and value.removeprefix("-").isdecimal() and len(value) <= _DECIMAL_DIGITS_MAX:
        return int(value)
    if kind is bool and value in {"true", "false"}:
        return value == "true"
    if get_origin(kind) is Literal and value in get_args(kind):
        return value
    wanted = "integer" if kind is int else "value"
    raise ParameterWrong(f"Invalid {wanted}: {name}", name, f"parameter_invalid_{wanted}")


@lru_cache
def _hints(kind: Any) -> Mapping[str, Any]:
    # Options of a request are inherited with names that mean something in their own module alone.
    options = {"StripeContext": stripe.StripeContext, "Mapping": Mapping}
    names = {**options, **vars(sys.modules[kind.__module__])}
    hints = get_type_hints(kind, globalns=names)
    return {name: hint for name, hint in hints.items() if name not in _OPTIONS}


def _named(path: str, key: str) -> str:
    return f"{path}[{key}]" if path else key
