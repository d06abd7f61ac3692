-- The newest list of ideal cycle times of every machine that has one: (part, valid from µs, ideal cycle µs, place),
-- in the order in which they come into force.
rates AS
(
    SELECT
        toString(c.machine_id) AS machine_id,
        arraySort(r -> (r.2, r.4), arrayZip(
            argMax(c.part, c.event_id),
            argMax(c.valid_from_us, c.event_id),
            argMax(arrayMap(s -> toInt64(round(1000000 * s)), c.ideal_cycle_s), c.event_id),
            argMax(arrayEnumerate(c.part), c.event_id))) AS rates
    FROM mtc.cycle_times AS c
    WHERE c.tenant_id = {tenant:String} AND c.machine_id IN {machines:Array(String)}
    GROUP BY c.machine_id
),

-- What a machine makes: part, lot and ideal cycle time in force, as changes.
--
-- The part is the last part_number, else the last program; what is empty or UNAVAILABLE says nothing. A lot event that
-- names a part goes before both while its lot is in force. A lot is the last one told, by an event or by the signal; that
-- of an event with an end is none from there on; one that ends as it begins was taken back, and what was in force before
-- goes on. The order is that of the event whose lot is in force. A change at the instant of a count holds for that count.
-- The ideal cycle is the newest list's row for the part with the latest valid_from, else its row for any part;
-- in whole µs, so that sums over it are exact; 0 is none.
making AS
(
    SELECT
        machine_id,
        at_us,
        seq,
        value,
        greatest(at_us, {from_us:Int64}) AS t,
        multiIf(ends_us > 0 AND at_us >= ends_us, '', told_lot) AS lot,
        multiIf(lot = '', '', event_lot = lot, event_order, '') AS order_id,
        multiIf(lot != '' AND event_part != '' AND event_lot = lot, event_part, part_number != '', part_number, program) AS part,
        arrayLast(r -> r.1 = part AND r.2 <= t, rates) AS own_rate,
        if(own_rate.4 > 0, own_rate.3, arrayLast(r -> r.1 = '' AND r.2 <= t, rates).3) AS ideal_us
    FROM
    (
        SELECT
            machine_id,
            at_us,
            seq,
            value,
            ifNull(last_value(new_part_number) IGNORE NULLS OVER w, '') AS part_number,
            ifNull(last_value(new_program) IGNORE NULLS OVER w, '') AS program,
            ifNull(last_value(new_lot) IGNORE NULLS OVER w, '') AS told_lot,
            ifNull(last_value(new_ends_us) IGNORE NULLS OVER w, 0) AS ends_us,
            ifNull(last_value(new_event_lot) IGNORE NULLS OVER w, '') AS event_lot,
            ifNull(last_value(new_event_part) IGNORE NULLS OVER w, '') AS event_part,
            ifNull(last_value(new_event_order) IGNORE NULLS OVER w, '') AS event_order
        FROM
        (
            SELECT
                machine_id,
                at_us,
                seq,
                value,
                if(signal = 'part_number', value, NULL) AS new_part_number,
                if(signal = 'program', value, NULL) AS new_program,
                if(signal = 'lot', value, NULL) AS new_lot,
                if(signal = 'lot', toInt64(0), NULL) AS new_ends_us,
                CAST(NULL, 'Nullable(String)') AS new_event_lot,
                CAST(NULL, 'Nullable(String)') AS new_event_part,
                CAST(NULL, 'Nullable(String)') AS new_event_order
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
                    AND signal IN ('part_number', 'program', 'lot')
                    AND ts >= toStartOfDay(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))
                    AND ts < fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')
                UNION ALL
                SELECT
                    toString(machine_id),
                    toString(signal),
                    toUnixTimestamp64Micro(max(last_known).ts),
                    max(last_known).seq,
                    max(last_known).value
                FROM mtc.signal_days
                WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                    AND signal IN ('part_number', 'program', 'lot')
                    AND day < toDate32(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))
                GROUP BY machine_id, signal
            )
            WHERE value NOT IN ('', 'UNAVAILABLE')

            UNION ALL
            SELECT
                toString(l.machine_id),
                l.from_us,
                0,
                '',
                NULL,
                NULL,
                argMax(lot, event_id),
                argMax(l.to_us, event_id),
                argMax(lot, event_id),
                argMax(part, event_id),
                argMax(order_id, event_id)
            FROM mtc.lots AS l
            WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)} AND l.from_us < {end_us:Int64}
            GROUP BY l.machine_id, l.from_us
            HAVING argMax(l.to_us, event_id) != l.from_us

            -- Instants at which something may begin or end, with nothing told: the window, rates, ends of lots.
            UNION ALL
            SELECT machine_id, instant_us, 0, '', NULL, NULL, NULL, NULL, NULL, NULL, NULL
            FROM
            (
                SELECT arrayJoin({machines:Array(String)}) AS machine_id, {from_us:Int64} AS instant_us
                UNION ALL
                SELECT machine_id, rate.2 FROM rates ARRAY JOIN rates AS rate
                UNION ALL
                SELECT toString(machine_id), mtc.lots.to_us
                FROM mtc.lots
                WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
            )
            WHERE instant_us >= {from_us:Int64} AND instant_us < {end_us:Int64}
        )
        WINDOW w AS (PARTITION BY machine_id ORDER BY at_us, seq, value)
    ) AS history
    LEFT JOIN rates AS listed
        ON listed.machine_id = history.machine_id
)
