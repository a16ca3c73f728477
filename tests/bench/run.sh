#!/bin/bash
# tests/bench/run.sh [--full] [--seconds S] [--reps N] [NAME…]: measures the suite against bare limits in the same run and
# prints one JSON line a measurement. NAME: rpc members vouchers facts figures columns city live import; none: all. --full:
# columns and city with ten million facts. Needs what tests/run.sh installs; fetches DuckDB, the peer of columns and city,
# from npm.
set -euo pipefail
cd "$(dirname "$0")/../.."
. deploy/packages.sh
. tests/services.sh
trap stop_services EXIT
names=() flags=() import=no
while [ $# -gt 0 ]; do
  case $1 in
    --seconds | --reps) flags+=("$1" "$2"); shift ;;
    --help | -h) sed -n '2,5s/^# //p' "$0"; exit 0 ;;
    --full) flags+=(--full) ;;
    import) import=only ;;
    *) names+=("$1") ;;
  esac
  shift
done
[ ${#names[@]} -gt 0 ] || [ $import = only ] || import=yes
cmake --preset release >/dev/null
cmake --build build/release --parallel "$(build_jobs)" --target gonghui_bench gonghuid gonghui district >&2
bin=$PWD/build/release/bin

# The main job's files through the command line, against bare sqlite3 inserts of the rows that it left behind.
bench_import() {
  local folder port rows start rate
  folder=$(mktemp -d /tmp/gonghui-bench-import.XXXXXX)
  "$bin/district" --seed 2020 --out "$folder/files" >&2
  rows=$(tail -q -n +2 "$folder"/files/*.csv | wc -l)
  "$bin/gonghuid" --dev --data "$folder/data" --listen 127.0.0.1:0 --http-port -1 --ops-port -1 \
    --port-file "$folder/port" 2>"$folder/log" &
  local server=$!
  while [ ! -s "$folder/port" ]; do sleep 0.1; done
  port=$(cat "$folder/port")
  "$bin/gonghui" token --dev --data "$folder/data" --federation demo --role admin --org '*' --out "$folder/token" >&2
  export GONGHUI_SERVER=127.0.0.1:$port GONGHUI_TOKEN_FILE=$folder/token GONGHUI_FEDERATION=demo
  "$bin/gonghui" federation create demo --name bench >&2
  start=$(date +%s%N)
  "$bin/gonghui" import-dir "$folder/files" >"$folder/import.log" 2>&1
  rate=$((rows * 1000000000 / ($(date +%s%N) - start)))
  kill "$server"
  wait "$server" 2>/dev/null || :
  "$bin/gonghui_bench" raw "$folder/data" "$rate"
  rm -rf "$folder"
}

if [ $import = yes ] || [[ " ${names[*]} " =~ \ (columns|city)\  ]]; then
  [ -d tests/bench/node_modules/@duckdb ] ||
    npm install --prefix tests/bench --no-save --ignore-scripts --no-audit --no-fund >&2
fi
if [ ${#names[@]} -gt 0 ] || [ $import = yes ]; then
  start_services
  "$bin/gonghui_bench" "${flags[@]}" "${names[@]}"
fi
[ $import = no ] || bench_import
