#!/usr/bin/env bash
# Three nodes and a balancer on this machine, load on them, and a rolling restart under it. Needs Node.js and npm only.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ ! -d node_modules ]; then npm ci --no-audit --no-fund --loglevel=error >&2; fi
npm run --silent build -- --fast >&2
exec node dist/raftctl.cjs demo "$@"
