-- Time known to be missing. A gap without an end lasts until `end_us`; once any event of its key gave an end, it is closed,
-- and of several ends the one told last holds.
-- A gap closed at its own start was taken back: nothing was lost.
gap_intervals AS
(
    SELECT machine_id, from_us, to_us, cause, detail
    FROM
    (
        SELECT
            toString(g.machine_id) AS machine_id,
            g.from_us AS from_us,
            toString(g.cause) AS cause,
            argMaxIf(g.to_us, g.event_id, g.to_us != 0) AS to_us,
            argMax(g.detail, g.event_id) AS detail
        FROM mtc.gaps AS g
        WHERE g.tenant_id = {tenant:String} AND g.machine_id IN {machines:Array(String)} AND g.from_us < {end_us:Int64}
        GROUP BY g.machine_id, g.from_us, g.cause
    )
    WHERE to_us = 0 OR to_us > greatest(from_us, {from_us:Int64})
)
