// Finds Apache Kafka for the tests, or fetches it from Maven Central where the script may.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";

const VERSION = "4.1.0";
const HOME = `${homedir()}/.cache/mtc-tests/kafka-${VERSION}`;

const POM = `<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>mtc</groupId><artifactId>kafka-for-tests</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${VERSION}</version></dependency>
  </dependencies>
</project>`;

/** @returns the class path of the broker, or undefined: then its tests skip by name */
export const findKafka = (): string | undefined =>
  existsSync(`${HOME}/kafka_2.13-${VERSION}.jar`) && Bun.which("java") ? `${HOME}/*` : undefined;

/** Kafka and what it depends on, in a place of their own. @returns the class path, or a word on why there is none */
export function provideKafka(): string {
  const found = findKafka();
  if (found) return found;
  const maven = Bun.which("mvn");
  if (!maven || !Bun.which("java")) return "there is no mvn and java";
  console.log(`fetching Kafka ${VERSION} for the tests …`);
  const making = `${HOME}.making`;
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  writeFileSync(`${making}/pom.xml`, POM);
  const fetched = Bun.spawnSync(
    [maven, "-q", "-B", "dependency:copy-dependencies", `-DoutputDirectory=${making}`],
    { cwd: making, stdout: "pipe" },
  );
  if (!fetched.success) return fetched.stdout.toString().trim().split("\n").at(0) || "mvn failed";
  renameSync(making, HOME);
  return findKafka() ?? "not there after fetching it";
}
