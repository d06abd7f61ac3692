-- The one view that reads the topic: with it reading begins, and behind it everything stands.
CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.events_kafka_mv TO mtc.events_read AS
SELECT
    id, type, subject, tenantid, data,
    _topic AS topic, _partition AS partition, _offset AS offset, _key AS key, _error AS error, _raw_message AS message
FROM mtc.events_kafka
