#!/usr/bin/env bash
# Everything that must hold before a change lands: install, build, types, lint, tests. Needs Node.js, npm and, for the
# tests against a real HAProxy, nginx, sshd, S3 server and real shells, root or sudo to install Debian packages. Ends with a
# line "N passed, N failed".
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
		npm ci --no-audit --no-fund --loglevel=error
		cp package-lock.json "$stamp"
	fi
}

needs_packages
install_modules
say "build"
npm run --silent build
say "types"
npm run --silent typecheck
say "lint"
npm run --silent lint
say "tests"
report=$(mktemp)
trap 'rm -f "$report"' EXIT
status=0
npx --no-install vitest run --reporter=default --reporter=json --outputFile.json="$report" "$@" || status=$?
node -e '
	const { numPassedTests: passed, numFailedTests: failed, numFailedTestSuites: suites } =
		JSON.parse(require("node:fs").readFileSync(process.argv[1], "utf8"));
	console.log(`${passed} passed, ${failed === 0 && suites > 0 ? suites : failed} failed`);
' "$report"
exit "$status"
