// The face to agents, message by message: what is no proper request is refused with the code that the revision names.
import assert from 'node:assert/strict'
import { request } from 'node:http'
import { after, before, test } from 'node:test'
import { DESK, startGate } from './lib/gate.mjs'
import { json, modernBasics, startRaw } from './lib/servers.mjs'

let gate, agent, token, raw
const VERSION = 'io.modelcontextprotocol/protocolVersion'
const META = { [VERSION]: '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
const MODERN = { 'mcp-protocol-version': '2026-07-28' }

before(async () => {
  const region = { name: 'region', inputSchema: { type: 'object', properties: {
    region: { type: 'string', 'x-mcp-header': 'Region' }, zone: { type: 'integer', 'x-mcp-header': 'Zone' },
    dry: { type: 'boolean', 'x-mcp-header': 'Dry' } } } }
  const wrong = { name: 'wrong', inputSchema: { type: 'object', properties: { a: { type: 'number', 'x-mcp-header': 'A' } } } }
  const list = { name: 'list', inputSchema: { type: 'object' }, outputSchema: { type: 'array' } }
  raw = await startRaw((m, req, res) => {
    if (m.method === 'tools/list') return json(res, { id: m.id, result: { resultType: 'complete', tools: [region, wrong, list, { name: 'bare' }] } })
    if (m.method !== 'tools/call') return json(res, modernBasics([], m))
    const content = [{ type: 'text', text: JSON.stringify(m.params.arguments) }]
    json(res, { id: m.id, result: { resultType: 'complete', content, ...(m.params.name === 'list' && { structuredContent: [1, 2] }) } })
  })
  gate = await startGate({ servers: { desk: DESK, raw: { url: raw.url } }, session: { max_tool_calls: 1000, rate: '10000/minute' },
                           allowed_origins: ['https://console.example.com'] })
  agent = await gate.agent({ allow: ['desk/lookup_order', 'desk/search_faq', 'raw/region', 'raw/wrong', 'raw/list', 'raw/bare'] })
  token = gate.token(agent)
})

after(async () => {
  await gate?.stop()
  await raw?.stop()
})

async function post(body, { headers = {}, path = '/mcp', as = token, method = 'POST' } = {}) {
  const res = await fetch(gate.url + path, { method, headers: gate.headers(as, headers),
    body: method === 'POST' ? (typeof body === 'string' ? body : JSON.stringify(body)) : undefined })
  const text = await res.text()
  let json
  try {
    json = JSON.parse(text)
  } catch {}
  return { status: res.status, headers: res.headers, text, json }
}
const message = (method, params, id = 1) => ({ jsonrpc: '2.0', id, method, ...(params && { params }) })
const refused = (answer, status, code, words) => {
  assert.deepEqual([answer.status, answer.json?.error?.code], [status, code], answer.text)
  if (words) assert.match(answer.json.error.message, words)
}
const LIST = message('tools/list', { _meta: META })
const CALL = message('tools/call', { name: 'desk__search_faq', arguments: { query: 'return' }, _meta: META })

// ---- 2026-07-28 ----

test('server/discover says what is spoken here, and that nobody else may keep the answer', async () => {
  const { result } = (await gate.modern(token, 'server/discover')).json
  assert.equal(result.resultType, 'complete')
  assert.equal(result.supportedVersions[0], '2026-07-28')
  assert.ok(result.supportedVersions.includes('2025-11-25'))
  assert.deepEqual(result.capabilities, { tools: { listChanged: true }, extensions: { 'io.modelcontextprotocol/tasks': {} } })
  assert.equal(result._meta['io.modelcontextprotocol/serverInfo'].name, 'doorward')
  assert.equal(result.cacheScope, 'private')
  assert.ok(Number.isInteger(result.ttlMs) && result.ttlMs >= 0)
  const list = (await gate.modern(token, 'tools/list')).json.result
  assert.equal(list.resultType, 'complete')
  assert.equal(list.cacheScope, 'private')
  assert.ok(Number.isInteger(list.ttlMs))
})

test('headers that do not say what the body says are -32020 with 400', async () => {
  const all = { ...MODERN, 'mcp-method': 'tools/call', 'mcp-name': 'desk__search_faq' }
  assert.equal((await post(CALL, { headers: all })).status, 200)
  for (const [name, value] of [['mcp-protocol-version', '2025-11-25'], ['mcp-protocol-version', undefined], ['mcp-method', 'tools/list'],
    ['mcp-method', undefined], ['mcp-method', 'Tools/Call'], ['mcp-name', 'desk__lookup_order'], ['mcp-name', undefined],
    ['mcp-name', 'DESK__SEARCH_FAQ'], ['mcp-name', '=?base64?!?=']]) {
    const headers = { ...all, [name]: value }
    if (value === undefined) delete headers[name]
    refused(await post(CALL, { headers }), 400, -32020, new RegExp(name, 'i'))
  }
  const encoded = `=?base64?${Buffer.from('desk__search_faq').toString('base64')}?=`
  assert.equal((await post(CALL, { headers: { ...all, 'mcp-name': encoded } })).status, 200)
})

test('a revision that is not spoken here is -32022, with those that are and the one that was asked for', async () => {
  const answer = await post(message('tools/list', { _meta: { ...META, [VERSION]: '2031-"01' } }),
    { headers: { 'mcp-protocol-version': '2031-"01', 'mcp-method': 'tools/list' } })
  refused(answer, 400, -32022)
  assert.equal(answer.json.error.data.requested, '2031-"01')
  assert.ok(answer.json.error.data.supported.includes('2026-07-28'))
  refused(await post(message('tools/list'), { headers: { 'mcp-protocol-version': '2019-01-01' } }), 400, -32022)
})

test('a modern request without its _meta is -32602 with 400', async () => {
  for (const params of [undefined, {}, { _meta: {} }, { _meta: { [VERSION]: '2026-07-28' } },
    { _meta: { 'io.modelcontextprotocol/clientCapabilities': {} } }])
    refused(await post(message('tools/list', params), { headers: { ...MODERN, 'mcp-method': 'tools/list' } }), 400, -32602)
})

test('an unknown method is -32601 with 404, and so is one that the revision has not', async () => {
  for (const method of ['no/such', 'initialize', 'ping', 'logging/setLevel'])
    refused(await gate.modern(token, method, {}, { id: 'abc' }), 404, -32601)
  assert.equal((await gate.modern(token, 'no/such', {}, { id: 'abc' })).json.id, 'abc')
})

test('an unknown tool is -32602; what the whitelist refuses names the scope that is missing', async () => {
  refused(await gate.call(token, 'desk', {}), 200, -32602, /Unknown tool/)
  refused(await gate.call(token, 'nowhere__at_all', {}), 200, -32602, /Unknown tool/)
  const denied = await gate.call(token, 'desk__issue_refund', { orderId: 'ORD-A1B2C3D4', amount: 1 })
  assert.equal(denied.status, 403)
  assert.match(denied.headers.get('www-authenticate'), /insufficient_scope.*scope="tool:desk\/issue_refund:execute"/)
  assert.equal((await gate.call(token, 'desk__no_such', {})).status, 403) // the same as for one that exists
})

test('arguments that a tool wants in headers are checked against them', async () => {
  const send = (args, headers) => gate.call(token, 'raw__region', args, { headers })
  const fits = async (args, headers) => {
    const answer = await send(args, headers)
    assert.equal(answer.status, 200, answer.text)
    assert.deepEqual(JSON.parse(answer.json.result.content[0].text), args)
  }
  const b64 = (s) => `=?base64?${Buffer.from(s).toString('base64')}?=`
  await fits({ region: 'us-west1', zone: 42, dry: true }, { 'mcp-param-region': 'us-west1', 'mcp-param-zone': '42.0', 'Mcp-Param-Dry': 'true' })
  await fits({ region: 'Hello, 世界' }, { 'mcp-param-region': b64('Hello, 世界') })
  await fits({}, {})
  refused(await send({ region: 'us-west1' }, {}), 400, -32020, /Mcp-Param-Region is missing/)
  refused(await send({ region: 'us-west1' }, { 'mcp-param-region': 'us-east1' }), 400, -32020, /Mcp-Param-Region/)
  refused(await send({}, { 'mcp-param-region': 'us-east1' }), 400, -32020, /Mcp-Param-Region/)
  refused(await send({ zone: 42 }, { 'mcp-param-zone': '43' }), 400, -32020, /Mcp-Param-Zone/)
  refused(await send({ zone: 42 }, { 'mcp-param-zone': '42abc' }), 400, -32020, /Mcp-Param-Zone/)
  refused(await send({ dry: true }, { 'mcp-param-dry': 'TRUE' }), 400, -32020, /Mcp-Param-Dry/)
  // What goes on to the server carries its own.
  await fits({ region: 'ümlaut', zone: 7 }, { 'mcp-param-region': b64('ümlaut'), 'mcp-param-zone': '7' })
  const { headers } = raw.seen.findLast((s) => s.message?.method === 'tools/call')
  assert.equal(headers['mcp-param-region'], b64('ümlaut'))
  assert.equal(headers['mcp-param-zone'], '7')
})

test('definitions that a client would choke on are not listed, and hide no others', async () => {
  const names = (await gate.modern(token, 'tools/list')).json.result.tools.map((t) => t.name)
  assert.deepEqual(names.filter((n) => n.startsWith('raw__')), ['raw__list', 'raw__region'])
  refused(await gate.call(token, 'raw__bare', {}), 200, 502, /inputSchema/)
})

test('a notification is taken; a response is not, for nothing was asked', async () => {
  const taken = await post({ jsonrpc: '2.0', method: 'notifications/whatever' }, { headers: MODERN })
  assert.deepEqual([taken.status, taken.text], [202, ''])
  refused(await post({ jsonrpc: '2.0', id: 1, result: {} }), 400, -32600)
})

// ---- 2025-11-25 ----

const INITIALIZE = message('initialize', { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } })

