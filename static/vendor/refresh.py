"""Fetch the vendored browser libraries from npm and write ``manifest.json``; run by a person.

    python static/vendor/refresh.py            # every package of PACKAGES
    python static/vendor/refresh.py uplot      # one of them

npm is needed here and nowhere else: what is fetched is committed, and a test compares every file
with the manifest. To move to another version, edit PACKAGES and run this.
"""

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
# package: (version, licence, directory, files of the tarball)
PACKAGES = {
    "htmx.org": ("4.0.1", "0BSD", "htmx", ("dist/htmx.min.js", "LICENSE")),
    "lightweight-charts": (
        "5.2.1",
        "Apache-2.0",
        "lightweight-charts",
        ("dist/lightweight-charts.standalone.production.js", "LICENSE"),
    ),
    "uplot": (
        "1.6.32",
        "MIT",
        "uplot",
        ("dist/uPlot.iife.min.js", "dist/uPlot.min.css", "LICENSE"),
    ),
    "@fontsource-variable/inter": (
        "5.3.0",
        "OFL-1.1",
        "inter",
        ("files/inter-latin-wght-normal.woff2", "LICENSE"),
    ),
}


def sha256(path: Path) -> str:
    """Return the hash of a file as the manifest holds it."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def fetch(name: str) -> dict[str, object]:
    """Unpack one package's files beside this script; return its entry of the manifest."""
    version, licence, short, wanted = PACKAGES[name]
    home = HERE / f"{short}-{version}"
    home.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        spec = f"{name}@{version}"
        command = ["npm", "pack", spec, "--silent", "--pack-destination", scratch]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603
        (tarball,) = Path(scratch).glob("*.tgz")
        with tarfile.open(tarball) as archive:
            for member in wanted:
                source = archive.extractfile(f"package/{member}")
                assert source is not None, member
                (home / Path(member).name).write_bytes(source.read())
    files = {f"{home.name}/{Path(one).name}": one for one in wanted}
    return {
        "name": name,
        "version": version,
        "licence": licence,
        "source": f"npm:{name}@{version}",
        "files": {
            path: {"from": one, "sha256": sha256(HERE / path)} for path, one in files.items()
        },
    }


def main(names: list[str]) -> None:
    """Fetch the named packages (all where none is named) and rewrite the manifest."""
    manifest = HERE / "manifest.json"
    known = (
        {one["name"]: one for one in json.loads(manifest.read_text())} if manifest.exists() else {}
    )
    for name in names or PACKAGES:
        known[name] = fetch(name)
    manifest.write_text(json.dumps([known[name] for name in sorted(known)], indent=2) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
