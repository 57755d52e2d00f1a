// One protocol hop ends at the gate and another begins: nothing of the agent's own reaches a server but the tool's name, its
// arguments and the trace; nothing of the server's hop reaches the agent.
// areas: mcp, connect
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { join } from 'node:path'
import { startGate, TOP, until } from './lib/gate.mjs'
import { json, modernBasics, startRaw, startServer } from './lib/servers.mjs'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = `00-${TRACE}-b7ad6b7169203331-01`
const TOOLS = ['t', 'escaped', 'own_error', 'hop_error', 'asks']
const pipe = (era) => ({ command: ['python3', join(TOP, 'tests/integration/lib/meta_server.py'), era] })
let gate, agent, token, modern, legacy

before(async () => {
  modern = await startRaw((m, req, res) => {
    if (m.method !== 'tools/call') return json(res, modernBasics(TOOLS, m))
    const meta = { 'io.modelcontextprotocol/serverInfo': { name: 'inner', version: '9' }, 'com.example/kept': { deep: [1] } }
    if (m.params.name === 'own_error') return json(res, { id: m.id, error: { code: -32050, message: 'of the hop' } })
    if (m.params.name === 'hop_error') return json(res, { id: m.id, error: { code: 1234, message: 'own words', data: { a: 1 } } }, 400)
    if (m.params.name === 'asks') return json(res, { id: m.id, result: { resultType: 'input_required', inputRequests: {} } })
    if (m.params.name === 'escaped')
      return res.writeHead(200, { 'content-type': 'application/json' })
        .end(`{"jsonrpc":"2.0","id":${JSON.stringify(m.id)},"result":{"result\\u0054ype":"complete","content":[],"\\u005fmeta":${JSON.stringify(meta)}}}`)
    json(res, { id: m.id, result: { resultType: 'complete', content: [], _meta: meta, extra: 9007199254740993n.toString() } }, 200,
      { 'mcp-session-id': 'inner-session', 'x-inner': 'secret' })
  })
  legacy = await startServer('legacy_server.mjs')
  gate = await startGate({ servers: { modern: { url: modern.url, headers: { Authorization: 'Bearer of-the-server', 'X-Tenant': 'acme' } },
                                      legacy: { url: legacy.url },
                                      'modern-pipe': pipe('modern'), 'legacy-pipe': pipe('legacy') } })
  agent = await gate.agent({ allow: [...TOOLS.map((t) => `modern/${t}`), 'legacy/echo', 'legacy/pings', 'legacy/slow', 'modern-pipe/meta', 'legacy-pipe/meta'] })
  token = gate.token(agent)
})

after(async () => {
  await gate?.stop()
  await modern?.stop()
  await legacy?.stop()
})

const lastCall = () => modern.seen.findLast((s) => s.message?.method === 'tools/call')
const call = (name, args = {}, options = {}) => gate.call(token, name, args, options)

test('the agent\'s credential, id, progress token, client info and _meta stay on its side', async () => {
  await call('modern__t', { a: 1 }, { id: 'agent-id-1', headers: { 'mcp-session-id': 'agents-own', cookie: 'c=1', 'x-forwarded-for': '10.0.0.1' },
    meta: { progressToken: 'agent-token', 'com.example/secret': 'x', 'dev.doorward/reasoning': 'because', 'io.modelcontextprotocol/clientInfo': { name: 'spy', version: '1' } } })
  const { headers, text, message } = lastCall()
  const all = JSON.stringify(headers) + text
  for (const own of [token, 'agent-id-1', 'agent-token', 'agents-own', 'c=1', '10.0.0.1', 'com.example', 'because', 'spy', 'modern__t'])
    assert.ok(!all.includes(own), own)
  assert.equal(headers.authorization, 'Bearer of-the-server')
  assert.equal(headers['x-tenant'], 'acme')
  assert.equal(headers['mcp-method'], 'tools/call')
  assert.equal(headers['mcp-name'], 't')
  assert.equal(headers['mcp-protocol-version'], '2026-07-28')
  assert.equal(message.params.name, 't')
  assert.deepEqual(message.params.arguments, { a: 1 })
  assert.deepEqual(message.params._meta['io.modelcontextprotocol/clientInfo'].name, 'doorward')
  assert.equal(message.params._meta.progressToken, message.id)
})

