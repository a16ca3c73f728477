#!/bin/sh
# Run by the image on every node when its volume is empty: a database, a role and the extension for each service, and
# the passwords by which nodes call each other, which only superusers can read.
set -eu
for service in membership funds activities casework reports; do
  psql --set ON_ERROR_STOP=1 --set service="$service" --username "$POSTGRES_USER" --dbname postgres <<SQL
\set password \`cat /run/secrets/$service-password\`
CREATE ROLE :"service" LOGIN PASSWORD :'password';
CREATE DATABASE :"service" OWNER :"service" ENCODING 'UTF8';
REVOKE CONNECT ON DATABASE :"service" FROM PUBLIC;
\connect :"service"
CREATE EXTENSION citus;
\set admin_password \`cat /run/secrets/postgres-password\`
INSERT INTO pg_dist_authinfo (nodeid, rolename, authinfo) VALUES
  (0, :'service', 'password=' || :'password'),
  (0, current_user, 'password=' || :'admin_password');
SQL
done
