-- Money that may be spent for its purpose only, from records of the kind restricted_fund.
CREATE TABLE restricted_funds (
  tenant TEXT NOT NULL,
  book_id TEXT NOT NULL,
  fund TEXT NOT NULL, -- Value of the dimension "fund".
  display_name TEXT NOT NULL,
  purposes TEXT NOT NULL, -- Accounts with commas between; empty: any.
  payer TEXT NOT NULL, -- Organisation; empty: the book's.
  valid_from TEXT NOT NULL,
  valid_to TEXT NOT NULL, -- Empty: no end.
  received_fen BIGINT NOT NULL,
  spent_fen BIGINT NOT NULL,
  held_fen BIGINT NOT NULL,
  PRIMARY KEY (tenant, book_id, fund)
);

-- Approved budget lines of a book and year, from records of the kinds budget and budget_line.
CREATE TABLE budget_lines (
  tenant TEXT NOT NULL,
  book_id TEXT NOT NULL,
  year BIGINT NOT NULL,
  item TEXT NOT NULL, -- Account, with its details.
  fund TEXT NOT NULL, -- Value of a dimension; empty: any. So is unit.
  unit TEXT NOT NULL,
  amount_fen BIGINT NOT NULL,
  block BOOLEAN NOT NULL, -- Else exceeding it only warns.
  used_fen BIGINT NOT NULL,
  held_fen BIGINT NOT NULL,
  PRIMARY KEY (tenant, book_id, year, item, fund, unit)
);

-- Vouchers that wait for somebody (proto hold.proto).
CREATE TABLE holds (
  tenant TEXT NOT NULL,
  book_id TEXT NOT NULL,
  hold_id TEXT NOT NULL, -- UUIDv7: by time.
  state BIGINT NOT NULL, -- HoldState.
  source TEXT NOT NULL, -- Of the voucher.
  expire_time_us BIGINT NOT NULL,
  content BYTEA NOT NULL, -- Hold.
  PRIMARY KEY (tenant, book_id, hold_id)
);
CREATE UNIQUE INDEX holds_by_source ON holds (tenant, book_id, source) WHERE source <> '' AND state IN (1, 2);
CREATE INDEX holds_by_expiry ON holds (expire_time_us) WHERE state IN (1, 2);
