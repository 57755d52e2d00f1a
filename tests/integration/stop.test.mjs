// The end: calls in flight finish or are recorded, new ones are refused, nothing is left behind.
// areas: daemon
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { afterEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DESK, startGate, until } from './lib/gate.mjs'
import { ledger } from './lib/ledger.mjs'
import { newAgent, token } from './lib/oauth.mjs'

let gate, agent, access, book

afterEach(async () => gate?.stop('SIGKILL'))

async function open(stop_grace, more = {}) {
  book = ledger()
  gate = await startGate({ servers: { desk: DESK, book: book.server }, limits: { stop_grace }, ...more })
  agent = await newAgent(gate, 'stopped', { allowedTools: ['desk/search_faq', 'book/write'] })
  access = await token(gate, agent)
}

// A call that the server has and will answer after ms. Handed back in an object, so that nobody waits for it here.
async function inFlight(ms) {
  const call = gate.call(access, 'book__write', { line: 'in flight', ms })
  call.catch(() => {})
  await until('the call to arrive', () => book.lines().length === 1)
  return { call }
}
const outcomes = () => gate.audit().filter((e) => e.event === 'TOOL_RESULT')
const whole = () => assert.equal(gate.cli(['audit', 'verify', '-c', gate.file], { ok: false }).status, 0)
const gone = () => gate.exited

// Processes whose command line names this gate's ledger or configuration.
const children = () => readdirSync('/proc').filter((p) => /^\d+$/.test(p)).filter((p) => {
  try {
    return Number(p) !== process.pid && readFileSync(`/proc/${p}/cmdline`, 'utf8').includes(book.file)
  } catch {
    return false
  }
})

for (const signal of ['SIGTERM', 'SIGINT'])
  test(`${signal}: a call in flight finishes, its client gets the answer, its outcome is on record, exit code 0`, async () => {
    await open('10s')
    const { call } = await inFlight(600)
    gate.daemon.kill(signal)
    const { status, json } = await call
    assert.equal(status, 200)
    assert.equal(json.result.content[0].text, 'done')
    assert.deepEqual(await gone(), { code: 0, signal: null })
    assert.deepEqual(outcomes().map((e) => e.result), ['success'])
    assert.equal(gate.audit().at(-1).event, 'GATEWAY_STOPPED')
    assert.ok(gate.audit().some((e) => e.event === 'SESSION_ENDED' && e.policyDecision.reason === 'the gateway stopped'))
    whole()
    assert.deepEqual(children(), [])
  })

test('a call that outlasts the grace is given up: its client is told, its outcome is unknown, exit code 0', async () => {
  await open('300ms')
  const { call } = await inFlight(60000)
  const since = Date.now()
  gate.daemon.kill('SIGTERM')
  const { json } = await call
  assert.equal(json.error.data.code, 'cancelled')
  assert.deepEqual(await gone(), { code: 0, signal: null })
  assert.ok(Date.now() - since < 8000)
  assert.deepEqual(outcomes().map((e) => [e.result, e.code]), [['unknown', 'cancelled']])
  whole()
  assert.deepEqual(children(), [])
})

test('a second signal changes nothing: the call still finishes', async () => {
  await open('10s')
  const { call } = await inFlight(600)
  gate.daemon.kill('SIGTERM')
  await sleep(50)
  gate.daemon.kill('SIGTERM')
  gate.daemon.kill('SIGHUP')
  gate.daemon.kill('SIGINT')
  assert.equal((await call).status, 200)
  assert.deepEqual(await gone(), { code: 0, signal: null })
  assert.deepEqual(outcomes().map((e) => e.result), ['success'])
})

test('while it stops nobody new comes in', async () => {
  await open('10s')
  const { call } = await inFlight(900)
  gate.daemon.kill('SIGTERM')
  await until('the stop to begin', () => gate.log.includes('"stopping"'))
  await assert.rejects(fetch(`${gate.url}/livez`))
  await assert.rejects(gate.call(access, 'desk__search_faq', { query: 'return' }))
  assert.equal((await call).status, 200)
  await gone()
})

test('several workers and many calls: each one that was answered is on record, none is left open', async () => {
  await open('5s', { workers: 3, session: { max_tool_calls: 100000, rate: '1000000/minute' } })
  let answered = 0
  const streams = Array.from({ length: 12 }, async (_, s) => {
    for (let i = 0; ; i++) {
      const answer = await gate.call(access, 'book__write', { line: `${s}-${i}`, ms: 5 }).catch(() => undefined)
      if (answer?.status !== 200) return
      answered++
    }
  })
  await until('some calls', () => answered > 100)
  gate.daemon.kill('SIGTERM')
  await Promise.all(streams)
  assert.deepEqual(await gone(), { code: 0, signal: null })
  const all = gate.audit(), intents = all.filter((e) => e.event === 'TOOL_CALL'), closed = new Set(all.map((e) => e.intentSeq))
  assert.ok(intents.length >= answered)
  for (const e of intents) assert.ok(closed.has(e.seq), `intent ${e.seq} has no outcome`)
  const lines = new Set(intents.map((e) => e.parameters.line))
  for (const line of book.lines()) assert.ok(lines.has(line), line)
  whole()
})

test('with nothing to do it stops at once', async () => {
  await open('10s')
  const since = Date.now()
  gate.daemon.kill('SIGTERM')
  assert.deepEqual(await gone(), { code: 0, signal: null })
  assert.ok(Date.now() - since < 5000)
})
