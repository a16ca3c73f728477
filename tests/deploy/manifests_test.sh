#!/bin/bash
# manifests_test.sh GONGHUID GONGHUI - what deploy/ says fits the programs: options and variables exist, the libraries
# that they load are in the image, the ingress names every service of the API, secrets are made by make-secrets.sh, and
# no credential stands in a file.
set -euo pipefail
gonghuid=$(realpath "$1") gonghui=$(realpath "$2")
cd "$(dirname "$0")/../.."

failures=0
fail() {
  echo "manifests_test: $*" >&2
  failures=$((failures + 1))
}
dir=$(mktemp -d /tmp/gonghui-manifests.XXXXXX)
trap 'rm -rf "$dir"' EXIT

# Options as flags (--ops-port) and as variables (GONGHUI_OPS_PORT). An unknown one stops the start.
"$gonghuid" --help | sed -n 's/^  --\([a-z-]*\).*/\1/p' >"$dir/options"
mapfile -t manifests < <(find deploy/k8s -name '*.yaml')
while read -r option; do
  grep -qxF -- "$option" "$dir/options" || fail "gonghuid has no option for $option"
done < <({
  grep -ohE '\bGONGHUI_[A-Z_]+' "${manifests[@]}" deploy/compose.yaml deploy/Dockerfile | sed 's/^GONGHUI_//' | tr 'A-Z_' 'a-z-'
  sed -n 's/^ *- --\([a-z-]*\).*/\1/p' deploy/k8s/base/service/deployment.yaml
} | sort -u)

# Secrets come from files or commands: what stands in a command line or in the environment is seen by others.
while read -r option; do
  fail "--$option takes a secret itself; name a file"
done < <(grep -E '(password|secret|token|keys?|database-url)$' "$dir/options")

# Outside, gRPC reaches every service but the feed.
grep -rhE '^(package|service) ' proto/gonghui/*/v1/*.proto | sed 's/[;{].*//' |
  awk '$1 == "package" {package = $2} $1 == "service" {print package "." $2}' | grep -v '^gonghui\.feed\.' | sort >"$dir/services"
ingress=deploy/k8s/overlays/city/ingress.yaml
sed -n 's/.*path: \/\(gonghui[^,]*\),.*name: gonghui-\([a-z]*\),.*/\1 \2/p' $ingress | sort >"$dir/routes"
while read -r service area; do
  case $service in gonghui."$area".*) ;; *) fail "$ingress sends $service to $area" ;; esac
done <"$dir/routes"
diff <(cut -d' ' -f1 "$dir/routes") "$dir/services" >&2 || fail "$ingress does not name the services of the API, one each"

# Each secret file that is mounted can be made.
deploy/make-secrets.sh "$dir/secrets"
while read -r file; do
  [ -s "$dir/secrets/$file" ] || fail "make-secrets.sh makes no $file"
done < <({
  sed -n 's/.*file: \.\/secrets\/\([^}]*\)}.*/\1/p' deploy/compose.yaml
  printf '%s\n' keys.json personal.yaml ledger.pem postgres-password
} | sort -u)
first=$(sha256sum "$dir"/secrets/*)
deploy/make-secrets.sh "$dir/secrets"
[ "$first" = "$(sha256sum "$dir"/secrets/*)" ] || fail "make-secrets.sh overwrites what was there"

# A library that the programs load comes from a package that the image installs, or that such a package needs.
mapfile -t installed < <(sed -n '/^FROM debian:12-slim/,$p' deploy/Dockerfile | grep -oE '\b(lib[a-z0-9.+-]+|ca-certificates|fonts-[a-z-]+)' | sort -u)
apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks --no-replaces --no-enhances "${installed[@]}" |
  sed -nE 's/^(\s*\|?Depends: )?([a-z0-9.+-]+)$/\2/p' | sort -u >"$dir/closure"
grep -qx libc6 "$dir/closure" || fail "apt knows no packages: apt-get update"
mapfile -t libraries < <(ldd "$gonghuid" "$gonghui" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p' | sort -u)
for library in "${libraries[@]}"; do realpath "$library"; done >"$dir/files"
{ xargs dpkg-query -S <"$dir/files" 2>/dev/null || :; } >"$dir/owners" # Where /lib is /usr/lib, some are listed as the other.
{ sed 's/^\/usr//' "$dir/files" | xargs dpkg-query -S 2>/dev/null || :; } | sed 's/: /: \/usr/' >>"$dir/owners"
while read -r file; do
  package=$(sed -n "s|^\([^:]*\):.* $file\$|\1|p" "$dir/owners" | head -n 1)
  grep -qxF -- "$package" "$dir/closure" || fail "$file of ${package:-no package} is not in the image"
done <"$dir/files"

if grep -rnE '(password|secret|token)["'\'']?[:=] *["'\'']?[A-Za-z0-9+/]{12,}|BEGIN [A-Z ]*PRIVATE KEY|://[a-z]+:[^@$]+@' deploy; then
  fail "a credential stands in a file"
fi

[ $failures = 0 ] || exit 1
echo "manifests_test: $(wc -l <"$dir/routes") services routed, $(wc -l <"$dir/options") options, $(wc -l <"$dir/closure") packages in the image"
