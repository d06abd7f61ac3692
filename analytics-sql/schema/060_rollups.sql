-- What has changed of a machine, and from which event time on figures may differ by it: noted with every insert, so
-- that whoever rolls up knows what to do again. A row a second and machine at the most; it is looked at within seconds,
-- and dropped after two days. `last_us` is the engine's clock at the latest of the row's inserts: what was rolled up since
-- then has it, though it was in the same second. Of a row of an earlier release that is not known: the end of its second.
-- `counters_from_us` is the earliest counter value among it: such a value can make a spike of the one before it.
-- An empty machine_id is all machines of the tenant.
CREATE TABLE IF NOT EXISTS mtc.touched
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    at DateTime('UTC'),
    from_us SimpleAggregateFunction(min, Int64),
    counters_from_us SimpleAggregateFunction(min, Int64),
    last_us SimpleAggregateFunction(max, Int64) DEFAULT 1000000 * toInt64(toUnixTimestamp(at)) + 999999
)
ENGINE = AggregatingMergeTree
PARTITION BY toDate(at)
ORDER BY (tenant_id, machine_id, at)
TTL at + INTERVAL 2 DAY
SETTINGS ttl_only_drop_parts = 1;

ALTER TABLE mtc.touched ADD COLUMN IF NOT EXISTS last_us SimpleAggregateFunction(max, Int64) DEFAULT 1000000 * toInt64(toUnixTimestamp(at)) + 999999;

DROP VIEW IF EXISTS mtc.touched_by_signals_mv;

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.touched_by_signals_v2_mv TO mtc.touched AS
SELECT
    tenant_id,
    machine_id,
    now('UTC') AS at,
    min(toUnixTimestamp64Micro(ts)) AS from_us,
    min(if(startsWith(signal, 'part_count'), toUnixTimestamp64Micro(ts), 9223372036854775807)) AS counters_from_us,
    toUnixTimestamp64Micro(now64(6, 'UTC')) AS last_us
FROM mtc.signal_points
GROUP BY tenant_id, machine_id;

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.touched_by_entries_v2_mv TO mtc.touched AS
SELECT
    tenantid AS tenant_id,
    subject AS machine_id,
    now('UTC') AS at,
    min(multiIf(
        type = 'mtc.calendar.v1', data.valid_from_us,
        type = 'mtc.downtime.v1', if(data.downtime.since_us > 0, data.downtime.since_us, data.downtime.from_us),
        type = 'mtc.reasons.v1', data.reasons.since_us,
        type = 'mtc.rejects.v1', data.rejects.ts_us,
        type = 'mtc.lot.v1', data.lot.from_us,
        type = 'mtc.spike.v1', data.spike.ts_us,
        type = 'mtc.gap.v1', data.gap.from_us,
        0)) AS from_us,
    9223372036854775807 AS counters_from_us,
    toUnixTimestamp64Micro(now64(6, 'UTC')) AS last_us
FROM mtc.entries_in
WHERE type NOT IN ('mtc.observations.v1', 'mtc.machine.v1', 'mtc.asset.v1')
GROUP BY tenantid, subject;

-- How far each machine is rolled up: all of [from_us, to_us), by all that had arrived at `since_us`. Versions only rise,
-- though the clock may be set back.
-- Where more is kept of a day than before, its name changes: then all days are rolled up again.
DROP TABLE IF EXISTS mtc.rolls;

CREATE TABLE IF NOT EXISTS mtc.rolls_v2
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    version UInt64,
    since_us Int64,
    from_us Int64,
    to_us Int64
)
ENGINE = ReplacingMergeTree(version)
ORDER BY (tenant_id, machine_id);

