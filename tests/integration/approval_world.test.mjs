// What becomes of calls that wait for a person when the world changes meanwhile: policies, definitions, sessions, the gateway itself.
// areas: approval, approve
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ElicitRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { startGate, until } from './lib/gate.mjs'
import { ledger } from './lib/ledger.mjs'
import { people } from './lib/people.mjs'
import { json, modernBasics, startAsking, startRaw } from './lib/servers.mjs'

const HIGH = { '*/*': { risk: 'high' } }
const text = (result) => result.content[0].text
const code = (r) => r.json.result?._meta?.['dev.doorward/code'] ?? r.json.error?.data.code

let gate, book, who, agent, token
const count = (line) => book.lines().filter((l) => l === line).length

async function start(config = {}, more = {}) {
  book = ledger()
  gate = await startGate({ workers: 2, servers: { ledger: book.server, ...more }, tools: HIGH, approval: { hold: '20s', time_limit: '30s' },
                           session: { max_tool_calls: 1000, rate: 'none' }, ...config })
  who = people(gate)
  agent = await gate.agent({ allow: ['ledger/write', ...Object.keys(more).flatMap((s) => [`${s}/refund`, `${s}/ask`])] })
  token = gate.token(agent)
}
afterEach(() => gate?.stop())
const gone = (call) => call.then(() => assert.fail('it was answered'), (e) => e)
const write = (line, more = {}) => gate.call(token, 'ledger__write', { line, ...more })

test('a gateway that is killed while a call waits forgets nothing: the same call waits on, and is made once', async () => {
  await start()
  const lost = gone(write('killed'))
  const question = await who.question('killed')
  gate.daemon.kill('SIGKILL')
  await gate.exited
  assert.match((await lost).message, /fetch failed/)
  await gate.start()
  assert.deepEqual((await who.pending()).map((q) => q.id), [question.id])
  const again = write('killed') // the session is still there
  await sleep(200)
  await who.approve(question)
  assert.equal(text((await again).json.result), 'done')
  assert.equal(count('killed'), 1)
})

test('one that is killed after it made a call does not make it again', async () => {
  await start()
  const lost = gone(write('made', { ms: 20000 }))
  await who.approve(await who.question('made'))
  await until('the call to be made', () => count('made') === 1)
  gate.daemon.kill('SIGKILL')
  await gate.exited
  assert.match((await lost).message, /fetch failed/)
  await gate.start()
  const again = await gate.call(token, 'ledger__write', { line: 'made', ms: 20000 })
  assert.equal(code(again), again.status === 401 ? 'session_ended' : 'approval_used')
  assert.equal(count('made'), 1)
  assert.equal((await who.pending()).length, 0)
})

test('one that stops tells those that wait to come back, and the question is there when it is', async () => {
  await start()
  const waits = write('stopped')
  const question = await who.question('stopped')
  gate.daemon.kill('SIGTERM')
  const { result } = (await waits).json
  assert.match(text(result), new RegExp(`^pending ${question.id}: Doorward is stopping`))
  await gate.exited
  await gate.start()
  const again = write('stopped')
  await who.approve(question)
  assert.equal(text((await again).json.result), 'done')
  assert.equal(count('stopped'), 1)
})

test('other policies make a question void at once', async () => {
  await start()
  const waits = write('policy')
  await who.question('policy')
  writeFileSync(join(gate.dir, 'p.cedar'), 'permit (principal, action, resource);')
  gate.write({ policy: { files: [{ file: 'p.cedar' }] } })
  gate.daemon.kill('SIGHUP')
  assert.equal(code(await waits), 'approval_void')
  assert.equal(count('policy'), 0)
})

test('so does another definition of the tool, and the end of the session', async () => {
  let description = 'Refunds an order'
  const made = []
  const server = await startRaw((m, req, res) => {
    const tools = [{ name: 'refund', description, inputSchema: { type: 'object' } }]
    if (m.method === 'tools/list') return json(res, { id: m.id, result: { resultType: 'complete', tools, ttlMs: 1000, cacheScope: 'private' } })
    if (m.method !== 'tools/call') return json(res, modernBasics([], m))
    made.push(m.params)
    json(res, { id: m.id, result: { resultType: 'complete', content: [{ type: 'text', text: 'refunded' }] } })
  })
  try {
    await start({}, { desk: { url: server.url } })
    const changed = gate.call(token, 'desk__refund', { order: 'definition' })
    await who.question('definition')
    description = 'Refunds an order, twice'
    gate.write({ servers: { ledger: book.server, desk: { url: server.url, headers: { 'x-round': '2' } } } }) // it is probed again
    gate.daemon.kill('SIGHUP')
    assert.equal(code(await changed), 'approval_void')
    const stopped = write('session')
    await who.question('session')
    const { sid } = JSON.parse(Buffer.from(token.split('.')[1], 'base64url'))
    assert.equal((await gate.operator('POST', `/sessions/${sid}/kill`, { reason: 'test' })).status, 200)
    assert.match(code(await stopped), /^(session_stopped|approval_void)$/)
    assert.deepEqual([made.length, count('session')], [0, 0])
    assert.equal((await who.pending()).length, 0)
  } finally {
    await server.stop()
  }
})

