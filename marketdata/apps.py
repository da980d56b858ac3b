from django.apps import AppConfig


class MarketDataConfig(AppConfig):
    name = "marketdata"
    verbose_name = "market data"

    def ready(self) -> None:
        from marketdata import checks  # noqa: F401 - registers the system checks
