#!/bin/sh
# Resolves pyproject.toml into hash-pinned lock files that name no package index.
# Usage: requirements/lock.sh path/to/uv
set -eu
uv=$1
compile() {
    "$uv" pip compile --universal --python-version 3.11 --generate-hashes --quiet \
        --no-emit-index-url --no-emit-find-links --no-header --no-annotate "$@"
}
echo "uv==0.13.8" | compile - -o requirements/uv.txt
compile pyproject.toml -o requirements/core.txt
compile --group dev -c requirements/core.txt -o requirements/dev.txt
compile --group e2e -c requirements/core.txt -o requirements/e2e.txt
compile --extra stocks -c requirements/core.txt pyproject.toml -o requirements/stocks.txt
# ib_insync and ib_async both own the package "eventkit": one environment each.
printf 'ib-insync==0.9.86\npytest\n' | compile - -o requirements/ib_insync.txt
