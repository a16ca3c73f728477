#!/bin/bash
# monitoring_test.sh GONGHUID - the alert rules do what they say (promtool), and every metric, label, service and method
# that rules and dashboard name is one that a running gonghuid has. Needs promtool (package prometheus).
set -euo pipefail
gonghuid=$(realpath "$1")
cd "$(dirname "$0")/../.."
files=(deploy/monitoring/alerts.yaml deploy/monitoring/alerts_test.yaml deploy/monitoring/dashboard.json)

failures=0
fail() {
  echo "monitoring_test: $*" >&2
  failures=$((failures + 1))
}

promtool check rules deploy/monitoring/alerts.yaml
promtool check config deploy/monitoring/prometheus.yaml >/dev/null
promtool test rules deploy/monitoring/alerts_test.yaml
while read -r alert; do
  grep -q "alertname: $alert\$\|alertname=\"$alert\", alertstate" deploy/monitoring/alerts_test.yaml || fail "alerts_test.yaml does not fire $alert"
done < <(sed -n 's/^ *- alert: \([A-Za-z]*\).*/\1/p' deploy/monitoring/alerts.yaml)

dir=$(mktemp -d /tmp/gonghui-monitoring.XXXXXX)
server=''
end() {
  [ -z "$server" ] || { kill "$server" 2>/dev/null && wait "$server"; } || :
  rm -rf "$dir"
}
trap end EXIT
# The dashboard's expressions are valid: each as a rule, with its variables filled in. JSON strings are YAML strings.
# shellcheck disable=SC2016 # Variables of Grafana.
{
  printf 'groups:\n  - name: dashboard\n    rules:\n'
  sed -n 's/^ *"expr": \("\(.*\)"\),\{0,1\}$/\1/p' deploy/monitoring/dashboard.json |
    sed 's/\$__rate_interval/5m/g; s/\$component/.*/g; s/\$service/.*/g' | nl -w1 -s' ' |
    sed 's/^\([0-9]*\) \(.*\)$/      - {record: "dashboard:\1", expr: \2}/'
} >"$dir/dashboard.yaml"
grep -q 'dashboard:10"' "$dir/dashboard.yaml" || fail "found no expressions in dashboard.json"
promtool check rules "$dir/dashboard.yaml"

"$gonghuid" --dev --data "$dir/data" --listen 127.0.0.1:0 --http-port 0 --ops-port 0 --redis 127.0.0.1:1 --port-file "$dir/port" >"$dir/log" 2>&1 &
server=$!
for ((tries = 0; tries < 300; tries++)); do
  [ ! -s "$dir/port" ] || break
  kill -0 "$server" 2>/dev/null || { cat "$dir/log" >&2; exit 1; }
  sleep 0.1
done
port_of() { sed -n "s/.*\"event\":\"ready\".*\"$1\":\([0-9]*\).*/\1/p" "$dir/log"; }
fetch() { # PORT PATH: body of the answer.
  exec 3<>"/dev/tcp/127.0.0.1/$1"
  printf 'GET %s HTTP/1.0\r\nConnection: close\r\n\r\n' "$2" >&3
  sed '1,/^\r$/d' <&3
  exec 3>&-
}
fetch "$(port_of http_port)" /v1/federations/none >/dev/null # A call, so that calls are counted.
fetch "$(port_of ops_port)" /metrics >"$dir/metrics"
"$gonghuid" --probe "127.0.0.1:$(<"$dir/port")" || fail "the server is not seen to live"
"$gonghuid" --probe "http://127.0.0.1:$(port_of ops_port)/readyz" || fail "the server is not seen to be ready"
! "$gonghuid" --probe 127.0.0.1:1 2>/dev/null || fail "nobody is seen to live"
(ulimit -n 512 && ! "$gonghuid" --dev --data "$dir/none" 2>&1) | grep -q 'may open 512 files' || fail "starts with 512 descriptors"

# NAME LABELS of every series of a metrics text, labels sorted and without those that the collector adds.
series() {
  sed -nE 's/^(gonghui_[a-z_]+)(\{([^}]*)\})?( .*)?$/\1 \3/p' | sed -E 's/="[^"]*"//g; s/, ?/ /g' | while read -r name labels; do
    # shellcheck disable=SC2086,SC2046 # words
    echo "$name" $(printf '%s\n' $labels | grep -vxE 'component|instance' | sort)
  done | sort -u
}
series <"$dir/metrics" >"$dir/exported"
grep -q '^gonghui_rpc_seconds_bucket code le method service$' "$dir/exported" || fail "no call was counted"
while read -r name; do
  grep -qE "^$name( |\$)" "$dir/exported" || fail "gonghuid exports no metric $name"
done < <(grep -ohE '\bgonghui_[a-z0-9_]+' "${files[@]}" | sort -u)
sed -n "s/.*series: '\(gonghui_[^']*\)'.*/\1/p" deploy/monitoring/alerts_test.yaml | series >"$dir/supposed"
while read -r line; do
  grep -qxF "$line" "$dir/exported" || fail "alerts_test.yaml has labels that gonghuid does not export: $line"
done <"$dir/supposed"

while read -r service; do
  area=${service#gonghui.} area=${area%%.*}
  grep -qE "^service ${service##*.} " -r "proto/gonghui/$area/v1" || fail "no service $service"
done < <(grep -ohE 'service=\\?"gonghui[^"\\]*' "${files[@]}" | sed 's/.*"//' | sort -u)
while read -r method; do
  grep -qE "^ *rpc $method\(" -r proto || fail "no method $method"
done < <(grep -ohE 'method=~?\\?"[A-Z][^"\\]*' "${files[@]}" | sed 's/.*"//' | tr '|' '\n' | sort -u)

[ $failures = 0 ] || exit 1
echo "monitoring_test: $(wc -l <"$dir/exported") kinds of series exported, all names in use exist"
