#!/bin/sh
# make-secrets.sh DIR [POSTGRES_HOST] - secrets of an installation, each in a file of its own, for compose and Kubernetes.
#
# Makes what is missing and never overwrites. POSTGRES_HOST (default postgres:5432) goes into the database URLs.
#   <service>-password, <service>-database-url   of membership, funds, activities, casework, reports
#   postgres-password                            of the database server's superuser
#   personal.yaml                                keys of personal data: lose it and identity numbers cannot be read again
#   ledger.pem                                   signs the heads of books: keep it, or old heads cannot be continued
#   signing-key.pem, keys.json                   a token issuer: its private key, and the public key set that services trust
# Needs openssl. Keep the folder out of version control, and signing-key.pem away from the servers.
set -eu
if [ $# -lt 1 ] || [ "$1" = --help ]; then
  sed -n '2,/^set -eu/p' "$0" | sed '$d; s/^# \{0,1\}//'
  exit 2
fi
dir=$1
host=${2:-postgres:5432}
# The folder is yours alone; the files are readable for the users that containers run as, to which they are mounted.
mkdir -p "$dir"
chmod 700 "$dir"
cd "$dir"
umask 022

[ -s postgres-password ] || openssl rand -hex 24 >postgres-password
for service in membership funds activities casework reports; do
  [ -s "$service-password" ] || openssl rand -hex 24 >"$service-password"
  [ -s "$service-database-url" ] ||
    echo "postgres://$service:$(cat "$service-password")@$host/$service" >"$service-database-url"
done
[ -s personal.yaml ] || (umask 077 && cat >personal.yaml) <<YAML
keys:
  - {id: k1, sm4_hex: '$(openssl rand -hex 16)'}
current: k1
index_hex: '$(openssl rand -hex 32)'
YAML
[ -s signing-key.pem ] || (umask 077 && openssl genpkey -algorithm ed25519 -out signing-key.pem)
[ -s ledger.pem ] || (umask 077 && openssl genpkey -algorithm ed25519 -out ledger.pem)
[ -s key-id ] || echo k1 >key-id
[ -s keys.json ] || {
  public=$(openssl pkey -in signing-key.pem -pubout -outform DER | tail -c 32 | base64 | tr -d '=\n' | tr '+/' '-_')
  printf '{"keys":[{"kty":"OKP","crv":"Ed25519","use":"sig","alg":"EdDSA","kid":"%s","x":"%s"}]}\n' "$(cat key-id)" \
    "$public" >keys.json
}
