SELECT
    toString(machine_id) AS machine_id,
    fromUnixTimestamp64Micro(piece_from_us, 'UTC') AS ts,
    piece_total AS total_count,
    piece_total - piece_reject AS good_count,
    piece_reject AS reject_count,
    toString(piece_part) AS part,
    toString(piece_lot) AS lot,
    toString(piece_order_id) AS order_id,
    toString(piece_shift) AS shift,
    if(piece_shift_day IN (0, 65535), toDate32(intDiv(piece_local_hour, 24)), toDate32(piece_shift_day - 1)) AS day,
    if(piece_ideal_us = 0, NULL, piece_ideal_us / 1e6) AS ideal_cycle_s
FROM mtc.machine_days AS d FINAL
ARRAY JOIN
    d.from_us AS piece_from_us,
    d.total AS piece_total,
    d.reject AS piece_reject,
    d.part AS piece_part,
    d.lot AS piece_lot,
    d.order_id AS piece_order_id,
    d.shift AS piece_shift,
    d.shift_day AS piece_shift_day,
    d.local_hour AS piece_local_hour,
    d.ideal_us AS piece_ideal_us
WHERE tenant_id = {tenant:String} AND (piece_total != 0 OR piece_reject != 0)
