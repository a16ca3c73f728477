-- What changes of a book. One row per book: whoever posts writes it, so it orders everything that is posted in a book.
CREATE TABLE book_states (
  tenant TEXT NOT NULL,
  book_id TEXT NOT NULL,
  sequence BIGINT NOT NULL, -- Of the last voucher.
  hash TEXT NOT NULL, -- Of the chain up to it: SM3 in hex; empty before the first.
  soft_closed_through TEXT NOT NULL, -- Month; empty: none.
  hard_closed_through TEXT NOT NULL,
  people BIGINT NOT NULL, -- How many a voucher of a person needs.
  controlled BOOLEAN NOT NULL, -- Restricted funds or budget lines have to be looked at.
  PRIMARY KEY (tenant, book_id)
);
INSERT INTO book_states (tenant, book_id, sequence, hash, soft_closed_through, hard_closed_through, people, controlled)
  SELECT tenant, book_id, 0, '', '', '', 1, FALSE FROM books;

-- Place in the book's chain, the bytes that were hashed, and the hash of the chain up to here. 0 only until the service
-- starts for the first time after this change.
ALTER TABLE vouchers ADD COLUMN sequence BIGINT NOT NULL DEFAULT 0;
ALTER TABLE vouchers ADD COLUMN canonical BYTEA;
ALTER TABLE vouchers ADD COLUMN hash TEXT NOT NULL DEFAULT '';
ALTER TABLE vouchers ADD COLUMN attachments TEXT NOT NULL DEFAULT ''; -- Digests, with commas between.
ALTER TABLE vouchers ADD COLUMN restates TEXT NOT NULL DEFAULT ''; -- Closed month that it puts right.
ALTER TABLE vouchers ADD COLUMN closing BOOLEAN NOT NULL DEFAULT FALSE; -- Carries a month or year forward.
ALTER TABLE vouchers ADD COLUMN maker TEXT NOT NULL DEFAULT '';
ALTER TABLE vouchers ADD COLUMN checker TEXT NOT NULL DEFAULT '';
ALTER TABLE vouchers ADD COLUMN poster TEXT NOT NULL DEFAULT '';
CREATE UNIQUE INDEX vouchers_by_sequence ON vouchers (tenant, book_id, sequence) WHERE sequence > 0;

-- "key=value;key=value" by key. What carries a period forward has the key "closing".
ALTER TABLE entries ADD COLUMN dimensions TEXT NOT NULL DEFAULT '';

-- Sums of the entries of an account, month and dimensions, kept in the posting transaction.
CREATE TABLE account_sums (
  tenant TEXT NOT NULL,
  book_id TEXT NOT NULL,
  account TEXT NOT NULL,
  month TEXT NOT NULL,
  dimensions TEXT NOT NULL,
  debit_fen BIGINT NOT NULL,
  credit_fen BIGINT NOT NULL,
  PRIMARY KEY (tenant, book_id, account, month, dimensions),
  CHECK (debit_fen BETWEEN -9000000000000000000 AND 9000000000000000000),
  CHECK (credit_fen BETWEEN -9000000000000000000 AND 9000000000000000000)
);
INSERT INTO account_sums (tenant, book_id, account, month, dimensions, debit_fen, credit_fen)
  SELECT tenant, book_id, account, month, '', debit_fen, credit_fen FROM account_months;
DROP TABLE account_months;

-- Papers behind vouchers, by the SM3 of their bytes.
CREATE TABLE attachments (
  tenant TEXT NOT NULL,
  book_id TEXT NOT NULL,
  digest TEXT NOT NULL,
  file_name TEXT NOT NULL,
  media_type TEXT NOT NULL,
  content BYTEA NOT NULL,
  create_time_us BIGINT NOT NULL,
  PRIMARY KEY (tenant, book_id, digest)
);

-- Signed heads: what stood in a book up to a moment (proto proof.proto, Head). Rows never change.
CREATE TABLE ledger_heads (
  tenant TEXT NOT NULL,
  book_id TEXT NOT NULL,
  head BIGINT NOT NULL, -- From 1 without gaps.
  first_sequence BIGINT NOT NULL,
  last_sequence BIGINT NOT NULL,
  content BYTEA NOT NULL, -- The bytes that were signed.
  signature BYTEA NOT NULL,
  anchored BOOLEAN NOT NULL, -- Written to the anchor.
  PRIMARY KEY (tenant, book_id, head)
);
CREATE INDEX ledger_heads_unanchored ON ledger_heads (tenant, book_id, head) WHERE anchored = FALSE;
CREATE INDEX ledger_heads_by_sequence ON ledger_heads (tenant, book_id, last_sequence);
