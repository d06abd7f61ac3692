-- Reasons that conditions give by themselves. A rule holds while its condition is FAULT or, where it names a native code,
-- while that code is among the condition's alarms; of several that hold the first of the list gives the reason.
(
    SELECT (
        argMax(rule_code, event_id),
        argMax(rule_condition, event_id),
        argMax(rule_native, event_id),
        argMax(rule_machines, event_id))
    FROM mtc.reasons
    WHERE tenant_id = {tenant:String}
) AS rules,

-- As (machine, from µs, to µs, reason). How many signals each rule holds by is an array, a place a rule, and adds up.
automatic_intervals AS
(
    SELECT machine_id, t AS from_us, next_us AS to_us, rules.1[place] AS reason
    FROM
    (
        SELECT
            machine_id,
            t,
            arrayFirstIndex(held -> held > 0, sumForEach(changes) OVER (
                PARTITION BY machine_id ORDER BY t ROWS UNBOUNDED PRECEDING)) AS place,
            leadInFrame(t, 1, {end_us:Int64}) OVER (
                PARTITION BY machine_id ORDER BY t ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS next_us
        FROM
        (
            SELECT
                machine_id,
                greatest(at_us, {from_us:Int64}) AS t,
                arrayMap(
                    rule -> toInt64(place = rule) - toInt64(last_place = rule),
                    arrayEnumerate(rules.1)) AS changes
            FROM
            (
                SELECT
                    machine_id,
                    at_us,
                    place,
                    lagInFrame(place, 1, 0) OVER (
                        PARTITION BY machine_id, signal ORDER BY at_us, seq, value
                        ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS last_place
                FROM
                (
                    SELECT
                        machine_id,
                        signal,
                        at_us,
                        seq,
                        value,
                        arrayFirstIndex(
                            (item, native, of_machines) -> multiIf(
                                notEmpty(of_machines) AND NOT has(of_machines, machine_id), false,
                                native = '', (item = '' OR signal = concat('condition:', item)) AND value = 'FAULT',
                                (item = '' OR signal = concat('alarms:', item))
                                    AND position(value, concat('\n', native, '\n')) > 0),
                            rules.2, rules.3, rules.4) AS place
                    FROM
                    (
                        SELECT
                            toString(machine_id) AS machine_id,
                            toString(signal) AS signal,
                            toUnixTimestamp64Micro(ts) AS at_us,
                            seq,
                            toString(value) AS value
                        FROM mtc.signal_points
                        WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                            AND match(signal, '^(condition|alarms)(:|$)') AND notEmpty(rules.1)
                            AND ts >= toStartOfDay(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))
                            AND ts < fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')
                        UNION ALL
                        SELECT
                            toString(machine_id),
                            toString(signal),
                            toUnixTimestamp64Micro(max(last).ts),
                            max(last).seq,
                            max(last).value
                        FROM mtc.signal_days
                        WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                            AND match(signal, '^(condition|alarms)(:|$)') AND notEmpty(rules.1)
                            AND day < toDate32(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))
                        GROUP BY machine_id, signal
                    )
                )
            )
            WHERE place != last_place
        )
    )
    WHERE place > 0 AND from_us < to_us
)
