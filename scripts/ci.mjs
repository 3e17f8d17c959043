// Runs the README's test command and the gates one after the other and counts what passed and failed.
// Leaves out the gates themselves: each is an npm script that anyone can run alone.
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'

const reportPath = '.tmp/vitest.json'
let passed = 0
let failed = 0

/** Run one command; true when it exits with 0. */
function run(command) {
  console.log(`\n> ${command}`)
  const started = Date.now()
  const { status } = spawnSync(command, { shell: true, stdio: ['ignore', 'inherit', 'inherit'] })
  console.log(
    `${status === 0 ? 'ok' : `FAILED (exit ${status})`} in ${((Date.now() - started) / 1000).toFixed(1)} s`,
  )
  return status === 0
}

function gate(command) {
  if (run(command)) passed += 1
  else failed += 1
}

/** The test command, whose machine-readable report gives the number of tests. */
function tests() {
  rmSync(reportPath, { force: true })
  const ok = run(`npm test -- --reporter=default --reporter=json --outputFile.json=${reportPath}`)
  let report
  try {
    report = JSON.parse(readFileSync(reportPath, 'utf8'))
  } catch {
    failed += 1
    return
  }
  passed += report.numPassedTests
  failed += report.numFailedTests
  const skipped = report.numPendingTests + report.numTodoTests
  if (skipped > 0) console.log(`${skipped} tests skipped: a skipped test is not a passed test`)
  if (report.numTotalTests === 0 || (!ok && report.numFailedTests === 0)) failed += 1
}

if (!run('npm ci')) {
  console.log('0 passed, 1 failed')
  process.exit(1)
}
// Real servers, shells and a browser for the tests; without them those tests would be skipped here unseen.
gate('node scripts/knot.mjs --install')
gate('node scripts/postgres.mjs --install')
gate('node scripts/nats.mjs --install')
gate('node scripts/shells.mjs')
gate('node scripts/chromium.mjs --install')
tests()
for (const gateScript of [
  'check:format',
  'check:types',
  'check:lint',
  'check:layers',
  'check:spec',
  'check:unused',
  'check:package',
  'check:consumers',
  'size',
  'demo',
  'demo:rpc',
  'demo:mailbox',
  'demo:seal',
]) {
  gate(`npm run ${gateScript}`)
}
console.log(`\n${passed} passed, ${failed} failed`)
process.exit(failed === 0 ? 0 : 1)
