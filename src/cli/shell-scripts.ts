// The completion scripts, made of the table of commands: commands and options stand in the script, so that a shell has them at
// once; what is in the kernels at the moment it asks for.

import { FILES, SHELL_COMMANDS } from "./candidates.ts";
import type { Command } from "./command.ts";
import { optionsOf } from "./read-arguments.ts";

/** The hidden command that says what may stand where the cursor is. */
export const ASK = "__candidates";

interface Named {
  readonly path: string;
  readonly command: Command;
}

/** Every command and subcommand, by its full name. */
function allOf(commands: readonly Command[], parent = ""): Named[] {
  return commands
    .filter(({ hidden }) => !hidden)
    .flatMap((command) => {
      const path = parent === "" ? command.name : `${parent} ${command.name}`;
      return [{ path, command }, ...allOf(command.subcommands ?? [], path)];
    });
}

const optionWords = (command: Command): string[] => Object.keys(optionsOf(command)).map((name) => `--${name}`);
const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

export function bashScript(commands: readonly Command[]): string {
  const all = allOf(commands);
  const cases = all.map(
    ({ path, command }) => `    ${quoted(path)}) echo ${quoted(optionWords(command).join(" "))} ;;`,
  );
  const groups = all.filter(({ command }) => command.subcommands).map(({ command }) => command.name);
  const names = all.filter(({ path }) => !path.includes(" ")).map(({ path }) => path);
  return `# Completion of fanga for bash: source <(fanga completion bash)

_fanga_options() {
  case "$1" in
${cases.join("\n")}
  esac
}

_fanga() {
  local line="\${COMP_LINE:0:COMP_POINT}" current path word
  local -a words found
  COMPREPLY=()
  read -ra words <<< "$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current="\${words[\${#words[@]}-1]}"
  if (( \${#words[@]} == 2 )); then
    mapfile -t COMPREPLY < <(compgen -W ${quoted([...names, "--help", "--version"].join(" "))} -- "$current")
    return
  fi
  path="\${words[1]}"
  case "$path" in ${groups.length > 0 ? groups.join("|") : "''"}) (( \${#words[@]} > 3 )) && path+=" \${words[2]}" ;; esac
  if [[ $current == -* && $current != *=* && " \${words[*]:1:\${#words[@]}-2} " != *" -- "* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "$(_fanga_options "$path")" -- "$current")
    return
  fi
  mapfile -t found < <("$1" ${ASK} -- "\${words[@]:1}" 2> /dev/null)
  for word in "\${found[@]}"; do
    case "$word" in
      ${FILES}) mapfile -t COMPREPLY < <(compgen -f -- "$current"); compopt -o filenames ;;
      ${SHELL_COMMANDS}) mapfile -t COMPREPLY < <(compgen -c -- "$current") ;;
      *) COMPREPLY+=("$(printf %q "$word")") ;;
    esac
  done
  # Readline takes ":" and "=" for ends of words: what stands before the last of them is there already.
  local i cut=""
  [[ $COMP_WORDBREAKS == *:* && $current == *:* ]] && cut="\${current%"\${current##*:}"}"
  [[ $cut == "" && $COMP_WORDBREAKS == *=* && $current == *=* ]] && cut="\${current%"\${current##*=}"}"
  for i in "\${!COMPREPLY[@]}"; do COMPREPLY[i]="\${COMPREPLY[i]#"$cut"}"; done
}

complete -F _fanga fanga
`;
}

const described = (name: string, summary: string): string => quoted(`${name.replaceAll(":", "\\:")}:${summary}`);

export function zshScript(commands: readonly Command[]): string {
  const all = allOf(commands);
  const listed = all
    .filter(({ path }) => !path.includes(" "))
    .map(({ command }) => described(command.name, command.summary));
  const cases = all.map(({ path, command }) => {
    const options = Object.entries(optionsOf(command)).map(([name, { description }]) =>
      described(`--${name}`, description),
    );
    return `    ${quoted(path)}) options=(${options.join(" ")}) ;;`;
  });
  const groups = all.filter(({ command }) => command.subcommands).map(({ command }) => command.name);
  return `#compdef fanga
# Completion of fanga for zsh: source <(fanga completion zsh), after compinit

_fanga() {
  local name current="\${words[CURRENT]}"
  local -a commands options found
  if (( CURRENT == 2 )); then
    commands=(${listed.join(" ")})
    _describe -t commands command commands
    return
  fi
  name="\${words[2]}"
  case "$name" in ${groups.length > 0 ? groups.join("|") : "''"}) (( CURRENT > 3 )) && name+=" \${words[3]}" ;; esac
  if [[ $current == -* && $current != *=* && \${words[(Ie)--]} -eq 0 ]]; then
    case "$name" in
${cases.map((line) => `  ${line}`).join("\n")}
    esac
    _describe -t options option options
    return
  fi
  found=("\${(@f)$("\${words[1]}" ${ASK} -- "\${(@)words[2,CURRENT]}" 2> /dev/null)}")
  case "\${found[1]}" in
    "") return 1 ;;
    ${FILES}) _files ;;
    ${SHELL_COMMANDS}) _command_names -e ;;
    *) compadd -a found ;;
  esac
}

compdef _fanga fanga
`;
}
