// The kill switch: an agent, a session or everything is stopped, down to the servers, at once, on record, and for longer than the
// process lives.
// areas: execute, connect, identity, admin, cli, store
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { startGate, until } from './lib/gate.mjs'
import { json, modernBasics, startAsking, startRaw, startServer } from './lib/servers.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const stubborn = (how, more = {}) => ({ command: [process.execPath, join(here, 'lib/stubborn_server.mjs'), how], ...more })
const REASON = 'it sends mail to strangers'
const SLOW = { steps: 600, ms: 50 }
const TOOLS = ['modern/slow', 'legacy/slow', 'legacy/echo', 'polite/hang', 'stubborn/hang', 'shared/hang', 'asks/ask', 'fast/t']

let gate, modern, legacy, asks, fast
for (const role of ['viewer', 'operator', 'admin']) process.env[`KILL_TEST_${role.toUpperCase()}`] = `${role}-token-of-this-test`
const arrivals = [] // of calls at the fast server

const config = () => ({
  workers: 3,
  servers: { modern: { url: modern.url }, legacy: { url: legacy.url }, asks: { url: asks.url }, fast: { url: fast.url }, polite: stubborn('polite'),
             stubborn: stubborn('stubborn'), shared: stubborn('polite', { isolation: 'gateway' }) },
  session: { max_tool_calls: 100000, rate: '100000/second' },
  operators: ['viewer', 'operator', 'admin'].map((role) => ({ name: role, role, token: `\${KILL_TEST_${role.toUpperCase()}}` })),
})

before(async () => {
  ;[modern, legacy, asks] = await Promise.all([startServer('modern_server.mjs'), startServer('legacy_server.mjs'), startAsking('legacy')])
  fast = await startRaw((m, req, res) => {
    if (m?.method === 'tools/call') arrivals.push(m.id)
    json(res, !m ? {} : m.method === 'tools/call' ? { id: m.id, result: { resultType: 'complete', content: [] } } : modernBasics(['t'], m))
  })
  gate = await startGate(config())
})

after(async () => {
  await gate?.stop()
  await Promise.all([modern?.stop(), legacy?.stop(), asks?.stop(), fast?.stop()])
})

const agent = () => gate.agent({ allow: TOOLS, more: ['--max-sessions', '50'] })
const kill = (...args) => gate.json(['kill', ...args, '--reason', REASON])
const revive = (...args) => gate.cli(['revive', ...args, '-c', gate.file, '--reason', 'it is well again'])
const slow = async (server) => (await server.seen()).filter((s) => s.body?.params?.name === 'slow').length
const aborted = async (server) => (await server.seen()).filter((s) => s === 'aborted').length
const said = (words) => gate.log.split('\n').filter((l) => l.includes('server_stderr') && l.includes(words)).length
const flush = (calls) => Promise.all(calls.map((c) => c.then((r) => r.json?.error?.data?.code ?? r.json ?? r, (e) => e)))

// The newest entry that fits; the record is too long by now to be read whole.
const recorded = (event, id) => until(`${event} on record`, () =>
  gate.cli(['audit', 'tail', '--dir', join(gate.dir, 'data/audit'), '-n', '200', '--json']).stdout.trim().split('\n')
    .map((l) => JSON.parse(l)).findLast((e) => e.event === event && e.agentId === id))

// The token endpoint as an agent reaches it.
function refused(who) {
  const r = gate.cli(['token', '--url', gate.url, '--agent', who.id, '--key', who.key], { ok: false })
  return `${r.status} ${/\(([a-z_]+)\)/.exec(r.stderr)?.[1]}`
}

test('64 calls in flight over HTTP and stdio end with the agent, at the client and at the servers', async (t) => {
  const [who, other] = [await agent(), await agent()]
  const [token, spared] = [gate.token(who), gate.token(other)]
  const calls = []
  const [m, l, a, b, called, told] = [await slow(modern), await slow(legacy), await aborted(modern), await aborted(legacy), said('call'), said('cancelled')]
  for (let i = 0; i < 16; i++)
    calls.push(gate.call(token, 'modern__slow', SLOW), gate.call(token, 'legacy__slow', SLOW), gate.call(token, 'polite__hang', {}), gate.call(token, 'shared__hang', {}))
  const left = gate.call(spared, 'modern__slow', { steps: 30, ms: 50 })
  await until('all calls to be with their servers', async () =>
    await slow(modern) === m + 17 && await slow(legacy) === l + 16 && said('call') === called + 32)

  const k = kill('agent', who.id)
  assert.deepEqual([k.killed, k.agentId, k.sessions, k.calls, k.silent], ['agent', who.id, 1, 64, true])
  t.diagnostic(`64 calls in flight: silent after ${k.silenceMs} ms`)
  await until('the processes to have been told', () => said('cancelled') === told + 32)
  await until('the servers over HTTP to have given up', async () => await aborted(modern) === a + 16 && await aborted(legacy) === b + 16)
  for (const code of await flush(calls)) assert.equal(code, 'session_stopped')

  assert.equal((await gate.call(token, 'fast__t', {})).status, 401)
  assert.equal(refused(who), '3 agent_stopped')
  assert.match((await left).text, /done/)
  const [order, done] = [await recorded('KILL', who.id), await recorded('KILL_DONE', who.id)]
  assert.deepEqual([order.actor, order.policyDecision.reason, order.details], ['operator', REASON, { scope: 'agent', sessions: 1 }])
  assert.deepEqual(done.details, { calls: 64, scope: 'agent', sessions: 1, silenceMs: k.silenceMs })
})

