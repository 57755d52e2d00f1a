// Servers over HTTP that wear the gate down, in both eras: they answer late, never, twice, to others, with 100 MB, or without end. Each
// call gets its own answer or a reason, the next one is as good as ever, and what the daemon holds afterwards, as the kernel counts
// it, is what it held before.
// areas: connect, execute, net
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGate, until } from './lib/gate.mjs'
import { figures, grown } from './lib/proc.mjs'
import { json, modernBasics, startRaw } from './lib/servers.mjs'
import { each, endMany, openMany } from './lib/swarm.mjs'

const MB = 1 << 20
const line = (message) => JSON.stringify({ jsonrpc: '2.0', ...message })
const event = (message) => `event: message\ndata: ${line(message)}\n\n`
const stream = (res) => res.writeHead(200, { 'content-type': 'text/event-stream' })
const gone = (res) => res.destroyed || res.writableEnded

// Writes until it is done or the other side has had enough; says how much went.
async function pour(res, parts) {
  for (const part of parts) {
    if (gone(res)) return
    if (!res.write(part)) await Promise.race([new Promise((done) => res.once('drain', done)), new Promise((done) => res.once('close', done))])
  }
  if (!gone(res)) res.end()
}
function* hundred(head, part, tail) {
  yield head
  for (let i = 0; i < 100; i++) yield part
  yield tail
}
const big = Buffer.alloc(MB, 'x')

// `result` makes a result of the server's era.
const ways = {
  fine: (id, res, result) => json(res, { id, result: result('fine') }),
  late: (id, res, result) => sleep(1500).then(() => gone(res) || json(res, { id, result: result('late') })),
  never: () => {},
  never_begun: (id, res) => stream(res).flushHeaders(),
  twice: (id, res, result) => stream(res).end(event({ id, result: result('first') }) + event({ id, result: result('second') })),
  strangers: (id, res, result) => stream(res).end(['nobody', 7, null, `${id}x`].map((other) => event({ id: other, result: result('to somebody else') })).join('') +
    event({ id, result: result('ours') })),
  stranger: (id, res, result) => json(res, { id: `${id}x`, result: result('to somebody else') }),
  broken: (id, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0","id":'),
  broken_stream: (id, res, result) => stream(res).end(`data: {"jsonrpc"\n\ndata: []\n\n\x01\x02\n\n${event({ id, result: result('after garbage') })}`),
  huge: (id, res) => pour(res.writeHead(200, { 'content-type': 'application/json' }), hundred(`{"jsonrpc":"2.0","id":"${id}","result":{"x":"`, big, '"}}')),
  huge_announced: (id, res) => pour(res.writeHead(200, { 'content-type': 'application/json', 'content-length': 100 * MB + 2 }), hundred('{', big, '}')),
  huge_event: (id, res) => pour(stream(res), hundred(`data: {"jsonrpc":"2.0","id":"${id}","result":{"x":"`, big, '"}}\n\n')),
  huge_line: (id, res) => pour(stream(res), hundred(': ', big, '\n\n')),
  huge_stream: (id, res, result) => pour(stream(res), hundred(': 100 MB of notifications\n\n',
    event({ method: 'notifications/message', params: { level: 'debug', data: 'x'.repeat(1000) } }).repeat(1000), event({ id, result: result('after 100 MB') }))),
}
// What a call gets; the rest is upstream_garbage.
const GETS = { fine: 'fine', late: 'upstream_timeout', never: 'upstream_timeout', never_begun: 'upstream_timeout', twice: 'first', strangers: 'ours',
               broken_stream: 'after garbage' }

const servers = {}
const sessions = new Set() // of the legacy server
let gate, token, open = 0

before(async () => {
  const tools = Object.keys(ways).map((name) => ({ name, inputSchema: { type: 'object' } }))
  const serve = (era) => async (m, req, res) => {
    const result = (text) => ({ ...(era === 'modern' && { resultType: 'complete' }), content: [{ type: 'text', text }] })
    if (req.method === 'DELETE') return sessions.delete(req.headers['mcp-session-id']), res.writeHead(200).end()
    if (req.method === 'GET') return res.writeHead(405).end()
    if (m.method === 'server/discover' && era === 'modern') return json(res, modernBasics([], m))
    if (m.method === 'initialize') {
      const id = crypto.randomUUID()
      sessions.add(id)
      const hello = { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'rude', version: '1' } }
      return json(res, { id: m.id, result: hello }, 200, { 'mcp-session-id': id })
    }
    if (era === 'legacy' && !sessions.has(req.headers['mcp-session-id'])) return res.writeHead(m.method === 'server/discover' ? 400 : 404).end()
    if (m.id === undefined) return res.writeHead(202).end()
    if (m.method === 'tools/list') return json(res, { id: m.id, result: { ...(era === 'modern' && { resultType: 'complete' }), tools } })
    open++
    res.on('close', () => open--)
    return ways[m.params.name](m.id, res, result)
  }
  servers.modern = await startRaw(serve('modern'))
  servers.legacy = await startRaw(serve('legacy'))
  gate = await startGate({
    servers: { modern: { url: servers.modern.url, timeout: '1s' }, legacy: { url: servers.legacy.url, timeout: '1s', isolation: 'session' } },
    agents: { max_concurrent_sessions: 1000 },
    session: { max_tool_calls: 100000, rate: '10000000/minute' },
  })
  const { servers: all } = gate.json(['status'])
  assert.deepEqual(all.map((s) => [s.name, s.protocol]), [['legacy', '2025-11-25'], ['modern', '2026-07-28']])
  token = gate.open(await gate.agent({ id: 'worker', allow: Object.keys(ways).flatMap((way) => ['modern', 'legacy'].map((s) => `${s}/${way}`)) })).access_token
})

