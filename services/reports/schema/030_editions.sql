-- Editions. `edition` is the gonghui.reports.v1.Edition without its name; `definitions` the MeasureCatalog it was made by.
CREATE TABLE editions (
  tenant TEXT NOT NULL,
  organization TEXT NOT NULL,
  period TEXT NOT NULL,
  basis TEXT NOT NULL,
  number BIGINT NOT NULL,
  edition BYTEA NOT NULL,
  definitions BYTEA NOT NULL,
  PRIMARY KEY (tenant, organization, period, basis, number)
);

-- The bytes of an edition, in order. Never changed, never deleted.
CREATE TABLE edition_parts (
  tenant TEXT NOT NULL,
  organization TEXT NOT NULL,
  period TEXT NOT NULL,
  basis TEXT NOT NULL,
  number BIGINT NOT NULL,
  part BIGINT NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (tenant, organization, period, basis, number, part)
);

-- What differs from the edition before: one gonghui.reports.v1.EditionChange a row, in its order. Never changed.
CREATE TABLE edition_changes (
  tenant TEXT NOT NULL,
  organization TEXT NOT NULL,
  period TEXT NOT NULL,
  basis TEXT NOT NULL,
  number BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  measure TEXT NOT NULL,
  unit TEXT NOT NULL,
  change BYTEA NOT NULL,
  PRIMARY KEY (tenant, organization, period, basis, number, ordinal)
);
