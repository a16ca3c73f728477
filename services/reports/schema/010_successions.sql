-- Persons whose facts go with them when an organisation is split: by the tree of on_date or later, the facts of
-- `organization` with this subject or record count for `successor`. Kept while the split holds.
CREATE TABLE successions (
  tenant TEXT NOT NULL,
  organization TEXT NOT NULL,
  subject TEXT NOT NULL,
  record TEXT NOT NULL,
  on_date TEXT NOT NULL,
  successor TEXT NOT NULL,
  PRIMARY KEY (tenant, organization, subject, record, on_date, successor)
);
