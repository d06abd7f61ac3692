-- The reasons that operators gave, over stretches that do not overlap.
SELECT machine_id, from_us, to_us, reason FROM downtime_intervals
