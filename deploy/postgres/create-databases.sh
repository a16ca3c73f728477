#!/bin/sh
# Run by the postgres image when its volume is empty: a database and a role of its own for each service. The passwords
# are files under /run/secrets.
set -eu
for service in membership funds activities casework reports; do
  psql --set ON_ERROR_STOP=1 --set service="$service" --username "$POSTGRES_USER" --dbname postgres <<SQL
\set password \`cat /run/secrets/$service-password\`
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service" ENCODING 'UTF8';
REVOKE CONNECT ON DATABASE :"service" FROM PUBLIC;
SQL
done
