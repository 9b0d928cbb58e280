#!/bin/sh
# Runs the browser tests against the binary that $FOREDECK names (default: the debug build).
set -eu
cd "$(dirname "$0")"

FOREDECK=${FOREDECK:-../../target/debug/foredeck}
case $FOREDECK in /*) ;; *) FOREDECK=$(cd "$(dirname "$FOREDECK")" && pwd)/$(basename "$FOREDECK") ;; esac
if [ ! -x "$FOREDECK" ]; then
    echo "browser tests: no binary at $FOREDECK" >&2
    exit 1
fi

if [ -z "${CHROMIUM:-}" ]; then
    for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do
        if CHROMIUM=$(command -v "$name"); then break; fi
    done
fi
if [ -z "${CHROMIUM:-}" ]; then
    echo "browser tests: no Chromium found; set CHROMIUM" >&2
    exit 1
fi
export FOREDECK CHROMIUM

[ -d node_modules/playwright-core ] || npm ci --no-audit --no-fund --loglevel=error >&2
set -- --test --test-concurrency=1 --test-reporter="${REPORTER:-spec}" ${1:+--test-name-pattern="$1"}
# A busy machine can miss a deadline: a file that fails is tried once more, and that is said.
failed=
for file in ./*.test.mjs; do
    node "$@" "$file" && continue
    echo "browser tests: $file failed; once more" >&2
    node "$@" "$file" || failed="$failed $file"
done
if [ -n "$failed" ]; then
    echo "browser tests: failed twice:$failed" >&2
    exit 1
fi
