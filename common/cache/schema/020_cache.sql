-- The space of Redis that the replicas of this service use, in one row with the tenant '' (common/cache/cache.h).
CREATE TABLE cache_trips (
  tenant TEXT NOT NULL,
  trips BIGINT NOT NULL,
  redis_run TEXT NOT NULL,
  PRIMARY KEY (tenant)
);
