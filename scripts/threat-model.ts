// Writes docs/threat-model.md from the table of attackers (test/hostile/attackers): `npx tsx scripts/threat-model.ts`.
// A test fails where the two differ.
import { writeFileSync } from 'node:fs'
import { threatModelPage } from '../test/hostile/attackers/page.js'

writeFileSync(new URL('../docs/threat-model.md', import.meta.url), threatModelPage())
