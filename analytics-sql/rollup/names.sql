-- Names by their hashes, as they came out of the sweep, and by machine how short a minor stop is.
(
    SELECT (groupArray(reinterpretAsInt64(sipHash64(label))), groupArray(label))
    FROM
    (
        SELECT DISTINCT arrayJoin([part, lot]) AS label FROM making
        UNION DISTINCT
        SELECT DISTINCT arrayJoin(calendar.shifts.name) AS label FROM calendar_in_force
        UNION DISTINCT
        SELECT DISTINCT reason AS label FROM downtime_intervals
    )
    WHERE label != ''
) AS names,
(
    SELECT groupArray(minor_us)
    FROM
    (
        SELECT toInt64(round(1000000 * minor_stop_s)) AS minor_us
        FROM policy_in_force
        ORDER BY mtc_place(machine_id, {machines:Array(String)})
    )
) AS minor_stops_us
