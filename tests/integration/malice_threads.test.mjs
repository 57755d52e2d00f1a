// Four workers and all that threads share, at once: calls of many clients over HTTP and stdio, streams, sessions that open and end,
// reloads, an agent that is stopped, looks of an operator; and the end in the middle of it. Each answer is one that is expected, and the
// record has all of it. Under the thread sanitizer (.ci/run) any race is a failure.
// areas: net, gate, identity, connect, audit, store
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGate, until } from './lib/gate.mjs'
import { askToken, newAgent } from './lib/oauth.mjs'
import { json, MODERN_STDIO, modernBasics, startRaw, startServer } from './lib/servers.mjs'

const TIME = 4000
let gate, raw, legacy, agents

before(async () => {
  raw = await startRaw((m, req, res) => json(res, m.method === 'tools/call'
    ? { id: m.id, result: { resultType: 'complete', content: [{ type: 'text', text: m.params.arguments.text }] } } : modernBasics(['echo'], m)))
  legacy = await startServer('legacy_server.mjs')
  gate = await startGate({ workers: 4,
    servers: { raw: { url: raw.url }, stdio: { ...MODERN_STDIO, isolation: 'gateway' }, legacy: { url: legacy.url, isolation: 'session' } },
    agents: { max_concurrent_sessions: 1000 }, session: { max_tool_calls: 1000000, rate: '10000000/minute' } })
  await until('the servers to be up', () => gate.json(['status']).servers.every((s) => s.state === 'up'))
  agents = await Promise.all(['a', 'b', 'stopped'].map((id) => newAgent(gate, id, { allowedTools: ['raw/echo', 'stdio/echo', 'legacy/echo', 'stdio/slow'] })))
})

after(async () => {
  await gate?.stop()
  await raw?.stop()
  await legacy?.stop()
})

const close = { headers: { connection: 'close' } } // a new connection each: they spread over the workers
let made = 0

test('everything at once: no answer is lost, mixed up or unexpected', async () => {
  const end = Date.now() + TIME
  const during = async (act) => {
    for (let i = 0; Date.now() < end; i++) await act(i)
  }
  const tokens = await Promise.all(agents.map(async (a) => (await askToken(gate, a)).json.access_token))
  const calls = (server, who) => during(async (i) => {
    const text = `${server} ${who} ${i}`
    const { json: answer } = await gate.call(tokens[who], `${server}__echo`, { text }, close)
    made++
    assert.equal(answer.result?.content[0].text, text, JSON.stringify(answer))
  })
  const brief = (who) => during(async () => { // sessions that come and go
    const { access_token: mine, sessionId } = (await gate.operator('POST', '/sessions', { agentId: agents[who].id }, close)).json
    const [call] = await Promise.all([gate.call(mine, 'legacy__echo', { text: 'x' }, close), gate.operator('POST', `/sessions/${sessionId}/end`, {}, close)])
    const code = call.json.error?.data.code
    assert.ok(call.json.result || ['session_ended', 'cancelled', 'upstream_unavailable', 'upstream_timeout'].includes(code), call.text)
  })
  const listens = () => during(async () => {
    const gone = AbortSignal.timeout(300)
    const stream = gate.modern(tokens[0], 'subscriptions/listen', { notifications: { toolsListChanged: true } }, { signal: gone })
    await stream.then((a) => assert.equal(a.json?.error?.data.code, 'too_many_streams', a.text), () => {})
  })
  const progress = () => during(async () => {
    const gone = AbortSignal.timeout(150) // in the middle of it: the call is cancelled
    await gate.call(tokens[1], 'stdio__slow', { steps: 5, ms: 50 }, { meta: { progressToken: 'p' }, signal: gone }).catch(() => {})
  })
  const reloads = () => during(async () => {
    assert.equal((await gate.operator('POST', '/reload', undefined, close)).status, 200)
    await sleep(50)
  })
  const looks = () => during(async () => {
    for (const path of ['/status', '/tools', '/agents', '/sessions']) assert.equal((await gate.operator('GET', path, undefined, close)).status, 200)
    await sleep(20)
  })
  const logins = () => during(async () => assert.equal((await askToken(gate, agents[1])).status, 200))
  const stops = () => during(async () => { // an agent is taken out and let in again
    const { access_token: mine } = (await gate.operator('POST', '/sessions', { agentId: 'stopped' }, close)).json
    const call = gate.call(mine, 'stdio__slow', { steps: 20, ms: 20 }, close)
    assert.equal((await gate.operator('POST', '/agents/stopped/disable', {}, close)).status, 200)
    assert.ok((await call).json) // answered, whichever way
    assert.equal((await gate.operator('POST', '/agents/stopped/enable', {}, close)).status, 200)
  })
  await Promise.all([calls('raw', 0), calls('raw', 1), calls('raw', 0), calls('stdio', 0), calls('stdio', 1), calls('legacy', 0), calls('legacy', 1),
                     brief(0), brief(1), listens(), progress(), reloads(), looks(), logins(), stops()])
  assert.ok(made > 50, `only ${made} calls`)
})

test('it stops in the middle of calls, in good order, and the record holds each call with its outcome', async () => {
  const access = (await askToken(gate, agents[0])).json.access_token
  let stopping = false
  const busy = Array.from({ length: 8 }, async (_, i) => {
    while (!stopping) await gate.call(access, ['raw__echo', 'stdio__echo'][i % 2], { text: 'last' }, close).catch(() => (stopping = true))
  })
  await sleep(200)
  gate.daemon.kill('SIGTERM')
  assert.deepEqual(await gate.exited, { code: 0, signal: null }, gate.log.slice(-3000))
  stopping = true
  await Promise.all(busy)
  assert.ok(!/ThreadSanitizer/.test(gate.log), gate.log)
  assert.equal(gate.cli(['audit', 'verify', '--dir', `${gate.dir}/data/audit`]).status, 0)
  const entries = gate.audit(), done = new Set(entries.filter((e) => e.event === 'TOOL_RESULT').map((e) => e.intentSeq))
  const calls = entries.filter((e) => e.event === 'TOOL_CALL')
  assert.ok(calls.length >= made)
  assert.deepEqual(calls.filter((e) => !done.has(e.seq)), [])
})