test('two calls with the same id and the same token are two for the server', async () => {
  const before = modern.seen.length
  await Promise.all([1, 2].map(() => call('modern__t', {}, { id: 5, meta: { progressToken: 5 } })))
  const ids = modern.seen.slice(before).filter((s) => s.message.method === 'tools/call').map((s) => s.message.id)
  assert.equal(new Set(ids).size, 2)
})

test('the trace goes on with a span of its own, in header and _meta', async () => {
  const spans = []
  for (const options of [{ headers: { traceparent: PARENT } }, { meta: { traceparent: PARENT } }]) {
    await call('modern__t', {}, options)
    const { headers, message } = lastCall()
    const [, trace, span] = headers.traceparent.match(/^00-([0-9a-f]{32})-([0-9a-f]{16})-01$/)
    assert.equal(trace, TRACE)
    assert.equal(message.params._meta.traceparent, headers.traceparent)
    assert.equal(message.id, span) // so that its log and our record lie side by side
    spans.push(span)
  }
  assert.equal(new Set([...spans, 'b7ad6b7169203331']).size, 3)
  assert.ok(gate.audit().some((e) => e.event === 'TOOL_CALL' && e.traceId === TRACE))
})

test('the vendors\' state and the caller\'s choice not to sample go along; baggage does not', async () => {
  const quiet = `00-${TRACE}-b7ad6b7169203331-00`
  const want = { tracestate: 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE', baggage: 'user=alice' }
  for (const options of [{ headers: { traceparent: quiet, ...want } }, { meta: { traceparent: quiet, ...want } }]) {
    await call('modern__t', {}, options)
    const { headers, text, message } = lastCall()
    assert.match(headers.traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
    assert.equal(headers.tracestate, want.tracestate)
    assert.equal(message.params._meta.tracestate, want.tracestate)
    assert.ok(!(text + JSON.stringify(headers)).includes('alice'))
  }
  await call('modern__t', {}, { headers: { traceparent: quiet, tracestate: 'not a list' } })
  assert.equal(lastCall().headers.tracestate, undefined)
  assert.equal(lastCall().headers.traceparent.split('-')[1], TRACE)
  await call('modern__t', {}, { headers: { tracestate: want.tracestate } }) // of no trace
  assert.equal(lastCall().headers.tracestate, undefined)
})

test('what _meta says of the trace goes before the headers, whole', async () => {
  const other = '11112222333344445555666677778888'
  await call('modern__t', {}, { headers: { traceparent: `00-${other}-b7ad6b7169203331-01`, tracestate: 'of=header' }, meta: { traceparent: PARENT } })
  assert.equal(lastCall().headers.traceparent.split('-')[1], TRACE)
  assert.equal(lastCall().headers.tracestate, undefined)
  await call('modern__t', {}, { headers: { traceparent: `00-${other}-b7ad6b7169203331-01` }, meta: { traceparent: 'nonsense' } })
  assert.ok(![TRACE, other].includes(lastCall().headers.traceparent.split('-')[1]))
})

test('a server over stdio gets the trace in _meta, in both eras', async () => {
  for (const [server, era] of [['modern-pipe', 'modern'], ['legacy-pipe', 'legacy']]) {
    const { json: answer } = await call(`${server}__meta`, {}, { headers: { traceparent: PARENT, tracestate: 'a=1' } })
    const meta = JSON.parse(answer.result.content[0].text)
    assert.match(meta.traceparent, new RegExp(`^00-${TRACE}-[0-9a-f]{16}-01$`), era)
    assert.ok(!meta.traceparent.includes('b7ad6b7169203331'))
    assert.equal(meta.tracestate, 'a=1')
  }
})

test('a call without a trace, or with a malformed one, begins one', async () => {
  const traces = []
  for (const traceparent of [undefined, 'nonsense', `00-${'0'.repeat(32)}-b7ad6b7169203331-01`, `ff-${TRACE}-b7ad6b7169203331-01`,
                             `00-${TRACE.toUpperCase()}-b7ad6b7169203331-01`, `00-${TRACE}-0000000000000000-01`, `${PARENT}-more`]) {
    await call('modern__t', {}, { headers: traceparent ? { traceparent } : {} })
    traces.push(lastCall().headers.traceparent.split('-')[1])
  }
  assert.equal(new Set([...traces, TRACE, '0'.repeat(32)]).size, 9)
})

test('what is the server\'s own hop stays behind; the rest of its result arrives', async () => {
  const { headers, text, json: answer } = await call('modern__t', {}, { id: 9 })
  assert.ok(!text.includes('inner'), text)
  assert.equal(headers.get('mcp-session-id'), null)
  assert.equal(headers.get('x-inner'), null)
  assert.equal(answer.id, 9)
  assert.equal(answer.result._meta['io.modelcontextprotocol/serverInfo'].name, 'doorward')
  assert.deepEqual(answer.result._meta['com.example/kept'], { deep: [1] })
  assert.equal(answer.result.extra, '9007199254740993')
})

test('a name that is written with escapes is the same name', async () => {
  const { text, json: answer } = await call('modern__escaped')
  assert.ok(!text.includes('inner'), text)
  assert.equal(text.match(/"resultType"/g).length, 1)
  assert.deepEqual(answer.result._meta['com.example/kept'], { deep: [1] })
})

test('an error of the server arrives with its words, but never with a code that speaks of the other hop', async () => {
  const own = (await call('modern__own_error')).json.error
  assert.deepEqual([own.code, own.message], [-32603, 'of the hop'])
  const hop = (await call('modern__hop_error')).json.error
  assert.deepEqual(hop, { code: 1234, message: 'own words', data: { a: 1 } })
})

test('a server that wants input is told of nobody who gives it, and the call fails', async () => {
  assert.equal((await call('modern__asks')).json.error.data.code, 'upstream_garbage')
})

test('big integers cross the gate unharmed, in both directions', async () => {
  const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"modern__t","arguments":{"n":9007199254740993}}}`
  await fetch(`${gate.url}/mcp`, { method: 'POST', headers: gate.headers(token), body })
  assert.match(lastCall().text, /"arguments":\{"n":9007199254740993\}/)
})

test('a protocol session with a server is the gate\'s, one for each agent', async () => {
  await call('legacy__echo', { text: 'one' })
  const client = await gate.legacyClient(token)
  await client.callTool({ name: 'legacy__echo', arguments: { text: 'two' } })
  const other = gate.token(await gate.agent({ allow: ['legacy/echo'] }))
  await gate.call(other, 'legacy__echo', { text: 'three' })
  const calls = (await legacy.seen()).filter((s) => s.body?.method === 'tools/call')
  const [one, two, three] = calls.map((s) => s.headers['mcp-session-id'])
  assert.ok(one && three)
  assert.equal(one, two)
  assert.notEqual(one, three)
  assert.notEqual(client.transport.sessionId, two)
  await client.close()
})

test('a protocol session is given back when the agent has no session of its own left', async () => {
  const session = gate.open(await gate.agent({ allow: ['legacy/echo'] }))
  await gate.call(session.access_token, 'legacy__echo', { text: 'hi' })
  const id = (await legacy.seen()).findLast((s) => s.body?.method === 'tools/call').headers['mcp-session-id']
  gate.cli(['session', 'end', '-c', gate.file, session.sessionId])
  await until('the DELETE', async () => (await legacy.seen()).some((s) => s.method === 'DELETE' && s.headers['mcp-session-id'] === id))
})

test('a session that the server has forgotten is opened again, and the call is made', async () => {
  await call('legacy__echo', { text: 'before' })
  await fetch(`http://127.0.0.1:${legacy.port}/forget`)
  const { json: answer } = await call('legacy__echo', { text: 'after' })
  assert.equal(answer.result.content[0].text, 'after')
})

test('a legacy server that asks for a sign of life on the stream of a call gets one', async () => {
  assert.equal((await call('legacy__pings')).json.result.content[0].text, 'it lives')
})