-- The timeline of a machine's day (UTC), in pieces within which nothing changes: what states, figures and explanations
-- read. Parallel arrays, an element a piece; a day is one row, so it is replaced as a whole and at once. A day that is
-- not over holds the time until it was rolled. `version` is when that began, µs: the newest holds.
CREATE TABLE IF NOT EXISTS mtc.machine_days
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    day Date32,
    version UInt64,
    from_us Array(Int64) CODEC(Delta, ZSTD),
    to_us Array(Int64) CODEC(Delta, ZSTD),
    state Array(Enum8('UNKNOWN' = 1, 'DOWN' = 2, 'RUNNING' = 3, 'SETUP' = 4, 'STOPPED' = 5, 'IDLE' = 6)),
    cause Array(LowCardinality(String)),
    reason Array(LowCardinality(String)),
    -- The plant's clock: hours since 1970-01-01T00:00 local, and its offset from UTC in quarters of an hour.
    local_hour Array(UInt32) CODEC(Delta, ZSTD),
    offset_quarters Array(Int8),
    -- The local day on which the shift started + 1; 0 outside of shifts, 65535 without calendar.
    shift_day Array(UInt16),
    shift Array(LowCardinality(String)),
    -- In a shift and not in a break.
    scheduled Array(Bool),
    part Array(LowCardinality(String)),
    lot Array(LowCardinality(String)),
    order_id Array(LowCardinality(String)),
    -- A stop shorter than the policy's minor_stop_s, in all its length.
    minor Array(Bool),
    -- What starts with the piece, in a shift: 1 the stretch of one state and reason, 2 a failure, 4 a stop.
    starts Array(UInt8),
    -- What was counted at from_us, and the ideal cycle of the part made.
    total Array(Int64),
    reject Array(Int64),
    spikes Array(UInt16),
    resets Array(UInt16),
    ideal_us Array(Int64)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (tenant_id, day, machine_id)
SETTINGS index_granularity = 64;

-- The same without times, summed over what figures are ever cut by: what long windows read. By machine first: of a few
-- machines a year is a few rows, and of all of them a day is within one month's partition. `hour_us` is when the hour of
-- the plant's clock starts.
CREATE TABLE IF NOT EXISTS mtc.machine_hour_sums
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    day Date32,
    version UInt64,
    hour_us Array(Int64) CODEC(Delta, ZSTD),
    local_day Array(UInt16),
    shift_day Array(UInt16),
    shift Array(LowCardinality(String)),
    part Array(LowCardinality(String)),
    lot Array(LowCardinality(String)),
    order_id Array(LowCardinality(String)),
    state Array(Enum8('UNKNOWN' = 1, 'DOWN' = 2, 'RUNNING' = 3, 'SETUP' = 4, 'STOPPED' = 5, 'IDLE' = 6)),
    cause Array(LowCardinality(String)),
    reason Array(LowCardinality(String)),
    minor Array(Bool),
    from_us Array(Int64),
    to_us Array(Int64),
    length_us Array(Int64),
    scheduled_us Array(Int64),
    stretches Array(UInt32),
    failures Array(UInt32),
    stops Array(UInt32),
    total Array(Int64),
    reject Array(Int64),
    ideal_total_us Array(Int64),
    ideal_good_us Array(Int64),
    without_ideal Array(Int64),
    spikes Array(UInt32),
    resets Array(UInt32)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (tenant_id, machine_id, day)
SETTINGS index_granularity = 64;

-- The same by all but the hour.
CREATE TABLE IF NOT EXISTS mtc.machine_day_sums
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    day Date32,
    version UInt64,
    local_day Array(UInt16),
    shift_day Array(UInt16),
    shift Array(LowCardinality(String)),
    part Array(LowCardinality(String)),
    lot Array(LowCardinality(String)),
    order_id Array(LowCardinality(String)),
    state Array(Enum8('UNKNOWN' = 1, 'DOWN' = 2, 'RUNNING' = 3, 'SETUP' = 4, 'STOPPED' = 5, 'IDLE' = 6)),
    cause Array(LowCardinality(String)),
    reason Array(LowCardinality(String)),
    minor Array(Bool),
    from_us Array(Int64),
    to_us Array(Int64),
    length_us Array(Int64),
    scheduled_us Array(Int64),
    stretches Array(UInt32),
    failures Array(UInt32),
    stops Array(UInt32),
    total Array(Int64),
    reject Array(Int64),
    ideal_total_us Array(Int64),
    ideal_good_us Array(Int64),
    without_ideal Array(Int64),
    spikes Array(UInt32),
    resets Array(UInt32)
)
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (tenant_id, machine_id, day)
SETTINGS index_granularity = 64;

