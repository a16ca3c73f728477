#!/bin/sh
# lint_protos.sh - buf's STANDARD rules (proto/buf.yaml) over all protos. Needs protoc, and buf from tests/package.json.
set -eu
cd "$(dirname "$0")/.."
googleapis=/usr/share/gocode/src/github.com/gogo/googleapis # package golang-github-gogo-googleapis-dev
image=$(mktemp --suffix=.binpb)
trap 'rm -f "$image"' EXIT
# shellcheck disable=SC2046 # a list of files
protoc -I proto -I "$googleapis" --include_imports --include_source_info -o "$image" \
  $(cd proto && find gonghui -name '*.proto' | sort)
tests/node_modules/.bin/buf lint "$image" --config proto/buf.yaml
