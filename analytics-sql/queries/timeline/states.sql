-- States as a sweep line, part 1: what the signals of a machine say, as changes.
--
-- Every value of a state signal belongs to at most one class, and the machine's state follows from which classes any of
-- its signals is in (several paths, many conditions). All classes together are one number, `classes`, a bit for each:
--
-- generated: bits of the classes
--   0x001  availability UNAVAILABLE
--   0x002  execution ACTIVE
--   0x004  execution READY, PROGRAM_COMPLETED
--   0x008  execution UNAVAILABLE
--   0x010  execution any other word
--   0x020  controller_mode MANUAL, MANUAL_DATA_INPUT, EDIT
--   0x040  functional_mode SETUP, TEARDOWN, MAINTENANCE, PROCESS_DEVELOPMENT
--   0x080  emergency_stop TRIGGERED
--   0x100  condition FAULT
-- end of generated
--
-- `delta` is how the number changes at `t` (µs). A signal's rows are ordered by (ts, seq, value) and each is compared
-- with the one before, so rows sent twice change nothing and several rows of one instant come to the last of them:
-- nothing need be deduplicated first. `signals` is how many are in the class, however many there are: the bit changes
-- with the first that comes and the last that goes, and of the changes of one instant in whatever order only the end
-- counts. What held before `from_us` comes in at `from_us`.
state_edges AS
(
    SELECT
        m,
        t,
        sum(toInt64(of_class) * (toInt8(signals > 0) - toInt8(signals - change > 0))) AS delta
    FROM
    (
        SELECT
            m,
            t,
            of_class,
            change,
            sum(change) OVER (PARTITION BY m, of_class ORDER BY t ROWS UNBOUNDED PRECEDING) AS signals
        FROM
        (
            SELECT
                mtc_place(machine_id, {machines:Array(String)}) AS m,
                greatest(toUnixTimestamp64Micro(ts), {from_us:Int64}) AS t,
                class_change.1 AS of_class,
                class_change.2 AS change
            FROM
            (
                SELECT
                    machine_id,
                    ts,
                    class,
                    lagInFrame(class, 1, 0) OVER (
                        PARTITION BY machine_id, signal ORDER BY ts, seq, value
                        ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS last_class
                FROM
                (
                    SELECT
                        machine_id,
                        signal,
                        ts,
                        seq,
                        value,
                        splitByChar(':', toString(signal))[1] AS kind,
                        -- An empty value ends the one before: from then on the signal tells nothing.
                        -- generated: class of a value
                        multiIf(
                            value = '', 0,
                            kind = 'availability', if(value = 'UNAVAILABLE', 0x001, 0),
                            kind = 'execution', multiIf(
                                value = 'ACTIVE', 0x002,
                                value IN ('READY', 'PROGRAM_COMPLETED'), 0x004,
                                value = 'UNAVAILABLE', 0x008,
                                0x010),
                            kind = 'controller_mode', if(value IN ('MANUAL', 'MANUAL_DATA_INPUT', 'EDIT'), 0x020, 0),
                            kind = 'functional_mode',
                                if(value IN ('SETUP', 'TEARDOWN', 'MAINTENANCE', 'PROCESS_DEVELOPMENT'), 0x040, 0),
                            kind = 'emergency_stop', if(value = 'TRIGGERED', 0x080, 0),
                            kind = 'condition', if(value = 'FAULT', 0x100, 0),
                            0) AS class
                        -- end of generated
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
                    -- generated: state signals
                    WHERE match(signal, '^(availability|execution|controller_mode|functional_mode|emergency_stop|condition)(:|$)')
                    -- end of generated
                )
            )
            ARRAY JOIN [(class, toInt64(1)), (last_class, toInt64(-1))] AS class_change
            WHERE multiIf(class = last_class, false, of_class != 0)
        )
    )
    GROUP BY m, t
)