test('what policies forbid by the time that a person says yes is not made', async () => {
  await start({ tools: { '*/*': { risk: 'low' } }, policy: { files: [] } })
  writeFileSync(join(gate.dir, 'p.cedar'), `
    @approve("one") permit (principal, action, resource);
    @id("soon") forbid (principal, action, resource) when { context.session.age > 2 };`)
  gate.write({ policy: { files: [{ file: 'p.cedar' }] } })
  gate.daemon.kill('SIGHUP')
  await until('the policies', async () => (await gate.operator('GET', '/policies')).json.files?.length === 1)
  token = gate.token(agent)
  const waits = write('forbidden')
  const question = await who.question('forbidden')
  await sleep(3200)
  await who.approve(question)
  const r = await waits
  assert.equal(code(r), 'policy_denied')
  assert.equal(count('forbidden'), 0)
})

test('limits of policies count what was approved, and not those that wait or come back', async () => {
  await start({ approval: { hold: '1s', time_limit: '30s' }, tools: { '*/*': { risk: 'low' } } })
  writeFileSync(join(gate.dir, 'p.cedar'), '@approve("one") @limit("1/hour") permit (principal, action, resource);')
  gate.write({ policy: { files: [{ file: 'p.cedar' }] } })
  gate.daemon.kill('SIGHUP')
  await until('the policies', async () => (await gate.operator('GET', '/policies')).json.files?.length === 1)
  const client = await gate.modernClient(token)
  const first = client.callTool({ name: 'ledger__write', arguments: { line: 'one' } })
  const question = await who.question('one')
  await sleep(2500)
  await who.approve(question)
  assert.equal(text(await first), 'done')
  const second = client.callTool({ name: 'ledger__write', arguments: { line: 'another' } })
  await who.approve(await who.question('another'))
  await assert.rejects(second, /rate/)
  assert.equal(count('another'), 0)
  await client.close()
})

test('a server that asks the client something in the middle of an approved call asks nobody else again', async () => {
  const servers = await Promise.all([startAsking('modern'), startAsking('legacy')])
  try {
    await start({}, { asks: { url: servers[0].url }, old: { url: servers[1].url } })
    await until('both servers', async () => (await gate.modern(token, 'tools/list')).json.result.tools.length === 3)
    const ada = async () => ({ action: 'accept', content: { name: 'Ada' } })
    for (const [server, era] of ['asks', 'old'].flatMap((s) => [[s, 'modern'], [s, 'legacy']])) {
      const can = { elicitation: { form: {} } }
      token = gate.token(agent) // another session: a question of its own
      const client = era === 'modern' ? await gate.modernClient(token, '/mcp', { pin: '2026-07-28' }, can) : await gate.legacyClient(token, '/mcp', can)
      client.setRequestHandler(era === 'modern' ? 'elicitation/create' : ElicitRequestSchema, ada)
      const args = { name: `${server}__ask`, arguments: { what: ['form'] } }
      const call = era === 'modern' ? client.callTool(args) : client.callTool(args, undefined, { onprogress: () => {} })
      await until('the question', async () => (await who.pending()).length === 1)
      await who.approve((await who.pending())[0])
      assert.match(text(await call), /Ada/)
      assert.equal((await who.pending()).length, 0)
      await client.close()
    }
  } finally {
    await Promise.all(servers.map((s) => s.stop()))
  }
})

test('a client with its defaults waits for more than a minute, held as long as the configuration says by itself', { timeout: 120000 }, async () => {
  await start({ approval: {} })
  const client = await gate.modernClient(token)
  const call = client.callTool({ name: 'ledger__write', arguments: { line: 'minute' } })
  const question = await who.question('minute')
  await sleep(62000)
  await who.approve(question)
  assert.equal(text(await call), 'done')
  assert.equal(count('minute'), 1)
  await client.close()
})
