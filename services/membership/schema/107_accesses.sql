-- Who saw which member, one entry a row; rows are only ever added. digest: SM3 over the digest of the entry before and this one.
CREATE TABLE accesses (
  tenant TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  at_us BIGINT NOT NULL,
  kind BIGINT NOT NULL,
  actor TEXT NOT NULL,
  method TEXT NOT NULL,
  member_id TEXT NOT NULL,
  field TEXT NOT NULL,
  purpose TEXT NOT NULL,
  remark TEXT NOT NULL,
  times BIGINT NOT NULL,
  trace TEXT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (tenant, sequence)
);
CREATE INDEX accesses_member ON accesses (tenant, member_id, sequence);

-- The newest entry of each federation: orders the writers, and shows a cut end.
CREATE TABLE access_heads (
  tenant TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  digest TEXT NOT NULL,
  PRIMARY KEY (tenant)
);
