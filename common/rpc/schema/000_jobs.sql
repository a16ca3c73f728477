-- Long work (common/rpc/jobs.h). `job` is the gonghui.common.v1.Job without its name; the other columns are what is searched
-- by. A running job belongs to `worker` until `lease_until_us`; then any process may go on with it from `checkpoint`.
CREATE TABLE jobs (
  tenant TEXT NOT NULL,
  job_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  organization TEXT NOT NULL,
  state BIGINT NOT NULL,
  request BYTEA NOT NULL,
  checkpoint BYTEA NOT NULL,
  job BYTEA NOT NULL,
  worker TEXT NOT NULL,
  lease_until_us BIGINT NOT NULL,
  open BOOLEAN NOT NULL,
  PRIMARY KEY (tenant, job_id)
);
CREATE INDEX jobs_open ON jobs (lease_until_us) WHERE open;
