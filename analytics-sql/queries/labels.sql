-- Names of the parts and lots in the window by their hashes; only cuts by part or lot need them.
(
    SELECT CAST((groupArray(reinterpretAsInt64(sipHash64(label))), groupArray(label)), 'Map(Int64, String)')
    FROM (SELECT DISTINCT arrayJoin([part, lot]) AS label FROM making)
    WHERE label != ''
) AS labels
