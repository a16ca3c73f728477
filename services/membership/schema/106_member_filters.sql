CREATE TABLE member_filters (
  tenant TEXT NOT NULL,
  filter_id TEXT NOT NULL,
  organization TEXT NOT NULL,
  title TEXT NOT NULL,
  content BYTEA NOT NULL, -- MemberFilter, without name_query.
  actor TEXT NOT NULL,
  create_time_us BIGINT NOT NULL,
  PRIMARY KEY (tenant, filter_id)
);
CREATE INDEX member_filters_organization ON member_filters (tenant, organization, title);
