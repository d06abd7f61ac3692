-- What the roll-up holds of the window: whole days as their sums, the days at its edges as pieces, clipped. Hours are
-- in sums of their own. What starts or is counted belongs to the instant of it.
cells AS
(
    SELECT
        mtc_place(machine_id, {machines:Array(String)}) AS m,
        cell_hour_us AS hour_us,
        cell_local_day AS local_day,
        cell_shift_day AS shift_day,
        cell_shift AS shift,
        cell_part AS part,
        cell_lot AS lot,
        cell_order_id AS order_id,
        cell_state AS state,
        cell_cause AS cause,
        cell_reason AS reason,
        cell_minor AS minor,
        cell_from_us AS from_us,
        cell_to_us AS to_us,
        cell_length_us AS length_us,
        cell_scheduled_us AS scheduled_us,
        cell_stretches AS stretches,
        cell_failures AS failures,
        cell_stops AS stops,
        cell_total AS total,
        cell_reject AS reject,
        cell_ideal_total_us AS ideal_total_us,
        cell_ideal_good_us AS ideal_good_us,
        cell_without_ideal AS without_ideal,
        cell_spikes AS spikes,
        cell_resets AS resets
    FROM mtc.machine_day_sums FINAL
    ARRAY JOIN
        hour_us AS cell_hour_us,
        local_day AS cell_local_day,
        shift_day AS cell_shift_day,
        shift AS cell_shift,
        part AS cell_part,
        lot AS cell_lot,
        order_id AS cell_order_id,
        state AS cell_state,
        cause AS cell_cause,
        reason AS cell_reason,
        minor AS cell_minor,
        from_us AS cell_from_us,
        to_us AS cell_to_us,
        length_us AS cell_length_us,
        scheduled_us AS cell_scheduled_us,
        stretches AS cell_stretches,
        failures AS cell_failures,
        stops AS cell_stops,
        total AS cell_total,
        reject AS cell_reject,
        ideal_total_us AS cell_ideal_total_us,
        ideal_good_us AS cell_ideal_good_us,
        without_ideal AS cell_without_ideal,
        spikes AS cell_spikes,
        resets AS cell_resets
    WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
        AND day >= {whole_from:Date32} AND day < {whole_to:Date32}

    UNION ALL
    SELECT
        mtc_place(machine_id, {machines:Array(String)}),
        1000000 * (3600 * toInt64(piece_local_hour) - 900 * piece_offset),
        toUInt16(intDiv(piece_local_hour, 24)),
        piece_shift_day,
        piece_shift,
        piece_part,
        piece_lot,
        piece_order_id,
        piece_state,
        piece_cause,
        piece_reason,
        piece_minor,
        greatest(piece_from_us, {from_us:Int64}) AS starts_us,
        least(piece_to_us, {end_us:Int64}) AS ends_us,
        ends_us - starts_us AS clipped_us,
        if(piece_scheduled, clipped_us, 0),
        bitAnd(piece_starts, 1) AND piece_from_us >= {from_us:Int64},
        bitAnd(piece_starts, 2) != 0 AND piece_from_us >= {from_us:Int64},
        bitAnd(piece_starts, 4) != 0 AND piece_from_us >= {from_us:Int64},
        if(piece_from_us >= {from_us:Int64}, piece_total, 0) AS counted,
        if(piece_from_us >= {from_us:Int64}, piece_reject, 0) AS rejected,
        counted * piece_ideal_us,
        (counted - rejected) * piece_ideal_us,
        if(piece_ideal_us = 0, toInt64(abs(counted) + abs(rejected)), 0),
        if(piece_from_us >= {from_us:Int64}, piece_spikes, 0),
        if(piece_from_us >= {from_us:Int64}, piece_resets, 0)
    FROM mtc.machine_days FINAL
    ARRAY JOIN
        from_us AS piece_from_us,
        to_us AS piece_to_us,
        local_hour AS piece_local_hour,
        offset_quarters AS piece_offset,
        shift_day AS piece_shift_day,
        shift AS piece_shift,
        scheduled AS piece_scheduled,
        part AS piece_part,
        lot AS piece_lot,
        order_id AS piece_order_id,
        state AS piece_state,
        cause AS piece_cause,
        reason AS piece_reason,
        minor AS piece_minor,
        starts AS piece_starts,
        total AS piece_total,
        reject AS piece_reject,
        spikes AS piece_spikes,
        resets AS piece_resets,
        ideal_us AS piece_ideal_us
    WHERE tenant_id = {tenant:String} AND machine_id IN {machines:Array(String)}
        AND day >= toDate32(fromUnixTimestamp64Micro({from_us:Int64}, 'UTC'))
        AND day <= toDate32(fromUnixTimestamp64Micro({end_us:Int64}, 'UTC'))
        AND NOT (day >= {whole_from:Date32} AND day < {whole_to:Date32})
        AND piece_from_us < {end_us:Int64}
        AND (piece_to_us > {from_us:Int64} OR piece_from_us >= {from_us:Int64})
)
