-- Names of shifts by their hashes.
(
    SELECT CAST((groupArray(reinterpretAsInt64(sipHash64(label))), groupArray(label)), 'Map(Int64, String)')
    FROM (SELECT DISTINCT arrayJoin(calendar.shifts.name) AS label FROM calendar_in_force)
) AS names
