-- Employing units that pay union funds.
CREATE TABLE levy_payers (
  tenant TEXT NOT NULL,
  unit TEXT NOT NULL,
  organization TEXT NOT NULL, -- Its union, or the upper one that answers for it.
  display_name TEXT NOT NULL,
  founded_on TEXT NOT NULL, -- Empty: it has no union.
  PRIMARY KEY (tenant, unit)
);
CREATE INDEX levy_payers_by_organization ON levy_payers (tenant, organization, unit);

-- What a unit owes for a month or a quarter.
CREATE TABLE levy_obligations (
  tenant TEXT NOT NULL,
  unit TEXT NOT NULL,
  period TEXT NOT NULL,
  organization TEXT NOT NULL,
  item TEXT NOT NULL,
  first_day TEXT NOT NULL,
  last_day TEXT NOT NULL,
  payroll_fen BIGINT NOT NULL,
  rate BIGINT NOT NULL,
  relief_fen BIGINT NOT NULL,
  relief_reason TEXT NOT NULL,
  deferred_to TEXT NOT NULL,
  due_on TEXT NOT NULL, -- The later of the ordinary day and deferred_to.
  payable_fen BIGINT NOT NULL, -- Less relief.
  received_fen BIGINT NOT NULL, -- By confirmed receipts.
  PRIMARY KEY (tenant, unit, period),
  CHECK (payable_fen >= 0)
);
CREATE INDEX levy_obligations_by_organization ON levy_obligations (tenant, organization, unit, period);

CREATE TABLE levy_reminders (
  tenant TEXT NOT NULL,
  reminder_id TEXT NOT NULL,
  unit TEXT NOT NULL,
  period TEXT NOT NULL,
  organization TEXT NOT NULL,
  state BIGINT NOT NULL, -- LevyReminderState.
  issued_on TEXT NOT NULL,
  outstanding_fen BIGINT NOT NULL,
  late_fee_fen BIGINT NOT NULL,
  changed_on TEXT NOT NULL,
  remark TEXT NOT NULL,
  PRIMARY KEY (tenant, reminder_id)
);
CREATE INDEX levy_reminders_by_organization ON levy_reminders (tenant, organization, reminder_id);
CREATE INDEX levy_reminders_by_obligation ON levy_reminders (tenant, unit, period);

-- Receipts that came together. Its counts are those of its receipts.
CREATE TABLE levy_batches (
  tenant TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  organization TEXT NOT NULL,
  channel TEXT NOT NULL,
  source TEXT NOT NULL,
  undone BOOLEAN NOT NULL,
  create_time_us BIGINT NOT NULL,
  PRIMARY KEY (tenant, batch_id)
);
CREATE INDEX levy_batches_by_organization ON levy_batches (tenant, organization, create_time_us, batch_id);

-- Money that came in. The id follows from channel and serial number, so that each is there once.
CREATE TABLE levy_receipts (
  tenant TEXT NOT NULL,
  receipt_id TEXT NOT NULL,
  batch_id TEXT NOT NULL,
  owner TEXT NOT NULL, -- Organisation of the batch.
  channel TEXT NOT NULL,
  serial_no TEXT NOT NULL,
  digest TEXT NOT NULL, -- Of the row as it came.
  unit TEXT NOT NULL,
  first_day TEXT NOT NULL,
  last_day TEXT NOT NULL,
  period TEXT NOT NULL,
  payroll_fen BIGINT NOT NULL,
  rate BIGINT NOT NULL,
  due_fen BIGINT NOT NULL,
  relief_fen BIGINT NOT NULL,
  paid_fen BIGINT NOT NULL,
  received_on TEXT NOT NULL,
  ticket TEXT NOT NULL,
  item TEXT NOT NULL,
  state BIGINT NOT NULL, -- LevyReceiptState.
  exception BIGINT NOT NULL, -- LevyException.
  organization TEXT NOT NULL, -- Of the payer.
  collector TEXT NOT NULL,
  rule TEXT NOT NULL,
  voucher TEXT NOT NULL,
  settled_on TEXT NOT NULL, -- Day on which held money was shared; empty: it was not held, or still is.
  PRIMARY KEY (tenant, receipt_id),
  CHECK (paid_fen > 0)
);
CREATE INDEX levy_receipts_by_batch ON levy_receipts (tenant, batch_id, state, serial_no, receipt_id);
CREATE INDEX levy_receipts_by_owner ON levy_receipts (tenant, owner, serial_no, receipt_id);
CREATE INDEX levy_receipts_by_unit ON levy_receipts (tenant, unit, period);
CREATE INDEX levy_receipts_by_ticket ON levy_receipts (tenant, channel, ticket) WHERE ticket <> '';
CREATE INDEX levy_receipts_by_day ON levy_receipts (tenant, received_on, unit);

