-- Returns: what an organisation states for a form and a period. `period_end` is the period's last day; `filed_us` the
-- first submission (0: none), by which punctuality is judged; `approvals` the levels passed; `version` makes the etag.
CREATE TABLE returns (
  tenant TEXT NOT NULL,
  form TEXT NOT NULL,
  organization TEXT NOT NULL,
  period TEXT NOT NULL,
  period_end TEXT NOT NULL,
  state BIGINT NOT NULL,
  approvals BIGINT NOT NULL,
  version BIGINT NOT NULL,
  filed_us BIGINT NOT NULL,
  submitted_by TEXT NOT NULL,
  approved_by TEXT NOT NULL,
  remark TEXT NOT NULL,
  create_time_us BIGINT NOT NULL,
  update_time_us BIGINT NOT NULL,
  PRIMARY KEY (tenant, form, organization, period)
);
CREATE INDEX returns_by_period ON returns (tenant, form, period_end, organization);

-- The present values of a return's cells, in the smallest unit of each cell. No value: blank, which is not zero.
CREATE TABLE return_cells (
  tenant TEXT NOT NULL,
  form TEXT NOT NULL,
  organization TEXT NOT NULL,
  period TEXT NOT NULL,
  cell TEXT NOT NULL,
  value BIGINT,
  reason TEXT NOT NULL,
  remark TEXT NOT NULL,
  PRIMARY KEY (tenant, form, organization, period, cell)
);

-- Everything that ever changed at a return: edits of cells, remarks, steps. Never changed, never deleted.
CREATE TABLE return_changes (
  tenant TEXT NOT NULL,
  form TEXT NOT NULL,
  organization TEXT NOT NULL,
  period TEXT NOT NULL,
  version BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  time_us BIGINT NOT NULL,
  actor TEXT NOT NULL,
  kind BIGINT NOT NULL,
  cell TEXT NOT NULL,
  old_value TEXT NOT NULL,
  new_value TEXT NOT NULL,
  remark TEXT NOT NULL,
  PRIMARY KEY (tenant, form, organization, period, version, ordinal)
);

-- Which source counts for an organisation with everything below it. `measures`, joined by blanks, empty: all; `form` empty: the facts of
-- records, else the returns of this form; `whole`: a return of the form holds everything below its organisation.
-- Months are inclusive. A withdrawn declaration stays, with the time.
CREATE TABLE coverages (
  tenant TEXT NOT NULL,
  coverage_id TEXT NOT NULL,
  organization TEXT NOT NULL,
  measures TEXT NOT NULL,
  first_month TEXT NOT NULL,
  last_month TEXT NOT NULL,
  form TEXT NOT NULL,
  whole BOOLEAN NOT NULL,
  remark TEXT NOT NULL,
  declared_by TEXT NOT NULL,
  create_time_us BIGINT NOT NULL,
  withdrawn_by TEXT NOT NULL,
  withdraw_time_us BIGINT NOT NULL,
  PRIMARY KEY (tenant, coverage_id)
);
