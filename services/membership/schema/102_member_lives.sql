-- The groups of a member beside worker_group, codes in order, each followed by a blank.
ALTER TABLE members ADD COLUMN group_tags TEXT NOT NULL DEFAULT '';
-- First day of the retention that lasts; empty: none.
ALTER TABLE members ADD COLUMN retained_from TEXT NOT NULL DEFAULT '';
ALTER TABLE members ADD COLUMN retain_reason TEXT NOT NULL DEFAULT '';
-- Since when the membership is continuous; empty: since joined_on.
ALTER TABLE members ADD COLUMN seniority_from TEXT NOT NULL DEFAULT '';
-- Who registered the member.
ALTER TABLE members ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
-- The name in pinyin, as it is looked for.
ALTER TABLE members ADD COLUMN name_key TEXT NOT NULL DEFAULT '';
-- The member that this record was merged into; its organization is empty then.
ALTER TABLE members ADD COLUMN merged_into TEXT NOT NULL DEFAULT '';
CREATE INDEX members_name_key ON members (tenant, name_key);

-- Retentions that ended.
CREATE TABLE member_retentions (
  tenant TEXT NOT NULL,
  member_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  retained_from TEXT NOT NULL,
  resumed_on TEXT NOT NULL,
  reason TEXT NOT NULL,
  PRIMARY KEY (tenant, member_id, seq)
);

-- Who recorded what of a member, and why; what holds is told by the memberships.
CREATE TABLE member_events (
  tenant TEXT NOT NULL,
  member_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  kind BIGINT NOT NULL, -- MemberEventKind.
  on_date TEXT NOT NULL,
  organization TEXT NOT NULL,
  from_organization TEXT NOT NULL,
  reason TEXT NOT NULL,
  document TEXT NOT NULL,
  fields TEXT NOT NULL, -- Names, separated by commas.
  actor TEXT NOT NULL,
  record_time_us BIGINT NOT NULL,
  related TEXT NOT NULL,
  PRIMARY KEY (tenant, member_id, seq)
);

CREATE TABLE transfers (
  tenant TEXT NOT NULL,
  transfer_id TEXT NOT NULL,
  member_id TEXT NOT NULL,
  source TEXT NOT NULL,
  target TEXT NOT NULL,
  started_by BIGINT NOT NULL, -- TransferSide.
  effective_on TEXT NOT NULL,
  reason TEXT NOT NULL,
  state BIGINT NOT NULL, -- TransferState; a pending one has lapsed after answer_by.
  answer_by TEXT NOT NULL,
  note TEXT NOT NULL,
  start_actor TEXT NOT NULL,
  end_actor TEXT NOT NULL,
  create_time_us BIGINT NOT NULL,
  end_time_us BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (tenant, transfer_id)
);
-- One transfer of a person at a time.
CREATE UNIQUE INDEX transfers_pending ON transfers (tenant, member_id) WHERE state = 1;
CREATE INDEX transfers_source ON transfers (tenant, source, transfer_id);
CREATE INDEX transfers_target ON transfers (tenant, target, transfer_id);
CREATE INDEX transfers_member ON transfers (tenant, member_id, transfer_id);
