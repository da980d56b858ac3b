from django.apps import AppConfig


class UnfoldConfig(AppConfig):
    """The theme's templates and assets, without its own admin site: we have two."""

    name = "unfold"
    default = False
