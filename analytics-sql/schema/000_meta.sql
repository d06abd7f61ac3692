-- What is known of the database itself: a row for each migration that was done, by the schema's version that it led to.
CREATE TABLE IF NOT EXISTS mtc.meta
(
    name LowCardinality(String),
    value String,
    at DateTime64(6, 'UTC')
)
ENGINE = ReplacingMergeTree
ORDER BY (name, value);
