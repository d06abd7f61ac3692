-- One row for each lot, '' where none is known.
(
    SELECT CAST((groupArray(reinterpretAsInt64(sipHash64(label))), groupArray(label)), 'Map(Int64, String)')
    FROM (SELECT DISTINCT lot AS label FROM making)
) AS names,
keyed AS (SELECT *, 0 AS k, lot_id AS k2 FROM timeline),
labelled AS (SELECT *, names[k2] AS key FROM sums)
