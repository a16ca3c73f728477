-- Federations whose facts have been taken over. The row is written first in every transaction that changes cells, so
-- that such transactions follow one another; `catalogue` names the measures by which the cells were made.
CREATE TABLE tenants (
  tenant TEXT NOT NULL,
  catalogue TEXT NOT NULL,
  applied BIGINT NOT NULL,
  PRIMARY KEY (tenant)
);

-- The paths to the root under which an organisation's facts are rolled up: one row per span of time, beginning on
-- valid_from (empty: since ever). `path` lists ids, the organisation first, the root last, separated by "/".
CREATE TABLE placements (
  tenant TEXT NOT NULL,
  organization TEXT NOT NULL,
  valid_from TEXT NOT NULL,
  path TEXT NOT NULL,
  PRIMARY KEY (tenant, organization, valid_from)
);
