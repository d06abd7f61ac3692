-- The topic as a table, with what all types of events hold. It holds nothing: whoever reads from it moves the group's
-- offsets, so only the view beside this file may. A message that cannot be parsed is a row with `_error` instead of an end
-- of the reading. Keys unknown here are skipped, as they are at the doors.
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
ENGINE = Kafka
SETTINGS
    kafka_broker_list = {brokers:String},
    kafka_topic_list = {topic:String},
    kafka_group_name = {group:String},
    kafka_security_protocol = {protocol:String},
    kafka_sasl_mechanism = {mechanism:String},
    kafka_sasl_username = {username:String},
    kafka_sasl_password = {password:String},
    kafka_format = 'JSONEachRow',
    kafka_handle_error_mode = 'stream',
    kafka_num_consumers = {consumers:UInt8},
    kafka_thread_per_consumer = 1,
    kafka_poll_max_batch_size = 4000,
    kafka_max_block_size = 4000,
    kafka_flush_interval_ms = 500,
    input_format_skip_unknown_fields = 1
COMMENT {comment:String}
