-- Federations: one row a tenant.
CREATE TABLE federations (
  tenant TEXT NOT NULL,
  display_name TEXT NOT NULL,
  create_time_us BIGINT NOT NULL,
  PRIMARY KEY (tenant)
);

-- One row a federation, changed by every write to its tree: orders the writers, numbers the versions and keeps
-- recording times rising.
CREATE TABLE organization_heads (
  tenant TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  recorded_us BIGINT NOT NULL,
  PRIMARY KEY (tenant)
);

-- What held over [valid_from, valid_to) and was believed over [recorded_from_us, recorded_to_us). The only change ever made to a
-- row is to end its belief, which also gives it a new sequence number.
CREATE TABLE organization_versions (
  tenant TEXT NOT NULL,
  version_id TEXT NOT NULL,
  id TEXT NOT NULL,
  parent TEXT NOT NULL,
  display_name TEXT NOT NULL,
  kind TEXT NOT NULL,
  union_type TEXT NOT NULL,
  industry TEXT NOT NULL,
  credit_code TEXT NOT NULL,
  employees BIGINT NOT NULL,
  founded_on TEXT NOT NULL,
  state TEXT NOT NULL,
  valid_from TEXT NOT NULL,
  valid_to TEXT NOT NULL,
  recorded_from_us BIGINT NOT NULL,
  recorded_to_us BIGINT NOT NULL,
  sequence BIGINT NOT NULL,
  PRIMARY KEY (tenant, version_id)
);
CREATE UNIQUE INDEX organization_versions_sequence ON organization_versions (tenant, sequence);
CREATE INDEX organization_versions_id ON organization_versions (tenant, id, valid_from);

-- One row a person with the latest membership. id_sealed and phone_sealed are encrypted; id_index is the keyed hash of the number.
CREATE TABLE members (
  tenant TEXT NOT NULL,
  member_id TEXT NOT NULL,
  organization TEXT NOT NULL,
  full_name TEXT NOT NULL,
  id_type TEXT NOT NULL,
  id_index TEXT NOT NULL,
  id_sealed BYTEA NOT NULL,
  sex TEXT NOT NULL,
  birth_date TEXT NOT NULL,
  phone_sealed BYTEA NOT NULL,
  employment TEXT NOT NULL,
  education TEXT NOT NULL,
  skill_level TEXT NOT NULL,
  political_status TEXT NOT NULL,
  job TEXT NOT NULL,
  worker_group TEXT NOT NULL,
  migrant_worker BOOLEAN NOT NULL,
  joined_on TEXT NOT NULL,
  left_on TEXT NOT NULL,
  leave_reason TEXT NOT NULL,
  state TEXT NOT NULL,
  version BIGINT NOT NULL,
  create_time_us BIGINT NOT NULL,
  PRIMARY KEY (tenant, member_id)
);
CREATE UNIQUE INDEX members_id_index ON members (tenant, id_index);
CREATE INDEX members_organization ON members (tenant, organization, member_id);

-- Memberships that ended before the one in `members` began, numbered from 1.
CREATE TABLE past_memberships (
  tenant TEXT NOT NULL,
  member_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  organization TEXT NOT NULL,
  joined_on TEXT NOT NULL,
  left_on TEXT NOT NULL,
  leave_reason TEXT NOT NULL,
  PRIMARY KEY (tenant, member_id, seq)
);
CREATE INDEX past_memberships_organization ON past_memberships (tenant, organization, left_on);
