-- Signals over a stretch of time, thinned to what a chart of some pixels can show: of each bucket the first, the lowest,
-- the highest and the last value, each at its own time. A line through these is the line through all of them, pixel for
-- pixel. What held when the stretch began is looked for as far back again, and comes as bucket -1.
-- Of one time they come in that order, the last one last; one point may come twice.
-- A value that is no number is a hole: NaN here, which no observation can be.
-- Of one instant the highest sequence is last, of one sequence the greatest text (mtc_value_text), of a number and the word that
-- reads like it the word. All of it is one string, the numbers byte by byte from the highest on: with tuples this takes nearly
-- twice as long.
SELECT signal, point.1 AS ts_us, NOT isNaN(point.2) AS known, if(known, point.2, 0) AS number
FROM
(
    SELECT
        toString(signal) AS signal,
        if(t < {from_us:Int64}, -1, intDiv(t - {from_us:Int64}, {bucket_us:Int64})) AS bucket,
        (min(t), argMin(n, place)) AS first,
        (argMinIf(t, n, known_here), minIf(n, known_here)) AS lowest,
        (argMaxIf(t, n, known_here), maxIf(n, known_here)) AS highest,
        (max(t), argMax(n, place)) AS last,
        if(bucket < 0, [last], arrayFilter(p -> p.1 > 0, [first, lowest, highest, last])) AS points
    FROM
    (
        SELECT
            signal,
            toUnixTimestamp64Micro(ts) AS t,
            concat(
                reinterpretAsFixedString(byteSwap(toUInt64(t))),
                reinterpretAsFixedString(byteSwap(seq)),
                mtc_value_text(signal, num, word),
                if(isNull(num), '\0', '')) AS place,
            ifNull(num, nan) AS n,
            isNotNull(num) AS known_here
        FROM mtc.observations
        WHERE tenant_id = {tenant:String} AND machine_id = {machine:String} AND signal IN {signals:Array(String)}
            AND ts >= fromUnixTimestamp64Micro(greatest(0, 2 * {from_us:Int64} - {to_us:Int64}), 'UTC')
            AND ts < fromUnixTimestamp64Micro({to_us:Int64}, 'UTC')
    )
    GROUP BY signal, bucket
)
ARRAY JOIN points AS point, arrayEnumerate(points) AS nth
ORDER BY signal, ts_us, nth
