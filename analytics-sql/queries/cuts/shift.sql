-- One row for each occurrence of a shift; the row '' is time without calendar, and time outside of all shifts,
-- this only where something was counted in it.
(
    SELECT CAST((groupArray(reinterpretAsInt64(sipHash64(label))), groupArray(label)), 'Map(Int64, String)')
    FROM (SELECT DISTINCT arrayJoin(calendar.shifts.name) AS label FROM calendar_in_force)
) AS names,
keyed AS (SELECT *, if(shift_day = 0xFFFF, 0, shift_day) AS k, shift_id AS k2 FROM timeline),
labelled AS
(
    SELECT *, if(k = 0, '', concat(toString(toDate32(k - 1)), ' ', names[k2])) AS key
    FROM sums
    WHERE is_total OR k != 0 OR scheduled_us > 0 OR total_count != 0 OR reject_count != 0
)
