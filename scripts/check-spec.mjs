// Finds every `spec/<file>.md §<n>` that the code cites and checks that the file has that section; `§4 to §9` and
// `§1, §2` count as several. Run by `npm run check:spec`.
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const root = new URL('..', import.meta.url).pathname

/** All TypeScript files below `folder`. */
function sources(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name))
}

/** Numbers of the headings `## 4. Title`, `### 4.2 Title` of a specification. */
function sectionsOf(file) {
  const text = readFileSync(join(root, 'spec', file), 'utf8')
  return new Set([...text.matchAll(/^#{2,4} (?:§ ?)?(\d+(?:\.\d+)*)/gm)].map((match) => match[1]))
}

const known = new Map()
const problems = []
let citations = 0
for (const path of [...sources('src'), ...sources('test'), ...sources('scripts')]) {
  const text = readFileSync(path, 'utf8').replaceAll(/\n\s*(?:\/\/|\*) ?/g, ' ')
  for (const [, file, list] of text.matchAll(/spec\/([a-z-]+\.md) (§[\d.]+(?:(?:,| and| to) §[\d.]+)*)/g)) {
    for (const [, number] of list.matchAll(/§(\d+(?:\.\d+)*)/g)) {
      citations += 1
      try {
        if (!known.has(file)) known.set(file, sectionsOf(file))
      } catch {
        known.set(file, new Set())
      }
      if (!known.get(file).has(number))
        problems.push(`${path.slice(root.length)}: spec/${file} has no section ${number}`)
    }
  }
}
for (const problem of new Set(problems)) console.error(problem)
console.log(`${citations} citations, ${new Set(problems).size} without a section`)
process.exit(problems.length === 0 ? 0 : 1)
