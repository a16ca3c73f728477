-- Spreads a database over the nodes of a Citus cluster: tables are distributed and co-located by tenant, the federation,
-- so that whatever one federation does stays on one node. Run by `gonghuid --migrate distribute` after the migrations, on
-- the coordinator only; running it again does what is left. Plain PostgreSQL and SQLite have the same tables without it.
DO $$
DECLARE
  one RECORD;
  beside TEXT;
BEGIN
  SET LOCAL citus.multi_shard_modify_mode = 'sequential';
  FOR one IN
    SELECT c.oid, c.relname
    FROM pg_class AS c
    WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind = 'r' AND c.relname <> 'schema_migrations'
      AND NOT EXISTS (SELECT 1 FROM pg_dist_partition AS p WHERE p.logicalrelid = c.oid)
    ORDER BY c.relname
  LOOP
    SELECT MIN(p.logicalrelid::TEXT) INTO beside FROM pg_dist_partition AS p WHERE p.partmethod = 'h';
    PERFORM create_distributed_table(one.relname::TEXT, 'tenant', colocate_with => COALESCE(beside, 'default'));
  END LOOP;
END
$$;
