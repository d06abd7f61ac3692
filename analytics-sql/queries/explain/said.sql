-- The reason that an operator gave for an instant.
SELECT reason AS said FROM downtime_intervals
