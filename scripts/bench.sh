#!/usr/bin/env bash
# The benchmark: raftd beside etcd and beside the floor, on this machine. Installs the peer (Debian packages) if need be.
set -euo pipefail
cd "$(dirname "$0")/.."
missing=()
command -v etcd >/dev/null 2>&1 || missing+=(etcd-server)
command -v etcdctl >/dev/null 2>&1 || missing+=(etcd-client)
command -v wrk >/dev/null 2>&1 || missing+=(wrk)
command -v go >/dev/null 2>&1 || missing+=(golang-go)
[ -d /usr/share/gocode/src/go.etcd.io/etcd/clientv3 ] || missing+=(golang-etcd-server-dev)
if [ ${#missing[@]} -gt 0 ]; then
	root=()
	[ "$(id -u)" -eq 0 ] || root=(sudo -n)
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq >&2
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "${missing[@]}" >&2
fi
npm run --silent build >&2
bundle=node_modules/.cache/raftctl-bench/main.mjs
npx --no-install esbuild test/bench/main.ts --bundle --platform=node --format=esm --target=node20 \
	--packages=external --log-level=error --outfile="$bundle" \
	"--define:import.meta.dirname=\"$PWD/test/bench\""
exec node "$bundle" "$@"
