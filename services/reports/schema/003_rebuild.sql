-- The job that is making the federation's cells anew; empty: none. A change of the tree or of the catalogue takes the mark
-- away, and the job begins again.
ALTER TABLE tenants ADD COLUMN rebuilding TEXT NOT NULL DEFAULT '';

-- Cells on their way while a federation is rebuilt: filled from the facts that were there at the start, and by whatever
-- is taken over meanwhile.
CREATE TABLE rebuilt_cells (
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
