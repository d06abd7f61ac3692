-- The days that the table holds, with the names of their parts, which never change what they hold.
SELECT partition AS date, arraySort(groupArray(name)) AS parts
FROM system.parts
WHERE database = 'mtc' AND table = 'observations' AND active
GROUP BY partition
ORDER BY date
