-- Of what was parsed the engine no longer has the bytes: its columns are printed again.
CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.dead_letters_mv TO mtc.dead_letters AS
SELECT
    topic,
    partition,
    offset,
    key,
    if(read.error != '', read.error, 'the columns are of unequal length') AS error,
    if(read.error != '', read.message, formatRowNoNewline('JSONEachRow', id, type, subject, tenantid, data)) AS message,
    now64(3, 'UTC') AS at
FROM mtc.events_read AS read
WHERE read.error != '' OR (type = 'mtc.observations.v1' AND length(data.signal) != length(data.dt))
