"""Orders and what happens to them. Rows here change only through ``oms.services``.

An order row is the fold of its ``OrderEvent`` rows; ``facts`` is that fold's state without the
ledger, which lies in ``Execution``. Foreign keys on these hot rows carry no database constraint:
each insert would lock the same account and instrument rows (a nightly check proves them).
"""

from oms.models.commands import Command
from oms.models.desk import Break, ParkedReport, ReconciliationRun
from oms.models.ledger import Execution, OrderEvent
from oms.models.lists import OrderList
from oms.models.orders import ClOrdId, Order, OrderVersion

__all__ = [
    "Break",
    "ClOrdId",
    "Command",
    "Execution",
    "Order",
    "OrderEvent",
    "OrderList",
    "OrderVersion",
    "ParkedReport",
    "ReconciliationRun",
]