ALTER TABLE mtc.machine_day_sums ADD COLUMN IF NOT EXISTS hour_us Array(Int64) ALIAS arrayWithConstant(length(state), toInt64(0));

-- The same once more, by nothing but days, states and reasons: a third of the rows. Shifts, parts, lots and orders are
-- empty, and `local_day` is the day that the time belongs to.
CREATE TABLE IF NOT EXISTS mtc.machine_day_totals AS mtc.machine_day_sums
ENGINE = ReplacingMergeTree(version)
PARTITION BY toYYYYMM(day)
ORDER BY (tenant_id, machine_id, day)
SETTINGS index_granularity = 64;

ALTER TABLE mtc.machine_day_totals ADD COLUMN IF NOT EXISTS hour_us Array(Int64) ALIAS arrayWithConstant(length(state), toInt64(0));

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.machine_hour_sums_mv TO mtc.machine_hour_sums AS
SELECT
    tenant_id,
    machine_id,
    day,
    version,
    groupArray(hour_us) AS hour_us,
    groupArray(local_day) AS local_day,
    groupArray(shift_day) AS shift_day,
    groupArray(shift) AS shift,
    groupArray(part) AS part,
    groupArray(lot) AS lot,
    groupArray(order_id) AS order_id,
    groupArray(state) AS state,
    groupArray(cause) AS cause,
    groupArray(reason) AS reason,
    groupArray(minor) AS minor,
    groupArray(starts_us) AS from_us,
    groupArray(ends_us) AS to_us,
    groupArray(length_us) AS length_us,
    groupArray(scheduled_us) AS scheduled_us,
    groupArray(stretches) AS stretches,
    groupArray(failures) AS failures,
    groupArray(stops) AS stops,
    groupArray(total_count) AS total,
    groupArray(reject_count) AS reject,
    groupArray(ideal_total_us) AS ideal_total_us,
    groupArray(ideal_good_us) AS ideal_good_us,
    groupArray(without_ideal) AS without_ideal,
    groupArray(spike_count) AS spikes,
    groupArray(reset_count) AS resets
FROM
(
    SELECT
        tenant_id,
        machine_id,
        day,
        version,
        1000000 * (3600 * toInt64(piece_local_hour) - 900 * piece_offset) AS hour_us,
        toUInt16(intDiv(piece_local_hour, 24)) AS local_day,
        piece_shift_day AS shift_day,
        piece_shift AS shift,
        piece_part AS part,
        piece_lot AS lot,
        piece_order_id AS order_id,
        piece_state AS state,
        piece_cause AS cause,
        piece_reason AS reason,
        piece_minor AS minor,
        min(piece_from_us) AS starts_us,
        max(piece_to_us) AS ends_us,
        sum(piece_to_us - piece_from_us) AS length_us,
        sumIf(piece_to_us - piece_from_us, piece_scheduled) AS scheduled_us,
        toUInt32(countIf(bitAnd(piece_starts, 1) != 0)) AS stretches,
        toUInt32(countIf(bitAnd(piece_starts, 2) != 0)) AS failures,
        toUInt32(countIf(bitAnd(piece_starts, 4) != 0)) AS stops,
        sum(piece_total) AS total_count,
        sum(piece_reject) AS reject_count,
        sum(piece_total * piece_ideal_us) AS ideal_total_us,
        sum((piece_total - piece_reject) * piece_ideal_us) AS ideal_good_us,
        sumIf(abs(piece_total) + abs(piece_reject), piece_ideal_us = 0) AS without_ideal,
        toUInt32(sum(piece_spikes)) AS spike_count,
        toUInt32(sum(piece_resets)) AS reset_count
    FROM mtc.machine_days
    ARRAY JOIN
        from_us AS piece_from_us,
        to_us AS piece_to_us,
        state AS piece_state,
        cause AS piece_cause,
        reason AS piece_reason,
        local_hour AS piece_local_hour,
        offset_quarters AS piece_offset,
        shift_day AS piece_shift_day,
        shift AS piece_shift,
        scheduled AS piece_scheduled,
        part AS piece_part,
        lot AS piece_lot,
        order_id AS piece_order_id,
        minor AS piece_minor,
        starts AS piece_starts,
        total AS piece_total,
        reject AS piece_reject,
        spikes AS piece_spikes,
        resets AS piece_resets,
        ideal_us AS piece_ideal_us
    GROUP BY ALL
)
GROUP BY tenant_id, machine_id, day, version;