test('the clients of both SDKs are told, and their streams end', async () => {
  const who = await agent()
  const token = gate.token(who)
  const [old, young] = [await gate.legacyClient(token), await gate.modernClient(token)]
  const stream = await fetch(`${gate.url}/mcp`, { headers: { ...gate.headers(token), accept: 'text/event-stream', 'mcp-session-id': old.transport.sessionId } })
  const [m, l] = [await slow(modern), await slow(legacy)]
  const calls = [old.callTool({ name: 'legacy__slow', arguments: SLOW }), young.callTool({ name: 'modern__slow', arguments: SLOW })].map((c) => c.then(() => 'answered', (e) => e))
  await until('both calls to be with their servers', async () => await slow(modern) > m && await slow(legacy) > l)
  assert.equal(kill('agent', who.id).calls, 2)
  for (const e of await Promise.all(calls)) assert.match(String(e.message), /stopped|401/)
  await stream.text() // ends
  await assert.rejects(young.listTools())
  await Promise.all([old.close(), young.close()].map((c) => c.catch(() => {})))
})

test('a process that ignores SIGTERM is gone when the kill is answered', async (t) => {
  const who = await agent()
  const call = gate.call(gate.token(who), 'stubborn__hang', {})
  const pid = await until('the call to be with the process', () => /"server":"stubborn","line":"(\d+) call/.exec(gate.log)?.[1])
  const k = kill('agent', who.id)
  assert.equal(k.silent, true)
  t.diagnostic(`a process that ignores SIGTERM: silent after ${k.silenceMs} ms`)
  assert.equal(existsSync(`/proc/${pid}`), false)
  await until('it to have been told', () => said(`${pid} cancelled`) && said(`${pid} terminated`))
  assert.ok(k.silenceMs >= 500 && k.silenceMs < 3000, `${k.silenceMs} ms`)
  await flush([call])
})

test('a session is stopped alone: its agent opens another one, and its other sessions go on', async () => {
  const who = await agent()
  const [one, two] = [gate.open(who), gate.open(who)]
  const m = await slow(modern)
  const calls = [one, two].map((s) => gate.call(s.access_token, 'modern__slow', { steps: 40, ms: 50 }))
  await until('both calls to be with the server', async () => await slow(modern) === m + 2)
  const k = kill('session', one.sessionId)
  assert.deepEqual([k.killed, k.sessionId, k.sessions, k.calls], ['session', one.sessionId, 1, 1])
  assert.equal((await calls[0]).json.error.data.code, 'session_stopped')
  assert.match((await calls[1]).text, /done/)
  const again = await gate.call(one.access_token, 'fast__t', {})
  assert.deepEqual([again.status, again.json.error.data.code], [401, 'session_stopped'])
  assert.equal((await gate.call(two.access_token, 'fast__t', {})).status, 200)
  assert.equal((await gate.call(gate.token(who), 'fast__t', {})).status, 200)
  assert.equal(gate.json(['session', 'show', one.sessionId]).state, 'stopped')
})

test('calls that wait for input end too: one whose client is asked, and one that was put aside', async () => {
  const who = await agent()
  const token = gate.token(who)
  const capabilities = { elicitation: { form: {} } }
  const [old, young] = [await gate.legacyClient(token, '/mcp', capabilities), await gate.modernClient(token, '/mcp', { pin: '2026-07-28' }, capabilities)]
  const { ElicitRequestSchema } = await import('@modelcontextprotocol/sdk/types.js')
  let asked = 0
  const never = () => (asked++, new Promise(() => {}))
  old.setRequestHandler(ElicitRequestSchema, never)
  young.setRequestHandler('elicitation/create', never)
  const given = await aborted(asks)
  const calls = [old, young].map((c) => c.callTool({ name: 'asks__ask', arguments: { what: ['form'] } }).then(() => 'answered', (e) => e))
  await until('both clients to be asked', () => asked === 2)
  const k = kill('agent', who.id)
  assert.deepEqual([k.calls, k.silent], [2, true])
  await until('the server to have given both up', async () => await aborted(asks) === given + 2)
  assert.match(String((await calls[0]).message), /stopped|401/)
  await Promise.all([old.close(), young.close()].map((c) => c.catch(() => {})))
})

test('no call reaches a server after the answer to the kill', async () => {
  const [rounds, clients, spare] = [20, 32, await agent()]
  for (let round = 0; round < rounds; round++) {
    const who = round % 2 ? spare : await agent()
    const open = () => gate.operator('POST', '/sessions', { agentId: who.id }).then((r) => r.json)
    const sessions = await Promise.all(Array.from({ length: round % 2 ? 1 : 4 }, open)) // the kill of a session waits for no store
    const path = round % 2 ? `/sessions/${sessions[0].sessionId}/kill` : `/agents/${who.id}/kill`
    const loops = Array.from({ length: clients }, async (_, i) => {
      while ((await gate.call(sessions[i % sessions.length].access_token, 'fast__t', {})).status === 200);
    })
    const n = arrivals.length
    await until('calls to flow', () => arrivals.length > n + 2 * clients)
    const { status, json: k } = await gate.operator('POST', path, { reason: REASON })
    await fetch(fast.url, { headers: { connection: 'close' } }) // behind all that was on its way before the answer
    const mark = arrivals.length
    assert.deepEqual([status, k.silent, k.sessions], [200, true, sessions.length])
    await Promise.all(loops) // each is refused, which ends it
    assert.deepEqual(arrivals.slice(mark), [], `round ${round}`)
  }
})

test('sessions that are opened while an agent is stopped do not slip through', async () => {
  const who = await agent()
  const attempts = Array.from({ length: 40 }, (_, i) => sleep(i).then(() => gate.operator('POST', '/sessions', { agentId: who.id })))
  await sleep(15)
  assert.equal((await gate.operator('POST', `/agents/${who.id}/kill`, { reason: REASON })).status, 200)
  const opened = (await Promise.all(attempts)).filter((r) => r.status === 201)
  for (const { json: s } of opened) assert.equal((await gate.call(s.access_token, 'fast__t', {})).status, 401)
  assert.deepEqual(gate.json(['session', 'list']).sessions.filter((s) => s.agentId === who.id), [])
})

test('a full disk keeps nobody from being stopped, and the answer says what that is worth', async () => {
  const who = await agent()
  const token = gate.token(who)
  const disk = (size) => assert.equal(spawnSync('prlimit', ['--pid', gate.daemon.pid, `--fsize=${size}:unlimited`]).status, 0)
  const m = await slow(modern)
  const call = gate.call(token, 'modern__slow', SLOW)
  await until('the call to be with the server', async () => await slow(modern) > m)
  disk(1)
  await until('the record to be refused', async () => (await gate.call(token, 'fast__t', {})).json.error?.data?.code === 'audit_unavailable')
  const { status, json: k } = await gate.operator('POST', `/agents/${who.id}/kill`, { reason: REASON })
  assert.deepEqual([status, k.error], [503, 'store_unavailable'])
  assert.match(k.message, /stopped, but only until the next restart/)
  assert.equal((await call).json.error.data.code, 'session_stopped')
  assert.equal((await gate.call(token, 'fast__t', {})).status, 401)
  disk('unlimited')
  await until('the record to be taken again', () => gate.json(['status']).audit.healthy)
  assert.equal(refused(who), '3 agent_stopped')
  assert.equal(kill('agent', who.id).silent, true)
  assert.equal((await recorded('KILL', who.id)).details.sessions, 0)
})

test('a gateway that is killed takes its servers with it, also one that listens to nothing', async () => {
  const who = await agent(), before = gate.log.length
  gate.call(gate.token(who), 'stubborn__hang', {}).catch(() => {})
  const pid = await until('the call to be with the process', () => /"server":"stubborn","line":"(\d+) call/.exec(gate.log.slice(before))?.[1])
  assert.equal(existsSync(`/proc/${pid}`), true)
  gate.daemon.kill('SIGKILL')
  await gate.exited
  await until('the process to be gone', () => !existsSync(`/proc/${pid}`))
  await gate.start()
})

test('a stop of an agent outlives the process, and is lifted by name', async () => {
  const [who, other] = [await agent(), await agent()]
  const token = gate.token(who)
  kill('agent', who.id)
  gate.daemon.kill('SIGKILL')
  await gate.exited
  await gate.start()
  assert.equal(refused(who), '3 agent_stopped')
  assert.equal((await gate.call(token, 'fast__t', {})).status, 401)
  assert.equal((await gate.call(gate.token(other), 'fast__t', {})).status, 200)
  const stop = gate.json(['kill', 'list']).stops.find((s) => s.agentId === who.id)
  assert.deepEqual([stop.stopped, stop.by, stop.reason], ['agent', 'operator', REASON])
  assert.match(revive('agent', who.id).stdout, /can open sessions again/)
  assert.equal((await gate.call(gate.token(who), 'fast__t', {})).status, 200)
  assert.equal(gate.json(['kill', 'list']).stops.some((s) => s.agentId === who.id), false)
  const entry = await recorded('REVIVED', who.id)
  assert.deepEqual([entry.actor, entry.policyDecision.reason], ['operator', 'it is well again'])
})

test('kill all stops everybody, says so everywhere, and holds after a restart until it is lifted', async () => {
  const [who, other] = [await agent(), await agent()]
  const tokens = [gate.token(who), gate.token(other)]
  const m = await slow(modern)
  const calls = tokens.map((t) => gate.call(t, 'modern__slow', SLOW))
  await until('both calls to be with the server', async () => await slow(modern) === m + 2)
  const k = kill('all', '--yes')
  assert.deepEqual([k.killed, k.calls, k.silent], ['all', 2, true])
  assert.deepEqual(await flush(calls), ['session_stopped', 'session_stopped'])

  async function everythingIsStopped() {
    const ready = await fetch(`${gate.url}/readyz`)
    assert.deepEqual([ready.status, (await ready.json()).error], [503, 'all_stopped'])
    assert.match(gate.cli(['status', '-c', gate.file]).stdout, /NOT READY[^]*an operator has stopped everything/)
    assert.equal(gate.json(['status']).stopped.all, true)
    const r = await gate.call(tokens[0], 'fast__t', {})
    assert.deepEqual([r.status, r.json.error.data.code], [401, 'all_stopped'])
    assert.equal(refused(other), '3 all_stopped')
    assert.equal((await gate.operator('POST', '/sessions', { agentId: who.id })).status, 409)
  }
  await everythingIsStopped()
  gate.daemon.kill('SIGKILL')
  await gate.exited
  await gate.start(false)
  await until('the gate to listen', () => fetch(`${gate.url}/livez`))
  await everythingIsStopped()
  revive('all')
  await until('the gate to be ready', async () => (await fetch(`${gate.url}/readyz`)).ok)
  assert.equal((await gate.call(gate.token(other), 'fast__t', {})).status, 200)
})

test('an operator may kill, and only an admin may revive', async () => {
  const who = await agent()
  const as = (role, method, path, body = { reason: REASON }) =>
    gate.operator(method, path, method === 'GET' ? undefined : body, { token: `${role}-token-of-this-test` }).then((r) => r.status)
  const session = gate.open(who).sessionId
  assert.equal(await as('viewer', 'GET', '/kill'), 200)
  for (const path of [`/agents/${who.id}/kill`, `/sessions/${session}/kill`, '/kill']) assert.equal(await as('viewer', 'POST', path), 403, path)
  assert.equal(await as('operator', 'POST', `/sessions/${session}/kill`), 200)
  assert.equal(await as('operator', 'POST', `/agents/${who.id}/kill`), 200)
  assert.equal(await as('operator', 'POST', `/agents/${who.id}/revive`), 403)
  assert.equal(await as('operator', 'POST', '/revive'), 403)
  assert.equal(await as('admin', 'POST', `/agents/${who.id}/revive`), 200)
  assert.equal((await recorded('REVIVED', who.id)).actor, 'admin')
})

test('a kill needs a reason and somebody whom it means; kill all needs a yes', async () => {
  const who = await agent()
  const fails = (args, status, words) => {
    const r = gate.cli([...args, '-c', gate.file], { ok: false })
    assert.equal(r.status, status, r.stderr)
    assert.match(r.stderr, words)
  }
  fails(['kill', 'agent', who.id], 2, /--reason/)
  fails(['kill', 'agent', 'nobody', '--reason', REASON], 1, /no agent nobody/)
  fails(['kill', 'session', 'sess_none', '--reason', REASON], 1, /no session/)
  fails(['revive', 'agent', who.id, '--reason', REASON], 1, /not stopped/)
  fails(['kill', 'all', '--reason', REASON], 1, /nothing was stopped/)
  assert.equal((await gate.operator('POST', `/agents/${who.id}/kill`, {})).status, 400)
  assert.equal((await gate.call(gate.token(who), 'fast__t', {})).status, 200)
  assert.match(gate.cli(['kill', 'agent', who.id, '-c', gate.file, '--reason', REASON]).stdout,
    new RegExp(`^agent ${who.id} is silent after \\d+ ms: 1 session ended, 0 calls cancelled\n$`))
})
