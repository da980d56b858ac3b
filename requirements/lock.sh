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
# The same again with ib_insync in the place of ib_async: an environment of its own.
echo 'ib-insync==0.9.86' | compile --group dev -c requirements/core.txt \
    --override requirements/ib_insync.overrides pyproject.toml - -o requirements/ib_insync.txt
