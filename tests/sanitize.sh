#!/bin/bash
# sanitize.sh - the unit and conformance tests under the sanitizers.
#
#   tests/sanitize.sh [asan | tsan] [--label unit | --label conformance]
#
# Builds the preset's test binaries in build/asan or build/tsan and runs them against a PostgreSQL cluster and a Redis
# server of their own, which it ends. Without a preset it does both, without a label both labels. Expects the packages
# that tests/run.sh installs. Every step ends with its time; the exit status is 1 when a test failed or there is any
# report, also of a child process.
#
#   asan   AddressSanitizer with leaks, and UndefinedBehaviorSanitizer; generated code is left out
#   tsan   ThreadSanitizer; first planted races must be found, and a program without a race must pass
#   --label NAME
#   --help
set -euo pipefail

presets=() labels=()
while [ $# -gt 0 ]; do
  case $1 in
    asan | tsan) presets+=("$1") ;;
    --label)
      case ${2:-} in
        unit | conformance) labels+=("$2") ;;
        *) echo "sanitize.sh: --label is unit or conformance" >&2; exit 2 ;;
      esac
      shift
      ;;
    --help | -h)
      sed -n '2,/^set -euo/p' "$0" | sed '$d; s/^# \{0,1\}//'
      exit 0
      ;;
    *) echo "sanitize.sh: unknown argument $1; see --help" >&2; exit 2 ;;
  esac
  shift
done
[ ${#presets[@]} -gt 0 ] || presets=(asan tsan)
[ ${#labels[@]} -gt 0 ] || labels=(unit conformance)

cd "$(dirname "$0")/.."
. deploy/packages.sh
. tests/services.sh

reports=$(mktemp -d /tmp/gonghui-sanitize.XXXXXX)
failures=0

finish() {
  stop_services
  rm -rf "$reports"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# step NAME COMMAND...: runs it, prints how long it took; a failure is counted and the next step goes on.
step() {
  local name=$1 start=$SECONDS result=passed
  shift
  echo "==> $name"
  "$@" || { result=FAILED; failures=$((failures + 1)); }
  echo "    $name: $result, $((SECONDS - start)) s"
  [ $result = passed ]
}

# The sanitizers read these; every process writes its reports to a file of its own.
set_options() {
  local common="log_path=$reports/report:print_stacktrace=1"
  export ASAN_OPTIONS="$common:detect_leaks=1:check_initialization_order=1:detect_stack_use_after_return=1"
  export UBSAN_OPTIONS="$common"
  export TSAN_OPTIONS="$common:ignore_noninstrumented_modules=1:history_size=5:second_deadlock_stack=1"
  TSAN_OPTIONS+=":suppressions=$PWD/tests/sanitizers/tsan-grpc.supp"
}

build() {
  local preset=$1 targets=()
  [[ " ${labels[*]} " != *' unit '* ]] || targets+=(unit_tests)
  [[ " ${labels[*]} " != *' conformance '* ]] || targets+=(conformance_tests feed_consumer)
  [ "$preset" != tsan ] || targets+=(planted_race)
  cmake --preset "$preset" >/dev/null &&
    NINJA_STATUS='    [%f/%t %es] ' cmake --build "build/$preset" --parallel "$(build_jobs)" --target "${targets[@]}"
}

# clean COMMAND...: the command succeeds and no process of it wrote a report.
clean() {
  local status=0 found
  rm -f "$reports"/*
  "$@" || { status=$?; echo "exit status $status: $*" >&2; }
  found=$(find "$reports" -type f -size +0)
  [ -n "$found" ] || return "$status"
  find "$reports" -type f -size +0 -exec cat {} + >&2
  return 1
}

# What the sanitizer must find with the product's locks, options and suppressions, and what it must not.
planted() {
  local race output
  clean build/tsan/bin/planted_race guarded || return 1
  for race in plain reader handler; do
    output=$(clean build/tsan/bin/planted_race $race 2>&1) || :
    if ! grep -q 'SUMMARY: ThreadSanitizer: data race .*planted_race' <<<"$output"; then
      printf '%s\nthe planted race "%s" was not found\n' "$output" $race >&2
      return 1
    fi
    echo "    found: $race"
  done
}

set_options
start_services
for preset in "${presets[@]}"; do
  step "$preset build" build "$preset" || continue
  if [ "$preset" = tsan ]; then step "tsan planted races" planted || :; fi
  for label in "${labels[@]}"; do
    step "$preset $label" clean "build/$preset/bin/${label}_tests" --gtest_brief=1 || :
  done
done
if [ $failures -gt 0 ]; then
  echo "sanitize: $failures failed" >&2
  exit 1
fi
echo "sanitize: all passed"
