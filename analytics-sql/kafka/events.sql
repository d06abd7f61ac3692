-- The topic as a table, with what all types of events hold. It holds nothing: whoever reads from it moves the group's
-- offsets, so only the view beside this file may. A message that cannot be parsed is a row with `_error` instead of an end
-- of the reading. Keys unknown here are skipped, as they are at the doors.
-- A block ends by number or by time, never by its bytes, and not before all that was polled at once is in it. So what is polled
-- at once is little: of the largest bodies a block has those of half a second and eight more, 20 or so, which take half of
-- what an insert may. Small ones are polled as fast.
CREATE TABLE IF NOT EXISTS mtc.events_kafka
(
    id String,
    type LowCardinality(String),
    tenantid String,
    subject String,
    data Tuple(
{data_of_observations:Text},
{data_of_entries:Text}
    )
)
ENGINE = {engine:Text}
SETTINGS
    kafka_broker_list = {brokers:String},
    kafka_topic_list = {topic:String},
    kafka_group_name = {group:String},
    {security:Text}
    kafka_format = 'JSONEachRow',
    kafka_handle_error_mode = 'stream',
    kafka_num_consumers = {consumers:UInt8},
    kafka_thread_per_consumer = 1,
    kafka_poll_max_batch_size = 8,
    kafka_poll_timeout_ms = 100,
    kafka_max_block_size = 4000,
    kafka_flush_interval_ms = 500,
    input_format_skip_unknown_fields = 1
COMMENT {comment:String}
