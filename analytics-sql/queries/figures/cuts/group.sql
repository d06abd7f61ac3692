-- One row for each group of machines, '' for those in none.
keyed AS (SELECT *, toInt64(0) AS k, {groups:Array(String)}[m] AS k2 FROM judged),
labelled AS (SELECT *, k2 AS key FROM sums)
