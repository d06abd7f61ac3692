-- One row over everything, by the plant's name.
keyed AS (SELECT *, toInt64(0) AS k, '' AS k2 FROM judged),
labelled AS (SELECT *, {tenant:String} AS key FROM sums)
