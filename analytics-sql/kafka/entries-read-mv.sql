-- All other events through their door. Which views a block from the topic needs is not known before it is read, so each
-- plans those of both doors.
CREATE MATERIALIZED VIEW IF NOT EXISTS mtc.entries_read_mv TO mtc.entries_in AS
SELECT id, type, tenantid, subject, data
FROM mtc.events_read
WHERE error = '' AND type != 'mtc.observations.v1'
