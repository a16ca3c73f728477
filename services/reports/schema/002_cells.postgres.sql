-- Every fact as it came with the feed, kept by organisation. Never changed, never deleted.
CREATE TABLE facts (
  tenant TEXT NOT NULL,
  organization TEXT NOT NULL,
  measure TEXT NOT NULL,
  on_date TEXT NOT NULL,
  source TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  dims TEXT NOT NULL,
  subject TEXT NOT NULL,
  delta BIGINT NOT NULL,
  record TEXT NOT NULL,
  PRIMARY KEY (tenant, organization, measure, on_date, source, sequence, ordinal)
);

-- What the facts of an organisation and everything below it add up to, by month. `subject` is empty for measures that
-- add; for measures that count different subjects there is a row a subject, and value is its net number of facts.
CREATE TABLE cells (
  tenant TEXT NOT NULL,
  organization TEXT NOT NULL,
  measure TEXT NOT NULL,
  subject TEXT NOT NULL,
  dims TEXT NOT NULL,
  month TEXT NOT NULL,
  value BIGINT NOT NULL,
  records BIGINT NOT NULL,
  PRIMARY KEY (tenant, organization, measure, subject, dims, month)
);
