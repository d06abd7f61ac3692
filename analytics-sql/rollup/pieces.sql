-- The timeline with what starts where and which stops are minor.
--
-- A stop is a stretch of DOWN, STOPPED and IDLE; it is minor where all of it, in and out of shifts, is shorter than
-- the policy says. What starts is counted where it starts in a shift, or where the shift starts, if it went on from
-- time without one: a stop is clipped to the shift, and breaks do not split it.
pieces AS
(
    SELECT
        *,
        multiIf(stop, length_of_run_us < minor_stops_us[m], false) AS minor,
        multiIf(
            shift_day = 0, 0,
            bitOr(
                bitOr(toUInt8(changed), multiIf(state != 'DOWN', 0, failed, 2, 0)),
                multiIf(NOT stop, 0, stopped, 4, 0))) AS starts
    FROM
    (
        SELECT *, sum(length_us) OVER (PARTITION BY m, run) AS length_of_run_us
        FROM
        (
            SELECT
                *,
                multiIf(shift_day = 0, false, last_shift_day = 0) AS entered,
                multiIf(entered, true, (state, stop_reason_id, cause) != last) AS changed,
                multiIf(entered, true, last.1 != 'DOWN') AS failed,
                multiIf(entered, true, NOT last_stop) AS stopped,
                sum(toUInt8(stop != last_stop)) OVER (
                    PARTITION BY m ORDER BY from_us, track ROWS UNBOUNDED PRECEDING) AS run
            FROM
            (
                SELECT
                    *,
                    state IN ('DOWN', 'STOPPED', 'IDLE') AS stop,
                    lagInFrame((state, stop_reason_id, cause), 1) OVER before AS last,
                    lagInFrame(shift_day, 1) OVER before AS last_shift_day,
                    last.1 IN ('DOWN', 'STOPPED', 'IDLE') AS last_stop
                FROM timeline
                WINDOW before AS (PARTITION BY m ORDER BY from_us, track ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)
            )
        )
    )
)
