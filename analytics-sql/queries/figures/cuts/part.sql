-- One row for each part, '' where none is known.
keyed AS (SELECT *, toInt64(0) AS k, part AS k2 FROM judged),
labelled AS (SELECT *, k2 AS key FROM sums)
