-- The observations that states, counters, parts and automatic reasons are made of, kept for years, so that an old day
-- still computes. Of alarms only their native codes are kept. A value is the text that gives every two values of a signal an
-- order, the tie-breaker after (ts, seq). The pattern of state signals is the one of domain/state.ts.
CREATE TABLE IF NOT EXISTS mtc.signal_points
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    signal LowCardinality(String),
    ts DateTime64(6, 'UTC'),
    seq UInt64,
    value LowCardinality(String)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYYYYMM(ts)
PRIMARY KEY (tenant_id, machine_id, signal, ts)
ORDER BY (tenant_id, machine_id, signal, ts, seq, value);

DROP VIEW IF EXISTS mtc.signal_points_mv;

CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.signal_points_v2_mv TO mtc.signal_points AS
SELECT
    tenant_id,
    machine_id,
    signal,
    ts,
    seq,
    mtc_value_text(signal, num, word) AS value
FROM mtc.observations
WHERE match(signal, '^(availability|execution|controller_mode|functional_mode|emergency_stop|condition|alarms)(:|$)')
    OR match(signal, '^part_(count|pulse|event)(_good|_bad)?$')
    OR signal IN ('part_number', 'program', 'lot');

-- What each day leaves behind, so that a window need not read the years before it: the day's last value, its last
-- value that says something, the range of its numbers, and when it first told one. Only min and max: a replay changes
-- nothing (invariant 2).
CREATE TABLE IF NOT EXISTS mtc.signal_days
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    signal LowCardinality(String),
    day Date32,
    last SimpleAggregateFunction(max, Tuple(ts DateTime64(6, 'UTC'), seq UInt64, value String)),
    last_known SimpleAggregateFunction(max, Tuple(ts DateTime64(6, 'UTC'), seq UInt64, value String)),
    lowest SimpleAggregateFunction(min, Nullable(Int64)),
    highest SimpleAggregateFunction(max, Nullable(Int64)),
    first_number_us SimpleAggregateFunction(min, Nullable(Int64))
)
ENGINE = AggregatingMergeTree
PARTITION BY toYear(day)
ORDER BY (tenant_id, machine_id, signal, day);

ALTER TABLE mtc.signal_days ADD COLUMN IF NOT EXISTS first_number_us SimpleAggregateFunction(min, Nullable(Int64));

DROP VIEW IF EXISTS mtc.signal_days_mv;

-- `last_known` of a day of nothing but UNAVAILABLE is the zero tuple: its value is empty.
-- A word may read as a number that is none: a program INF, a part 12E400. Such a one is no number, and no error.
CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.signal_days_v2_mv TO mtc.signal_days AS
WITH accurateCastOrNull(round(toFloat64OrNull(toString(p.value))), 'Int64') AS number
SELECT
    tenant_id,
    machine_id,
    signal,
    toDate32(ts) AS day,
    max((p.ts, p.seq, toString(p.value))) AS last,
    maxIf((p.ts, p.seq, toString(p.value)), p.value NOT IN ('', 'UNAVAILABLE')) AS last_known,
    min(number) AS lowest,
    max(number) AS highest,
    min(if(isNull(number), NULL, toUnixTimestamp64Micro(p.ts))) AS first_number_us
FROM mtc.signal_points AS p
GROUP BY tenant_id, machine_id, signal, day;
