-- Which shifts, parts, lots and orders there are in a window, the latest first: '' where some time has none.
SELECT kind, value
FROM
(
    SELECT named.1 AS kind, named.2 AS value, max(to_us) AS last_us
    FROM cells
    ARRAY JOIN [
        ('shift', toString(shift)),
        ('part', toString(part)),
        ('lot', toString(lot)),
        ('order', toString(order_id))] AS named
    GROUP BY kind, value
)
ORDER BY kind, last_us DESC, value
LIMIT {limit:UInt32} BY kind
