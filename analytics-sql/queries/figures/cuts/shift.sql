-- One row for each occurrence of a shift; the row '' is time without calendar, and time outside of all shifts,
-- this only where something was counted in it.
keyed AS (SELECT *, toInt64(if(shift_day = 65535, 0, shift_day)) AS k, shift AS k2 FROM judged),
labelled AS
(
    SELECT *, if(k = 0, '', concat(toString(toDate32(k - 1)), ' ', k2)) AS key
    FROM sums
    WHERE is_total OR k != 0 OR scheduled_us > 0 OR total_count != 0 OR reject_count != 0
)
