import type { CompletionPlace } from "./words.ts";

/** A script that teaches a shell the words of the command line; names of containers, images and volumes are asked of Galley. */
export function completionScript(shell: "bash" | "zsh" | "fish", places: readonly CompletionPlace[]): string {
  if (shell === "fish") return fish(places);
  return shell === "bash" ? bash(places) : zsh(places);
}

const queries = {
  container: "galley ps --all --format '{{.Names}}'",
  image: "galley images --format '{{.Repository}}:{{.Tag}}'",
  volume: "galley volume ls --quiet",
} as const;

function table(name: string, places: readonly CompletionPlace[], value: (place: CompletionPlace) => string): string {
  const rows = places
    .filter((place) => value(place) !== "")
    .map((place) => `  ["galley${suffix(place)}"]="${value(place)}"`);
  return `declare -gA ${name}=(\n${rows.join("\n")}\n)\n`;
}

function suffix({ path }: CompletionPlace): string {
  return path === "" ? "" : ` ${path}`;
}

function tables(places: readonly CompletionPlace[]): string {
  return [
    table("_galley_words", places, (place) => place.words.join(" ")),
    table("_galley_flags", places, (place) => place.flags.join(" ")),
    table("_galley_valued", places, (place) => place.valued.join(" ")),
    table("_galley_argument", places, (place) => place.argument),
  ].join("");
}

/** `case` arms that print the candidates of a kind. */
function arms(): string {
  return Object.entries(queries)
    .map(([kind, query]) => `    ${kind}) ${query} 2>/dev/null ;;`)
    .join("\n");
}

function names(): string {
  return `_galley_names() {
  case $1 in
${arms()}
  esac
}
`;
}

function bash(places: readonly CompletionPlace[]): string {
  return `# bash completion for galley: source <(galley completion bash)
${tables(places)}${names()}
_galley() {
  local place=galley word current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} skip= i
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ -n $skip ]]; then skip=; continue; fi
    if [[ $word == -* ]]; then
      [[ " \${_galley_valued[$place]} " == *" $word "* ]] && skip=1
    elif [[ " \${_galley_words[$place]} " == *" $word "* ]]; then
      place="$place $word"
    fi
  done
  compopt +o default 2>/dev/null
  if [[ " \${_galley_valued[$place]} " == *" $previous "* ]]; then
    COMPREPLY=()
    compopt -o default
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "\${_galley_flags[$place]}" -- "$current"))
  elif [[ -n \${_galley_words[$place]} ]]; then
    COMPREPLY=($(compgen -W "\${_galley_words[$place]}" -- "$current"))
  elif [[ -n \${_galley_argument[$place]} ]]; then
    COMPREPLY=($(compgen -W "$(_galley_names "\${_galley_argument[$place]}")" -- "$current"))
    declare -F __ltrim_colon_completions >/dev/null && __ltrim_colon_completions "$current"
  fi
}
complete -F _galley galley
`;
}

function zsh(places: readonly CompletionPlace[]): string {
  const rows = tables(places).replaceAll("declare -gA", "typeset -gA");
  return `#compdef galley
# zsh completion for galley: source <(galley completion zsh)
${rows}${names()}
_galley() {
  local place=galley word skip= i
  for ((i = 2; i < CURRENT; i++)); do
    word=\${words[i]}
    if [[ -n $skip ]]; then skip=; continue; fi
    if [[ $word == -* ]]; then
      [[ " \${_galley_valued[$place]} " == *" $word "* ]] && skip=1
    elif [[ " \${_galley_words[$place]} " == *" $word "* ]]; then
      place="$place $word"
    fi
  done
  if [[ -n $skip ]]; then
    _files
  elif [[ \${words[CURRENT]} == -* ]]; then
    compadd -- \${=_galley_flags[$place]}
  elif [[ -n \${_galley_words[$place]} ]]; then
    compadd -- \${=_galley_words[$place]}
  elif [[ -n \${_galley_argument[$place]} ]]; then
    compadd -- \${(f)"$(_galley_names \${_galley_argument[$place]})"}
  else
    _files
  fi
}
compdef _galley galley
`;
}

function fish(places: readonly CompletionPlace[]): string {
  const rows = places.flatMap(fishPlace);
  return `# fish completion for galley: galley completion fish | source
function __galley_place
  set -l place galley
  for word in (commandline -opc)[2..]
    string match -q -- '-*' $word; and continue
    contains -- "$place $word" $__galley_places; and set place "$place $word"
  end
  test "$place" = "$argv[1]"
end
set -g __galley_places ${places.map((place) => `'galley${suffix(place)}'`).join(" ")}
complete -c galley -e
complete -c galley -f
${rows.join("\n")}
`;
}

function fishPlace(place: CompletionPlace): string[] {
  const condition = `-n '__galley_place "galley${suffix(place)}"'`;
  const words = place.words.length > 0 ? [`complete -c galley ${condition} -a '${place.words.join(" ")}'`] : [];
  const query = place.argument === "" ? undefined : queries[place.argument].replaceAll("'", "\\'");
  const argument = query === undefined ? [] : [`complete -c galley ${condition} -a '(${query} 2>/dev/null)'`];
  const flags = place.flags.map((flag) => {
    const required = place.valued.includes(flag) ? " -r -F" : "";
    return `complete -c galley ${condition} ${flag.startsWith("--") ? `-l ${flag.slice(2)}` : `-s ${flag.slice(1)}`}${required}`;
  });
  return [...words, ...argument, ...flags];
}
