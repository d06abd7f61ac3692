-- Of what was parsed the engine no longer has the bytes: its columns are printed again.
CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.dead_letters_mv TO mtc.dead_letters AS
SELECT
    _topic AS topic,
    _partition AS partition,
    _offset AS offset,
    _key AS key,
    if(_error != '', _error, 'the columns are of unequal length') AS error,
    if(_error != '', _raw_message, formatRowNoNewline('JSONEachRow', id, type, subject, tenantid, data)) AS message,
    now64(3, 'UTC') AS at
FROM mtc.events_kafka
WHERE _error != '' OR (type = 'mtc.observations.v1' AND length(data.signal) != length(data.dt))
