// The pages that come from tables say what the tables say, and what pages refer to is there. `./dev docs` writes them anew.
// areas: cli
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { DOORWARD, TOP } from './lib/gate.mjs'

const page = (name) => readFileSync(join(TOP, name), 'utf8')

function printed(...args) {
  const r = spawnSync(DOORWARD, args, { encoding: 'utf8' })
  assert.equal(r.status, 0, r.stderr)
  return r.stdout
}

for (const [name, args] of [
  ['docs/CONFIGURATION.md', ['config', 'reference']],
  ['docs/doorward.schema.json', ['config', 'schema']],
  ['docs/errors.md', ['errors']],
  ['docs/EVENTS.md', ['events']],
  ['docs/METRICS.md', ['metrics']],
])
  test(`${name} is what "doorward ${args.join(' ')}" prints`, () => {
    assert.equal(page(name), printed(...args), `run ./dev docs`)
  })

test('docs/ARCHITECTURE.md shows the stages in the order of the table', () => {
  const shown = /<!-- pipeline -->\n([^]*?)<!-- \/pipeline -->/.exec(page('docs/ARCHITECTURE.md'))[1]
  const table = printed('pipeline').split('\n').map((line) => line && `    ${line.trimEnd()}`).join('\n')
  assert.equal(shown, `\n${table}\n`, 'run ./dev docs')
})

test('every link between the pages leads to a file', () => {
  const pages = ['README.md', ...readdirSync(join(TOP, 'docs')).filter((f) => f.endsWith('.md')).map((f) => `docs/${f}`)]
  for (const from of pages)
    for (const [, to] of page(from).matchAll(/\]\(([^)#]+)(?:#[^)]*)?\)/g))
      if (!/^[a-z]+:/.test(to)) assert.ok(existsSync(join(TOP, dirname(from), to)), `${from} links to ${to}`)
})

test('every command that the pages show exists', () => {
  const overview = printed('help')
  const commands = new Set()
  for (const from of ['README.md', 'docs/OPERATIONS.md', 'docs/PROTOCOL.md'])
    for (const [, words] of page(from).matchAll(/^ {4}(?:.*&& )?doorward ((?:[a-z]+ ?){1,2})/gm)) commands.add(words.trim())
  assert.ok(commands.size > 10)
  for (const words of commands) {
    const [first, second] = words.split(' ')
    assert.ok(overview.includes(words) || (second && overview.includes(first)), `the pages show "doorward ${words}"`)
  }
})
