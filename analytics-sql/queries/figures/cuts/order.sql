-- One row for each order, '' where none is known.
keyed AS (SELECT *, toInt64(0) AS k, order_id AS k2 FROM judged),
labelled AS (SELECT *, k2 AS key FROM sums)
