-- Books, one chart of accounts each. A book never changes, except that one opened by a payment moves back its opening
-- day when an earlier payment arrives.
CREATE TABLE books (
  tenant TEXT NOT NULL,
  book_id TEXT NOT NULL,
  organization TEXT NOT NULL,
  chart TEXT NOT NULL,
  display_name TEXT NOT NULL,
  opened_on TEXT NOT NULL,
  automatic BOOLEAN NOT NULL,
  create_time_us BIGINT NOT NULL,
  PRIMARY KEY (tenant, book_id)
);
CREATE INDEX books_by_organization ON books (tenant, organization, book_id);

-- Next voucher number of a book and month.
CREATE TABLE voucher_numbers (
  tenant TEXT NOT NULL,
  book_id TEXT NOT NULL,
  month TEXT NOT NULL,
  next BIGINT NOT NULL,
  PRIMARY KEY (tenant, book_id, month)
);

-- A voucher is known by book, month and number. Rows never change, except that reversed_by is set once.
CREATE TABLE vouchers (
  tenant TEXT NOT NULL,
  book_id TEXT NOT NULL,
  month TEXT NOT NULL,
  number BIGINT NOT NULL,
  on_date TEXT NOT NULL,
  memo TEXT NOT NULL,
  -- What caused it, once per book. A record may cause several vouchers, one per posting rule (part, from 0), and when
  -- one of them is reversed and posted anew, its revision counts up.
  source TEXT NOT NULL,
  part BIGINT NOT NULL,
  revision BIGINT NOT NULL,
  -- Of date, memo and entries, where there is a source: tells a replay from another voucher.
  digest TEXT NOT NULL,
  reverses TEXT NOT NULL,
  reversed_by TEXT NOT NULL,
  create_time_us BIGINT NOT NULL,
  PRIMARY KEY (tenant, book_id, month, number)
);
CREATE UNIQUE INDEX vouchers_by_source ON vouchers (tenant, book_id, source, part, revision) WHERE source <> '';

CREATE TABLE entries (
  tenant TEXT NOT NULL,
  book_id TEXT NOT NULL,
  month TEXT NOT NULL,
  number BIGINT NOT NULL,
  line BIGINT NOT NULL,
  account TEXT NOT NULL,
  debit_fen BIGINT NOT NULL,
  credit_fen BIGINT NOT NULL,
  on_date TEXT NOT NULL,
  memo TEXT NOT NULL,
  PRIMARY KEY (tenant, book_id, month, number, line),
  CHECK ((debit_fen = 0) <> (credit_fen = 0))
);

-- Sums of the entries of an account and month, kept in the posting transaction. The bound keeps SQLite from turning a
-- sum that no longer fits into a floating-point number.
CREATE TABLE account_months (
  tenant TEXT NOT NULL,
  book_id TEXT NOT NULL,
  account TEXT NOT NULL,
  month TEXT NOT NULL,
  debit_fen BIGINT NOT NULL,
  credit_fen BIGINT NOT NULL,
  PRIMARY KEY (tenant, book_id, account, month),
  CHECK (debit_fen BETWEEN -9000000000000000000 AND 9000000000000000000),
  CHECK (credit_fen BETWEEN -9000000000000000000 AND 9000000000000000000)
);
