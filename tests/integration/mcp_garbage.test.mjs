// Servers over HTTP that answer with something else than they should: the call fails with a code that says so, nothing of what
// they sent reaches the agent as a result, and the next call is as good as ever.
// areas: execute, connect
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startGate, until } from './lib/gate.mjs'
import { json, modernBasics, startRaw } from './lib/servers.mjs'

const event = (message) => `event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', ...message })}\n\n`
const result = (id, text) => ({ id, result: { resultType: 'complete', content: [{ type: 'text', text }] } })
const stream = (res) => res.writeHead(200, { 'content-type': 'text/event-stream' })

const ways = {
  fine: (id, res) => json(res, result(id, 'fine')),
  html: (id, res) => res.writeHead(200, { 'content-type': 'text/html' }).end('<h1>Hello</h1>'),
  no_type: (id, res) => res.writeHead(200).end(JSON.stringify({ jsonrpc: '2.0', ...result(id, 'no type') })),
  broken: (id, res) => res.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc":"2.0",'),
  empty: (id, res) => res.writeHead(200, { 'content-type': 'application/json' }).end(),
  other_id: (id, res) => json(res, result('somebody', 'for somebody else')),
  number_id: (id, res) => json(res, result(1, 'for a number')),
  both: (id, res) => json(res, { ...result(id, 'both'), error: { code: 1, message: 'both' } }),
  no_object: (id, res) => json(res, { id, result: 'a string' }),
  twice: (id, res) => res.writeHead(200, { 'content-type': 'application/json' })
    .end(`{"jsonrpc":"2.0","id":"${id}","id":"${id}","result":{}}`),
  accepted: (id, res) => res.writeHead(202).end(),
  status_500: (id, res) => res.writeHead(500, { 'content-type': 'text/plain' }).end('secret stack trace'),
  status_302: (id, res) => res.writeHead(302, { location: 'http://127.0.0.1:1/' }).end(),
  cut: (id, res) => {
    res.writeHead(200, { 'content-type': 'application/json', 'content-length': 1000 })
    res.write('{"jsonrpc"', () => res.destroy())
  },
  too_large: (id, res) => json(res, result(id, 'x'.repeat(3 << 20))),
  stream_fine: (id, res) => stream(res).end(`: hello\n\nid: 1\ndata:\n\n${event(result(id, 'streamed'))}`),
  stream_silent: (id, res) => stream(res).end(': nothing\n\n'),
  stream_garbage: (id, res) => stream(res).end(`data: no JSON\n\ndata: [1]\n\n${event(result('x', 'not ours'))}${event(result(id, 'ours'))}`),
  stream_twice: (id, res) => stream(res).end(event(result(id, 'first')) + event(result(id, 'second'))),
  stream_too_large: (id, res) => stream(res).end(event(result(id, 'x'.repeat(3 << 20)))),
  stream_cut: (id, res) => stream(res).write(': soon\n\n', () => res.destroy()),
  stream_open: (id, res) => stream(res).write(event(result(id, 'and it stays'))),
}

let gate, raw, token, open = 0

before(async () => {
  raw = await startRaw((m, req, res) => {
    if (m.method !== 'tools/call') return json(res, modernBasics(Object.keys(ways), m))
    open++
    res.on('close', () => open--)
    ways[m.params.name](m.id, res)
  })
  gate = await startGate({ servers: { raw: { url: raw.url } }, limits: { result_bytes: '1MiB' },
                           session: { max_tool_calls: 1000, rate: '10000/minute' } })
  token = gate.token(await gate.agent({ allow: Object.keys(ways).map((way) => `raw/${way}`) }))
})

after(async () => {
  await gate?.stop()
  await raw?.stop()
})

const call = async (way) => (await gate.call(token, `raw__${way}`, {})).json

for (const [code, all] of Object.entries({
  upstream_garbage: ['html', 'no_type', 'broken', 'empty', 'other_id', 'number_id', 'both', 'no_object', 'twice', 'accepted', 'too_large',
                     'stream_silent', 'stream_too_large'],
  upstream_unavailable: ['status_500', 'status_302', 'cut', 'stream_cut'],
})) {
  for (const way of all) {
    test(`${way} is ${code}, and its outcome is unknown`, async () => {
      const answer = await call(way)
      assert.equal(answer.error?.data.code, code, JSON.stringify(answer))
      assert.ok(!JSON.stringify(answer).includes('secret stack trace'))
      const entry = await until('the outcome', () => gate.audit().findLast((e) => e.event === 'TOOL_RESULT' && e.toolName === `raw/${way}`))
      assert.equal(entry.result, 'unknown')
      assert.equal((await call('fine')).result.content[0].text, 'fine')
    })
  }
}

test('a stream with comments, empty events and messages to others is read to its answer, once', async () => {
  for (const [way, text] of [['stream_fine', 'streamed'], ['stream_garbage', 'ours'], ['stream_twice', 'first']])
    assert.equal((await call(way)).result?.content[0].text, text, way)
})

test('a stream that stays open after its answer holds neither the call nor, for long, a connection', async () => {
  for (let i = 0; i < 5; i++) assert.equal((await call('stream_open')).result.content[0].text, 'and it stays')
  await until('the streams to be closed', () => open === 0, 8000)
})
