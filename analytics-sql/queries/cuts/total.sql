-- One row over everything.
keyed AS (SELECT *, 0 AS k, 0 AS k2 FROM timeline),
labelled AS (SELECT *, '' AS key FROM sums)
