#!/usr/bin/env bash
# Everything that must hold before a change lands: install, build, types, lint, tests. Needs Node.js, npm and, for the
# tests against a real HAProxy, nginx, sshd, S3 server and real shells, root or sudo to install Debian packages. The tests on
# machines of their own (docs/lab.md) are run by root, and in CI by whoever may sudo. Ends with a line "N passed, N failed".
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '\n== %s\n' "$*"; }

needs_packages() {
	local missing=()
	command -v haproxy >/dev/null 2>&1 || [ -x /usr/sbin/haproxy ] || missing+=(haproxy)
	command -v flock >/dev/null 2>&1 || missing+=(util-linux)
	command -v script >/dev/null 2>&1 || missing+=(bsdutils)
	command -v socat >/dev/null 2>&1 || missing+=(socat)
	command -v systemd-notify >/dev/null 2>&1 || missing+=(systemd)
	[ -x /usr/sbin/sshd ] || missing+=(openssh-server)
	[ -x /usr/sbin/nginx ] || missing+=(nginx-light)
	command -v zsh >/dev/null 2>&1 || missing+=(zsh)
	command -v fish >/dev/null 2>&1 || missing+=(fish)
	# An S3 server that looks at signatures: OpenStack Swift, its library alone.
	/usr/bin/python3 -c 'import swift.proxy' >/dev/null 2>&1 || missing+=(python3-swift)
	[ ${#missing[@]} -eq 0 ] && return 0
	local root=()
	[ "$(id -u)" -eq 0 ] || root=(sudo -n)
	say "installing ${missing[*]}"
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get update -qq || true
	"${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" && return 0
	echo "cannot install ${missing[*]}: install them by hand (apt-get install ${missing[*]}) and run this again" >&2
	[ "${CI:-}" != true ]
}

# A stamp of the lock file, so that a second run does not install again what is there.
install_modules() {
	local stamp=node_modules/.installed-for
	if [ ! -f "$stamp" ] || ! cmp -s package-lock.json "$stamp"; then
		say "npm ci"
		# It empties node_modules, and the lab's image there takes minutes to make.
		local lab=node_modules/.cache/raftctl-lab kept=.raftctl/lab
		if [ -d "$lab" ] && [ ! -e "$kept" ]; then mkdir -p .raftctl && mv "$lab" "$kept"; fi
		npm ci --no-audit --no-fund --loglevel=error
		if [ -d "$kept" ]; then mkdir -p node_modules/.cache && mv "$kept" "$lab"; fi
		cp package-lock.json "$stamp"
	fi
}

# Runs vitest by the command given; its report is counted at the end.
vitest_by() {
	local report="$reports/$1"
	shift
	# There beforehand: a run that does not get as far as its report has failed.
	touch "$report"
	"$@" --reporter=default --reporter=json --outputFile.json="$report" || status=1
}

# A virtual machine may be left without a processor for minutes, and no limit of a test holds then. Notes each time that a
# second took more than five.
watch_for_standstill() {
	local before=$SECONDS
	while sleep 1; do
		if [ $((SECONDS - before)) -gt 5 ]; then echo "$((SECONDS - before)) s" >>"$standstills"; fi
		before=$SECONDS
	done
}

# What failed while the machine stood still says nothing of the code. Those files are run once more, and said to be.
once_more_after_standstill() {
	[ "$status" -ne 0 ] && [ -s "$standstills" ] || return 0
	local again=()
	mapfile -t again < <(node scripts/test-report.mjs failed-files "$reports/rooms")
	[ ${#again[@]} -gt 0 ] || return 0
	say "the machine stood still ($(paste -sd, "$standstills")): once more ${again[*]}"
	status=0
	mv "$reports/rooms" "$reports/rooms.failed"
	vitest_by rooms-again npx --no-install vitest run "${again[@]}"
	node scripts/test-report.mjs merge "$reports/rooms.failed" "$reports/rooms-again" >"$reports/rooms"
	rm "$reports/rooms.failed" "$reports/rooms-again"
}

as_root=()
runs_machines() {
	if [ "$(id -u)" -eq 0 ]; then return 0; fi
	if [ "${CI:-}" != true ]; then return 1; fi
	as_root=(sudo -n env "PATH=$PATH" CI=true)
}

tests_on_machines() {
	if ! runs_machines; then
		echo "the tests on machines need root and were left out: sudo npm run test:lab" >&2
		return 0
	fi
	say "tests on machines"
	# What went wrong with it, goes wrong once more, and is said.
	if [ -n "$image" ]; then wait "$image" || true; fi
	image=
	vitest_by machines "${as_root[@]}" node scripts/lab.mjs test
}

watcher= image= reports= standstills=
# Whatever way this ends, a failed lint or Ctrl-C included: nothing goes on behind it.
leave() {
	for pid in $watcher $image; do kill "$pid" 2>/dev/null || true; done
	rm -rf "$reports" "$standstills"
}
trap leave EXIT
needs_packages
install_modules
# Mostly a download: it is there when the machines are wanted.
if [ $# -eq 0 ] && runs_machines; then
	"${as_root[@]}" node scripts/lab.mjs image >/dev/null 2>&1 &
	image=$!
fi
say "build"
npm run --silent build
say "types and lint"
npm run --silent typecheck &
types=$!
npm run --silent lint
wait "$types"
reports=$(mktemp -d)
standstills=$(mktemp)
watch_for_standstill >/dev/null 2>&1 &
watcher=$!
status=0
say "tests"
vitest_by rooms npx --no-install vitest run "$@"
once_more_after_standstill
# Whoever names files wants those alone.
if [ $# -eq 0 ]; then tests_on_machines; fi
node scripts/test-report.mjs count "$reports"/*
exit "$status"
