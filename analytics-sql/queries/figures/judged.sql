-- Cells with what the policies in force make of them, given by machine: is their time excluded, which loss is it, and is
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
)
