"""The rows and tick boxes of a ticket as it stands: what was typed, what is wrong with it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from common.errors import FieldError
from portal.ticket import exits, fields

_OWN = ("symbol", "side", "ord_type", "time_in_force", "strategy", "link")
_FLAG_FIELDS = ("exec_inst", "extended_hours", "allow_synthetic")


@dataclass(frozen=True, slots=True)
class ShownRow:
    """One row; ``is_here`` says whether an order of the chosen kind is asked for it."""

    row: fields.Row
    place: fields.Place
    value: str
    beside: str
    error: str
    is_here: bool
    is_required: bool
    links: str = ""


@dataclass(frozen=True, slots=True)
class ShownFlag:
    """One tick box."""

    flag: fields.Flag
    place: fields.Place
    is_on: bool
    is_here: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """A form's ``values`` as typed and the ``errors`` found in them."""

    values: Mapping[str, str]
    errors: Sequence[FieldError]

    @property
    def messages(self) -> dict[str, str]:
        """What is wrong with each field that has a place of its own, in words."""
        return {
            **{name: self._error_of(name) for name in _OWN},
            "order_qty": self._error_of(*fields.QUANTITY.errors_of),
            "flags": self._error_of(*_FLAG_FIELDS),
        }

    @property
    def terms(self) -> list[ShownRow]:
        """The rows of the chosen type, and those that another type would bring."""
        return [self._row(row) for row in fields.TERMS]

    @property
    def expiry(self) -> ShownRow:
        """When a GTD order ends."""
        return self._row(fields.EXPIRY)

    @property
    def exits(self) -> list[ShownRow]:
        """What is attached to the order; each row belongs to some kinds of list alone."""
        return [self._exit(row) for row in (exits.TARGET, exits.STOP)]

    @property
    def links(self) -> Sequence[tuple[str, str]]:
        """What may be attached."""
        return exits.LINKS

    @property
    def instructions(self) -> list[ShownRow]:
        """How it is to be worked, apart from the tick boxes."""
        return [self._row(row) for row in fields.INSTRUCTIONS]

    @property
    def flags(self) -> list[ShownFlag]:
        """The tick boxes."""
        return [
            ShownFlag(
                flag,
                fields.place_of(flag.name),
                is_on=bool(self.values.get(flag.name)),
                is_here=fields.belongs(flag.name, self.values),
            )
            for flag in fields.FLAGS
        ]

    @property
    def is_instructed(self) -> bool:
        """Whether anything of the instructions is asked for, or wrong."""
        rows = any(one.is_here and (one.value or one.error) for one in self.instructions)
        flags = any(one.is_here and one.is_on for one in self.flags)
        wrong = self._error_of("strategy", *_FLAG_FIELDS)
        return rows or flags or bool(self.values.get("strategy") or wrong)

    @property
    def quantity(self) -> fields.Row:
        """The first row, with what it may be measured in."""
        return fields.QUANTITY

    @property
    def cash(self) -> fields.Place:
        """Which orders may name an amount of money instead of a quantity."""
        return fields.place_of("cash_order_qty")

    def _row(self, row: fields.Row) -> ShownRow:
        place = fields.place_of(row.name)
        return ShownRow(
            row,
            place,
            value=self.values.get(row.name, ""),
            beside=self.values.get(row.beside, ""),
            error=self._error_of(*row.fields.split()),
            is_here=fields.belongs(row.name, self.values),
            is_required=self.values.get("ord_type") in place.required,
        )

    def _exit(self, row: fields.Row) -> ShownRow:
        links = exits.links_of(row)
        is_here = self.values.get("link", "") in links
        return ShownRow(
            row,
            fields.ANYWHERE,
            value=self.values.get(row.name, ""),
            beside=self.values.get(row.beside, ""),
            error=self._error_of(row.name),
            is_here=is_here,
            is_required=is_here,
            links=" ".join(links),
        )

    def _error_of(self, *names: str) -> str:
        return " ".join(one.message for one in self.errors if one.field in names)
