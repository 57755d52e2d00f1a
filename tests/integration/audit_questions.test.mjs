// Questions to the record that have no answer: each says why, and none of them passes for "all is well".
// areas: cli, audit, search
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { DESK, startGate, until } from './lib/gate.mjs'

let gate, elsewhere
const ask = (...args) => gate.cli(['audit', ...args], { ok: false })

before(async () => {
  gate = await startGate({ servers: { desk: DESK } })
  await until('the first checkpoint', () => gate.json(['status']).audit.checkpoint > 0)
  elsewhere = mkdtempSync(join(tmpdir(), 'doorward-none-'))
})
after(async () => gate?.stop())

test('a folder that holds no record is not taken for one that is empty', () => {
  for (const args of [['verify'], ['tail'], ['show', '1'], ['search', 'refund'], ['export'], ['prove', '1'], ['index'], ['tiles', join(elsewhere, 'tiles')]]) {
    const r = ask(...args, '--dir', elsewhere)
    assert.equal(r.status, 1, args[0])
    assert.match(r.stderr, /: holds no record$/m, args[0])
    assert.equal(r.stdout, '', args[0])
  }
  assert.deepEqual(readdirSync(elsewhere), [])
})

test('the folder above the record, and one of `audit tiles`, are named as what they are', () => {
  const data = join(gate.dir, 'data'), tiles = join(gate.dir, 'tiles')
  assert.match(ask('verify', '--dir', data).stderr, /data: holds no record; that is in .*data\/audit$/m)
  ask('tiles', tiles, '-c', gate.file)
  assert.match(ask('verify', '--dir', tiles).stderr, /doorward-verify log checks it/)
})

test('an event, a trace or a digest that is none is refused; what is not found is said', () => {
  for (const [args, words] of [[['tail', '-e', 'TOOL_DENID'], /audit tail: there is no event TOOL_DENID/],
                               [['search', '-e', 'TOOL_*'], /audit search: there is no event TOOL_\*/],
                               [['export', '-e', 'FOO_*'], /audit export: there is no event FOO_\*/],
                               [['search', '--trace', '4bf92f'], /trace must be all 32 hex digits/],
                               [['search', '--digest', 'abc'], /digest must be all 64 hex digits/],
                               [['search', '--after', 'last'], /--after must be what the page before ended with, not last/],
                               [['show', '1', '--reveal', '--dir', '.'], /--reveal asks the gateway/]]) {
    const r = ask(...args, '-c', gate.file)
    assert.equal(r.status, 2, args.join(' '))
    assert.match(r.stderr, words)
  }
  for (const command of ['tail', 'search']) {
    const r = ask(command, '--agent', 'nobody', '-c', gate.file)
    assert.deepEqual([r.status, r.stdout, r.stderr], [0, '', 'No entry is found.\n'])
  }
})

test('a day is as good as a moment', () => {
  const day = new Date().toISOString().slice(0, 10)
  const seen = ask('search', '--since', day, '-n', '1', '--json', '-c', gate.file)
  assert.equal(seen.status, 0)
  assert.ok(JSON.parse(seen.stdout.split('\n')[0]).timestamp.startsWith(day))
  assert.match(ask('search', '--since', '2026-02-30', '-c', gate.file).stderr, /--since must be a duration before now such as 7d, or a date/)
})
