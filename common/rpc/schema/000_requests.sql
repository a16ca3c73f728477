-- request_id -> answer, written in the transaction of the request (common/rpc/idempotency.h).
CREATE TABLE requests (
  tenant TEXT NOT NULL,
  caller TEXT NOT NULL,
  method TEXT NOT NULL,
  request_id TEXT NOT NULL,
  request_hash TEXT NOT NULL,
  response BYTEA NOT NULL,
  create_time_us BIGINT NOT NULL,
  PRIMARY KEY (tenant, caller, method, request_id)
);
