-- Transactional outbox. feed_head orders sequence numbers as commits: its row is locked last in every writing
-- transaction. The event is the serialised gonghui.feed.v1.Event without federation and sequence.
CREATE TABLE feed_head (
  tenant TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  PRIMARY KEY (tenant)
);

CREATE TABLE feed (
  tenant TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  event BYTEA NOT NULL,
  PRIMARY KEY (tenant, sequence)
);

-- How far this database has followed another service's feed; written with the effect of the events.
CREATE TABLE feed_cursor (
  tenant TEXT NOT NULL,
  source TEXT NOT NULL,
  sequence BIGINT NOT NULL,
  PRIMARY KEY (tenant, source)
);
