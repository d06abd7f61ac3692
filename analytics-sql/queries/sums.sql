-- Sums over the pieces of the timeline, for each (k, k2) of a cut. Ideal cycle times are whole µs and counts whole
-- parts, so every sum is exact and no order of rows can change it.
sums AS
(
    SELECT
        k,
        k2,
        min(from_us) AS starts_us,
        max(to_us) AS ends_us,
        sum(length_us) AS calendar_us,
        sumIf(length_us, scheduled) AS scheduled_us,
        sumIf(length_us, scheduled AND NOT excluded) AS planned_us,
        sumIf(length_us, scheduled AND state = 'RUNNING') AS run_us,
        sumIf(length_us, scheduled AND state = 'DOWN') AS down_us,
        sumIf(length_us, scheduled AND state = 'SETUP') AS setup_us,
        sumIf(length_us, scheduled AND state = 'STOPPED') AS stopped_us,
        sumIf(length_us, scheduled AND state = 'IDLE') AS idle_us,
        sumIf(length_us, scheduled AND state = 'UNKNOWN') AS unknown_us,
        sum(total) AS total_count,
        sum(reject) AS reject_count,
        sum(total * ideal_us) AS ideal_total_us,
        sum((total - reject) * ideal_us) AS ideal_good_us,
        -- Something was made whose ideal is not known; or no machine has any listed.
        countIf(ideal_us = 0 AND (total != 0 OR reject != 0)) > 0 OR max(any_ideal) = 0 AS no_ideal,
        sum(spikes) AS spikes,
        sum(resets) AS resets
    FROM keyed
    GROUP BY k, k2
)
