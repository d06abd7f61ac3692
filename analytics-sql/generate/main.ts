// `bun run generate`: writes what follows from domain/ into the SQL files that hold it.
import { FILES, generated } from "./blocks.ts";

for (const path of FILES) {
  const text = await Bun.file(path).text();
  const made = generated(text);
  if (made === text) continue;
  await Bun.write(path, made);
  console.info(`written: ${path}`);
}
