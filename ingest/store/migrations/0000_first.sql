CREATE TABLE `checkpoints` (
	`agent` text PRIMARY KEY NOT NULL,
	`instance_id` text NOT NULL,
	`next_sequence` integer NOT NULL,
	`known_us` integer
);
--> statement-breakpoint
CREATE TABLE `events` (
	`position` integer PRIMARY KEY AUTOINCREMENT NOT NULL,
	`id` text NOT NULL,
	`tenant_id` text NOT NULL,
	`machine_id` text NOT NULL,
	`type` text NOT NULL,
	`time_ms` integer NOT NULL,
	`rows` integer NOT NULL,
	`bytes` blob NOT NULL,
	`dedupe_key` text,
	`body_hash` text
);
--> statement-breakpoint
CREATE UNIQUE INDEX `events_dedupe` ON `events` (`tenant_id`,`machine_id`,`dedupe_key`) WHERE dedupe_key IS NOT NULL;--> statement-breakpoint
CREATE INDEX `events_time` ON `events` (`time_ms`);--> statement-breakpoint
CREATE TABLE `keys` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`hash` text NOT NULL,
	`scopes` text NOT NULL,
	`created_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `machines` (
	`id` text PRIMARY KEY NOT NULL,
	`tenant_id` text NOT NULL,
	`name` text NOT NULL,
	`source` text,
	`calendar` text,
	`cycle_times` text,
	`policy` text,
	`demo` integer NOT NULL,
	`created_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `open_gaps` (
	`machine_id` text NOT NULL,
	`from_us` integer NOT NULL,
	`cause` text NOT NULL,
	PRIMARY KEY(`machine_id`, `from_us`, `cause`)
);
--> statement-breakpoint
CREATE TABLE `poison` (
	`position` integer PRIMARY KEY NOT NULL,
	`error` text NOT NULL,
	`time_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `sessions` (
	`hash` text PRIMARY KEY NOT NULL,
	`key_id` text NOT NULL,
	`expires_ms` integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE `watermark` (
	`name` text PRIMARY KEY NOT NULL,
	`position` integer NOT NULL
);
