// The rows that are shown as a file: as the API has them, and for spreadsheets of languages with a decimal comma.
/** @jsxImportSource preact */
import { text } from "../text.ts";

/** @param path the API's call, without its format */
export function Files({ path }: { path: string }) {
  const formats = text.report.files;
  return (
    <p class="files">
      {Object.entries(formats).map(([format, name]) => (
        <a key={format} class="button" href={`${path}&format=${format}`} download>
          {name}
        </a>
      ))}
    </p>
  );
}
