"""Login, logout, the chooser of firms, and how a person wants to see the pages."""

from typing import Any

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.hosts import normal_host
from accounts.models import Membership
from accounts.services import actor_of
from accounts.sessions import active_memberships, prove_password
from brokers.models import BrokerConnection
from brokers.selectors import access_account, visible_accounts
from common.errors import NotFound, Refused
from common.http.routes import client_address
from oms.selectors import open_orders
from portal.frame.login import Proof, Step, make_ticket, next_step, open_login, redeem_ticket
from portal.frame.preferences import CHOICES, MAX_AGE_S, cookie_of
from portal.frame.shell import ACCOUNT_KEY
from portal.views.errors import error_page
from portal.views.pages import bare_render, member_page, now, safe_next
from risk.selectors import halts_in_force
from tenants.binding import tenant_bound


@require_safe
def home(request: Any) -> HttpResponse:
    """The desk at a firm's host; at the bare host what this is and where to go."""
    if request.tenant is not None:
        return HttpResponseRedirect("/desk")
    return bare_render(request, "portal/landing.html", {})


@never_cache
def login(request: Any) -> HttpResponse:
    """Ask for address and password; the portal and the admin share this page."""
    if request.method != "POST":
        if request.user.is_authenticated:
            return HttpResponseRedirect(_after_login(request))
        return _login_page(request)
    email, password = request.POST.get("email", ""), request.POST.get("password", "")
    try:
        user = prove_password(
            email=email,
            password=password,
            tenant=request.tenant,
            remote_addr=client_address(request),
            now=now(),
        )
    except Refused as refusal:
        return _login_page(request, refusal, email=email)
    proofs = frozenset({Proof.PASSWORD})
    if next_step(user, proofs) is Step.DONE:
        open_login(request, user, request.tenant, proofs=proofs)
    return HttpResponseRedirect(_after_login(request))


def _login_page(request: Any, refusal: Refused | None = None, email: str = "") -> HttpResponse:
    wait = int(refusal.headers.get("Retry-After", 0)) if refusal else 0
    names = {"email": email, "next": safe_next(request, ""), "refusal": refusal, "wait": wait}
    response = bare_render(
        request, "account/login.html", names, status=200 if refusal is None else refusal.http_status
    )
    for name, value in (refusal.headers if refusal else {}).items():
        response[name] = value
    return response


def _after_login(request: Any) -> str:
    if request.tenant is not None:
        return safe_next(request, "/desk")
    staff = request.user.is_authenticated and request.user.is_platform_staff
    home_of = "/admin/" if staff and not active_memberships(request.user).exists() else "/tenants"
    return safe_next(request, home_of)


@require_POST
def logout(request: Any) -> HttpResponse:
    """End the login at this host."""
    auth.logout(request)
    return HttpResponseRedirect("/login")


@never_cache
@require_safe
def tenants(request: Any) -> HttpResponse:
    """List the firms of the person who is logged in at the bare host."""
    if request.tenant is not None:
        return HttpResponseRedirect("/desk")
    if not request.user.is_authenticated:
        return HttpResponseRedirect("/login?next=/tenants")
    rows = [_firm_row(one) for one in active_memberships(request.user)]
    return bare_render(request, "account/tenants.html", {"rows": rows})


def _firm_row(membership: Membership) -> dict[str, Any]:
    """What a person sees of one of their firms before they enter it."""
    actor = actor_of(membership)
    with tenant_bound(actor.schema):
        accounts = list(visible_accounts(actor))
        return {
            "membership": membership,
            "modes": sorted({one.mode for one in accounts}),
            "working": open_orders(actor=actor).count(),
            "halted": halts_in_force().exists(),
            "up": all(one.connection.state == BrokerConnection.State.UP for one in accounts),
        }


@never_cache
@require_safe
def open_tenant(request: Any, slug: str) -> HttpResponse:
    """Hand the person over to a firm's host. A link, not a form: the answer leaves this host."""
    if request.tenant is not None:
        return HttpResponseRedirect("/desk")
    if not request.user.is_authenticated:
        return HttpResponseRedirect("/login?next=/tenants")
    membership = active_memberships(request.user).filter(tenant__slug=slug).first()
    if membership is None:
        return error_page(request, 404, NotFound.title, "You have no firm of this name.")
    ticket = make_ticket(request.user, membership.tenant)
    return HttpResponseRedirect(f"{firm_origin(request, slug)}/login/handover?ticket={ticket}")


def firm_origin(request: HttpRequest, slug: str) -> str:
    """Return scheme, host and port of a firm, as this request came."""
    raw = request.META.get("HTTP_HOST", "")
    port = raw.rpartition(":")[2] if normal_host(raw) and ":" in raw.rpartition("]")[2] else ""
    return f"{request.scheme}://{slug}.{settings.OMS_DOMAIN}" + (f":{port}" if port else "")


@never_cache
@require_safe
def handover(request: Any) -> HttpResponse:
    """Take a ticket of the bare host and log its person in here."""
    if request.tenant is None:
        return HttpResponseRedirect("/tenants")
    if request.method == "HEAD":  # a preview of the link must not use the ticket up
        return HttpResponse()
    try:
        user = redeem_ticket(request.GET.get("ticket", ""), tenant=request.tenant, now=now())
        # The bare host opens no login before every step was passed there.
        proofs = frozenset({Proof.PASSWORD, Proof.SECOND_FACTOR})
        open_login(request, user, request.tenant, proofs=proofs)
    except Refused as refusal:
        return _login_page(request, refusal)
    return HttpResponseRedirect("/desk")


@require_POST
@member_page("orders:read")
def choose_account(request: Any) -> HttpResponse:
    """Remember the account that the banner, the ticket and the broker light follow."""
    with tenant_bound(request.actor.schema):
        account = access_account(request.actor, request.POST.get("account", "")[:32])
    request.session[ACCOUNT_KEY] = account.code
    return HttpResponseRedirect(safe_next(request, "/desk"))


@require_POST
def prefer(request: HttpRequest) -> HttpResponse:
    """Keep preferences in cookies; the same cookies the script writes."""
    response = HttpResponseRedirect(safe_next(request))
    for name, words in CHOICES.items():
        value = request.POST.get(name)
        if value in words:
            response.set_cookie(
                cookie_of(name),
                value,
                max_age=MAX_AGE_S,
                secure=request.is_secure(),
                samesite="Lax",
            )
    return response
