-- Raw time series. Every column is part of the key, so a row sent twice is the same row (invariant 2), and where
-- no sequence was given the value tells two observations of one instant apart; arrival never decides (invariant 3).
-- Kept by event time: a day is a partition, which the program drops (retention.ts), or rebuilds, as a whole.
CREATE TABLE IF NOT EXISTS mtc.observations
(
    tenant_id LowCardinality(String),
    machine_id LowCardinality(String),
    signal LowCardinality(String),
    ts DateTime64(6, 'UTC'),
    seq UInt64,
    num Nullable(Float64),
    word String
)
ENGINE = ReplacingMergeTree
PARTITION BY toDate(ts)
PRIMARY KEY (tenant_id, machine_id, signal, ts)
ORDER BY (tenant_id, machine_id, signal, ts, seq, num, word)
SETTINGS allow_nullable_key = 1, ttl_only_drop_parts = 1;

-- The dictionaries are looked up by arrayReduceInRanges, one range of one element for each row: an event's memory grows
-- with its rows plus its words. `dictionary[index]`, in arrayMap or after the ARRAY JOIN, repeats the whole dictionary
-- for each row: 1.9 GB for a batch of agents with a thousand data items, 5 GB for 20,000 distinct words.
-- Columns that may be left out are stretched to the length of `signal`. A view cannot be replaced, hence its name.
CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.observations_v3_mv TO mtc.observations AS
SELECT
    tenantid AS tenant_id,
    subject AS machine_id,
    signal,
    fromUnixTimestamp64Micro(data.t0 + offset_us, 'UTC') AS ts,
    multiIf(
        notEmpty(data.seq), own_seq,
        isNull(data.seq0), 0,
        toUInt64(assumeNotNull(data.seq0) + row - 1)) AS seq,
    number AS num,
    word
FROM mtc.observations_in
ARRAY JOIN
    arrayReduceInRanges('any',
        arrayZip(arrayMap(i -> i + 1, data.signal), arrayWithConstant(length(data.signal), 1)),
        data.signals) AS signal,
    data.dt AS offset_us,
    arrayEnumerate(data.signal) AS row,
    arrayResize(data.seq, length(data.signal)) AS own_seq,
    arrayResize(data.num, length(data.signal), NULL) AS number,
    -- Words count from 1: the empty one stands first.
    arrayReduceInRanges('any',
        arrayZip(arrayMap(i -> i + 1, arrayResize(data.word, length(data.signal))),
            arrayWithConstant(length(data.signal), 1)),
        arrayPushFront(data.words, '')) AS word;
