#!/bin/bash
# check.sh - the house's rules: fixes what a tool can fix, then fails if anything changed or is left.
#
#   tests/check.sh [--all]
#
# clang-format on every file, clang-tidy on the files changed since origin/main (--all: every file; needs a configured
# build/dev), buf lint, shellcheck, white space, length of files, forbidden words. Exit status 1 when a file was changed
# (look at it with git diff) or a rule is broken.
set -euo pipefail
cd "$(dirname "$0")/.."

all=no
case ${1:-} in
  --all) all=yes ;;
  --help | -h)
    sed -n '2,/^set -euo/p' "$0" | sed '$d; s/^# \{0,1\}//'
    exit 0
    ;;
  '') ;;
  *) echo "check.sh: unknown option $1; see --help" >&2; exit 2 ;;
esac

failures=0
fail() {
  printf 'check: %s\n' "$*" >&2
  failures=$((failures + 1))
}
# Files of the work tree that match, tracked or new.
files() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do [ ! -f "$f" ] || echo "$f"; done; }
digest() { files | xargs -d '\n' sha256sum; }
need() { command -v "$1" >/dev/null || { echo "check.sh: $1 is missing: apt-get install $2" >&2; exit 2; }; }
need clang-format clang-format
need clang-tidy clang-tidy
need shellcheck shellcheck
need protoc protobuf-compiler

before=$(digest)

echo "==> format"
mapfile -t sources < <(files '*.cc' '*.h')
clang-format -i "${sources[@]}"
mapfile -t texts < <(files '*.cc' '*.h' '*.proto' '*.yaml' '*.sql' '*.sh' '*.md' '*.txt' '*.json' 'deploy/Dockerfile')
# shellcheck disable=SC1003 # sed's append needs the backslash
sed -i -e 's/[ \t]*$//' -e '$a\' "${texts[@]}"

echo "==> tidy"
[ -f build/dev/compile_commands.json ] || cmake --preset dev >/dev/null
mkdir -p build/tidy # clang reads no precompiled headers of gcc
sed -e 's/ -Winvalid-pch//g' -e 's/ -include [^ ]*cmake_pch\.hxx//g' build/dev/compile_commands.json >build/tidy/compile_commands.json
if [ $all = yes ]; then
  mapfile -t tidied < <(files '*.cc')
else
  base=$(git merge-base HEAD origin/main 2>/dev/null || git rev-parse HEAD)
  mapfile -t tidied < <({ git diff --name-only "$base" -- '*.cc'; git ls-files --others --exclude-standard -- '*.cc'; } | sort -u |
    while read -r f; do [ ! -f "$f" ] || echo "$f"; done)
fi
if [ ${#tidied[@]} -gt 0 ]; then
  printf '%s\n' "${tidied[@]}" | xargs -d '\n' -n 4 -P "$(nproc)" clang-tidy --quiet -p build/tidy || fail "clang-tidy"
fi

echo "==> buf lint"
[ -x tests/node_modules/.bin/buf ] || npm install --prefix tests --no-save --no-audit --no-fund
tests/lint_protos.sh || fail "buf lint"

echo "==> shellcheck"
mapfile -t scripts < <(files '*.sh' '.ci/run')
shellcheck -x "${scripts[@]}" || fail "shellcheck"

echo "==> house rules"
mapfile -t code < <(files '*.cc' '*.h')
while read -r lines file; do
  [ "$file" = total ] || [ "$lines" -le 600 ] || fail "$file has $lines lines, more than 600"
done < <(wc -l "${code[@]}")
# forbid WHY PATTERN FILES...: no line of the files may match.
forbid() {
  local why=$1 pattern=$2
  shift 2
  if grep -nE "$pattern" "$@"; then fail "$why"; fi
}
forbid "unfinished work is not checked in" '\b(TODO|FIXME|XXX)\b' "${code[@]}"
forbid "a name says what a thing is" '\b(class|struct) \w*(Impl|Manager|Helper|Utils?)\b' "${code[@]}"
forbid "nothing is thrown across our functions" '^\s*throw\b' "${code[@]}"
forbid "domain code has no generated gRPC code" '#include .*\.grpc\.pb\.h' "${code[@]}"
mapfile -t schemas < <(files 'common/*.sql' 'services/*.sql')
if [ ${#schemas[@]} -gt 0 ]; then
  forbid "one SQL text for both engines" '(NOW\(\)|TIMESTAMPTZ|NUMERIC|SERIAL|ILIKE|::|CREATE TRIGGER)' "${schemas[@]}"
fi

if [ "$before" != "$(digest)" ]; then
  diff <(echo "$before") <(digest) | sed -n 's/^> [0-9a-f]*  /  fixed /p' >&2
  fail "files were changed; look at git diff and commit them"
fi
if [ $failures -gt 0 ]; then
  echo "check: $failures failed" >&2
  exit 1
fi
echo "check: all passed"
