/** The shells that raftctl completes words for. */
export const shells = ["bash", "zsh", "fish"] as const;
type Shell = (typeof shells)[number];

/**
 * A script asks raftctl itself, by the hidden command `autocomplete words`: one line for each word, with a tab and what
 * it means, and a last line ":files", ":directories" or ":words". So it never is older than the program.
 */
export const completionScripts: Readonly<Record<Shell, string>> = {
	// Works from bash 3.2 on. Bash takes "=" for the end of a word, raftctl does not.
	bash: `# Completion of raftctl for bash: source <(raftctl autocomplete bash)
_raftctl() {
	local -a given=()
	local count=0 position word line current
	for ((position = 1; position <= COMP_CWORD; position++)); do
		word=\${COMP_WORDS[position]}
		if ((count > 0 && position > 1)) && [[ $word == = || \${COMP_WORDS[position - 1]} == = ]]; then
			given[count - 1]+=$word
		else
			given[count]=$word
			count=$((count + 1))
		fi
	done
	current=\${given[count - 1]}
	COMPREPLY=()
	while IFS= read -r line; do
		case $line in
			:files | :directories)
				local kind=-f value=$current
				[[ $line == :directories ]] && kind=-d
				[[ $current == --*=* ]] && value=\${current#*=}
				compopt -o filenames 2>/dev/null
				while IFS= read -r word; do COMPREPLY+=("$word"); done < <(compgen "$kind" -- "$value")
				;;
			:words) ;;
			*)
				word=\${line%%$'\\t'*}
				[[ $current == --*=* ]] && word=\${word#*=}
				COMPREPLY+=("$word")
				;;
		esac
	done < <(raftctl autocomplete words -- "\${given[@]}" 2>/dev/null)
}
complete -F _raftctl raftctl
`,
	zsh: `#compdef raftctl
# Completion of raftctl for zsh: source <(raftctl autocomplete zsh), behind compinit; or as a file _raftctl in fpath.
_raftctl() {
	local line word summary kind=:words
	local -a given found
	given=("\${(@Q)words[2,CURRENT]}")
	for line in "\${(@f)$(raftctl autocomplete words -- "\${given[@]}" 2>/dev/null)}"; do
		case $line in
			:*) kind=$line ;;
			?*)
				word=\${line%%$'\\t'*}
				summary=\${line#*$'\\t'}
				found+=("\${word//:/\\\\:}:$summary")
				;;
		esac
	done
	((\${#found})) && _describe raftctl found
	[[ $kind == :words ]] && return
	compset -P '--*='
	[[ $kind == :directories ]] && _files -/ || _files
}
if [[ $funcstack[1] == _raftctl ]]; then _raftctl "$@"; else compdef _raftctl raftctl; fi
`,
	fish: `# Completion of raftctl for fish: raftctl autocomplete fish | source
function __raftctl_words
	set -l given (commandline -opc)
	set -e given[1]
	set -l current (commandline -ct)
	for line in (raftctl autocomplete words -- $given "$current" 2>/dev/null)
		switch $line
			case :words
			case :files
				__raftctl_paths __fish_complete_path "$current"
			case :directories
				__raftctl_paths __fish_complete_directories "$current"
			case '*'
				echo $line
		end
	end
end
function __raftctl_paths
	set -l flag (string match -r '^--[^=]+=' -- $argv[2])
	for path in ($argv[1] (string replace -r '^--[^=]+=' '' -- $argv[2]))
		echo "$flag$path"
	end
end
complete -c raftctl -f -a '(__raftctl_words)'
`,
};