-- What each level gets of a confirmed receipt, and where that money is. The amounts of a receipt add up to it.
CREATE TABLE levy_shares (
  tenant TEXT NOT NULL,
  receipt_id TEXT NOT NULL,
  position BIGINT NOT NULL,
  level TEXT NOT NULL,
  organization TEXT NOT NULL, -- For whom; empty: above the root.
  share BIGINT NOT NULL, -- Ten-thousandths.
  rest BOOLEAN NOT NULL,
  amount_fen BIGINT NOT NULL,
  received_on TEXT NOT NULL,
  holder TEXT NOT NULL, -- Empty: it left the federation.
  way BIGINT NOT NULL, -- From the holder: 0 arrived, 1 up, 2 down.
  remittance_id TEXT NOT NULL, -- On its way with this one; empty: it rests.
  PRIMARY KEY (tenant, receipt_id, position),
  CHECK (amount_fen >= 0)
);
CREATE INDEX levy_shares_to_remit ON levy_shares (tenant, holder, way, remittance_id, received_on, receipt_id, position)
  WHERE way <> 0;

CREATE TABLE levy_remittances (
  tenant TEXT NOT NULL,
  remittance_id TEXT NOT NULL,
  direction BIGINT NOT NULL,
  payer TEXT NOT NULL,
  payee TEXT NOT NULL, -- Empty: above the root.
  period TEXT NOT NULL,
  state BIGINT NOT NULL, -- RemittanceState.
  amount_fen BIGINT NOT NULL,
  line_count BIGINT NOT NULL,
  sent_on TEXT NOT NULL,
  received_on TEXT NOT NULL,
  payer_voucher TEXT NOT NULL,
  payee_voucher TEXT NOT NULL,
  PRIMARY KEY (tenant, remittance_id)
);
CREATE INDEX levy_remittances_by_payer ON levy_remittances (tenant, payer, remittance_id);
CREATE INDEX levy_remittances_by_payee ON levy_remittances (tenant, payee, remittance_id);

CREATE TABLE levy_remittance_lines (
  tenant TEXT NOT NULL,
  remittance_id TEXT NOT NULL,
  receipt_id TEXT NOT NULL,
  position BIGINT NOT NULL,
  level TEXT NOT NULL,
  organization TEXT NOT NULL,
  amount_fen BIGINT NOT NULL,
  PRIMARY KEY (tenant, remittance_id, receipt_id, position)
);

CREATE TABLE levy_refunds (
  tenant TEXT NOT NULL,
  unit TEXT NOT NULL,
  year BIGINT NOT NULL,
  instalment BIGINT NOT NULL,
  payer TEXT NOT NULL, -- Who refunded.
  organization TEXT NOT NULL,
  paid_fen BIGINT NOT NULL,
  refund_fen BIGINT NOT NULL,
  on_date TEXT NOT NULL,
  rule TEXT NOT NULL,
  voucher TEXT NOT NULL,
  PRIMARY KEY (tenant, unit, year, instalment)
);

-- Series of numbered receipt forms; next is the number to hand out.
CREATE TABLE paper_series (
  tenant TEXT NOT NULL,
  series TEXT NOT NULL,
  next BIGINT NOT NULL,
  PRIMARY KEY (tenant, series)
);

CREATE TABLE paper_receipts (
  tenant TEXT NOT NULL,
  series TEXT NOT NULL,
  number BIGINT NOT NULL,
  organization TEXT NOT NULL,
  state BIGINT NOT NULL, -- PaperReceiptState.
  issued_on TEXT NOT NULL,
  changed_on TEXT NOT NULL,
  payer TEXT NOT NULL,
  amount_fen BIGINT NOT NULL,
  remark TEXT NOT NULL,
  PRIMARY KEY (tenant, series, number)
);
CREATE INDEX paper_receipts_by_organization ON paper_receipts (tenant, organization, series, number);
