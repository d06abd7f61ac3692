-- Sums over cells, for each (k, k2) of a cut, and over all of them. Ideal cycle times are whole µs and counts whole
-- parts, so every sum is exact and no order of rows can change it. Ideal time is as long as a counter says: of machines whose
-- 32-bit counters leap a few dozen times it does not fit into 64 bits.
sums AS
(
    SELECT
        k,
        k2,
        grouping(k) = 1 AS is_total,
        min(from_us) AS starts_us,
        max(to_us) AS ends_us,
        -- generated: sums
        sum(length_us) AS calendar_us,
        sum(c.scheduled_us) AS scheduled_us,
        sumIf(c.scheduled_us, NOT excluded) AS planned_us,
        sumIf(c.scheduled_us, state = 'RUNNING') AS run_us,
        sumIf(c.scheduled_us, state = 'DOWN') AS down_us,
        sumIf(c.scheduled_us, state = 'SETUP') AS setup_us,
        sumIf(c.scheduled_us, state = 'STOPPED') AS stopped_us,
        sumIf(c.scheduled_us, state = 'IDLE') AS idle_us,
        sumIf(c.scheduled_us, state = 'UNKNOWN') AS unknown_us,
        sumIf(c.scheduled_us, loss = 'breakdown') AS breakdown_loss_us,
        sumIf(c.scheduled_us, loss = 'setup') AS setup_loss_us,
        sumIf(c.scheduled_us, loss = 'minor') AS minor_stop_loss_us,
        sumIf(c.scheduled_us, loss = 'other') AS other_stop_loss_us,
        sumIf(c.scheduled_us, loss = 'unknown') AS unknown_loss_us,
        sumIf(toInt128(c.ideal_total_us - c.ideal_good_us), state = 'SETUP') AS startup_reject_loss_us,
        sumIf(failures, NOT excluded) AS failure_count,
        sumIf(c.scheduled_us, state = 'DOWN' AND NOT excluded) AS repair_us,
        sumIf(stops, NOT excluded) AS stop_count,
        sumIf(stops, minor AND NOT excluded) AS minor_stop_count,
        sum(total) AS total_count,
        sum(total - reject) AS good_count,
        sum(reject) AS reject_count,
        sum(toInt128(c.ideal_total_us)) AS ideal_total_us,
        sum(toInt128(c.ideal_good_us)) AS ideal_good_us,
        -- end of generated
        -- Something was made whose ideal is not known; or no machine has any listed.
        multiIf(count() = 0, false, max(any_ideal) = 0, true, sum(without_ideal) > 0) AS no_ideal,
        sum(without_ideal) AS without_ideal_count,
        max(any_ideal) AS ideal_known,
        sum(spikes) AS spike_count,
        sum(resets) AS reset_count
    FROM keyed AS c
    GROUP BY GROUPING SETS ((k, k2), ())
)
