// Where drizzle-kit finds the tables and puts the migrations (`bun run migrations`).
import { defineConfig } from "drizzle-kit";

export default defineConfig({
  dialect: "sqlite",
  schema: "./ingest/store/schema.ts",
  out: "./ingest/store/migrations",
});
