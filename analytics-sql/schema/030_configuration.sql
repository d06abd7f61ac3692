-- What the machines are set up as. Every event stays, keyed by its ULID; the newest is chosen when read, so a replay
-- in any order ends in the same place.
CREATE TABLE IF NOT EXISTS mtc.machines
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    event_id String,
    name String,
    deleted Bool
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant_id, machine_id, event_id);

ALTER TABLE mtc.machines ADD COLUMN IF NOT EXISTS machine_group String AFTER name;

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.machines_v3_mv TO mtc.machines AS
SELECT
    tenantid AS tenant_id,
    subject AS machine_id,
    id AS event_id,
    data.machine.name AS name,
    data.machine.`group` AS machine_group,
    data.machine.deleted AS deleted
FROM mtc.entries_in
WHERE type = 'mtc.machine.v1';

CREATE TABLE IF NOT EXISTS mtc.calendars
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    event_id String,
    calendar Tuple(
        timezone String,
        zone Tuple(local_from_s Array(Int64), offset_s Array(Int64)),
        shifts Tuple(
            weekday Array(UInt8),
            date Array(Date32),
            name Array(String),
            start_s Array(Int64),
            end_s Array(Int64),
            break_start_s Array(Array(Int64)),
            break_end_s Array(Array(Int64))),
        exception_dates Array(Date32))
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant_id, machine_id, event_id);

ALTER TABLE mtc.calendars ADD COLUMN IF NOT EXISTS valid_from_us Int64;

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.calendars_v3_mv TO mtc.calendars AS
SELECT
    tenantid AS tenant_id,
    subject AS machine_id,
    id AS event_id,
    data.calendar AS calendar,
    data.valid_from_us AS valid_from_us
FROM mtc.entries_in
WHERE type = 'mtc.calendar.v1';

CREATE TABLE IF NOT EXISTS mtc.cycle_times
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    event_id String,
    part Array(String),
    valid_from_us Array(Int64),
    ideal_cycle_s Array(Float64)
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant_id, machine_id, event_id);

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.cycle_times_v2_mv TO mtc.cycle_times AS
SELECT
    tenantid AS tenant_id,
    subject AS machine_id,
    id AS event_id,
    data.cycle_times.part AS part,
    data.cycle_times.valid_from_us AS valid_from_us,
    data.cycle_times.ideal_cycle_s AS ideal_cycle_s
FROM mtc.entries_in
WHERE type = 'mtc.cycle_times.v1';

CREATE TABLE IF NOT EXISTS mtc.policies
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    event_id String,
    unknown LowCardinality(String),
    reasons Map(String, String),
    minor_stop_s Float64
)
ENGINE = ReplacingMergeTree
ORDER BY (tenant_id, machine_id, event_id);

-- 0: there is none.
ALTER TABLE mtc.policies ADD COLUMN IF NOT EXISTS target_oee Float64;

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.policies_v3_mv TO mtc.policies AS
SELECT
    tenantid AS tenant_id,
    subject AS machine_id,
    id AS event_id,
    data.policy.unknown AS unknown,
    data.policy.reasons AS reasons,
    data.policy.minor_stop_s AS minor_stop_s,
    data.policy.target_oee AS target_oee
FROM mtc.entries_in
WHERE type = 'mtc.policy.v1';
