-- What was read, with what the topic says of it; it holds nothing. One view reads, and those behind this table sort:
-- with two views at the topic itself, what is read after one of them is made, or gone, and not the other, is lost.
CREATE TABLE IF NOT EXISTS mtc.events_read ENGINE = Null EMPTY AS
SELECT
    id, type, subject, tenantid, data,
    _topic AS topic, _partition AS partition, _offset AS offset, _key AS key, _error AS error, _raw_message AS message
FROM mtc.events_kafka
