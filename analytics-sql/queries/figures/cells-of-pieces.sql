-- Cells of the days at the window's edges, as their pieces, clipped. What starts or is counted belongs to the instant of it.
SELECT
    mtc_place(machine_id, {machines:Array(String)}) AS m,
    -- generated: cells
    1000000 * (3600 * toInt64(piece_local_hour) - 900 * piece_offset_quarters) AS hour_us,
    toUInt16(intDiv(piece_local_hour, 24)) AS local_day,
    piece_shift_day AS shift_day,
    piece_shift AS shift,
    piece_part AS part,
    piece_lot AS lot,
    piece_order_id AS order_id,
    piece_state AS state,
    piece_cause AS cause,
    piece_reason AS reason,
    piece_minor AS minor,
    greatest(piece_from_us, {from_us:Int64}) AS from_us,
    least(piece_to_us, {end_us:Int64}) AS to_us,
    to_us - from_us AS length_us,
    if(piece_scheduled, length_us, 0) AS scheduled_us,
    bitAnd(piece_starts, 1) != 0 AND piece_from_us >= {from_us:Int64} AS stretches,
    bitAnd(piece_starts, 2) != 0 AND piece_from_us >= {from_us:Int64} AS failures,
    bitAnd(piece_starts, 4) != 0 AND piece_from_us >= {from_us:Int64} AS stops,
    if(piece_from_us >= {from_us:Int64}, piece_total, 0) AS total,
    if(piece_from_us >= {from_us:Int64}, piece_reject, 0) AS reject,
    total * piece_ideal_us AS ideal_total_us,
    (total - reject) * piece_ideal_us AS ideal_good_us,
    if(piece_ideal_us = 0, toInt64(abs(total) + abs(reject)), 0) AS without_ideal,
    if(piece_from_us >= {from_us:Int64}, piece_spikes, 0) AS spikes,
    if(piece_from_us >= {from_us:Int64}, piece_resets, 0) AS resets
    -- end of generated
FROM mtc.machine_days AS d FINAL
ARRAY JOIN
    -- generated: pieces
    d.from_us AS piece_from_us,
    d.to_us AS piece_to_us,
    d.state AS piece_state,
    d.cause AS piece_cause,
    d.reason AS piece_reason,
    d.local_hour AS piece_local_hour,
    d.offset_quarters AS piece_offset_quarters,
    d.shift_day AS piece_shift_day,
    d.shift AS piece_shift,
    d.scheduled AS piece_scheduled,
    d.part AS piece_part,
    d.lot AS piece_lot,
    d.order_id AS piece_order_id,
    d.minor AS piece_minor,
    d.starts AS piece_starts,
    d.total AS piece_total,
    d.reject AS piece_reject,
    d.spikes AS piece_spikes,
    d.resets AS piece_resets,
    d.ideal_us AS piece_ideal_us
    -- end of generated
WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
    AND day >= toDate32(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))
    AND day <= toDate32(fromUnixTimestamp64Micro({end_us:Int64}, 'UTC'))
    AND NOT (day >= {whole_from:Date32} AND day < {whole_to:Date32})
    AND piece_from_us < {end_us:Int64}
    AND (piece_to_us > {from_us:Int64} OR piece_from_us >= {from_us:Int64})
