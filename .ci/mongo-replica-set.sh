#!/usr/bin/env bash
# One node of MongoDB 7 as a replica set on 127.0.0.1:27017, where there is Docker: for tests against a real one.
set -euo pipefail
in_mongo() { docker exec mongo mongosh --quiet --eval "$1"; }

docker run --detach --name mongo --network host mongo:7 mongod --replSet rs0 --bind_ip 127.0.0.1
until in_mongo 'db.runCommand({ ping: 1 }).ok'; do sleep 1; done
in_mongo 'rs.initiate({ _id: "rs0", members: [{ _id: 0, host: "127.0.0.1:27017" }] })'
until in_mongo 'db.hello().isWritablePrimary' | grep -q true; do sleep 1; done
