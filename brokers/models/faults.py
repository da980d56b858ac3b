"""What the paper venue can be told to do wrong."""

from typing import Any

from django.db import models
from django.db.models import Q

from brokers.models.paper import PaperVenue
from trading.vocabulary import CommandKind

COMMANDS = [(kind.value, kind.value) for kind in CommandKind]


class FaultSwitch(models.TextChoices):
    """The switches, by what they disturb. ``MEANINGS`` says what each does."""

    LOSE_ACK = "lose_ack"
    DROP_BEFORE_READ = "drop_before_read"
    DELAY_ACK = "delay_ack"
    ERROR_AFTER_ACCEPT = "error_after_accept"
    GARBLED = "garbled"
    UNKNOWN_ENUM = "unknown_enum"
    WRONG_ECHO = "wrong_echo"
    THROTTLE = "throttle"
    DISCONNECT = "disconnect"
    OUTAGE = "outage"
    SILENT = "silent"
    NOT_FOUND_FIRST = "not_found_first"
    PARTIAL_PAGE = "partial_page"
    DUPLICATE_ROWS = "duplicate_rows"
    ID_RESET = "id_reset"
    SAME_EXEC_ID = "same_exec_id"
    FILL_BEFORE_ACK = "fill_before_ack"
    OUT_OF_ORDER = "out_of_order"
    DUPLICATE_FILL = "duplicate_fill"
    LOST_FILL = "lost_fill"
    OVERFILL = "overfill"
    BUST = "bust"
    CORRECT_PRICE = "correct_price"
    CORRECT_QTY = "correct_qty"
    CANCEL_LOST = "cancel_lost"
    CANCEL_REFUSED_BUT_LIVE = "cancel_refused_but_live"
    FILL_AFTER_CANCEL = "fill_after_cancel"
    UNSOLICITED_CANCEL = "unsolicited_cancel"
    UNSOLICITED_RESTATE = "unsolicited_restate"
    EXPIRE_EARLY = "expire_early"
    REJECT_AFTER_NEW = "reject_after_new"


_S = FaultSwitch
MEANINGS = {
    _S.LOSE_ACK: "the command is carried out, its answer and first messages are lost",
    _S.DROP_BEFORE_READ: "the command never arrives",
    _S.DELAY_ACK: "the answer and its messages come delay_ms late",
    _S.ERROR_AFTER_ACCEPT: "the command is carried out and answered with a server error",
    _S.GARBLED: "the first message of a command is cut off",
    _S.UNKNOWN_ENUM: "the first message of a command says a word nobody knows",
    _S.WRONG_ECHO: "a new order is acknowledged with a stop one tick off, or another time in force",
    _S.THROTTLE: "the command is refused unread: too many requests, again after delay_ms",
    _S.DISCONNECT: "the command is carried out, then the line drops before the answer",
    _S.OUTAGE: "there is no line and none can be had until it is switched off",
    _S.SILENT: "no question about orders, fills or holdings is answered until it is switched off",
    _S.NOT_FOUND_FIRST: "a look-up says there is no such order although there is",
    _S.PARTIAL_PAGE: "a list of orders or fills lacks its last row, and says that it may",
    _S.DUPLICATE_ROWS: "a list of fills has every row twice",
    _S.ID_RESET: "order numbers begin again at 1",
    _S.SAME_EXEC_ID: "a fill is told under the id of the account's first fill",
    _S.FILL_BEFORE_ACK: "the fills of a new order are told before it is acknowledged",
    _S.OUT_OF_ORDER: "the messages of a command come in the opposite order",
    _S.DUPLICATE_FILL: "a fill is told twice",
    _S.LOST_FILL: "a fill is not told; only who asks for fills finds it",
    _S.OVERFILL: "an order that is complete is filled for half its quantity once more",
    _S.BUST: "the fill that completes an order is taken back",
    _S.CORRECT_PRICE: "the fill that completes an order gets a price one tick higher",
    _S.CORRECT_QTY: "the fill that completes an order becomes one lot smaller",
    _S.CANCEL_LOST: "a cancel never arrives",
    _S.CANCEL_REFUSED_BUT_LIVE: "a cancel is refused, the order unknown, although it works",
    _S.FILL_AFTER_CANCEL: "half of what was cancelled is filled after the cancel was confirmed",
    _S.UNSOLICITED_CANCEL: "a new order that rests is cancelled by the venue",
    _S.UNSOLICITED_RESTATE: "a new order that rests is given half its quantity by the venue",
    _S.EXPIRE_EARLY: "a new order that rests expires at once",
    _S.REJECT_AFTER_NEW: "a new order that rests is acknowledged, then rejected",
}
"""What each switch does, in the words of the API's reference."""

ANY = (CommandKind.NEW, CommandKind.CANCEL, CommandKind.REPLACE)
COMMANDS_OF: dict[FaultSwitch, tuple[CommandKind, ...]] = {
    **dict.fromkeys(FaultSwitch, (CommandKind.NEW,)),
    **dict.fromkeys(
        (
            _S.LOSE_ACK,
            _S.DROP_BEFORE_READ,
            _S.DELAY_ACK,
            _S.ERROR_AFTER_ACCEPT,
            _S.GARBLED,
            _S.UNKNOWN_ENUM,
            _S.THROTTLE,
            _S.DISCONNECT,
            _S.OUT_OF_ORDER,
        ),
        ANY,
    ),
    **dict.fromkeys(
        (_S.CANCEL_LOST, _S.CANCEL_REFUSED_BUT_LIVE, _S.FILL_AFTER_CANCEL), (CommandKind.CANCEL,)
    ),
}
"""Which commands a switch may name; the first is meant where none is named."""


class PaperFault(models.Model):
    """A fault the venue shall show for the next ``remaining`` commands of a kind (or fills).

    It concerns every account and symbol where none is named. The first ``skip`` that it could hit
    pass unharmed; of the others one in ``one_in`` is hit, drawn by a hash of the venue and of how
    many were ``seen``. ``silent`` and ``outage`` are states: on while ``remaining`` is above 0.
    """

    id = models.BigAutoField(primary_key=True)
    venue = models.ForeignKey(PaperVenue, on_delete=models.PROTECT, related_name="faults")
    switch = models.CharField(max_length=24, choices=FaultSwitch.choices)
    command = models.CharField(max_length=8, choices=COMMANDS)
    account = models.CharField(max_length=32, default="", db_default="")
    symbol = models.CharField(max_length=32, default="", db_default="")
    remaining = models.IntegerField()
    skip = models.IntegerField(default=0, db_default=0)
    one_in = models.IntegerField(default=1, db_default=1)
    seen = models.BigIntegerField(default=0, db_default=0)
    delay_ms = models.IntegerField(default=0)
    set_by = models.CharField(max_length=200)
    set_at = models.DateTimeField()

    class Meta:
        db_table = "paper_fault"
        constraints = [
            models.UniqueConstraint(
                fields=["venue", "switch", "command"], name="paper_fault_switch_once"
            ),
            models.CheckConstraint(
                condition=Q(remaining__gte=0, delay_ms__gte=0, skip__gte=0, one_in__gte=1),
                name="paper_fault_counts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.switch} x{self.remaining}"

    def concerns(self, account: str, symbol: str) -> bool:
        """Whether a command or fill of this account and symbol is one it may hit."""
        return self.account in {"", account} and self.symbol in {"", symbol}

    @classmethod
    def on(cls, venue_id: int, **filters: Any) -> models.QuerySet["PaperFault"]:
        """The switches of a venue that are on."""
        return cls.objects.filter(venue_id=venue_id, remaining__gt=0, **filters).order_by("id")
