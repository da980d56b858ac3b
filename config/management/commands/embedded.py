"""``manage.py embedded start|stop|status|url``: the embedded servers without the rest."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    """Starts, stops and shows the servers of this state directory."""

    help = "Start, stop or show the embedded Postgres and Valkey of this state directory."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Name the one argument."""
        parser.add_argument("action", choices=["start", "stop", "status", "url"])

    def handle(self, *_args: Any, action: str, **_options: Any) -> None:
        """:raises CommandError: one line, when the servers cannot do what was asked."""
        from config.embedded import on_demand
        from config.embedded.errors import REPORTED

        if not on_demand.missing():
            raise CommandError("DATABASE_URL and REDIS_URL name other servers; none is embedded.")
        try:
            getattr(self, f"_{action}")()
        except REPORTED as failure:
            raise CommandError(str(failure)) from failure

    def _start(self) -> None:
        from config.embedded import on_demand, servers

        hold = servers.start(on_demand.state_dir_of_environment(), profile="durable")
        servers.keep(hold.layout)
        hold.release()
        begun = " and ".join(sorted(hold.started)) or "nothing; both ran already"
        self.stdout.write(f"Started {begun}. They run until: manage.py embedded stop")

    def _stop(self) -> None:
        from config.embedded import layout, on_demand, postgres, servers, valkey

        place = layout.at(on_demand.state_dir_of_environment())
        servers.drop_keep(place)
        if servers.stop_if_unused(place):
            self.stdout.write("Stopped.")
        elif postgres.is_running(place) or valkey.is_running(place):
            raise CommandError(
                "The servers are in use (by `manage.py up`, or another command): they stop with "
                "their last user."
            )
        else:
            self.stdout.write("Nothing was running.")

    def _status(self) -> None:
        from config.embedded import layout, on_demand, postgres, servers, valkey

        place = layout.at(on_demand.state_dir_of_environment())
        for name, running in (
            (servers.POSTGRES, postgres.is_running(place)),
            (servers.VALKEY, valkey.is_running(place)),
        ):
            self.stdout.write(f"{name:<9} {'running' if running else 'stopped'}")
        self.stdout.write(f"data      {place.server_dir}")
        self.stdout.write(f"sockets   {place.sockets}")
        self.stdout.write(f"logs      {place.logs}")

    def _url(self) -> None:
        from config.embedded import layout, on_demand

        place = layout.at(on_demand.state_dir_of_environment())
        self.stdout.write(layout.database_url(place, "blotter"))
