-- What observations hold: the keys of ObservationColumns (ingest/event.ts).
signals Array(String),
signal Array(UInt16),
t0 Int64,
dt Array(Int64),
seq0 Nullable(UInt64),
seq Array(UInt64),
num Array(Nullable(Float64)),
words Array(String),
word Array(UInt16)
