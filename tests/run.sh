#!/bin/bash
# run.sh - builds and runs the tests on a bare Debian 12.
#
#   tests/run.sh [--label NAME | --full NAME]
#
# Installs the packages that are missing (as root, or by sudo), builds the dev preset, starts a PostgreSQL cluster and
# a Redis server of its own on free loopback ports, and runs ctest. Leaves no process behind.
#
#   --label NAME   only the tests with this label: unit, conformance, integration, documents, acceptance, fault, sim, fuzz, console, deploy
#   --full NAME    the same at full size
#   --help
set -euo pipefail

label=''
while [ $# -gt 0 ]; do
  case $1 in
    --label | --full)
      [ $# -ge 2 ] || { echo "run.sh: $1 needs a label" >&2; exit 2; }
      [ "$1" = --label ] || export GONGHUI_FULL=1
      label=$2
      shift
      ;;
    --help | -h)
      sed -n '2,/^set -euo/p' "$0" | sed '$d; s/^# \{0,1\}//'
      exit 0
      ;;
    *) echo "run.sh: unknown option $1; see --help" >&2; exit 2 ;;
  esac
  shift
done

cd "$(dirname "$0")/.."
. deploy/packages.sh
. tests/services.sh

echo "==> packages"
# shellcheck disable=SC2086 # lists of names
install_packages $build_packages $test_packages
command -v npm >/dev/null || install_packages nodejs npm
if [ ! -x tests/node_modules/.bin/buf ]; then
  npm install --prefix tests --no-save --no-audit --no-fund
fi

echo "==> build"
cmake --preset dev -DGONGHUI_TESTS=ON >/dev/null
NINJA_STATUS='    [%f/%t %es] ' cmake --build build/dev --parallel "$(build_jobs)"

echo "==> PostgreSQL and Redis"
trap stop_services EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
start_services

echo "==> tests"
selection=()
[ -z "$label" ] || selection=(--label-regex "^$label\$")
ctest --test-dir build/dev --output-on-failure --no-tests=error --parallel "$(nproc)" "${selection[@]}"
