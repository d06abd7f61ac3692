-- States as a sweep line, part 1: what the signals of a machine say, as changes.
--
-- Every value of a state signal belongs to at most one class, and the machine's state follows from how many of its
-- signals are in each class (several paths, many conditions). All counts together are one number, `weight`:
--
--   bits  0- 5  execution ACTIVE                       bits 30-35  controller mode manual
--   bits  6-11  execution stopped (unknown words too)  bits 36-41  functional mode setup
--   bits 12-17  execution READY, PROGRAM_COMPLETED     bits 42-47  emergency stop TRIGGERED
--   bits 18-23  execution UNAVAILABLE                  bits 48-62  fault conditions
--   bits 24-29  availability UNAVAILABLE
--
-- `delta` is how the number changes at `t` (µs). A signal's rows are ordered by (ts, seq, value) and each is compared
-- with the one before, so rows sent twice add 0 and several rows of one instant add up to the last of them: nothing
-- need be deduplicated first. What held before `from_us` comes in at `from_us`.
state_edges AS
(
    SELECT
        mtc_place(machine_id, {machines:Array(String)}) AS m,
        greatest(toUnixTimestamp64Micro(ts), {from_us:Int64}) AS t,
        weight - lagInFrame(weight, 1, 0) OVER (
            PARTITION BY machine_id, signal ORDER BY ts, seq, value ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS delta
    FROM
    (
        SELECT
            machine_id,
            signal,
            ts,
            seq,
            value,
            splitByChar(':', toString(signal))[1] AS kind,
            multiIf(
                -- An empty value ends the one before: from then on the signal tells nothing.
                kind = 'execution', multiIf(
                    value = '', 0,
                    value = 'ACTIVE', bitShiftLeft(toInt64(1), 0),
                    value IN ('READY', 'PROGRAM_COMPLETED'), bitShiftLeft(toInt64(1), 12),
                    value = 'UNAVAILABLE', bitShiftLeft(toInt64(1), 18),
                    bitShiftLeft(toInt64(1), 6)),
                kind = 'availability', if(value = 'UNAVAILABLE', bitShiftLeft(toInt64(1), 24), 0),
                kind = 'controller_mode',
                    if(value IN ('MANUAL', 'MANUAL_DATA_INPUT', 'EDIT'), bitShiftLeft(toInt64(1), 30), 0),
                kind = 'functional_mode',
                    if(value IN ('SETUP', 'TEARDOWN', 'MAINTENANCE', 'PROCESS_DEVELOPMENT'), bitShiftLeft(toInt64(1), 36), 0),
                kind = 'emergency_stop', if(value = 'TRIGGERED', bitShiftLeft(toInt64(1), 42), 0),
                kind = 'condition', if(value = 'FAULT', bitShiftLeft(toInt64(1), 48), 0),
                0) AS weight
        FROM
        (
            SELECT machine_id, signal, ts, seq, toString(value) AS value
            FROM mtc.signal_points
            WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                AND ts >= toStartOfDay(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))
                AND ts < fromUnixTimestamp64Micro({end_us:Int64}, 'UTC')
            UNION ALL
            SELECT machine_id, signal, latest.ts AS ts, latest.seq AS seq, latest.value AS value
            FROM
            (
                SELECT machine_id, signal, max(last) AS latest
                FROM mtc.signal_days
                WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
                    AND day < toDate32(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))
                GROUP BY machine_id, signal
            )
        )
        WHERE match(signal, '^(availability|execution|controller_mode|functional_mode|emergency_stop|condition)(:|$)')
    )
)
