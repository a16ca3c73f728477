-- Bank accounts, from records of the kind bank_account. Whoever changes lines, matches or reconciliations of an account
-- writes its row: of two transactions that do so at once, one runs again.
CREATE TABLE bank_accounts (
  tenant TEXT NOT NULL,
  account_id TEXT NOT NULL, -- Number of the record.
  organization TEXT NOT NULL,
  book_id TEXT NOT NULL,
  account TEXT NOT NULL, -- In the book's chart, with its details.
  dimension TEXT NOT NULL, -- Empty: all entries of the account.
  dimension_value TEXT NOT NULL,
  opened_on TEXT NOT NULL,
  closed_on TEXT NOT NULL, -- Empty: open.
  reconciled_through TEXT NOT NULL, -- Month; empty: none.
  changes BIGINT NOT NULL,
  PRIMARY KEY (tenant, account_id)
);
CREATE INDEX bank_accounts_by_organization ON bank_accounts (tenant, organization, account_id);
CREATE INDEX bank_accounts_by_book ON bank_accounts (tenant, book_id);

-- Lines of statements. The id follows from the bank's reference, so that each is there once.
CREATE TABLE bank_lines (
  tenant TEXT NOT NULL,
  account_id TEXT NOT NULL,
  line_id TEXT NOT NULL,
  reference TEXT NOT NULL,
  on_date TEXT NOT NULL,
  amount_fen BIGINT NOT NULL, -- Above 0: came in.
  memo TEXT NOT NULL,
  counterparty TEXT NOT NULL,
  imported_by TEXT NOT NULL,
  matched_on TEXT NOT NULL, -- Day from which its match counts; empty: open.
  matched_by TEXT NOT NULL,
  unmatched_by TEXT NOT NULL, -- Who last undid a match, and why.
  unmatch_reason TEXT NOT NULL,
  PRIMARY KEY (tenant, account_id, line_id),
  CHECK (amount_fen <> 0)
);
CREATE INDEX bank_lines_by_day ON bank_lines (tenant, account_id, on_date, reference);
CREATE INDEX bank_lines_open ON bank_lines (tenant, account_id, on_date, reference) WHERE matched_on = '';

-- Entries that are a line, each of one line only.
CREATE TABLE bank_matches (
  tenant TEXT NOT NULL,
  book_id TEXT NOT NULL,
  month TEXT NOT NULL,
  number BIGINT NOT NULL,
  line BIGINT NOT NULL,
  account_id TEXT NOT NULL,
  line_id TEXT NOT NULL,
  matched_on TEXT NOT NULL, -- Of the bank line.
  PRIMARY KEY (tenant, book_id, month, number, line)
);
CREATE INDEX bank_matches_by_line ON bank_matches (tenant, account_id, line_id);

-- Balances that the bank states, at the end of a day.
CREATE TABLE bank_balances (
  tenant TEXT NOT NULL,
  account_id TEXT NOT NULL,
  on_date TEXT NOT NULL,
  balance_fen BIGINT NOT NULL,
  stated_by TEXT NOT NULL, -- Who entered it.
  PRIMARY KEY (tenant, account_id, on_date)
);

-- Confirmed months (proto bank.proto, Reconciliation). Rows never change.
CREATE TABLE bank_reconciliations (
  tenant TEXT NOT NULL,
  account_id TEXT NOT NULL,
  month TEXT NOT NULL,
  content BYTEA NOT NULL,
  PRIMARY KEY (tenant, account_id, month)
);
