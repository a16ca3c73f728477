#!/bin/sh
# quickstart.sh - from a bare Debian 12 to a district's half-year.
#
#   deploy/quickstart.sh [options]
#
# Installs the packages that are missing (as root, or by sudo), builds the suite, starts it on SQLite files, makes a
# district of 878 union organisations and 85,941 members with the single records of its first half of 2020, imports
# them through the public API, rolls them up and compares the figures with those that the district published. The
# report lies in var/demo/report/: summary.md, figures.csv, comparison.csv.
# Exit status 0 only when every figure is right.
#
#   --serve       keep the suite running afterwards, until Ctrl-C
#   --port P      gRPC port on 127.0.0.1; HTTP is P-1, operations P+1 (default: free ports; with --serve 8081)
#   --data DIR    folder of the databases and keys (default var/demo/data)
#   --keep-data   go on with the data of the last run: the import is replayed and nothing doubles
#   --help
set -eu

usage() { sed -n '2,/^set -eu/p' "$0" | sed '$d; s/^# \{0,1\}//'; }
die() {
  echo "quickstart: $*" >&2
  exit 2
}

serve=no port='' data='' keep=no
while [ $# -gt 0 ]; do
  case $1 in
    --serve) serve=yes ;;
    --keep-data) keep=yes ;;
    --port | --data)
      [ $# -ge 2 ] || die "$1 needs a value"
      if [ "$1" = --port ]; then port=$2; else data=$2; fi
      shift
      ;;
    --help | -h)
      usage
      exit 0
      ;;
    *) die "unknown option $1; see --help" ;;
  esac
  shift
done
case $port in *[!0-9]*) die "--port needs a number, not '$port'" ;; esac
[ -n "$port" ] || [ $serve = no ] || port=8081
[ -z "$port" ] || { [ "$port" -gt 1 ] && [ "$port" -lt 65535 ]; } || die "--port must lie between 2 and 65534"
case $data in '' | /*) ;; *) data=$PWD/$data ;; esac

cd "$(dirname "$0")/.."
. deploy/packages.sh
demo=$PWD/var/demo
data=${data:-$demo/data}
bin=$PWD/build/dev/bin
export GONGHUI_FEDERATION=demo GONGHUI_TOKEN_FILE="$demo/token"
unset GONGHUI_CONFIG GONGHUI_PROFILE

began=$(date +%s)
phase_began=$began
phase=''
now() { date +%s; }
finish_phase() {
  [ -z "$phase" ] || echo "    done in $(($(now) - phase_began)) s"
  phase_began=$(now)
}
step() {
  finish_phase
  phase=$*
  echo "==> $phase"
}

server=''
stop_server() {
  [ -n "$server" ] || return 0
  kill "$server" 2>/dev/null || :
  wait "$server" 2>/dev/null || :
  server=''
}
trap stop_server EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

step "1/6 packages"
# shellcheck disable=SC2086 # a list of names
install_packages $build_packages

step "2/6 build (the first time takes some minutes)"
mkdir -p build "$demo"
cmake --preset dev -DGONGHUI_TESTS=OFF >"$demo/cmake.log" 2>&1 || {
  tail -n 30 "$demo/cmake.log" >&2
  die "cmake failed; the whole log is $demo/cmake.log"
}
NINJA_STATUS='    [%f/%t %es] ' cmake --build build/dev --parallel "$(build_jobs)" --target gonghuid gonghui district

step "3/6 a district's records"
if [ $keep = no ] && [ -d "$data" ] && [ -n "$(ls -A "$data")" ]; then
  [ -f "$data/.quickstart" ] || die "$data holds files that are not of a quickstart; name another folder with --data"
  rm -rf "$data"
fi
mkdir -p "$data"
touch "$data/.quickstart"
rm -rf "$demo/import" "$demo/report" "$demo/receipts"
mkdir -p "$demo/report"
"$bin/district" --seed 2020 --out "$demo/import"

step "4/6 start and import"
rm -f "$demo/port"
if [ -n "$port" ]; then
  ports="--listen 127.0.0.1:$port --http-port $((port - 1)) --ops-port $((port + 1))"
else
  ports='--listen 127.0.0.1:0 --http-port 0 --ops-port 0'
fi
# shellcheck disable=SC2086 # several words
"$bin/gonghuid" --dev --data "$data" $ports --port-file "$demo/port" >"$demo/gonghuid.log" 2>&1 &
server=$!
until [ -s "$demo/port" ]; do
  kill -0 "$server" 2>/dev/null || {
    tail -n 5 "$demo/gonghuid.log" >&2
    die "gonghuid did not start; its log is $demo/gonghuid.log"
  }
  sleep 0.1
done
GONGHUI_SERVER=127.0.0.1:$(cat "$demo/port")
export GONGHUI_SERVER
echo "    gonghuid listens on $GONGHUI_SERVER, its log is $demo/gonghuid.log"
rm -f "$GONGHUI_TOKEN_FILE"
"$bin/gonghui" token --dev --data "$data" --role admin --out "$GONGHUI_TOKEN_FILE"
"$bin/gonghui" federation get demo >/dev/null 2>&1 || "$bin/gonghui" federation create demo --name 澄湖区总工会
"$bin/gonghui" import-dir "$demo/import" --receipt "$demo/receipts"
"$bin/gonghui" wait --timeout 600

step "5/6 figures and report"
"$bin/gonghui" summary --org D01 --period 2020H1 --out "$demo/report"
"$bin/gonghui" figures --org D01 --period 2020H1 --csv >"$demo/report/figures.csv"
"$bin/gonghui" verify rollups

step "6/6 comparison with the published figures"
right=yes
"$bin/district" compare tests/acceptance/district-2020H1.csv "$demo/report/comparison.csv" \
  "$bin/gonghui" figures --org D01 --csv || right=no

finish_phase
echo "==> report: $demo/report/summary.md, figures.csv, comparison.csv; $(($(now) - began)) s in all"
[ $right = yes ] || exit 1

if [ $serve = yes ]; then
  ready=$(grep -m 1 '"http_port"' "$demo/gonghuid.log" || :)
  address() { echo "$ready" | sed -n "s/.*\"$1\":\"\{0,1\}\([0-9]*\).*/127.0.0.1:\1/p"; }
  cat <<TEXT
==> serving until Ctrl-C
    gRPC        $GONGHUI_SERVER
    HTTP/JSON   http://$(address http_port)/v1/federations/demo
    operations  http://$(address ops_port)/metrics
    Try, in another terminal:
      cd $PWD
      export GONGHUI_SERVER=$GONGHUI_SERVER GONGHUI_FEDERATION=demo GONGHUI_TOKEN_FILE=$GONGHUI_TOKEN_FILE
      build/dev/bin/gonghui explain --org D01 --period 2020H1 --measure dispute_amount
TEXT
  wait "$server" || :
fi
