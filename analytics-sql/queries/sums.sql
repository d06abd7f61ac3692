-- Sums over the pieces of the timeline, for each (k, k2) of a cut, and over all of them. Ideal cycle times are whole µs and counts whole
-- parts, so every sum is exact and no order of rows can change it.
sums AS
(
    SELECT
        k,
        k2,
        grouping(k) = 1 AS is_total,
        min(from_us) AS starts_us,
        max(to_us) AS ends_us,
        sum(length_us) AS calendar_us,
        sum(t.scheduled_us) AS scheduled_us,
        sumIf(t.scheduled_us, NOT excluded) AS planned_us,
        sumIf(t.scheduled_us, state = 'RUNNING') AS run_us,
        sumIf(t.scheduled_us, state = 'DOWN') AS down_us,
        sumIf(t.scheduled_us, state = 'SETUP') AS setup_us,
        sumIf(t.scheduled_us, state = 'STOPPED') AS stopped_us,
        sumIf(t.scheduled_us, state = 'IDLE') AS idle_us,
        sumIf(t.scheduled_us, state = 'UNKNOWN') AS unknown_us,
        sum(total) AS total_count,
        sum(reject) AS reject_count,
        sum(total * ideal_us) AS ideal_total_us,
        sum((total - reject) * ideal_us) AS ideal_good_us,
        -- Something was made whose ideal is not known; or no machine has any listed.
        multiIf(max(any_ideal) = 0, true, sumIf(abs(total) + abs(reject), ideal_us = 0) > 0) AS no_ideal,
        sum(spikes) AS spikes,
        sum(resets) AS resets
    FROM keyed AS t
    GROUP BY GROUPING SETS ((k, k2), ())
)
