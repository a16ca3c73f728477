-- Records of catalogue-defined kinds.
CREATE TABLE records (
  tenant TEXT NOT NULL,
  record_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  organization TEXT NOT NULL,
  number TEXT NOT NULL,
  natural_key TEXT NOT NULL, -- Values of the kind's key, parted by U+001F; the id where all are empty.
  parent_id TEXT NOT NULL,
  title TEXT NOT NULL,
  on_date TEXT NOT NULL,
  ends_on TEXT NOT NULL,
  state TEXT NOT NULL,
  due_date TEXT NOT NULL,
  subject TEXT NOT NULL, -- Keyed hash of the person's identity number.
  person_mask TEXT NOT NULL,
  fields TEXT NOT NULL, -- JSON object of texts, keys sorted; the person is not among them.
  entered TEXT NOT NULL, -- JSON object: state -> date on which it was first entered by a step.
  version BIGINT NOT NULL,
  cancelled BOOLEAN NOT NULL,
  actor TEXT NOT NULL,
  create_time_us BIGINT NOT NULL,
  update_time_us BIGINT NOT NULL,
  PRIMARY KEY (tenant, record_id),
  UNIQUE (tenant, kind, natural_key)
);
CREATE INDEX records_by_date ON records (tenant, kind, on_date, record_id);
CREATE INDEX records_by_organization ON records (tenant, kind, organization, on_date, record_id);
CREATE INDEX records_by_number ON records (tenant, kind, number) WHERE number <> '';
CREATE INDEX records_by_parent ON records (tenant, parent_id, record_id) WHERE parent_id <> '';

-- How records came to their states.
CREATE TABLE record_steps (
  tenant TEXT NOT NULL,
  record_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  transition TEXT NOT NULL,
  from_state TEXT NOT NULL,
  to_state TEXT NOT NULL,
  on_date TEXT NOT NULL,
  remark TEXT NOT NULL,
  actor TEXT NOT NULL,
  create_time_us BIGINT NOT NULL,
  PRIMARY KEY (tenant, record_id, seq)
);
