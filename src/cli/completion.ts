// `noisecap completion`: a script by which a shell completes commands, options, choices and files. Written out from the
// command tree, so that pressing Tab starts no process; libraries that ask the program at every Tab wait for Node each time.
// Leaves out the scripts themselves (completion-bash.ts, completion-zsh.ts, completion-fish.ts).
import { Argument, type Command } from 'commander'
import { type CommandNode, commandTree } from './command-tree.js'
import { bashCompletion } from './completion-bash.js'
import { fishCompletion } from './completion-fish.js'
import { zshCompletion } from './completion-zsh.js'
import type { Context } from './input.js'

const WRITERS = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
} as const satisfies Readonly<Record<string, (program: CommandNode) => readonly string[]>>
type Shell = keyof typeof WRITERS

/** Add the command to `program`. */
export function addCompletion(program: Command, { output }: Context): Command {
  return program
    .command('completion')
    .description('print a script that completes commands and options in a shell')
    .addArgument(new Argument('<shell>', 'which shell').choices(Object.keys(WRITERS)))
    .addHelpText(
      'after',
      `
To use it, put one of these into the start-up file of the shell:
  ~/.bashrc                   eval "$(noisecap completion bash)"
  ~/.zshrc, after compinit    eval "$(noisecap completion zsh)"
  ~/.config/fish/config.fish  noisecap completion fish | source`,
    )
    .action((shell: Shell) => {
      const lines = WRITERS[shell](commandTree(program))
      output.result(lines, { shell, script: `${lines.join('\n')}\n` })
    })
}
