-- Why time is missing, in the order in which one cause is named where several hold; any other is 'gap'.
['unreachable', 'sequence_gap', 'agent_restart', 'torn_record', 'overload'] AS causes,

-- The sweep: every machine's time in [from_us, end_us) cut at every change, with what is in force in each piece.
-- Screens, API and analysts all read this one view (invariant 5).
--
-- What is in force is the sum of what has started minus what has ended, so each source is a track of (t, delta),
-- and one pass in the order of time adds them up. Sums in a RANGE frame take all changes of one instant at once.
--
--   0 the window itself           4 downtime excluded by policy     8 part (hash, 0 is none)
--   1 weight of the signals       5 day of the shift + 1, -1 is    9 lot (hash, 0 is none)
--   2 gaps, 10 bits a cause         scheduled without calendar    10 ideal cycle, µs
--   3 reason (hash, 0 is none)    6 breaks                        15 name of the shift (hash)
--                                 7 bucket (hour or day)
--  11 parts counted, 12 parts rejected, 13 spikes, 14 resets: they happen at t and are not added up here.
--
-- A piece of no length is kept where something was counted, or for the window itself, so that each machine has a row.
-- `end_us` is the end of the window or now, whichever is first; callers see to that, and to from_us ≤ end_us.
swept AS
(
    SELECT * FROM
    (
        SELECT
            machine_id,
            t,
            track,
            delta,
            leadInFrame(t, 1, {end_us:Int64}) OVER (
                PARTITION BY machine_id ORDER BY t ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS until_us,
            sumIf(delta, track = 1) OVER upto AS weight,
            sumIf(delta, track = 2) OVER upto AS gaps,
            sumIf(delta, track = 3) OVER upto AS reason,
            sumIf(delta, track = 4) OVER upto AS excluded_count,
            sumIf(delta, track = 5) OVER upto AS shift_day,
            sumIf(delta, track = 6) OVER upto AS breaks,
            sumIf(delta, track = 7) OVER upto AS bucket,
            sumIf(delta, track = 8) OVER upto AS part_id,
            sumIf(delta, track = 9) OVER upto AS lot_id,
            sumIf(delta, track = 10) OVER upto AS ideal_us,
            sumIf(delta, track = 15) OVER upto AS shift_id
        FROM
        (
            SELECT arrayJoin({machines:Array(String)}) AS machine_id, {from_us:Int64} AS t, toUInt8(0) AS track, toInt64(0) AS delta

            UNION ALL
            SELECT toString(machine_id), t, toUInt8(1), delta
            FROM state_edges
            WHERE delta != 0

            UNION ALL
            SELECT machine_id, edge.1, edge.2, edge.3
            FROM
            (
                SELECT machine_id, track, from_us, to_us, id
                FROM calendar_intervals

                UNION ALL
                SELECT machine_id, toUInt8(7), from_us, to_us, id
                FROM buckets

                UNION ALL
                SELECT
                    machine_id,
                    toUInt8(2),
                    greatest(from_us, {from_us:Int64}),
                    if(to_us = 0, {end_us:Int64}, least(to_us, {end_us:Int64})),
                    bitShiftLeft(toInt64(1), 10 * if(has(causes, cause), indexOf(causes, cause) - 1, 5))
                FROM gap_intervals

                UNION ALL
                SELECT
                    machine_id,
                    of_track.1,
                    from_us,
                    to_us,
                    of_track.2
                FROM downtime_intervals
                ARRAY JOIN [
                    (toUInt8(3), reinterpretAsInt64(sipHash64(reason))),
                    (toUInt8(4), toInt64(excluded))] AS of_track
            )
            ARRAY JOIN [(from_us, track, id), (to_us, track, -id)] AS edge

            UNION ALL
            SELECT machine_id, t, of_track.1, of_track.2 - of_track.3
            FROM
            (
                SELECT
                    machine_id,
                    t,
                    if(part = '', 0, reinterpretAsInt64(sipHash64(part))) AS part_id,
                    if(lot = '', 0, reinterpretAsInt64(sipHash64(lot))) AS lot_id,
                    ideal_us,
                    lagInFrame(part_id, 1, 0) OVER w AS last_part_id,
                    lagInFrame(lot_id, 1, 0) OVER w AS last_lot_id,
                    lagInFrame(ideal_us, 1, 0) OVER w AS last_ideal_us
                FROM making
                WINDOW w AS (
                    PARTITION BY machine_id ORDER BY at_us, seq, value ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
            )
            ARRAY JOIN [
                (toUInt8(8), part_id, last_part_id),
                (toUInt8(9), lot_id, last_lot_id),
                (toUInt8(10), ideal_us, last_ideal_us)] AS of_track
            WHERE of_track.2 != of_track.3

            UNION ALL
            SELECT machine_id, t, of_track.1, of_track.2
            FROM count_steps
            ARRAY JOIN [
                (toUInt8(11), toInt64(total)),
                (toUInt8(12), toInt64(reject)),
                (toUInt8(13), toInt64(spike)),
                (toUInt8(14), toInt64(reset))] AS of_track
            WHERE of_track.2 != 0
        )
        WHERE t < {end_us:Int64} OR track = 0
        WINDOW upto AS (PARTITION BY machine_id ORDER BY t)
    )
    WHERE until_us > t OR track = 0 OR track BETWEEN 11 AND 14
),

-- The rules, over what was swept.
timeline AS
(
    SELECT
        machine_id,
        t AS from_us,
        until_us AS to_us,
        until_us - t AS length_us,
        state,
        multiIf(
            state != 'UNKNOWN', '',
            gaps != 0, arrayFirst(
                (cause, place) -> bitAnd(bitShiftRight(gaps, 10 * (place - 1)), 1023) > 0,
                arrayPushBack(causes, 'gap'), arrayEnumerate(arrayPushBack(causes, 'gap'))),
            unavailable, 'unavailable',
            'no_data') AS cause,
        -- An operator's reason is about a stop: time that ran is not touched by it.
        if(state = 'RUNNING', 0, reason) AS reason_id,
        state != 'RUNNING' AND excluded_count > 0 AS excluded,
        shift_day,
        shift_id,
        shift_day != 0 AND breaks = 0 AS scheduled,
        bucket,
        part_id,
        lot_id,
        ideal_us,
        if(track = 11, delta, 0) AS total,
        if(track = 12, delta, 0) AS reject,
        if(track = 13, delta, 0) AS spikes,
        if(track = 14, delta, 0) AS resets
    FROM
    (
        -- DESIGN "Time, states, OEE": first match wins.
        SELECT
            *,
            CAST(multiIf(
                gaps != 0 OR unavailable, 1,
                stopped_by_hand, 2,
                active, if(manual, 4, 3),
                fault, 2,
                setup, 4,
                stopped, 5,
                ready, 6,
                1), 'Enum8(\'UNKNOWN\' = 1, \'DOWN\' = 2, \'RUNNING\' = 3, \'SETUP\' = 4, \'STOPPED\' = 5, \'IDLE\' = 6)') AS state
        FROM
        (
            -- Which digits of `weight` are not 0; execution is unavailable where it is so on every path.
            SELECT
                *,
                bitAnd(weight, 0x3F) != 0 AS active,
                bitAnd(weight, 0xFC0) != 0 AS stopped,
                bitAnd(weight, 0x3F000) != 0 AS ready,
                bitAnd(weight, 0x3F000000) != 0
                    OR (bitAnd(weight, 0xFC0000) != 0 AND bitAnd(weight, 0x3FFFF) = 0) AS unavailable,
                bitAnd(weight, 0xFC0000000) != 0 AS manual,
                bitAnd(weight, 0x3F000000000) != 0 AS setup,
                bitAnd(weight, 0xFC0000000000) != 0 AS stopped_by_hand,
                weight >= 0x1000000000000 AS fault
            FROM swept
        )
    )
)
