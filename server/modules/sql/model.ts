// What of ClickHouse's HTTP protocol is spoken here: formats, settings, headers.

/** Output formats that need no file and no schema of ours, with their media types. */
export const FORMATS: Record<string, string> = {
  JSON: "application/json; charset=UTF-8",
  JSONStrings: "application/json; charset=UTF-8",
  JSONCompact: "application/json; charset=UTF-8",
  JSONCompactStrings: "application/json; charset=UTF-8",
  JSONColumnsWithMetadata: "application/json; charset=UTF-8",
  JSONObjectEachRow: "application/json; charset=UTF-8",
  JSONEachRow: "application/x-ndjson; charset=UTF-8",
  JSONStringsEachRow: "application/x-ndjson; charset=UTF-8",
  JSONCompactEachRow: "application/x-ndjson; charset=UTF-8",
  JSONCompactStringsEachRow: "application/x-ndjson; charset=UTF-8",
  JSONCompactEachRowWithNames: "application/x-ndjson; charset=UTF-8",
  JSONCompactEachRowWithNamesAndTypes: "application/x-ndjson; charset=UTF-8",
  CSV: "text/csv; charset=UTF-8",
  CSVWithNames: "text/csv; charset=UTF-8; header=present",
  CSVWithNamesAndTypes: "text/csv; charset=UTF-8; header=present",
  TabSeparated: "text/tab-separated-values; charset=UTF-8",
  TabSeparatedRaw: "text/tab-separated-values; charset=UTF-8",
  TabSeparatedWithNames: "text/tab-separated-values; charset=UTF-8",
  TabSeparatedWithNamesAndTypes: "text/tab-separated-values; charset=UTF-8",
  TSV: "text/tab-separated-values; charset=UTF-8",
  TSVWithNames: "text/tab-separated-values; charset=UTF-8",
  TSVWithNamesAndTypes: "text/tab-separated-values; charset=UTF-8",
  Pretty: "text/plain; charset=UTF-8",
  PrettyCompact: "text/plain; charset=UTF-8",
  PrettySpace: "text/plain; charset=UTF-8",
  Vertical: "text/plain; charset=UTF-8",
  Values: "text/plain; charset=UTF-8",
  Markdown: "text/markdown; charset=UTF-8",
  XML: "application/xml; charset=UTF-8",
  Parquet: "application/octet-stream",
  Arrow: "application/octet-stream",
  ArrowStream: "application/octet-stream",
  Native: "application/octet-stream",
  RowBinary: "application/octet-stream",
  RowBinaryWithNames: "application/octet-stream",
  RowBinaryWithNamesAndTypes: "application/octet-stream",
  Null: "text/plain; charset=UTF-8",
};

export const DEFAULT_FORMAT = "TabSeparated";

/**
 * Settings that clients send whatever is asked. They change nothing here: the connection's own are fixed. Any other is
 * refused as a read-only server does.
 */
export const IGNORED_SETTINGS = new Set([
  "add_http_cors_header",
  "buffer_size",
  "cancel_http_readonly_queries_on_client_close",
  "client_protocol_version",
  "compress",
  "connect_timeout",
  "decompress",
  "http_headers_progress_interval_ms",
  "max_block_size",
  "max_execution_time",
  "max_result_rows",
  "output_format_json_quote_64bit_integers",
  "quota_key",
  "readonly",
  "role",
  "send_progress_in_http_headers",
  "session_check",
  "session_id",
  "session_timeout",
  "stacktrace",
  "wait_end_of_query",
]);

/** What the query string may hold besides settings. */
export const PARAMETERS = new Set([
  "database",
  "default_format",
  "enable_http_compression",
  "password",
  "query",
  "query_id",
  "user",
]);

/** ClickHouse's codes and the statuses it answers them with. */
export const STATUS_OF: Record<number, number> = {
  60: 404,
  81: 404,
  159: 408,
  164: 500,
  194: 403,
  201: 429,
  202: 429,
  210: 503,
  497: 403,
  516: 401,
};
