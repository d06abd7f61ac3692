// kafkajs unpacks gzip alone; where a test reads a topic that brokers pack by zstd, this teaches it to.
import { CompressionCodecs, CompressionTypes } from "kafkajs";

CompressionCodecs[CompressionTypes.ZSTD] = () => ({
  compress: () => Promise.reject(new Error("brokers pack, and nobody else")),
  decompress: async (packed: Buffer) => Buffer.from(Bun.zstdDecompressSync(packed)),
});
