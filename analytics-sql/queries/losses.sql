-- The scheduled time in which nothing ran, by what it was lost to, the longest first: Pareto's list. Shares are of the
-- losses alone; what the policy excludes is listed, but is none.
SELECT
    state,
    reason,
    cause,
    loss,
    excluded,
    lost_us / 1e6 AS seconds,
    occurrences AS count,
    if(excluded, 0, lost_us) / nullIf(sum(if(excluded, 0, lost_us)) OVER (), 0) AS share,
    if(excluded, 0, occurrences) / nullIf(sum(if(excluded, 0, occurrences)) OVER (), 0) AS share_of_count
FROM
(
    SELECT
        toString(state) AS state,
        reason,
        cause,
        loss,
        excluded,
        sum(scheduled_us) AS lost_us,
        sum(stretches) AS occurrences
    FROM judged
    WHERE state != 'RUNNING'
    GROUP BY ALL
    HAVING lost_us > 0 OR occurrences > 0
)
ORDER BY if({by_count:Bool}, toInt64(occurrences), lost_us) DESC, lost_us DESC, state, reason, cause, loss
