-- One row for each machine.
keyed AS (SELECT *, toInt64(m) AS k, '' AS k2 FROM judged),
labelled AS (SELECT *, {machines:Array(String)}[k] AS key FROM sums)
