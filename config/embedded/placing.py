"""Chooses the server dir of a state dir: the state dir itself wherever the servers can live there.

Only root ever needs another place: a project under a 0700 home cannot be entered by the account
that runs the servers, and opening that home to everyone is not ours to do. The other place is a
new folder keyed by a hash of the state dir, and its path is written into the state dir.
"""

import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from config.embedded import layout as layouts
from config.embedded.account import Account, servers_account
from config.embedded.errors import EmbeddedError, disk_full, is_disk_full
from config.embedded.layout import Layout

SYSTEM_PLACES = (Path("/var/lib"), Path(tempfile.gettempdir()))
OWNER_FILE = "state_dir"


def settle(state_dir: Path) -> Layout:
    """Make the directories of a state dir and return where its servers lie.

    The caller holds the start lock, or is about to only read the answer: a second process that
    settles at the same moment finds the pointer or writes its own before any data exists.

    :raises EmbeddedError: if no place can be used, with what to do.
    """
    state_dir = state_dir.resolve()
    try:
        state_dir.mkdir(parents=True, exist_ok=True)
        layout = layouts.at(state_dir)
        layout.logs.mkdir(mode=0o700, exist_ok=True)
        account = servers_account()
        if layout.server_dir != state_dir:
            return _checked(layout, account)
        if account.is_us or account.reaches(state_dir):
            return layout
        return _moved(state_dir, account)
    except OSError as failure:
        if is_disk_full(failure):
            raise disk_full(state_dir) from failure
        raise EmbeddedError(f"{state_dir} cannot be used for the servers: {failure}.") from failure


def _checked(layout: Layout, account: Account) -> Layout:
    """Refuse a pointer to servers of another state dir: two owners would stop each other's."""
    owner_file = layout.server_dir / OWNER_FILE
    if not owner_file.exists():
        raise EmbeddedError(
            f"{layouts.pointer(layout.state_dir)} names {layout.server_dir}, which is gone: bring "
            "it back, or remove the first file to begin with empty data."
        )
    owner = Path(owner_file.read_text())
    if owner != layout.state_dir:
        if layouts.pointer(owner).exists() and layouts.at(owner) == Layout(
            owner, layout.server_dir
        ):
            raise EmbeddedError(
                f"{layout.state_dir} is a copy of {owner}, whose servers lie in "
                f"{layout.server_dir}: remove {layouts.pointer(layout.state_dir)} to begin with "
                "empty data."
            )
        owner_file.write_text(str(layout.state_dir))  # the state dir was moved; its data follows
    if not account.is_us and not account.reaches(layout.server_dir):
        raise EmbeddedError(f"{layout.server_dir} cannot be entered by the account 'nobody'.")
    return layout


def _moved(state_dir: Path, account: Account) -> Layout:
    """Make a folder the account can reach and write its path into the state dir."""
    key = hashlib.sha256(os.fsencode(state_dir)).hexdigest()[:12]
    for parent in SYSTEM_PLACES:
        # The random part keeps data of a state dir that was deleted from coming back to life.
        place = parent / f"blotter-{key}-{secrets.token_hex(3)}"
        try:
            place.mkdir(mode=0o755)
            place.chmod(0o755)  # whatever the umask is: the account has to pass through
        except OSError as failure:
            if is_disk_full(failure):
                raise
            continue
        if not account.reaches(place):
            place.rmdir()
            continue
        (place / OWNER_FILE).write_text(str(state_dir))
        draft = layouts.pointer(state_dir).with_suffix(f".{os.getpid()}")
        draft.write_text(f"{place}\n")
        try:
            os.link(draft, layouts.pointer(state_dir))
        except FileExistsError:  # another process was first: its place is the place
            (place / OWNER_FILE).unlink()
            place.rmdir()
        finally:
            draft.unlink()
        return layouts.at(state_dir)
    raise EmbeddedError(
        f"The account 'nobody', which runs Postgres for root, can enter neither {state_dir} nor "
        f"a folder in {' or '.join(map(str, SYSTEM_PLACES))}: set OMS_STATE_DIR to one it can."
    )
