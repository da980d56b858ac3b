"""The request of this app's own views: the credential itself is at hand."""

from typing import TYPE_CHECKING

from common.http.routes import ApiRequest

if TYPE_CHECKING:
    from accounts.services import Identity

    class AuthRequest(ApiRequest):
        """An ``ApiRequest`` with the identity its actor was read from."""

        identity: Identity

else:
    AuthRequest = ApiRequest
