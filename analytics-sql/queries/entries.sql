-- What operators entered for a machine in the window: rejects and lots, as they hold, in order of time.
SELECT event_id, ts_us, to_us, kind, name, part, order_id, count
FROM
(
    SELECT event_id, ts_us, 0 AS to_us, 'reject' AS kind, any(reason) AS name, '' AS part, '' AS order_id, any(count) AS count
    FROM mtc.rejects
    WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
        AND ts_us >= {from_us:Int64} AND ts_us < {end_us:Int64}
    GROUP BY machine_id, event_id, ts_us

    UNION ALL
    SELECT
        max(l.event_id),
        l.from_us,
        argMax(l.to_us, l.event_id) AS ends_us,
        'lot',
        argMax(l.lot, l.event_id),
        argMax(l.part, l.event_id),
        argMax(l.order_id, l.event_id),
        0
    FROM mtc.lots AS l
    WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)} AND l.from_us < {end_us:Int64}
    GROUP BY l.machine_id, l.from_us
    HAVING ends_us = 0 OR (ends_us > l.from_us AND ends_us > {from_us:Int64})
)
WHERE kind = {kind:String}
ORDER BY ts_us, event_id
