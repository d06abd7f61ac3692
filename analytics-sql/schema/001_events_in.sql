-- The one door into analytics: every event, of every type, as one row. Here it is a Null table that only feeds
-- the materialized views; with Kafka it is a Kafka table of the same columns, and nothing else differs (invariant 9).
-- `data` holds the keys of all event types at once: keys an event does not have get defaults, keys unknown here
-- are skipped. 64-bit integers are plain JSON numbers below 2^53. It holds nothing, so every start makes it anew:
-- that is how it learns of the keys of new event types.
CREATE OR REPLACE TABLE mtc.events_in
(
    id String,
    type LowCardinality(String),
    subject String,
    tenantid String,
    data Tuple(
        signals Array(String),
        signal Array(UInt16),
        t0 Int64,
        dt Array(Int64),
        seq0 Nullable(UInt64),
        seq Array(UInt64),
        num Array(Nullable(Float64)),
        words Array(String),
        word Array(UInt16),
        machine Tuple(name String, `group` String, deleted Bool),
        calendar Tuple(
            timezone String,
            zone Tuple(local_from_s Array(Int64), offset_s Array(Int64)),
            shifts Tuple(
                weekday Array(UInt8),
                date Array(Date32),
                name Array(String),
                start_s Array(Int64),
                end_s Array(Int64),
                break_start_s Array(Array(Int64)),
                break_end_s Array(Array(Int64))),
            exception_dates Array(Date32)),
        valid_from_us Int64,
        cycle_times Tuple(part Array(String), valid_from_us Array(Int64), ideal_cycle_s Array(Float64)),
        policy Tuple(unknown String, reasons Map(String, String), minor_stop_s Float64, target_oee Float64),
        downtime Tuple(
            from_us Int64,
            to_us Int64,
            reason String,
            id String,
            note String,
            by String,
            deleted Bool,
            since_us Int64),
        reasons Tuple(
            code Array(String),
            name Array(String),
            parent Array(String),
            treatment Array(String),
            loss Array(String),
            rule_code Array(String),
            rule_condition Array(String),
            rule_native Array(String),
            rule_machines Array(Array(String)),
            since_us Int64),
        rejects Tuple(ts_us Int64, count Int64, reason String),
        lot Tuple(lot String, part String, from_us Int64, to_us Int64, order_id String),
        spike Tuple(signal String, ts_us Int64, decision String),
        gap Tuple(from_us Int64, to_us Int64, cause String, detail String),
        asset Tuple(
            asset_id String,
            type String,
            ts_us Int64,
            removed Bool,
            document String,
            omitted_bytes Int64))
)
ENGINE = Null;
