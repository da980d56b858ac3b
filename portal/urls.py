"""The paths of the pages."""

from django.urls import path

from portal.views import (
    account,
    desk,
    find,
    frame,
    halt,
    market,
    orders,
    quotes,
    styleguide,
    ticket,
)

urlpatterns = [
    path("", account.home),
    path("login", account.login),
    path("login/handover", account.handover),
    path("logout", account.logout),
    path("tenants", account.tenants),
    path("tenants/<slug:slug>/open", account.open_tenant),
    path("find", find.find),
    path("frame", frame.frame),
    path("status", frame.status),
    path("account", account.choose_account),
    path("preferences", account.prefer),
    path("desk", desk.desk),
    path("desk/chart/bars", market.bars),
    path("desk/chart/marks", market.marks),
    path("desk/watchlist", market.watchlist),
    path("desk/ticket", ticket.send),
    path("desk/ticket/preview", ticket.preview),
    path("desk/ticket/sent", ticket.sent),
    path("desk/quotes", quotes.quotes),
    path("orders", orders.orders),
    path("orders/<str:order_id>/cancel", orders.cancel),
    path("halt", halt.halt),
    path("halt/<str:halt_id>/lift", halt.lift),
    path("styleguide", styleguide.styleguide),
]
