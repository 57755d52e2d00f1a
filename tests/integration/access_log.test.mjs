// The access log: a line for each request, with who and what came of it, and nothing of what was said.
// areas: access, daemon
import assert from 'node:assert/strict'
import { existsSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { DESK, startGate, until } from './lib/gate.mjs'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
let gate, agent, access
afterEach(async () => gate?.stop())

async function start(log, more = {}) {
  gate = await startGate({ servers: { desk: DESK }, log, session: { max_tool_calls: 100000, rate: '1000000/minute' }, ...more })
  agent = await gate.agent({ allow: ['desk/search_faq'] })
  access = gate.token(agent)
}
const faq = (query = 'return', options) => gate.call(access, 'desk__search_faq', { query }, options)
const path = (name = 'access.log') => join(gate.dir, name)
const lines = (name) => (existsSync(path(name)) ? readFileSync(path(name), 'utf8') : '').split('\n').filter(Boolean).map((l) => JSON.parse(l))
const line = (what, fits, name) => until(what, () => lines(name).find(fits))
const lost = async () => Number(/^doorward_access_log_lost_total (\d+)$/m.exec(await (await fetch(`${gate.admin}/metrics`,
  { headers: { authorization: `Bearer ${gate.operatorToken()}` } })).text())[1])

test('a call that was let through, one that was refused, a list, a stranger: each has its line', async () => {
  await start({ access: 'access.log' })
  await faq('a-secret-question', { headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` } })
  const allowed = await line('the call', (l) => l.traceId === TRACE)
  const { sid } = JSON.parse(Buffer.from(access.split('.')[1], 'base64url'))
  assert.deepEqual({ ...allowed, time: 0, ms: 0, bytesIn: 0, bytesOut: 0 },
    { time: 0, traceId: TRACE, face: 'mcp', verb: 'POST', path: '/mcp', agentId: agent.id, sessionId: sid, method: 'tools/call',
      tool: 'desk/search_faq', status: 200, effect: 'allow', bytesIn: 0, bytesOut: 0, ms: 0, peer: '127.0.0.1' })
  assert.ok(allowed.bytesIn > 100 && allowed.bytesOut > 100 && allowed.ms > 0)
  assert.ok(Math.abs(Date.parse(allowed.time) - Date.now()) < 10000)
  assert.equal((await gate.recorded('the intent', (e) => e.event === 'TOOL_CALL')).traceId, TRACE)

  await gate.call(access, 'desk__issue_refund', { orderId: 'hidden-argument' })
  const denied = await line('the refusal', (l) => l.effect === 'deny')
  assert.deepEqual([denied.status, denied.code, denied.tool], [403, 'insufficient_scope', 'desk/issue_refund'])
  await gate.modern(access, 'tools/list')
  const list = await line('the list', (l) => l.method === 'tools/list')
  assert.deepEqual([list.status, list.agentId, list.effect], [200, agent.id, undefined])
  await faq('return', { path: '/mcp?token=in-the-query' })
  await gate.modern('a-strangers-token', 'tools/list')
  const stranger = await line('the stranger', (l) => l.face === 'mcp' && l.status === 401)
  assert.deepEqual([stranger.code, stranger.agentId], ['invalid_token', undefined])
  await fetch(`${gate.url}/v1/tools`, { headers: { authorization: `Bearer ${access}` } })
  assert.equal((await line('REST', (l) => l.face === 'rest')).agentId, agent.id)
  await gate.operator('GET', '/status')
  const operator = await line('the operator', (l) => l.path === '/admin/v1/status')
  assert.deepEqual([operator.face, operator.operator, operator.status], ['operators', 'operator', 200])

  const all = readFileSync(path(), 'utf8')
  for (const secret of [gate.operatorToken(), 'a-secret-question', 'hidden-argument', 'in-the-query', access, 'a-strangers-token', 'client_assertion'])
    assert.ok(!all.includes(secret), secret)
})

test('behind a trusted proxy both ends are told', async () => {
  await start({ access: 'access.log' }, { trusted_proxies: ['127.0.0.1/32'] })
  await faq('return', { headers: { 'x-forwarded-for': '203.0.113.9' } })
  const l = await line('the call', (l) => l.tool)
  assert.deepEqual([l.peer, l.client], ['127.0.0.1', '203.0.113.9'])
})

test('SIGHUP after a rename begins a new file, and no line is lost', async () => {
  await start({ access: 'access.log' })
  for (let i = 0; i < 20; i++) await faq()
  renameSync(path(), path('access.log.1'))
  gate.daemon.kill('SIGHUP')
  await until('the new file', () => existsSync(path()))
  for (let i = 0; i < 10; i++) await faq()
  await until('all of them', () => lines().filter((l) => l.tool).length === 10)
  assert.equal(lines('access.log.1').filter((l) => l.tool).length, 20)
  // A file with faults in it keeps no log from being rotated.
  renameSync(path(), path('access.log.2'))
  gate.write({ nonsense: 1 })
  gate.daemon.kill('SIGHUP')
  await until('the next file', () => existsSync(path()))
})

test('it is switched on by a reload, to another file, and off again', async () => {
  await start({})
  await faq()
  assert.equal(existsSync(path()), false)
  for (const name of ['access.log', 'other.log']) {
    gate.write({ log: { access: name } })
    assert.equal((await gate.operator('POST', '/reload')).status, 200)
    await faq()
    await line(`the call in ${name}`, (l) => l.tool, name)
  }
  gate.write({ log: { access: 'off' } })
  assert.equal((await gate.operator('POST', '/reload')).status, 200)
  await faq()
  gate.write({ log: { access: 'other.log' } })
  await gate.operator('POST', '/reload')
  await faq()
  await until('the last call', () => lines('other.log').filter((l) => l.tool).length === 2)
})

test('on standard error lines stand whole among those of the log', async () => {
  await start({ access: 'stderr' })
  await Promise.all(Array.from({ length: 50 }, () => faq()))
  const all = () => gate.log.split('\n').slice(0, -1).map((l) => JSON.parse(l))
  await until('all of them', () => all().filter((l) => l.tool === 'desk/search_faq' && l.status === 200).length === 50)
})

test('a full disk stops no call: what is lost is counted and told once', async () => {
  await start({ access: '/dev/full' })
  const answers = await Promise.all(Array.from({ length: 100 }, () => faq()))
  assert.ok(answers.every((a) => a.status === 200))
  await until('the loss to be counted', async () => (await lost()) >= 100)
  assert.equal(gate.log.split('\n').filter((l) => l.includes('access_log_unavailable')).length, 1)
  assert.match(gate.log, /"reason":"No space left on device"/)
})

test('a file that cannot be opened stops the start', async () => {
  gate = await startGate({ servers: { desk: DESK }, log: { access: '/nowhere/access.log' } },
    { waitReady: false, through: ['env', 'ASAN_OPTIONS=detect_leaks=0'] }) // such a start leaves its memory to the end of the process
  assert.equal((await gate.exited).code, 1)
  assert.match(gate.log, /the access log \/nowhere\/access\.log: No such file or directory/)
})
