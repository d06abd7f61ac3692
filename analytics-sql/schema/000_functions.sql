-- What views and queries say in a word; made first, since views are made of it.

-- A local time (s since 1970-01-01T00:00 local) in UTC µs: the offset of the last entry that starts at or before it.
-- That is Temporal's "compatible": a time the clock skips moves on, of a time it shows twice the first is meant.
-- An empty zone is UTC.
CREATE OR REPLACE FUNCTION mtc_utc_us AS (local_s, local_from_s, offset_s) ->
    1000000 * (local_s - offset_s[greatest(1, arrayCount(from_s -> from_s <= local_s, local_from_s))]);

-- A machine's place in a list. By a hash table: indexOf compares names one by one, 0.5 s for 1.8 M rows of 100 machines.
CREATE OR REPLACE FUNCTION mtc_place AS (machine_id, machines) ->
    transform(machine_id, machines, arrayEnumerate(machines), toUInt32(0));

-- The text by which a value is known among the values of its signal, and which the state rules read: a number in its shortest
-- form, a word as it is, of alarms their native codes, each between line breaks. Of two values of one time and sequence the
-- one whose text is the greater holds, byte by byte. Its twin is ingest/ties.ts.
CREATE OR REPLACE FUNCTION mtc_value_text AS (signal, num, word) ->
    multiIf(
        isNotNull(num), toString(assumeNotNull(num)),
        startsWith(signal, 'alarms:') AND startsWith(word, '['),
            concat('\n', arrayStringConcat(arrayMap(alarm -> JSONExtractString(alarm, 'code'), JSONExtractArrayRaw(word)), '\n'), '\n'),
        word);
