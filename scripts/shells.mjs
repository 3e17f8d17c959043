// Installs what tests of the command line run besides bash: zsh and fish, for completion scripts, and mandoc, for the manual
// page. Where that is not possible it fails and says so; the tests that need them are then skipped and say so too.
import { spawnSync } from 'node:child_process'

const NEEDED = ['zsh', 'fish', 'mandoc']
const missing = NEEDED.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0)
if (missing.length === 0) process.exit(0)

const sudo = process.getuid?.() === 0 ? '' : 'sudo -n '
const install = `${sudo}apt-get install -y --no-install-recommends ${missing.join(' ')}`
for (const command of [install, `${sudo}apt-get update && ${install}`]) {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  if (spawnSync(command, { env, shell: true, stdio: ['ignore', 'ignore', 'inherit'] }).status === 0)
    process.exit(0)
}
console.log(`Cannot install ${missing.join(', ')}: their tests will be skipped`)
process.exit(1)
