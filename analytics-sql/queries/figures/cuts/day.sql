-- Days of the plant's clock, UTC without calendar, named by the local day. Time in a shift belongs to the day the shift
-- starts, all other time to the day the clock shows.
keyed AS (SELECT *, toInt64(if(shift_day IN (0, 65535), local_day, shift_day - 1)) AS k, '' AS k2 FROM judged),
labelled AS (SELECT *, toString(toDate32(k)) AS key FROM sums)