after(async () => {
  await gate?.stop()
  await Promise.all(Object.values(servers).map((s) => s.stop()))
})

const answer = async (name, as = token) => {
  const { json } = await gate.call(as, name, {}, { headers: { connection: 'close' } })
  return json.result?.content[0].text ?? json.error.data.code
}
const now = () => figures(gate.daemon.pid)
const backTo = (was) => until(`as little as before: ${JSON.stringify(was)}`, () => {
  const is = now()
  if (is.fds > was.fds || open) throw new Error(`it holds ${JSON.stringify(is)}, ${open} calls are open at the servers`)
  return is
}, 20000)

for (const server of ['modern', 'legacy'])
  for (const way of Object.keys(ways)) {
    const gets = GETS[way] ?? 'upstream_garbage'
    test(`${server}, ${way}: ${gets}; then all is as before`, async () => {
      assert.equal(await answer(`${server}__fine`), 'fine')
      const was = now()
      for (const got of await each(Array(3).fill(`${server}__${way}`), (name) => answer(name))) assert.equal(got, gets)
      assert.equal(await answer(`${server}__fine`), 'fine')
      const is = await backTo({ fds: was.fds + 1 }) // a connection to the server that rests
      if (!is.sanitized) assert.ok(is.peak < Math.max(was.peak, was.rss) + 96, `the peak grew from ${was.peak} to ${is.peak} MiB`)
    })
  }

test('after all of that it holds no more than before: descriptors, memory, connections and sessions at the servers', async () => {
  for (let i = 0; i < 50; i++) await answer('modern__fine')
  const was = now(), held = sessions.size
  const some = ['twice', 'strangers', 'stranger', 'broken', 'broken_stream', 'fine']
  await each(Array.from({ length: 300 }, (_, i) => `${i % 2 ? 'modern' : 'legacy'}__${some[(i >> 1) % 6]}`), (name) => answer(name), 10)
  const is = await backTo({ fds: was.fds + 2 })
  assert.ok(grown(was, is) < 32, `the memory grew from ${was.rss} to ${is.rss} MiB`)
  assert.equal(sessions.size, held)
})

test('a session at a legacy server that answers nothing, or wrongly, is given back with ours all the same', async () => {
  const resting = sessions.size
  const agent = await gate.agent({ id: 'passer-by', allow: ['legacy/never', 'legacy/broken', 'legacy/fine'] })
  const opened = await openMany(gate, agent.id, 30)
  await each(opened, (s, i) => answer(['legacy__never', 'legacy__broken', 'legacy__fine'][i % 3], s.access_token), 30)
  assert.equal(sessions.size, resting + 30)
  await endMany(gate, opened)
  await until('the server to hold no more', () => sessions.size === resting)
})

test('a session that ends in the middle of a call is given back, too', async () => {
  const resting = sessions.size
  const [opened] = await openMany(gate, 'passer-by', 1)
  const call = answer('legacy__never', opened.access_token)
  await until('the call to arrive', () => open === 1)
  await endMany(gate, [opened])
  assert.match(await call, /^(upstream_timeout|cancelled|session_ended)$/)
  await until('the server to hold no more', () => sessions.size === resting && open === 0)
})
