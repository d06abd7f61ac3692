-- What people and collectors add to the signals: reasons for stops, rejects, lots, and time known to be missing.
-- Kept for years, keyed by the event's ULID, so that the same event twice is one row.
CREATE TABLE IF NOT EXISTS mtc.downtime
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    event_id String,
    from_us Int64,
    to_us Int64,
    reason String
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant_id, machine_id, event_id);

ALTER TABLE mtc.downtime
    ADD COLUMN IF NOT EXISTS annotation_id String,
    ADD COLUMN IF NOT EXISTS note String,
    ADD COLUMN IF NOT EXISTS said_by String,
    ADD COLUMN IF NOT EXISTS deleted Bool;

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.downtime_v3_mv TO mtc.downtime AS
SELECT
    tenantid AS tenant_id,
    subject AS machine_id,
    id AS event_id,
    data.downtime.from_us AS from_us,
    data.downtime.to_us AS to_us,
    data.downtime.reason AS reason,
    data.downtime.id AS annotation_id,
    data.downtime.note AS note,
    data.downtime.by AS said_by,
    data.downtime.deleted AS deleted
FROM mtc.entries_in
WHERE type = 'mtc.downtime.v1';

-- The tree of reason codes of a tenant, and the rules by which conditions give a reason by themselves.
CREATE TABLE IF NOT EXISTS mtc.reasons
(
    tenant_id LowCardinality(String),
    event_id String,
    code Array(String),
    name Array(String),
    parent Array(String),
    treatment Array(String),
    loss Array(String),
    rule_code Array(String),
    rule_condition Array(String),
    rule_native Array(String),
    rule_machines Array(Array(String))
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant_id, event_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.reasons_v2_mv TO mtc.reasons AS
SELECT
    tenantid AS tenant_id,
    id AS event_id,
    data.reasons.code AS code,
    data.reasons.name AS name,
    data.reasons.parent AS parent,
    data.reasons.treatment AS treatment,
    data.reasons.loss AS loss,
    data.reasons.rule_code AS rule_code,
    data.reasons.rule_condition AS rule_condition,
    data.reasons.rule_native AS rule_native,
    data.reasons.rule_machines AS rule_machines
FROM mtc.entries_in
WHERE type = 'mtc.reasons.v1';

CREATE TABLE IF NOT EXISTS mtc.rejects
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    event_id String,
    ts_us Int64,
    count Int64,
    reason String
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant_id, machine_id, event_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.rejects_v2_mv TO mtc.rejects AS
SELECT
    tenantid AS tenant_id,
    subject AS machine_id,
    id AS event_id,
    data.rejects.ts_us AS ts_us,
    data.rejects.count AS count,
    data.rejects.reason AS reason
FROM mtc.entries_in
WHERE type = 'mtc.rejects.v1';

CREATE TABLE IF NOT EXISTS mtc.lots
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    event_id String,
    lot String,
    part String,
    from_us Int64,
    to_us Int64,
    order_id String
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant_id, machine_id, event_id);

ALTER TABLE mtc.lots ADD COLUMN IF NOT EXISTS to_us Int64, ADD COLUMN IF NOT EXISTS order_id String;

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.lots_v3_mv TO mtc.lots AS
SELECT
    tenantid AS tenant_id,
    subject AS machine_id,
    id AS event_id,
    data.lot.lot AS lot,
    data.lot.part AS part,
    data.lot.from_us AS from_us,
    data.lot.to_us AS to_us,
    data.lot.order_id AS order_id
FROM mtc.entries_in
WHERE type = 'mtc.lot.v1';

-- What somebody decided about a counter's leap: 'accepted', it was real, or 'refused', it was none.
CREATE TABLE IF NOT EXISTS mtc.spike_decisions
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    event_id String,
    signal LowCardinality(String),
    ts_us Int64,
    decision LowCardinality(String)
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant_id, machine_id, event_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.spike_decisions_v2_mv TO mtc.spike_decisions AS
SELECT
    tenantid AS tenant_id,
    subject AS machine_id,
    id AS event_id,
    data.spike.signal AS signal,
    data.spike.ts_us AS ts_us,
    data.spike.decision AS decision
FROM mtc.entries_in
WHERE type = 'mtc.spike.v1';

-- A gap is (machine, from_us, cause); the event that opens it and the one that closes it are two rows of one key.
CREATE TABLE IF NOT EXISTS mtc.gaps
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    from_us Int64,
    cause LowCardinality(String),
    event_id String,
    to_us Int64,
    detail String
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant_id, machine_id, from_us, cause, event_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.gaps_v2_mv TO mtc.gaps AS
SELECT
    tenantid AS tenant_id,
    subject AS machine_id,
    data.gap.from_us AS from_us,
    data.gap.cause AS cause,
    id AS event_id,
    data.gap.to_us AS to_us,
    data.gap.detail AS detail
FROM mtc.entries_in
WHERE type = 'mtc.gap.v1';
