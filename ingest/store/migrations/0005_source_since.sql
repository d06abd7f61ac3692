ALTER TABLE `machines` ADD `source_since_ms` integer DEFAULT 0 NOT NULL;--> statement-breakpoint
UPDATE `machines` SET `source_since_ms` = `created_ms`;