"""A property that is worked out once per value, for values that never change."""

from collections.abc import Callable
from typing import Generic, TypeVar, overload

Owner = TypeVar("Owner")
Result = TypeVar("Result")


class once(Generic[Owner, Result]):  # noqa: N801 - used like ``property``
    """``functools.cached_property`` without its lock, which costs more than the answers here."""

    def __init__(self, compute: Callable[[Owner], Result]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    def __set_name__(self, owner: type[Owner], name: str) -> None:
        self._name = name

    @overload
    def __get__(self, value: None, owner: type[Owner]) -> "once[Owner, Result]": ...

    @overload
    def __get__(self, value: Owner, owner: type[Owner]) -> Result: ...

    def __get__(self, value: Owner | None, owner: type[Owner]) -> "Result | once[Owner, Result]":
        if value is None:
            return self
        result = value.__dict__[self._name] = self._compute(value)
        return result
