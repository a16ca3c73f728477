CREATE TABLE member_merges (
  tenant TEXT NOT NULL,
  merge_id TEXT NOT NULL,
  survivor TEXT NOT NULL,
  absorbed TEXT NOT NULL,
  undo BYTEA NOT NULL, -- JSON, encrypted: both records as they were.
  conflicts BYTEA NOT NULL, -- MemberMerge: the conflicts as they were answered.
  survivor_version BIGINT NOT NULL, -- As the merger left them.
  absorbed_version BIGINT NOT NULL,
  actor TEXT NOT NULL,
  create_time_us BIGINT NOT NULL,
  unmerge_time_us BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (tenant, merge_id)
);
