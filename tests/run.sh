#!/usr/bin/env bash
# Runs every check and test. Installs what it needs where it can (Debian packages, npm packages).
#   tests/run.sh            everything
#   tests/run.sh --quick    without the browser tests and the release build
set -euo pipefail
cd "$(dirname "$0")/.."

quick=false
[ "${1:-}" = "--quick" ] && quick=true

say() { printf '\n== %s\n' "$*" >&2; }

install_debian() { # PROGRAM PACKAGE...
  local program=$1
  shift
  command -v "$program" >/dev/null 2>&1 && return 0
  if command -v apt-get >/dev/null 2>&1 && [ "$(id -u)" = 0 ]; then
    say "installing $*"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@"; } >/dev/null
  fi
  command -v "$program" >/dev/null 2>&1
}

install_debian cc gcc libc6-dev || say "no C compiler was found: crates with C parts cannot be built"
install_debian git git || say "git was not found"
install_debian ssh-keygen openssh-client || say "there is no ssh-keygen: tests that make keys fail"

if ! $quick; then
  install_debian chromium chromium fonts-noto-color-emoji fonts-liberation || say "there is no Chromium: what needs one is not tested"
fi

# Debian's kubectl is too old to be an oracle, so none is installed.
command -v kubectl >/dev/null 2>&1 || say "there is no kubectl: the tests that use the real one are skipped"
[ -n "${FOREDECK_TEST_CONTEXT:-}" ] || say "FOREDECK_TEST_CONTEXT names no context: the embedded cluster is tested, no real one"

say "format"
cargo fmt --check
say "clippy"
cargo clippy --locked --all-targets -- -D warnings
say "tests"
if cargo nextest --version >/dev/null 2>&1; then
  cargo nextest run --locked
else
  cargo test --locked --lib --bins --tests
fi
say "documentation"
RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --quiet
if command -v cargo-deny >/dev/null 2>&1; then
  say "dependencies"
  cargo deny --config .cargo/deny.toml --offline check bans licenses sources
else
  say "cargo-deny is not installed: the audit of the dependencies is skipped"
fi

if $quick; then
  say "done; the browser tests were left out"
  exit 0
fi

say "release build"
cargo build --locked --release
if [ -x tests/browser/run.sh ]; then
  say "browser tests"
  FOREDECK="$PWD/target/release/foredeck" tests/browser/run.sh
fi
