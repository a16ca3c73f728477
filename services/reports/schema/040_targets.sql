-- One row a federation, written first by every transaction that changes targets, letters or appraisals, so that such
-- transactions follow one another.
CREATE TABLE target_turns (
  tenant TEXT NOT NULL,
  turn BIGINT NOT NULL,
  PRIMARY KEY (tenant)
);

-- Targets in force. `target` is the gonghui.reports.v1.Target without name and etag; target_id is made from
-- organization, measure, dimensions and period. `year`: whose letter holds it. `split_from` is the target_id of the
-- whole that it is a part of; empty: of none.
CREATE TABLE targets (
  tenant TEXT NOT NULL,
  target_id TEXT NOT NULL,
  organization TEXT NOT NULL,
  year TEXT NOT NULL,
  period TEXT NOT NULL,
  measure TEXT NOT NULL,
  dims TEXT NOT NULL,
  split_from TEXT NOT NULL,
  target BYTEA NOT NULL,
  PRIMARY KEY (tenant, target_id)
);
CREATE INDEX targets_by_unit ON targets (tenant, organization, period, measure, dims);
CREATE INDEX targets_by_whole ON targets (tenant, split_from);

-- Every version of every target, also of those taken back. Never changed, never deleted.
CREATE TABLE target_changes (
  tenant TEXT NOT NULL,
  target_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  deleted BOOLEAN NOT NULL,
  target BYTEA NOT NULL,
  PRIMARY KEY (tenant, target_id, version)
);

-- Responsibility letters. `letter` is the gonghui.reports.v1.Letter without name, content, text and etag. `state` is a
-- LetterState. Of a version that was signed nothing changes but the state.
CREATE TABLE letters (
  tenant TEXT NOT NULL,
  organization TEXT NOT NULL,
  year TEXT NOT NULL,
  version BIGINT NOT NULL,
  state BIGINT NOT NULL,
  letter BYTEA NOT NULL,
  PRIMARY KEY (tenant, organization, year, version)
);

-- Scores and marks of appraisals: one gonghui.reports.v1.Assessment a version, without etag. The highest version is in
-- force. Never changed, never deleted.
CREATE TABLE assessments (
  tenant TEXT NOT NULL,
  organization TEXT NOT NULL,
  scheme TEXT NOT NULL,
  period TEXT NOT NULL,
  item TEXT NOT NULL,
  kind BIGINT NOT NULL,
  version BIGINT NOT NULL,
  assessment BYTEA NOT NULL,
  PRIMARY KEY (tenant, organization, scheme, period, item, kind, version)
);

-- Frozen results: the bytes of a gonghui.reports.v1.Appraisal, and their SM3. Never changed, never deleted.
CREATE TABLE appraisals (
  tenant TEXT NOT NULL,
  organization TEXT NOT NULL,
  scheme TEXT NOT NULL,
  period TEXT NOT NULL,
  digest TEXT NOT NULL,
  appraisal BYTEA NOT NULL,
  PRIMARY KEY (tenant, organization, scheme, period)
);
