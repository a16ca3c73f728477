-- Members whose personal data was erased, and why.
CREATE TABLE member_erasures (
  tenant TEXT NOT NULL,
  member_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  document TEXT NOT NULL,
  actor TEXT NOT NULL,
  erase_time_us BIGINT NOT NULL,
  PRIMARY KEY (tenant, member_id)
);