test('initialize agrees on the revision that was asked for, or names its own', async () => {
  for (const [asked, got] of [['2025-11-25', '2025-11-25'], ['2025-06-18', '2025-06-18'], ['2024-01-01', '2025-11-25']]) {
    const { json, headers } = await post(message('initialize', { ...INITIALIZE.params, protocolVersion: asked }))
    assert.equal(json.result.protocolVersion, got)
    assert.deepEqual(json.result.capabilities, { tools: { listChanged: true } })
    assert.equal(json.result.serverInfo.name, 'doorward')
    assert.match(headers.get('mcp-session-id'), /^[\x21-\x7e]{20,}$/)
    assert.equal(json.result.resultType, undefined)
  }
})

test('a protocol session is good for the credential that opened it, and for no other', async () => {
  const id = (await post(INITIALIZE)).headers.get('mcp-session-id')
  const headers = { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25' }
  assert.equal((await post({ jsonrpc: '2.0', method: 'notifications/initialized' }, { headers })).status, 202)
  assert.ok((await post(message('tools/list'), { headers })).json.result.tools.length)
  const stranger = gate.token(await gate.agent({ allow: ['desk/search_faq'] }))
  assert.equal((await post(message('tools/list'), { headers, as: stranger })).status, 404)
  assert.equal((await post(message('tools/list'), { headers, as: gate.token(agent) })).status, 404) // another lease of the same agent
  assert.equal((await post(message('tools/list'), { headers: { ...headers, 'mcp-session-id': 'made-up' } })).status, 404)
})

test('GET and DELETE without a protocol session are 405: there is no stream to listen to and nothing to end', async () => {
  for (const method of ['GET', 'DELETE']) {
    const answer = await post(null, { method })
    assert.equal(answer.status, 405)
    assert.equal(answer.headers.get('allow'), 'POST')
  }
})

test('legacy answers hold nothing of the newer revision', async () => {
  const list = (await post(message('tools/list'))).json.result
  assert.deepEqual(Object.keys(list), ['tools'])
  assert.equal(list.tools.find((t) => t.name === 'raw__list').outputSchema, undefined)
  const call = (await post(message('tools/call', { name: 'raw__list', arguments: {} }))).json.result
  assert.deepEqual(call.structuredContent, { result: [1, 2] }) // an object, as this revision wants it
  assert.equal(call.resultType, undefined)
  assert.deepEqual((await gate.call(token, 'raw__list', {})).json.result.structuredContent, [1, 2])
  refused(await post(message('no/such')), 200, -32601)
  assert.deepEqual((await post(message('ping'))).json, { jsonrpc: '2.0', id: 1, result: {} })
})

// ---- both ----

test('a batch, a message of no kind and broken JSON are refused', async () => {
  refused(await post([LIST]), 400, -32600, /batch/)
  refused(await post({ jsonrpc: '2.0', id: null, method: 'ping' }), 400, -32600, /id/)
  refused(await post({ id: 1, method: 'ping' }), 400, -32600, /jsonrpc/)
  refused(await post('{"jsonrpc":"2.0","id":1,'), 400, -32700)
  refused(await post('{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}'), 400, -32700, /twice|duplicate/)
  refused(await post(message('tools/call', { name: 7 })), 400, -32602, /name/)
  refused(await post(message('tools/call', { name: 'desk__search_faq', arguments: [] })), 400, -32602, /arguments/)
  refused(await post(message('tools/list', { cursor: 'x' })), 400, -32602, /cursor/)
})

test('Content-Type and Accept are looked at', async () => {
  assert.equal((await post(LIST, { headers: { 'content-type': 'text/plain' } })).status, 415)
  assert.equal((await post(message('ping'), { headers: { 'content-type': 'application/json; charset=utf-8' } })).status, 200)
  assert.equal((await post(message('ping'), { headers: { accept: 'text/html' } })).status, 406)
  assert.equal((await post(message('ping'), { headers: { accept: '*/*' } })).status, 200)
})

// fetch sets Host and Origin itself.
const plain = (headers) => new Promise((done, failed) => {
  const body = JSON.stringify(message('ping'))
  const all = { ...gate.headers(token), 'content-length': body.length, ...headers }
  request(`${gate.url}/mcp`, { method: 'POST', headers: all }, (res) => res.resume().on('end', () => done(res.statusCode)))
    .on('error', failed).end(body)
})

test('a page of another origin, and another name for this host, get 403', async () => {
  assert.equal(await plain({}), 200)
  assert.equal(await plain({ origin: 'https://console.example.com' }), 200)
  assert.equal(await plain({ origin: 'https://evil.example.com' }), 403)
  assert.equal(await plain({ origin: 'null' }), 403)
  assert.equal(await plain({ host: 'evil.example.com' }), 403)
  assert.equal(await plain({ host: `localhost:${gate.port}` }), 200)
})

test('an unknown server is 404; without a credential there is 401 with the way to one', async () => {
  assert.equal((await post(message('ping'), { path: '/mcp/nowhere' })).status, 404)
  const res = await fetch(`${gate.url}/mcp`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(LIST) })
  assert.equal(res.status, 401)
  assert.match(res.headers.get('www-authenticate'), /resource_metadata="http.*oauth-protected-resource/)
})
