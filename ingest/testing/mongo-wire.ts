// A server in a script: speaks MongoDB's wire protocol, notes every command as it came, and answers as it is told.
import type { Socket } from "bun";
import { BSON, type Document } from "mongodb";

const OP_MSG = 2013;
const OP_QUERY = 2004;
const OP_REPLY = 1;
const HEADER_BYTES = 16;

export type WirePeer = {
  url: string;
  /** Every command after the handshakes, in the order of arrival; document sequences are fields like any other. */
  commands: Document[];
  stop(): void;
};

const HELLO = (port: number): Document => ({
  ok: 1,
  helloOk: true,
  ismaster: true,
  isWritablePrimary: true,
  setName: "rs0",
  setVersion: 1,
  me: `127.0.0.1:${port}`,
  primary: `127.0.0.1:${port}`,
  hosts: [`127.0.0.1:${port}`],
  maxBsonObjectSize: 16_777_216,
  maxMessageSizeBytes: 48_000_000,
  maxWriteBatchSize: 100_000,
  localTime: new Date(),
  logicalSessionTimeoutMinutes: 30,
  minWireVersion: 0,
  maxWireVersion: 21,
});

/**
 * Presents itself as the primary of a replica set of MongoDB 7.
 * @param answer what to say to a command; undefined: that it went well
 */
export function startWirePeer(answer: (command: Document) => Document | undefined): WirePeer {
  const commands: Document[] = [];
  const rest = new WeakMap<Socket, Buffer>();
  const reply = (command: Document): Document => {
    const name = Object.keys(command)[0] ?? "";
    if (/^(hello|ismaster)$/i.test(name)) return HELLO(server.port);
    if (name !== "ping" && name !== "endSessions") commands.push(command);
    return { ok: 1, ...answer(command) };
  };
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, chunk) {
        let data = Buffer.concat([rest.get(socket) ?? Buffer.alloc(0), chunk]);
        while (data.length >= 4 && data.length >= data.readInt32LE(0)) {
          const message = data.subarray(0, data.readInt32LE(0));
          data = data.subarray(message.length);
          socket.write(respond(message, reply));
        }
        rest.set(socket, data);
      },
    },
  });
  return {
    url: `mongodb://127.0.0.1:${server.port}/mtc?replicaSet=rs0`,
    commands,
    stop: () => server.stop(true),
  };
}

/** One message's answer, in the opcode it came with. */
function respond(message: Buffer, reply: (command: Document) => Document): Buffer {
  const id = message.readInt32LE(4);
  const opcode = message.readInt32LE(12);
  if (opcode === OP_QUERY) {
    // flags, the collection's name, skip, limit, then the command.
    const at = message.indexOf(0, HEADER_BYTES + 4) + 1 + 8;
    const body = Buffer.from(BSON.serialize(reply(BSON.deserialize(message.subarray(at)))));
    const prefix = Buffer.alloc(20);
    prefix.writeInt32LE(1, 16);
    return framed(OP_REPLY, id, Buffer.concat([prefix, body]));
  }
  const body = Buffer.from(BSON.serialize(reply(readSections(message.subarray(HEADER_BYTES + 4)))));
  return framed(OP_MSG, id, Buffer.concat([Buffer.alloc(5), body]));
}

function readSections(data: Buffer): Document {
  const command: Document = {};
  for (let at = 0; at < data.length; ) {
    const kind = data[at];
    const size = data.readInt32LE(at + 1);
    const section = data.subarray(at + 1, at + 1 + size);
    if (kind === 0) Object.assign(command, BSON.deserialize(section));
    else {
      const end = section.indexOf(0, 4);
      const documents: Document[] = [];
      for (let from = end + 1; from < size; from += section.readInt32LE(from)) {
        documents.push(BSON.deserialize(section.subarray(from, from + section.readInt32LE(from))));
      }
      command[section.toString("utf8", 4, end)] = documents;
    }
    at += 1 + size;
  }
  return command;
}

function framed(opcode: number, to: number, body: Buffer): Buffer {
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeInt32LE(HEADER_BYTES + body.length, 0);
  header.writeInt32LE(to, 8);
  header.writeInt32LE(opcode, 12);
  return Buffer.concat([header, body]);
}
