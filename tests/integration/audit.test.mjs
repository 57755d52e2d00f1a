// The record: an intent before each call and an outcome behind it, with every field, without secrets, and whole after a kill.
// areas: intent, outcome, gate
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, test } from 'node:test'
import { DESK, startGate, until } from './lib/gate.mjs'
import { ledger } from './lib/ledger.mjs'
import { newAgent, token } from './lib/oauth.mjs'

const ORDER = { orderId: 'ORD-A1B2C3D4' }
const TOOLS = { allowedTools: ['desk/lookup_order', 'book/write', 'book/login'], maxConcurrentSessions: 50 }
let gate, agent, book

beforeEach(async () => {
  book = ledger()
  gate = await startGate({ servers: { desk: DESK, book: book.server }, session: { max_tool_calls: 10000, rate: '100000/minute' },
    audit: { mask: ['*badge*'] }, limits: { stop_grace: '2s' } })
  agent = await newAgent(gate, 'recorded', TOOLS)
})
afterEach(async () => gate?.stop('SIGKILL'))

const verify = () => gate.cli(['audit', 'verify', '-c', gate.file], { ok: false })
const of = (event) => gate.audit().filter((e) => e.event === event)

describe('entries', () => {
  test('the intent of a call stands before its outcome, each with all that is known', async () => {
    const open = gate.open(agent, '--user', 'alice', '--tier', 'gold', '--trigger', 'user')
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const { status } = await gate.call(open.access_token, 'desk__lookup_order', ORDER, {
      headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` },
      meta: { 'dev.doorward/reasoning': 'the customer asked\nfor it', 'dev.doorward/model': 'a-model-1', 'dev.doorward/tokensConsumed': 1234,
              'dev.doorward/estimatedCost': 0.0125 } })
    assert.equal(status, 200)
    const outcome = await gate.recorded('the outcome', (e) => e.event === 'TOOL_RESULT')
    const all = gate.audit(), intent = all.find((e) => e.event === 'TOOL_CALL')
    assert.ok(intent.seq < outcome.seq)
    assert.equal(outcome.intentSeq, intent.seq)
    for (const e of [intent, outcome]) {
      assert.ok(Math.abs(Date.parse(e.timestamp) - Date.now()) < 60000)
      assert.match(e.timestamp, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
      const { agentId, agentType, agentVersion, deploymentEnv, sessionId, triggerUserId, triggerSource, actorType, toolName, traceId, reasoning, claims } = e
      assert.deepEqual({ agentId, agentType, agentVersion, deploymentEnv, sessionId, triggerUserId, triggerSource, actorType, toolName, traceId, reasoning, claims },
        { agentId: 'recorded', agentType: 'customer-support', agentVersion: '2.4.1', deploymentEnv: 'production', sessionId: open.sessionId,
          triggerUserId: 'alice', triggerSource: 'user', actorType: 'AI_AGENT', toolName: 'desk/lookup_order', traceId: trace,
          reasoning: 'the customer asked\nfor it', claims: { estimatedCost: 0.0125, modelUsed: 'a-model-1', tokensConsumed: 1234 } })
      assert.equal(e.digest, createHash('sha256').update(JSON.stringify(ORDER)).digest('hex'))
    }
    assert.deepEqual(intent.parameters, ORDER)
    assert.equal(intent.policyDecision.allowed, true)
    assert.equal(outcome.result, 'success')
    assert.ok(outcome.latencyMs > 0 && outcome.latencyMs < 10000)
    assert.ok(outcome.resultBytes > 50 && /^[0-9a-f]{64}$/.test(outcome.resultDigest))
    const opened = all.find((e) => e.event === 'SESSION_CREATED')
    assert.deepEqual([opened.actorType, opened.actor, opened.triggerUserId], ['HUMAN', 'operator', 'alice'])
  })

  test('without a trace of the caller\'s, or with nonsense for one, a new one begins', async () => {
    const access = await token(gate, agent)
    const seen = []
    for (const traceparent of [undefined, 'nonsense', `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`, `ff-${'1'.repeat(32)}-00f067aa0ba902b7-01`]) {
      await gate.call(access, 'desk__lookup_order', ORDER, { headers: traceparent ? { traceparent } : {} })
      seen.push(gate.audit().findLast((e) => e.event === 'TOOL_CALL').traceId)
    }
    assert.ok(seen.every((t) => /^[0-9a-f]{32}$/.test(t) && !/^(0+|1+)$/.test(t)))
    assert.equal(new Set(seen).size, 4)
  })

  test('each refusal is on record with its stage, and the agent gets the same trace id', async () => {
    const access = await token(gate, agent)
    for (const [name, args, code, stage] of [['desk__issue_refund', {}, 'insufficient_scope', 'whitelist'], ['nothing__here', {}, 'unknown_tool', 'whitelist'],
                                             ['desk__lookup_order', { orderId: 1 }, 'schema_mismatch', 'validate']]) {
      const { json } = await gate.call(access, name, args)
      const traceId = json.error?.data.traceId ?? json.result._meta['dev.doorward/traceId']
      const e = await gate.recorded('the refusal', (entry) => entry.traceId === traceId)
      assert.deepEqual([e.event, e.code, e.policyDecision.stage, e.policyDecision.allowed, e.result], ['TOOL_DENIED', code, stage, false, 'denied'])
    }
    assert.equal(of('TOOL_CALL').length, 0)
  })

  test('secrets are masked, also in the reason of a refusal', async () => {
    const access = await token(gate, agent)
    const args = { user: 'alice', password: 'correct-horse-battery', note: 'Bearer abcdefgh', badgeNumber: 'B-4711-secret', nested: { api_key: 'k-123456' }, list: [{ 'X-Token': 'x' }] }
    await gate.call(access, 'book__login', args)
    assert.deepEqual(of('TOOL_CALL').at(-1).parameters, { user: 'alice', password: '[masked]', note: '[masked]', badgeNumber: '[masked]',
      nested: { api_key: '[masked]' }, list: [{ 'X-Token': '[masked]' }] })
    await gate.call(access, 'book__login', { user: 'alice', password: 'tiny-pw-9' })
    const wrong = await gate.call(access, 'book__login', { user: 'alice', password: 'correct-horse-battery', pin: 47114711 })
    assert.match(wrong.json.result.content[0].text, /but is 47114711/) // the agent's own value, to the agent
    const denied = await gate.recorded('the refusal', (e) => e.traceId === wrong.json.result._meta['dev.doorward/traceId'])
    assert.equal(denied.parameters.pin, '[masked]')
    assert.equal(denied.policyDecision.reason, '/pin: must be <= 9999')
    const dir = join(gate.dir, 'data/audit')
    const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((f) => f.isFile())
    const disk = files.map((f) => readFileSync(join(f.parentPath, f.name), 'latin1')).join('') + gate.log
    for (const secret of ['correct-horse', 'abcdefgh', 'B-4711', 'k-123456', 'tiny-pw', '47114711', access, gate.operatorToken()])
      assert.ok(!disk.includes(secret), secret)
  })

  test('each result carries a receipt: the index and the hash of its intent', async () => {
    const access = await token(gate, agent)
    const { json } = await gate.call(access, 'desk__lookup_order', ORDER)
    const { index, digest } = json.result._meta['dev.doorward/receipt']
    const lines = gate.cli(['audit', 'tail', '-c', gate.file, '-n', '1000', '--json']).stdout.trim().split('\n')
    const entry = lines.find((l) => JSON.parse(l).seq === index + 1)
    assert.equal(JSON.parse(entry).event, 'TOOL_CALL')
    assert.equal(digest, createHash('sha256').update('\0').update(entry).digest('hex')) // RFC 6962: the leaf
    const refused = await gate.call(access, 'desk__lookup_order', { orderId: 1 })
    assert.equal(refused.json.result._meta['dev.doorward/receipt'], undefined) // nothing was let through
  })

  test('a tool that fails and one that takes too long have their outcome', async () => {
    const access = await token(gate, agent)
    await gate.call(access, 'desk__lookup_order', { orderId: 'ORD-ZZZZZZZZ' })
    assert.equal((await gate.recorded('the outcome', (e) => e.event === 'TOOL_RESULT')).result, 'failure')
    await gate.call(access, 'book__write', { line: 'quick' }) // its server runs from here on
    gate.write({ limits: { ...gate.config.limits, call_timeout: '300ms' } })
    assert.equal((await gate.operator('POST', '/reload')).status, 200)
    const { json } = await gate.call(access, 'book__write', { line: 'slow', ms: 5000 })
    assert.equal(json.error.data.code, 'upstream_timeout')
    const e = await gate.recorded('the timeout', (entry) => entry.event === 'TOOL_RESULT' && entry.toolName === 'book/write' && entry.result !== 'success')
    assert.deepEqual([e.result, e.code], ['timeout', 'upstream_timeout'])
    assert.ok(e.latencyMs >= 300 && e.latencyMs < 4000)
  })

  test('a client that leaves is on record: the outcome is not known', async () => {
    const access = await token(gate, agent), leave = new AbortController()
    const call = gate.call(access, 'book__write', { line: 'left', ms: 20000 }, { signal: leave.signal })
    await until('the call to arrive', () => book.lines().includes('left'))
    leave.abort()
    await assert.rejects(call)
    const e = await gate.recorded('the outcome', (entry) => entry.event === 'TOOL_RESULT')
    assert.deepEqual([e.result, e.code], ['unknown', 'cancelled'])
  })
})

describe('when the machine or the disk gives way', () => {
  test('after kill -9 between calls the record is whole and holds every call that was answered', async () => {
    const access = await token(gate, agent)
    for (let i = 0; i < 20; i++) assert.equal((await gate.call(access, 'book__write', { line: `line ${i}` })).status, 200)
    gate.daemon.kill('SIGKILL')
    await gate.exited
    assert.equal(verify().status, 0)
    const intents = of('TOOL_CALL')
    assert.deepEqual(intents.map((e) => e.parameters.line), Array.from({ length: 20 }, (_, i) => `line ${i}`))
    await gate.start()
    assert.equal((await gate.call(await token(gate, agent), 'book__write', { line: 'after' })).status, 200)
    assert.equal(verify().status, 0)
    assert.equal(of('TOOL_CALL').length, 21)
  })

  test('after kill -9 in the middle of calls everything that reached a server has its intent', async () => {
    const access = await token(gate, agent)
    let answered = 0
    const streams = Array.from({ length: 8 }, async (_, s) => {
      for (let i = 0; ; i++) {
        const { status } = await gate.call(access, 'book__write', { line: `${s}-${i}` })
        if (status !== 200) return
        answered++
      }
    })
    streams.forEach((s) => s.catch(() => {}))
    await until('some calls', () => answered > 100)
    gate.daemon.kill('SIGKILL')
    await Promise.allSettled(streams)
    await gate.exited
    assert.equal(verify().status, 0)
    const intents = new Set(of('TOOL_CALL').map((e) => e.parameters.line))
    for (const line of book.lines()) assert.ok(intents.has(line), `${line} was made and is not on record`)
    assert.ok(book.lines().length >= answered)
    await gate.start()
    assert.equal(verify().status, 0)
    await until('the second start on record', () => of('GATEWAY_STARTED').length === 2)
  })

  test('one changed byte of the record is found', async () => {
    const access = await token(gate, agent)
    await gate.call(access, 'book__write', { line: 'original' })
    gate.daemon.kill('SIGTERM')
    await gate.exited
    assert.equal(verify().status, 0)
    const dir = join(gate.dir, 'data/audit'), file = join(dir, readdirSync(dir).find((f) => f.endsWith('.seg')))
    const bytes = readFileSync(file), at = bytes.indexOf('original')
    bytes[at] ^= 1
    writeFileSync(file, bytes)
    const found = verify()
    assert.notEqual(found.status, 0)
    assert.match(found.stderr + found.stdout, /seq|offset|entry/)
  })

  test('without a record there is no call: what cannot be written down is refused and not made', async () => {
    const access = await token(gate, agent)
    await gate.call(access, 'book__write', { line: 'before' })
    // No file of this process may grow: the disk is full as far as it can tell.
    const limit = (size) => assert.equal(spawnSync('prlimit', ['--pid', String(gate.daemon.pid), `--fsize=${size}`]).status, 0)
    limit('1:unlimited')
    const refused = await until('a refusal', async () => {
      const answer = await gate.call(access, 'book__write', { line: 'without' })
      return answer.status === 503 && answer
    })
    assert.equal(refused.json.error.data.code, 'audit_unavailable')
    const lines = book.lines().length
    const again = await gate.call(access, 'book__write', { line: 'without' })
    assert.equal(again.status, 503)
    assert.equal(book.lines().length, lines)
    assert.equal((await fetch(`${gate.url}/readyz`)).status, 503)
    assert.equal((await gate.operator('POST', `/agents/${agent.id}/disable`)).status, 503) // no record, no change
    limit('unlimited:unlimited')
    await until('it to recover without a hand', async () => (await gate.call(access, 'book__write', { line: 'again' })).status === 200)
    await gate.recorded('the recovery', (e) => e.event === 'RECORD_RECOVERED')
    const all = gate.audit(), made = new Set(all.filter((e) => e.event === 'TOOL_CALL').map((e) => e.parameters.line))
    for (const line of book.lines()) assert.ok(made.has(line), line)
    assert.equal(verify().status, 0)
  })
})