DROP VIEW IF EXISTS mtc.machine_day_sums_mv;

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.machine_day_sums_v2_mv TO mtc.machine_day_sums AS
SELECT
    tenant_id,
    machine_id,
    day,
    version,
    groupArray(local_day_of) AS local_day,
    groupArray(shift_day_of) AS shift_day,
    groupArray(shift_of) AS shift,
    groupArray(part_of) AS part,
    groupArray(lot_of) AS lot,
    groupArray(order_id_of) AS order_id,
    groupArray(state_of) AS state,
    groupArray(cause_of) AS cause,
    groupArray(reason_of) AS reason,
    groupArray(minor_of) AS minor,
    groupArray(starts_us) AS from_us,
    groupArray(ends_us) AS to_us,
    groupArray(length_sum_us) AS length_us,
    groupArray(scheduled_sum_us) AS scheduled_us,
    groupArray(stretch_count) AS stretches,
    groupArray(failure_count) AS failures,
    groupArray(stop_count) AS stops,
    groupArray(total_count) AS total,
    groupArray(reject_count) AS reject,
    groupArray(ideal_total_sum_us) AS ideal_total_us,
    groupArray(ideal_good_sum_us) AS ideal_good_us,
    groupArray(without_ideal_count) AS without_ideal,
    groupArray(spike_count) AS spikes,
    groupArray(reset_count) AS resets
