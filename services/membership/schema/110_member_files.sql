-- Files of members (imports, exports): personal data, in sealed pieces. A piece begins at this byte of its file.
CREATE TABLE sealed_pieces (
  tenant TEXT NOT NULL,
  file TEXT NOT NULL,
  begins_at BIGINT NOT NULL,
  size_bytes BIGINT NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (tenant, file, begins_at)
);

-- `content` is the gonghui.membership.v1.MemberImport without its name. Only the job that names itself in `run` goes on with it.
CREATE TABLE member_imports (
  tenant TEXT NOT NULL,
  import_id TEXT NOT NULL,
  organization TEXT NOT NULL,
  run TEXT NOT NULL,
  content BYTEA NOT NULL,
  expires_on TEXT NOT NULL,
  emptied BOOLEAN NOT NULL, -- The files are gone.
  PRIMARY KEY (tenant, import_id)
);
CREATE INDEX member_imports_organization ON member_imports (tenant, organization, import_id);
CREATE INDEX member_imports_expiry ON member_imports (tenant, expires_on) WHERE NOT emptied;

-- What is wrong with a row, each a gonghui.membership.v1.MemberImportFault without personal data; kept: why undoing left it.
CREATE TABLE member_import_faults (
  tenant TEXT NOT NULL,
  import_id TEXT NOT NULL,
  kept BOOLEAN NOT NULL,
  file_row BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (tenant, import_id, kept, file_row, seq)
);

-- The heading rows and the rejected rows of a file: sealed MemberImportRows.
CREATE TABLE member_import_rows (
  tenant TEXT NOT NULL,
  import_id TEXT NOT NULL,
  file_row BIGINT NOT NULL,
  heading BOOLEAN NOT NULL,
  sealed BYTEA NOT NULL,
  PRIMARY KEY (tenant, import_id, file_row)
);

-- The members that each step created: a MemberImportStep.
CREATE TABLE member_import_steps (
  tenant TEXT NOT NULL,
  import_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (tenant, import_id, seq)
);

-- A gonghui.membership.v1.MemberExport without its name.
CREATE TABLE member_exports (
  tenant TEXT NOT NULL,
  export_id TEXT NOT NULL,
  content BYTEA NOT NULL,
  expires_on TEXT NOT NULL,
  emptied BOOLEAN NOT NULL,
  PRIMARY KEY (tenant, export_id)
);
CREATE INDEX member_exports_expiry ON member_exports (tenant, expires_on) WHERE NOT emptied;
