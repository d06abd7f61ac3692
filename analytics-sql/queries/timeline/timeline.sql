-- Why time is missing, in the order in which one cause is named where several hold; any other is 'gap'.
['unreachable', 'sequence_gap', 'agent_restart', 'torn_record', 'overload', 'clock_jump', 'gap'] AS causes,

-- The sweep: every machine's time in [from_us, end_us) cut at every change, with what is in force in each piece.
-- Screens, API and analysts all read this one calculation (invariant 5).
--
-- What is in force is the sum of what has started minus what has ended, so each source is a track of (t, delta),
-- and one pass in the order of time adds them up. Small numbers share one track as digits of one sum.
--
--   0 reason that a condition gives by itself, a hash; 1 classes of the signals (states.sql)
--   2 gaps: 9 bits for each cause, in the order of `causes`
--   3 clock: bits  0-15 local day of the shift + 1, 0xFFFF is scheduled without calendar
--                 16-21 breaks
--                 32-62 hour of the plant's clock (hours.sql)
--   4 reason, 5 name of the shift, 6 part, 7 lot: hashes, 0 is none
--   8 ideal cycle, µs; 9 order, a hash as well
--  10 the window itself, so that each machine has a row
--  11 parts counted, 12 parts rejected, 13 spikes, 14 resets: they happen at t and are not added up here
--
-- Of the changes of one instant the last row holds the sum of all; those before it have no length and are dropped.
-- Tracks from 10 on come last in their instant, so they see all of it; they are kept even without length.
-- A machine is its place in {machines}: numbers sort faster than names.
-- `end_us` is the end of the window or now, whichever is first; callers see to that, and to from_us ≤ end_us.
swept AS
(
    SELECT *
    FROM
    (
        SELECT
            m,
            t,
            track,
            delta,
            leadInFrame(t, 1, {end_us:Int64}) OVER (
                PARTITION BY m ORDER BY t, track ROWS BETWEEN CURRENT ROW AND 1 FOLLOWING) AS until_us,
            sumIf(delta, track = 0) OVER upto AS automatic_id,
            sumIf(delta, track = 1) OVER upto AS classes,
            sumIf(delta, track = 2) OVER upto AS gaps,
            sumIf(delta, track = 3) OVER upto AS clock,
            sumIf(delta, track = 4) OVER upto AS reason_id,
            sumIf(delta, track = 5) OVER upto AS shift_id,
            sumIf(delta, track = 6) OVER upto AS part_id,
            sumIf(delta, track = 7) OVER upto AS lot_id,
            sumIf(delta, track = 8) OVER upto AS ideal_us,
            sumIf(delta, track = 9) OVER upto AS order_hash
        FROM
        (
            SELECT m, t, toUInt8(1) AS track, delta
            FROM state_edges
            WHERE delta != 0

            UNION ALL
            SELECT m, t, of_track.1, of_track.2
            FROM count_steps
            ARRAY JOIN [
                (toUInt8(11), toInt64(total)),
                (toUInt8(12), toInt64(reject)),
                (toUInt8(13), toInt64(open_spike)),
                (toUInt8(14), toInt64(reset))] AS of_track
            WHERE of_track.2 != 0

            UNION ALL
            SELECT mtc_place(machine_id, {machines:Array(String)}), edge.1, edge.2, edge.3
            FROM
            (
                SELECT machine_id, track, from_us, to_us, delta
                FROM calendar_intervals

                UNION ALL
                SELECT machine_id, toUInt8(3), from_us, to_us, bitShiftLeft(id, 32)
                FROM hours

                UNION ALL
                SELECT
                    machine_id,
                    toUInt8(2),
                    greatest(from_us, {from_us:Int64}),
                    if(to_us = 0, {end_us:Int64}, least(to_us, {end_us:Int64})),
                    bitShiftLeft(toInt64(1), 9 * (if(has(causes, cause), indexOf(causes, cause), 7) - 1))
                FROM gap_intervals

                UNION ALL
                SELECT machine_id, toUInt8(4), from_us, to_us, reinterpretAsInt64(sipHash64(reason))
                FROM downtime_intervals

                UNION ALL
                SELECT machine_id, toUInt8(0), from_us, to_us, reinterpretAsInt64(sipHash64(reason))
                FROM automatic_intervals
            )
            ARRAY JOIN [(from_us, track, delta), (to_us, track, -delta)] AS edge

            UNION ALL
            SELECT mtc_place(machine_id, {machines:Array(String)}), t, of_track.1, of_track.2 - of_track.3
            FROM
            (
                SELECT
                    machine_id,
                    t,
                    if(part = '', 0, reinterpretAsInt64(sipHash64(part))) AS part_id,
                    if(lot = '', 0, reinterpretAsInt64(sipHash64(lot))) AS lot_id,
                    if(order_id = '', 0, reinterpretAsInt64(sipHash64(order_id))) AS order_hash,
                    ideal_us,
                    lagInFrame(order_hash, 1, 0) OVER w AS last_order_hash,
                    lagInFrame(part_id, 1, 0) OVER w AS last_part_id,
                    lagInFrame(lot_id, 1, 0) OVER w AS last_lot_id,
                    lagInFrame(ideal_us, 1, 0) OVER w AS last_ideal_us
                FROM making
                WINDOW w AS (
                    PARTITION BY machine_id ORDER BY at_us, seq, value ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
            )
            ARRAY JOIN [
                (toUInt8(6), part_id, last_part_id),
                (toUInt8(7), lot_id, last_lot_id),
                (toUInt8(8), ideal_us, last_ideal_us),
                (toUInt8(9), order_hash, last_order_hash)] AS of_track
            WHERE of_track.2 != of_track.3

            UNION ALL
            SELECT toUInt32(arrayJoin(arrayEnumerate({machines:Array(String)}))), {from_us:Int64}, toUInt8(10), toInt64(0)
        )
        WHERE if(track = 10, true, t < {end_us:Int64})
        WINDOW upto AS (PARTITION BY m ORDER BY t, track ROWS UNBOUNDED PRECEDING)
    )
    WHERE if(track >= 10, true, until_us > t)
),

-- The rules of the states (SPEC 6.1), over what was swept: first match wins, and behind each stands its number. From
-- here on up there is no AND nor OR but multiIf: for each of them the analyzer hashes all that its columns are made of,
-- 75 ms in all. A source says itself that nothing can be known where `unavailable`.
timeline AS
(
    SELECT
        m,
        from_us,
        to_us,
        length_us,
        track,
        state,
        multiIf(
            state != 'UNKNOWN', '',
            gaps != 0, arrayFirst(
                (cause, place) -> bitAnd(bitShiftRight(gaps, 9 * (place - 1)), 511) > 0,
                causes, arrayEnumerate(causes)),
            unavailable, 'unavailable',
            'no_data') AS cause,
        -- A reason is about a stop: time that ran is not touched by it. An operator's goes before one that a condition
        -- gives, and of time in which nothing is known no condition can tell.
        multiIf(state = 'RUNNING', 0, reason_id != 0, reason_id, state = 'UNKNOWN', 0, automatic_id) AS stop_reason_id,
        bitAnd(clock, 0xFFFF) AS shift_day,
        multiIf(shift_day = 0, false, bitAnd(clock, 0x3F0000) = 0) AS scheduled,
        bitShiftRight(clock, 32) AS hour,
        shift_id,
        part_id,
        lot_id,
        order_hash,
        ideal_us,
        if(track = 11, delta, 0) AS total,
        if(track = 12, delta, 0) AS reject,
        if(track = 13, delta, 0) AS spikes,
        if(track = 14, delta, 0) AS resets
    FROM
    (
        SELECT
            m,
            t AS from_us,
            until_us AS to_us,
            until_us - t AS length_us,
            track,
            delta,
            gaps,
            clock,
            reason_id,
            automatic_id,
            shift_id,
            part_id,
            lot_id,
            order_hash,
            ideal_us,
            -- generated: state of the classes
            multiIf(
                bitAnd(classes, 0x001) != 0, true,
                bitAnd(classes, 0x01E) = 0x008, true,
                false) AS unavailable,
            CAST(multiIf(
                gaps != 0, 1, -- 1: UNKNOWN
                bitAnd(classes, 0x001) != 0, 1, -- 1: UNKNOWN
                bitAnd(classes, 0x01E) = 0x008, 1, -- 1: UNKNOWN
                bitAnd(classes, 0x080) != 0, 2, -- 2: DOWN
                bitAnd(classes, 0x022) = 0x022, 4, -- 3: SETUP
                bitAnd(classes, 0x002) != 0, 3, -- 3: RUNNING
                bitAnd(classes, 0x100) != 0, 2, -- 4: DOWN
                bitAnd(classes, 0x040) != 0, 4, -- 5: SETUP
                bitAnd(classes, 0x010) != 0, 5, -- 6: STOPPED
                bitAnd(classes, 0x004) != 0, 6, -- 7: IDLE
                1), 'Enum8(\'UNKNOWN\' = 1, \'DOWN\' = 2, \'RUNNING\' = 3, \'SETUP\' = 4, \'STOPPED\' = 5, \'IDLE\' = 6)') AS state
            -- end of generated
        FROM swept
    )
)
