-- The doors into analytics: a row for each event, in a Null table that only feeds the materialized views behind it. An
-- insert plans every view that hangs on its table, whatever it holds: 12 of them would make that of a few observations
-- cost three times as much. With Kafka the same doors stand behind a table of the topic (kafka/), and nothing else differs
-- (invariant 9). Keys unknown here are skipped. 64-bit integers are plain JSON numbers below 2^53. They hold nothing.
-- Keys of new event types come by ALTER in a migration: a door that was made anew would be, for a moment, without its views.
CREATE TABLE IF NOT EXISTS mtc.observations_in
(
    tenantid String,
    subject String,
    data Tuple(
{data_of_observations:Text}
    )
)
ENGINE = Null;

ALTER TABLE mtc.observations_in
    MODIFY COLUMN data Tuple(
{data_of_observations:Text}
    );

CREATE TABLE IF NOT EXISTS mtc.entries_in
(
    id String,
    type LowCardinality(String),
    tenantid String,
    subject String,
    data Tuple(
{data_of_entries:Text}
    )
)
ENGINE = Null;

ALTER TABLE mtc.entries_in
    MODIFY COLUMN data Tuple(
{data_of_entries:Text}
    );
