#!/usr/bin/env bash
# A broker's health check: does it answer the smallest question of Kafka's protocol, ApiVersions? Kafka's own tools answer the
# same by a JVM each time, with the broker's heap, in the broker's memory.
set -euo pipefail
port=${1:-9092}
exec 3<>"/dev/tcp/127.0.0.1/$port"
# Ten bytes: request 18 in version 0, number 1, by nobody. The answer has its size, the number, and 0 for no error.
printf '\0\0\0\12\0\22\0\0\0\0\0\1\377\377' >&3
answer=$(timeout 10 head -c 10 <&3 | od -An -tx1 | tr -d ' \n')
[ "${answer:8}" = 000000010000 ]
