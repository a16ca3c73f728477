CREATE TABLE cards (
  tenant TEXT NOT NULL,
  card_id TEXT NOT NULL,
  member_id TEXT NOT NULL,
  subject TEXT NOT NULL, -- The person, as figures count it.
  sex TEXT NOT NULL,
  organization TEXT NOT NULL, -- Where it counts, and since when.
  held_from TEXT NOT NULL,
  number TEXT NOT NULL,
  medium TEXT NOT NULL,
  state BIGINT NOT NULL, -- CardState.
  applied_on TEXT NOT NULL,
  issued_on TEXT NOT NULL,
  ended_on TEXT NOT NULL,
  reason TEXT NOT NULL,
  replaces TEXT NOT NULL,
  replaced_by TEXT NOT NULL,
  create_time_us BIGINT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (tenant, card_id)
);
CREATE UNIQUE INDEX cards_number ON cards (tenant, number);
-- One valid card of a medium a member.
CREATE UNIQUE INDEX cards_valid ON cards (tenant, member_id, medium) WHERE state = 1;
CREATE INDEX cards_member ON cards (tenant, member_id, card_id);
CREATE INDEX cards_organization ON cards (tenant, organization, card_id);
