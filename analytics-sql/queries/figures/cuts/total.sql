-- One row over everything.
keyed AS (SELECT *, toInt64(0) AS k, '' AS k2 FROM judged),
labelled AS (SELECT *, '' AS key FROM sums)
