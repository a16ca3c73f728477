-- The second line of an organisation: an industry union; empty: none.
ALTER TABLE organization_versions ADD COLUMN affiliated_to TEXT NOT NULL DEFAULT '';
CREATE INDEX organization_versions_parent ON organization_versions (tenant, parent, recorded_to_us, id);

-- Where a merged or split organisation went, and since when this is believed.
CREATE TABLE organization_successors (
  tenant TEXT NOT NULL,
  organization TEXT NOT NULL,
  reorganization_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  successor TEXT NOT NULL,
  on_date TEXT NOT NULL,
  recorded_from_us BIGINT NOT NULL,
  recorded_to_us BIGINT NOT NULL,
  PRIMARY KEY (tenant, organization, reorganization_id, seq)
);
CREATE INDEX organization_successors_reorganization
  ON organization_successors (tenant, reorganization_id);

CREATE TABLE reorganizations (
  tenant TEXT NOT NULL,
  reorganization_id TEXT NOT NULL,
  state TEXT NOT NULL, -- planned, applied, reverted.
  version BIGINT NOT NULL,
  caller TEXT NOT NULL,
  create_time_us BIGINT NOT NULL,
  apply_time_us BIGINT NOT NULL,
  revert_time_us BIGINT NOT NULL,
  content BYTEA NOT NULL, -- Reorganization: title, steps, organizations and counts.
  tree BYTEA NOT NULL, -- ListReorganizationEffectsResponse: versions ended and begun.
  PRIMARY KEY (tenant, reorganization_id)
);

-- What a reorganisation is about, one row each, in the order in which the effects are listed.
CREATE TABLE reorganization_effects (
  tenant TEXT NOT NULL,
  reorganization_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  subject TEXT NOT NULL, -- organization, reference (named, not changed), member, register.
  id TEXT NOT NULL,
  seen BIGINT NOT NULL, -- Version that was changed; of an organisation the largest sequence, 0 if new.
  effects BYTEA NOT NULL, -- ListReorganizationEffectsResponse: facts and successions.
  undo TEXT NOT NULL, -- JSON: what it was before and after; empty of a reference.
  PRIMARY KEY (tenant, reorganization_id, seq)
);
CREATE INDEX reorganization_effects_subject
  ON reorganization_effects (tenant, subject, id, reorganization_id);
