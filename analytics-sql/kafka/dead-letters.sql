-- What could not be read from the topic, why, and when that was found. The same message read twice is one row.
CREATE TABLE IF NOT EXISTS mtc.dead_letters
(
    topic LowCardinality(String),
    partition UInt64,
    offset UInt64,
    key String,
    error String,
    message String CODEC(ZSTD),
    at DateTime64(3, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (topic, partition, offset)
TTL toDateTime(at, 'UTC') + INTERVAL 30 DAY
