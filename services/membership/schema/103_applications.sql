CREATE TABLE applications (
  tenant TEXT NOT NULL,
  application_id TEXT NOT NULL,
  organization TEXT NOT NULL,
  id_index TEXT NOT NULL, -- Keyed hash of the identity number.
  content BYTEA NOT NULL, -- Member, encrypted.
  applied_on TEXT NOT NULL,
  state BIGINT NOT NULL, -- ApplicationState.
  note TEXT NOT NULL,
  member_id TEXT NOT NULL,
  submit_actor TEXT NOT NULL,
  end_actor TEXT NOT NULL,
  create_time_us BIGINT NOT NULL,
  end_time_us BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (tenant, application_id)
);
-- One application of a person at a time.
CREATE UNIQUE INDEX applications_waiting ON applications (tenant, id_index) WHERE state = 1;
CREATE INDEX applications_organization ON applications (tenant, organization, application_id);

CREATE TABLE employments (
  tenant TEXT NOT NULL,
  member_id TEXT NOT NULL,
  employment_id TEXT NOT NULL,
  employer TEXT NOT NULL,
  job TEXT NOT NULL,
  employment TEXT NOT NULL,
  began_on TEXT NOT NULL,
  ended_on TEXT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (tenant, member_id, employment_id)
);
