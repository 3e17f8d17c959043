// Asks real shells what they would offer at the end of a line, with the completion script of the command loaded.
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** Whether `program` can be run here; says loudly when it cannot, since its tests are skipped then. */
export function isInstalled(program: string): boolean {
  const found = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0
  if (!found) console.warn(`SKIPPED: ${program} is not installed; node scripts/shells.mjs installs it`)
  return found
}

/** What bash offers for `words`, of which the last is being typed; `<files>` where it leaves the answer to readline. */
const BASH = `
compopt() { [[ "$*" == '+o default' ]] && files=; }
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); files='<files>'
_noisecap
printf '%s\\n' "\${COMPREPLY[@]}" $files`

const FISH = 'source $argv[1]; complete -C $argv[2]'

/** The inner zsh has a terminal of its own, so that completion is that of a person who presses Tab; what it would add is
 * written out instead. */
const ZSH_INSIDE = `
PROMPT=
autoload -Uz compinit; compinit -u -C -d ~/dump # looks through all functions once
source $1
bindkey '^I' complete-word
zstyle ':completion:*' insert-tab false
finish() { print; print done; exit; }
comppostfuncs=(finish)
compadd() {
  if [[ \${@[1,(i)(-|--)]} == *-(O|A|D)\\ * ]]; then builtin compadd "$@"; return; fi
  local -a hits; local hit
  builtin compadd -A hits "$@"
  for hit in $hits; do print -r -- "hit:$hit:"; done
}
print ready`
const ZSH = `
zmodload zsh/zpty
zpty inside zsh -f -i
zpty -w inside "source $1 $2"
while zpty -r inside line; do [[ $line == ready* ]] && break; done
zpty -w -n inside "$3"$'\\t'
while zpty -r inside line; do print -r -- $line; [[ $line == done* ]] && break; done`

/** A shell with the script loaded. */
export class Shell {
  readonly #directory: string
  readonly #name: 'bash' | 'zsh' | 'fish'

  private constructor(directory: string, name: Shell['name']) {
    this.#directory = directory
    this.#name = name
  }

  get name(): 'bash' | 'zsh' | 'fish' {
    return this.#name
  }

  static async create(name: Shell['name'], script: string): Promise<Shell> {
    const directory = await mkdtemp(join(tmpdir(), 'noisecap-shell-'))
    await writeFile(join(directory, 'script'), script)
    await writeFile(join(directory, 'inside'), ZSH_INSIDE)
    await writeFile(join(directory, 'a-file'), '')
    return new Shell(directory, name)
  }

  /** What it offers at the end of `line`, sorted. */
  async offers(line: string): Promise<readonly string[]> {
    const script = join(this.#directory, 'script')
    switch (this.#name) {
      case 'bash':
        return linesOf(await this.#run('bash', ['--norc', '-c', BASH, 'bash', script, ...line.split(' ')]))
      case 'fish':
        return linesOf(await this.#run('fish', ['--no-config', '-c', FISH, script, line])).map(
          (each) => each.split('\t')[0] ?? '',
        )
      case 'zsh': {
        const inside = join(this.#directory, 'inside')
        const output = await this.#run('zsh', ['-f', '-c', ZSH, 'zsh', inside, script, line])
        return [...new Set([...output.matchAll(/hit:(.*?):/g)].map(([, hit]) => hit ?? ''))].sort()
      }
    }
  }

  /** What it says of the script's syntax. */
  async check(): Promise<string> {
    return this.#run(this.#name, ['-n', join(this.#directory, 'script')])
  }

  async #run(program: string, args: readonly string[]): Promise<string> {
    const env = { PATH: process.env['PATH'], HOME: this.#directory, TERM: 'xterm' }
    const { stdout, stderr } = await execute(program, args, { cwd: this.#directory, env, timeout: 120_000 })
    return stdout + stderr
  }

  async remove(): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
  }
}

function linesOf(output: string): string[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .sort()
}
