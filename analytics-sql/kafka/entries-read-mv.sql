-- All other events through their door. Of a block that holds none nothing gets there, and nothing behind it is planned.
CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.entries_read_mv TO mtc.entries_in AS
SELECT id, type, tenantid, subject, data
FROM mtc.events_read
WHERE error = '' AND type != 'mtc.observations.v1'
