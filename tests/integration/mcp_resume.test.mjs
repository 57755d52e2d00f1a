// A legacy server that ends a call's stream before its answer: what it says afterwards is asked for, the call is never sent twice.
// areas: connect, execute
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startGate, until } from './lib/gate.mjs'
import { json, startRaw } from './lib/servers.mjs'

const event = (fields, message) => `${fields}data: ${message ? JSON.stringify({ jsonrpc: '2.0', ...message }) : ''}\n\n`
const result = (id, text) => ({ id, result: { content: [{ type: 'text', text }] } })
const stream = (res) => res.writeHead(200, { 'content-type': 'text/event-stream' })
const TOOLS = ['resumed', 'piecemeal', 'cut', 'nameless', 'refused', 'forgotten', 'waits']
let gate, raw, token
const pending = new Map() // event id -> what a GET that names it is answered with

// How the call's own stream ends.
const ways = {
  resumed: (id, res) => {
    pending.set('r1', (r) => stream(r).end(event('', result(id, 'the rest'))))
    stream(res).end(event('id: r1\nretry: 300\n'))
  },
  piecemeal: (id, res) => {
    pending.set('p1', (r) => stream(r).end(event('id: p2\nretry: 50\n')))
    pending.set('p2', (r) => stream(r).end(event('', result(id, 'bit by bit'))))
    stream(res).end(event('id: p1\nretry: 50\n'))
  },
  cut: (id, res) => {
    pending.set('c1', (r) => stream(r).end(event('', result(id, 'after the cut'))))
    stream(res).write(event('id: c1\nretry: 50\n'), () => setTimeout(() => res.destroy(), 50))
  },
  nameless: (id, res) => stream(res).end(event('retry: 50\n')),
  refused: (id, res) => {
    pending.set('x1', (r) => r.writeHead(405).end())
    stream(res).end(event('id: x1\nretry: 50\n'))
  },
  forgotten: (id, res) => {
    pending.set('f1', (r) => r.writeHead(404).end())
    stream(res).end(event('id: f1\nretry: 50\n'))
  },
  waits: (id, res) => stream(res).end(event('id: w1\nretry: 20000\n')),
}

before(async () => {
  raw = await startRaw((m, req, res) => {
    if (req.method !== 'POST') {
      const answer = pending.get(req.headers['last-event-id'])
      return answer ? answer(res) : res.writeHead(405).end()
    }
    if (m.method === 'initialize')
      return json(res, { id: m.id, result: { protocolVersion: '2025-11-25', capabilities: { tools: {} },
                                             serverInfo: { name: 'raw', version: '1' } } }, 200, { 'mcp-session-id': 'one' })
    if (m.method === 'tools/list')
      return json(res, { id: m.id, result: { tools: TOOLS.map((name) => ({ name, inputSchema: { type: 'object' } })) } })
    if (m.method === 'tools/call') return ways[m.params.name](m.id, res)
    return m.id === undefined ? res.writeHead(202).end() : json(res, { id: m.id, error: { code: -32601, message: 'no' } }, 400)
  })
  gate = await startGate({ workers: 3, servers: { raw: { url: raw.url, timeout: '2s' } } })
  token = gate.token(await gate.agent({ allow: TOOLS.map((name) => `raw/${name}`) }))
})

after(async () => {
  await gate?.stop()
  await raw?.stop()
})

const call = async (name) => (await gate.call(token, `raw__${name}`, {})).json
const calls = (name) => raw.seen.filter((s) => s.message?.method === 'tools/call' && s.message.params.name === name).length
const outcome = (name) => gate.recorded('the outcome', (e) => e.event === 'TOOL_RESULT' && e.toolName === `raw/${name}`)

for (const [name, text] of [['resumed', 'the rest'], ['piecemeal', 'bit by bit'], ['cut', 'after the cut']]) {
  test(`${name}: the rest is asked for with the last event's id, in the same session`, async () => {
    assert.equal((await call(name)).result?.content[0].text, text)
    assert.equal(calls(name), 1)
    const get = raw.seen.findLast((s) => s.method === 'GET' && s.headers['last-event-id'])
    assert.deepEqual([get.headers['mcp-session-id'], get.headers['mcp-protocol-version'], get.headers.accept],
      ['one', '2025-11-25', 'text/event-stream'])
    assert.equal((await outcome(name)).result, 'success')
  })
}

for (const name of ['nameless', 'refused', 'forgotten']) {
  test(`${name}: there is no rest; the outcome is unknown, and the call is not sent again`, async () => {
    assert.match((await call(name)).error.data.code, /^upstream_/)
    assert.equal((await outcome(name)).result, 'unknown')
    assert.equal(calls(name), 1)
  })
}

test('a call that waits to resume ends with its time, and the server is told', async () => {
  assert.equal((await call('waits')).error.data.code, 'upstream_timeout')
  await until('the cancellation', () => raw.seen.some((s) => s.message?.method === 'notifications/cancelled'))
  assert.equal((await call('resumed')).result.content[0].text, 'the rest')
})

test('a legacy client whose call is put off gets a stream that it can come back to, at whichever worker', async () => {
  const post = (body, more) => fetch(`${gate.url}/mcp`, { method: 'POST', headers: gate.headers(token, more), body: JSON.stringify({ jsonrpc: '2.0', id: 1, ...body }) })
  const opened = await post({ method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } } })
  const session = { 'mcp-session-id': opened.headers.get('mcp-session-id'), 'mcp-protocol-version': '2025-11-25' }
  for (let i = 0; i < 6; i++) {
    const res = await post({ method: 'tools/call', params: { name: 'raw__resumed', arguments: {} } }, session)
    assert.match(res.headers.get('content-type'), /event-stream/)
    assert.match(await res.text(), /^id: \S+\nretry: \d+\ndata: \n\nid: \S+\nevent: message\ndata: .*the rest/)
  }
})
