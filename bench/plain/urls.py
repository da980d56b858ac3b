"""One endpoint: an order, checked and stored with the ORM, the way the tutorials do it."""

from decimal import Decimal
from hashlib import sha256

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.urls import path
from ninja import NinjaAPI, Schema
from ninja.errors import HttpError
from ninja.security import HttpBearer

from bench.plain.models import Account, Instrument, Key, Order, OrderEvent, Outbox


class Bearer(HttpBearer):
    """A key, looked up by its digest."""

    def authenticate(self, request: HttpRequest, token: str) -> Key | None:
        """Return the key's row."""
        return Key.objects.filter(digest=sha256(token.encode()).hexdigest()).first()


class OrderIn(Schema):
    """The fields of an order that all designs here are sent."""

    account: str
    symbol: str
    side: str
    ord_type: str
    order_qty: Decimal
    price: Decimal
    time_in_force: str
    cl_ord_id: str


api = NinjaAPI(auth=Bearer(), docs_url=None, openapi_url=None)


@api.post("/orders", response={201: dict, 200: dict})
def post_order(
    request: HttpRequest,  # noqa: ARG001 - ninja names it
    body: OrderIn,
) -> tuple[int, dict[str, str]]:
    """Four checks, four writes, one transaction."""
    with transaction.atomic():
        account = Account.objects.select_for_update().get(code=body.account)
        instrument = Instrument.objects.get(symbol=body.symbol)
        if account.halted:
            raise HttpError(422, "halted")
        if body.order_qty > account.max_qty:
            raise HttpError(422, "too large")
        if abs(body.price - instrument.last) > instrument.last / 10:
            raise HttpError(422, "price")
        if account.open_qty + body.order_qty > account.max_open:
            raise HttpError(422, "exposure")
        try:
            with transaction.atomic():
                order = Order.objects.create(
                    account=account, instrument=instrument, cl_ord_id=body.cl_ord_id,
                    side=body.side, ord_type=body.ord_type, order_qty=body.order_qty,
                    price=body.price,
                )  # fmt: skip
        except IntegrityError:
            known = Order.objects.get(account=account, cl_ord_id=body.cl_ord_id)
            return 200, {"id": str(known.pk)}
        OrderEvent.objects.create(order=order, kind="accepted", data=body.model_dump(mode="json"))
        Outbox.objects.create(order=order, payload=body.model_dump(mode="json"))
        account.open_qty += body.order_qty
        account.save()
    return 201, {"id": str(order.pk)}


urlpatterns = [path("api/v1/", api.urls)]
