-- One row for each machine.
keyed AS (SELECT *, m AS k, 0 AS k2 FROM timeline),
labelled AS (SELECT *, {machines:Array(String)}[k] AS key FROM sums)
