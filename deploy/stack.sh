#!/usr/bin/env bash
# The services of compose.yaml without Docker, on loopback, for tests and trials: deploy/stack.sh --help
set -euo pipefail
cd "$(dirname "$0")/.."
if command -v bun >/dev/null; then exec bun deploy/stack.ts "$@"; fi
exec npx -y bun@1.4.4 deploy/stack.ts "$@"
