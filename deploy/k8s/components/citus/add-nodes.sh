#!/bin/sh
# add-nodes.sh WORKERS - tells the coordinator, in every service's database, its own name and the workers. Does nothing
# the second time.
set -eu
workers=$1
PGPASSWORD=$(cat /run/secrets/postgres-password)
export PGPASSWORD PGHOST=postgres PGUSER=gonghui PGCONNECT_TIMEOUT=10
for service in membership funds activities casework reports; do
  psql --set ON_ERROR_STOP=1 --dbname "$service" --command "SELECT citus_set_coordinator_host('citus-coordinator-0.postgres', 5432)"
  n=0
  while [ "$n" -lt "$workers" ]; do
    psql --set ON_ERROR_STOP=1 --dbname "$service" --command "SELECT citus_add_node('citus-worker-$n.citus-workers', 5432)"
    n=$((n + 1))
  done
done
