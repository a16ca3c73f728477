-- Who stands in which records.
CREATE INDEX records_by_subject ON records (tenant, subject) WHERE subject <> '';

-- What writers take so that they follow one another: a person, a series of numbers.
CREATE TABLE record_locks (
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  uses BIGINT NOT NULL,
  PRIMARY KEY (tenant, name)
);