FROM
(
    SELECT
        tenant_id,
        machine_id,
        day,
        version,
        cell_local_day AS local_day_of,
        cell_shift_day AS shift_day_of,
        cell_shift AS shift_of,
        cell_part AS part_of,
        cell_lot AS lot_of,
        cell_order_id AS order_id_of,
        cell_state AS state_of,
        cell_cause AS cause_of,
        cell_reason AS reason_of,
        cell_minor AS minor_of,
        min(cell_from_us) AS starts_us,
        max(cell_to_us) AS ends_us,
        sum(cell_length_us) AS length_sum_us,
        sum(cell_scheduled_us) AS scheduled_sum_us,
        toUInt32(sum(cell_stretches)) AS stretch_count,
        toUInt32(sum(cell_failures)) AS failure_count,
        toUInt32(sum(cell_stops)) AS stop_count,
        sum(cell_total) AS total_count,
        sum(cell_reject) AS reject_count,
        sum(cell_ideal_total_us) AS ideal_total_sum_us,
        sum(cell_ideal_good_us) AS ideal_good_sum_us,
        sum(cell_without_ideal) AS without_ideal_count,
        toUInt32(sum(cell_spikes)) AS spike_count,
        toUInt32(sum(cell_resets)) AS reset_count
    FROM mtc.machine_hour_sums
    ARRAY JOIN
        local_day AS cell_local_day,
        shift_day AS cell_shift_day,
        shift AS cell_shift,
        part AS cell_part,
        lot AS cell_lot,
        order_id AS cell_order_id,
        state AS cell_state,
        cause AS cell_cause,
        reason AS cell_reason,
        minor AS cell_minor,
        from_us AS cell_from_us,
        to_us AS cell_to_us,
        length_us AS cell_length_us,
        scheduled_us AS cell_scheduled_us,
        stretches AS cell_stretches,
        failures AS cell_failures,
        stops AS cell_stops,
        total AS cell_total,
        reject AS cell_reject,
        ideal_total_us AS cell_ideal_total_us,
        ideal_good_us AS cell_ideal_good_us,
        without_ideal AS cell_without_ideal,
        spikes AS cell_spikes,
        resets AS cell_resets
    GROUP BY ALL
)
GROUP BY tenant_id, machine_id, day, version;

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.machine_day_totals_mv TO mtc.machine_day_totals AS
SELECT
    tenant_id,
    machine_id,
    day,
    version,
    groupArray(day_of) AS local_day,
    groupArray(toUInt16(0)) AS shift_day,
    groupArray(toLowCardinality('')) AS shift,
    groupArray(toLowCardinality('')) AS part,
    groupArray(toLowCardinality('')) AS lot,
    groupArray(toLowCardinality('')) AS order_id,
    groupArray(state_of) AS state,
    groupArray(cause_of) AS cause,
    groupArray(reason_of) AS reason,
    groupArray(minor_of) AS minor,
    groupArray(starts_us) AS from_us,
    groupArray(ends_us) AS to_us,
    groupArray(length_sum_us) AS length_us,
    groupArray(scheduled_sum_us) AS scheduled_us,
    groupArray(stretch_count) AS stretches,
    groupArray(failure_count) AS failures,
    groupArray(stop_count) AS stops,
    groupArray(total_count) AS total,
    groupArray(reject_count) AS reject,
    groupArray(ideal_total_sum_us) AS ideal_total_us,
    groupArray(ideal_good_sum_us) AS ideal_good_us,
    groupArray(without_ideal_count) AS without_ideal,
    groupArray(spike_count) AS spikes,
    groupArray(reset_count) AS resets
FROM
(
    SELECT
        tenant_id,
        machine_id,
        day,
        version,
        if(cell_shift_day IN (0, 65535), cell_local_day, toUInt16(cell_shift_day - 1)) AS day_of,
        cell_state AS state_of,
        cell_cause AS cause_of,
        cell_reason AS reason_of,
        cell_minor AS minor_of,
        min(cell_from_us) AS starts_us,
        max(cell_to_us) AS ends_us,
        sum(cell_length_us) AS length_sum_us,
        sum(cell_scheduled_us) AS scheduled_sum_us,
        toUInt32(sum(cell_stretches)) AS stretch_count,
        toUInt32(sum(cell_failures)) AS failure_count,
        toUInt32(sum(cell_stops)) AS stop_count,
        sum(cell_total) AS total_count,
        sum(cell_reject) AS reject_count,
        sum(cell_ideal_total_us) AS ideal_total_sum_us,
        sum(cell_ideal_good_us) AS ideal_good_sum_us,
        sum(cell_without_ideal) AS without_ideal_count,
        toUInt32(sum(cell_spikes)) AS spike_count,
        toUInt32(sum(cell_resets)) AS reset_count
    FROM mtc.machine_day_sums
    ARRAY JOIN
        local_day AS cell_local_day,
        shift_day AS cell_shift_day,
        state AS cell_state,
        cause AS cell_cause,
        reason AS cell_reason,
        minor AS cell_minor,
        from_us AS cell_from_us,
        to_us AS cell_to_us,
        length_us AS cell_length_us,
        scheduled_us AS cell_scheduled_us,
        stretches AS cell_stretches,
        failures AS cell_failures,
        stops AS cell_stops,
        total AS cell_total,
        reject AS cell_reject,
        ideal_total_us AS cell_ideal_total_us,
        ideal_good_us AS cell_ideal_good_us,
        without_ideal AS cell_without_ideal,
        spikes AS cell_spikes,
        resets AS cell_resets
    GROUP BY ALL
)
GROUP BY tenant_id, machine_id, day, version;
