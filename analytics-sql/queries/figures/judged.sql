-- The cells that are asked for (an empty list of shifts, parts, lots or orders is all of them), with what the policies in force make of them, given by machine: is their time excluded, which loss is it, and is
-- any ideal cycle listed at all. A reason may say itself which loss it is. An excluded reason is a pair of its machine's place and its code.
judged AS
(
    SELECT
        *,
        multiIf(
            state = 'RUNNING', false,
            {unknown_excluded:Array(UInt8)}[m] AND state = 'UNKNOWN', true,
            reason = '', false,
            (m, reason) IN (
                SELECT arrayJoin(arrayZip({excluded_of:Array(UInt32)}, {excluded_reasons:Array(String)})))) AS excluded,
        multiIf(
            excluded, '',
            state = 'RUNNING', '',
            reason != '' AND has({codes:Array(String)}, reason), transform(reason, {codes:Array(String)}, {losses:Array(String)}, ''),
            state = 'UNKNOWN', 'unknown',
            minor, 'minor',
            state = 'SETUP', 'setup',
            state = 'DOWN', 'breakdown',
            'other') AS loss,
        {ideal_listed:Array(UInt8)}[m] AS any_ideal
    FROM cells
    WHERE (empty({of_shift:Array(String)}) OR has({of_shift:Array(String)}, shift))
        AND (empty({of_part:Array(String)}) OR has({of_part:Array(String)}, part))
        AND (empty({of_lot:Array(String)}) OR has({of_lot:Array(String)}, lot))
        AND (empty({of_order:Array(String)}) OR has({of_order:Array(String)}, order_id))
)
