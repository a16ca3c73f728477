-- What a member owes its union for a month.
CREATE TABLE dues_bills (
  tenant TEXT NOT NULL,
  organization TEXT NOT NULL,
  month TEXT NOT NULL,
  member TEXT NOT NULL,
  wage_fen BIGINT NOT NULL,
  standing BIGINT NOT NULL, -- DuesStanding.
  reason TEXT NOT NULL,
  payable_fen BIGINT NOT NULL,
  paid_fen BIGINT NOT NULL,
  PRIMARY KEY (tenant, organization, month, member),
  CHECK (paid_fen BETWEEN 0 AND payable_fen)
);
CREATE INDEX dues_bills_by_member ON dues_bills (tenant, organization, member, month);

CREATE TABLE dues_payments (
  tenant TEXT NOT NULL,
  payment_id TEXT NOT NULL, -- Of the call.
  organization TEXT NOT NULL,
  month TEXT NOT NULL,
  member TEXT NOT NULL,
  amount_fen BIGINT NOT NULL,
  paid_on TEXT NOT NULL,
  voucher TEXT NOT NULL,
  PRIMARY KEY (tenant, payment_id, month, member)
);
