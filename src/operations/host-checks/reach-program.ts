/**
 * Listens where nodes of this host will, and connects to where those of others will: whether packets get there is not to be
 * told otherwise before nodes run. perl, which every Debian has, as its shell has no sockets. Changes nothing.
 *
 * Arguments: seconds; then "listen" address port callers, or "connect" address port, each in words of its own. It ends as
 * soon as all is known, at the latest after that time. A line each: "busy" and "absent" for what it could not listen on,
 * "open", "refused", "silent" or "failed" for what it connected to.
 */
export const reachProgram = `
use strict;
use Socket qw(:DEFAULT getaddrinfo SOL_SOCKET SO_REUSEADDR SO_ERROR AI_PASSIVE);
use Fcntl;
use Errno qw(EINPROGRESS ECONNREFUSED EADDRINUSE EHOSTUNREACH ETIMEDOUT);
$| = 1;
my $end = time + shift;
my (@listening, @connecting);
my $expected = 0;
sub resolved {
	my ($host, $port, $flags) = @_;
	my ($error, @found) = getaddrinfo($host, $port, { socktype => SOCK_STREAM, flags => $flags });
	return $found[0];
}
sub opened {
	my ($found) = @_;
	socket(my $socket, $found->{family}, SOCK_STREAM, 0) or return undef;
	fcntl($socket, F_SETFL, fcntl($socket, F_GETFL, 0) | O_NONBLOCK);
	return $socket;
}
while (defined(my $word = shift)) {
	my ($host, $port) = (shift, shift);
	if ($word eq "connect") {
		push @connecting, { host => $host, port => $port, at => 0 };
		next;
	}
	my $callers = shift;
	my $found = resolved($host, $port, AI_PASSIVE);
	my $socket = $found ? opened($found) : undef;
	if (!$socket) { print "absent $host $port\\n"; next; }
	setsockopt($socket, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind($socket, $found->{addr}) && listen($socket, 64)) {
		push @listening, $socket;
		$expected += $callers;
	} else {
		print $! == EADDRINUSE ? "busy" : "absent", " $host $port\\n";
	}
}
sub told {
	my ($target, $what) = @_;
	print "$what $target->{host} $target->{port}\\n";
	$target->{done} = 1;
}
# Both may become another answer before the time is over.
sub attempted {
	my ($target, $error) = @_;
	if ($error == ECONNREFUSED) { $target->{was} = "refused"; }
	elsif ($error == EHOSTUNREACH || $error == ETIMEDOUT) { $target->{was} = "silent"; }
	else { told($target, "failed"); }
}
while (time < $end) {
	for my $target (grep { !$_->{done} && !$_->{socket} } @connecting) {
		my $found = resolved($target->{host}, $target->{port}, 0);
		my $socket = $found ? opened($found) : undef;
		if (!$socket) { told($target, "failed"); next; }
		if (connect($socket, $found->{addr})) { told($target, "open"); }
		elsif ($! == EINPROGRESS) { $target->{socket} = $socket; }
		else { attempted($target, $! + 0); }
	}
	my @waiting = grep { $_->{socket} } @connecting;
	last if $expected <= 0 && !grep { !$_->{done} } @connecting;
	my ($in, $out) = ("", "");
	vec($in, fileno($_), 1) = 1 for @listening;
	vec($out, fileno($_->{socket}), 1) = 1 for @waiting;
	select($in, $out, undef, 0.1);
	for my $socket (@listening) {
		while (accept(my $caller, $socket)) { $expected--; close $caller; }
	}
	for my $target (@waiting) {
		next unless vec($out, fileno($target->{socket}), 1);
		my $error = unpack("i", getsockopt($target->{socket}, SOL_SOCKET, SO_ERROR));
		delete $target->{socket};
		if ($error == 0) { told($target, "open"); }
		else { attempted($target, $error); }
	}
}
told($_, $_->{was} || "silent") for grep { !$_->{done} } @connecting;
`;

export interface Target {
	readonly host: string;
	readonly port: number;
}

export interface ReachWish {
	/** How many others will connect to each. */
	readonly listen: readonly (Target & { readonly callers: number })[];
	readonly connect: readonly Target[];
	readonly seconds: number;
}

export type Reached = "open" | "refused" | "silent" | "failed";

export function reachWords(wish: ReachWish): readonly string[] {
	return [
		...["perl", "-e", reachProgram, String(wish.seconds)],
		...wish.listen.flatMap(({ host, port, callers }) => [
			...["listen", host, String(port), String(callers)],
		]),
		...wish.connect.flatMap(({ host, port }) => [
			...["connect", host, String(port)],
		]),
	];
}

/** What the program said, by "host:port"; of what it could not listen on, why. */
export function parseReach(text: string): {
	readonly reached: ReadonlyMap<string, Reached>;
	readonly unheard: ReadonlyMap<string, "busy" | "absent">;
} {
	const reached = new Map<string, Reached>();
	const unheard = new Map<string, "busy" | "absent">();
	for (const line of text.split("\n")) {
		const [word, host = "", port = ""] = line.split(" ");
		const key = `${host}:${port}`;
		if (word === "busy" || word === "absent") unheard.set(key, word);
		else if (isReached(word)) reached.set(key, word);
	}
	return { reached, unheard };
}

function isReached(word: string | undefined): word is Reached {
	return ["open", "refused", "silent", "failed"].includes(word ?? "");
}
