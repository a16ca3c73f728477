# shellcheck shell=bash
# Sourced by tests/run.sh and tests/bench/run.sh: a PostgreSQL cluster and a Redis server of the tests' own, on free
# loopback ports, under a temporary folder.
#
#   start_services   starts both and exports GONGHUI_TEST_PG (URL) and GONGHUI_TEST_REDIS (HOST:PORT)
#   stop_services    ends both and removes the folder; call it in an EXIT trap

services_dir='' postgres_pid='' redis_pid=''

free_port() {
  local port
  while :; do
    port=$((RANDOM % 20000 + 20000))
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || break
  done
  echo "$port"
}

# PostgreSQL refuses to run as root.
as_postgres() {
  if [ "$(id -u)" = 0 ]; then
    exec setpriv --reuid=postgres --regid=postgres --clear-groups "$@"
  fi
  exec "$@"
}

start_services() {
  local bin=/usr/lib/postgresql/15/bin port password tries
  services_dir=$(mktemp -d /tmp/gonghui-services.XXXXXX)
  chmod 755 "$services_dir"
  mkdir "$services_dir/postgres" "$services_dir/redis"
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  printf '%s\n' "$password" >"$services_dir/password"
  if [ "$(id -u)" = 0 ]; then chown postgres "$services_dir/postgres" "$services_dir/password"; fi
  chmod 600 "$services_dir/password"
  (cd "$services_dir" && as_postgres "$bin/initdb" -D "$services_dir/postgres" -U gonghui -E UTF8 --locale=C.UTF-8 \
    --auth=scram-sha-256 --pwfile="$services_dir/password") >"$services_dir/initdb.log" 2>&1 || {
    cat "$services_dir/initdb.log" >&2
    return 1
  }
  port=$(free_port)
  (cd "$services_dir" && as_postgres "$bin/postgres" -D "$services_dir/postgres" -p "$port" \
    -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200) \
    >"$services_dir/postgres.log" 2>&1 &
  postgres_pid=$!
  export GONGHUI_TEST_PG="postgres://gonghui:$password@127.0.0.1:$port/postgres"
  port=$(free_port)
  redis-server --port "$port" --bind 127.0.0.1 --save '' --appendonly no --dir "$services_dir/redis" \
    >"$services_dir/redis.log" 2>&1 &
  redis_pid=$!
  export GONGHUI_TEST_REDIS="127.0.0.1:$port"
  for ((tries = 0; tries < 300; tries++)); do
    if "$bin/pg_isready" -q -d "$GONGHUI_TEST_PG" && redis-cli -p "$port" ping >/dev/null 2>&1; then return 0; fi
    sleep 0.1
  done
  cat "$services_dir/postgres.log" "$services_dir/redis.log" >&2
  echo "PostgreSQL or Redis did not start within 30 s" >&2
  return 1
}

stop_services() {
  [ -z "$postgres_pid" ] || kill -INT "$postgres_pid" 2>/dev/null || :
  [ -z "$redis_pid" ] || kill "$redis_pid" 2>/dev/null || :
  wait 2>/dev/null || :
  postgres_pid='' redis_pid=''
  [ -z "$services_dir" ] || rm -rf "$services_dir"
}
