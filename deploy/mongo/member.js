// A node's health check, run by mongosh. On the first node it also makes the replica set and its users, and takes further
// nodes in when they answer. Each step looks first: the next check goes on where this one stopped.
const fs = require("node:fs");

const NODES = ["mongo-1", "mongo-2", "mongo-3"].map((name) => `${name}:27017`);
const SECRETS = process.env.SECRETS ?? "/run/secrets";
const here = `${process.env.MEMBER}:27017`;
const secret = (name) => fs.readFileSync(`${SECRETS}/${name}`, "utf8").trim();
const at = (host) =>
  new Mongo(`mongodb://${host}/?directConnection=true&serverSelectionTimeoutMS=2000&connectTimeoutMS=2000`);

const admin = at(process.env.AT ?? "127.0.0.1:27017").getDB("admin");
const hello = () => admin.runCommand({ hello: 1 });

if (here !== NODES[0]) {
  // Until the first node takes it in, it is healthy when it answers.
  quit(hello().ok === 1 ? 0 : 1);
}
if (!hello().setName) {
  admin.runCommand({ replSetInitiate: { _id: "rs0", members: [{ _id: 0, host: here }] } });
}
if (hello().isWritablePrimary) {
  const password = secret("mongo_admin_password");
  if (!signIn(password)) {
    // Whoever comes over loopback may make the first user, and no other.
    admin.createUser({ user: "admin", pwd: password, roles: ["root"] });
    if (!signIn(password)) quit(1);
  }
  makeUser();
  takeIn();
}
const { isWritablePrimary, secondary } = hello();
quit(isWritablePrimary || secondary ? 0 : 1);

function signIn(password) {
  try {
    return admin.auth("admin", password).ok === 1;
  } catch {
    return false;
  }
}

/** The program's own, as its URL names it. */
function makeUser() {
  const [, user, pwd] = /^mongodb:\/\/([^:]+):([^@]+)@/.exec(secret("mongo_url"));
  const mtc = admin.getSiblingDB("mtc");
  if (mtc.getUser(user)) return;
  mtc.createUser({ user, pwd, roles: ["readWrite", "dbAdmin"] });
}

/** One at a time: each changes what a majority is. */
function takeIn() {
  const { config } = admin.runCommand({ replSetGetConfig: 1 });
  const host = NODES.find((node) => !config.members.some((member) => member.host === node) && answers(node));
  if (!host) return;
  config.version += 1;
  config.members.push({ _id: 1 + Math.max(...config.members.map(({ _id }) => _id)), host });
  admin.runCommand({ replSetReconfig: config });
}

function answers(host) {
  try {
    return at(host).getDB("admin").runCommand({ ping: 1 }).ok === 1;
  } catch {
    return false;
  }
}
