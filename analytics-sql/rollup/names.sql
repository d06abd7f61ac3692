-- Names by their hashes, as they came out of the sweep, and by machine how short a minor stop is.
(
    SELECT (groupArray(reinterpretAsInt64(sipHash64(label))), groupArray(label))
    FROM
    (
        SELECT DISTINCT arrayJoin([part, lot, order_id]) AS label FROM making
        UNION DISTINCT
        SELECT DISTINCT arrayJoin(arrayFlatten(arrayMap(p -> p.3.shifts.name, periods))) AS label FROM calendar_histories
        UNION DISTINCT
        SELECT DISTINCT reason AS label FROM downtime_intervals
        UNION DISTINCT
        SELECT arrayJoin(rules.1) AS label
    )
    WHERE label != ''
) AS names,
(
    SELECT groupArray(minor_stop_us)
    FROM
    (
        SELECT minor_stop_us
        FROM policy_in_force
        ORDER BY mtc_place(machine_id, {machines:Array(String)})
    )
) AS minor_stops_us
