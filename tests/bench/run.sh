#!/bin/bash
# tests/bench/run.sh [--seconds S] [--reps N] [NAME…]: measures the suite against bare limits in the same run and prints one
# JSON line a measurement. NAME: rpc members vouchers facts figures import; none: all. Needs what tests/run.sh installs.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/services.sh
trap stop_services EXIT
cmake --preset release -DGONGHUI_BENCH=ON >/dev/null
cmake --build build/release --target gonghui_bench gonghuid gonghui district
start_services
exec_names=() with_import=no flags=()
while [ $# -gt 0 ]; do
  case $1 in
    --seconds | --reps) flags+=("$1" "$2"); shift ;;
    import) with_import=only ;;
    *) exec_names+=("$1") ;;
  esac
  shift
done
if [ ${#exec_names[@]} -gt 0 ] || [ $with_import = no ]; then
  build/release/bin/gonghui_bench "${flags[@]}" "${exec_names[@]}"
fi
if [ $with_import = only ] || [ ${#exec_names[@]} -eq 0 ]; then
  tests/bench/import.sh
fi
