// The headers of a request, one by one: each that repeats the body is held against it, none may come twice, and media types, hosts
// and origins are what the revision and the configuration say. What is refused never reaches a server.
// areas: mcp, net
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startGate } from './lib/gate.mjs'
import { json, modernBasics, startRaw } from './lib/servers.mjs'
import { wire } from './lib/wire.mjs'

const META = { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} }
const ODD = '=?base64?literal?='
const mirrored = (type, header) => ({ type, 'x-mcp-header': header })
const TOOLS = [
  { name: 't', inputSchema: { type: 'object', properties: { text: mirrored('string', 'Text'), count: mirrored('integer', 'Count'), dry: mirrored('boolean', 'Dry'),
    where: { type: 'object', properties: { zone: mirrored('string', 'Zone') } } } } },
  { name: 'ratio', inputSchema: { type: 'object', properties: { ratio: mirrored('number', 'Ratio') } } }]
const URIS = ['raw://plain', 'raw://ümlaut', ODD]

let gate, raw, token

before(async () => {
  raw = await startRaw((m, req, res) => {
    const result = {
      'server/discover': () => ({ supportedVersions: ['2026-07-28'], capabilities: { tools: {}, prompts: {}, resources: {} } }),
      'tools/list': () => ({ tools: TOOLS }),
      'prompts/list': () => ({ prompts: [{ name: 'p' }] }),
      'resources/list': () => ({ resources: URIS.map((uri) => ({ uri, name: uri })) }),
      'tools/call': () => ({ content: [{ type: 'text', text: JSON.stringify(m.params.arguments) }] }),
      'prompts/get': () => ({ messages: [{ role: 'user', content: { type: 'text', text: m.params.name } }] }),
      'resources/read': () => ({ contents: [{ uri: m.params.uri, text: 'read' }] }),
    }[m.method]?.()
    json(res, result ? { id: m.id, result: { resultType: 'complete', ...result } } : modernBasics([], m))
  })
  gate = await startGate({ servers: { raw: { url: raw.url } }, session: { max_tool_calls: 10000, rate: '100000/minute' },
    allowed_origins: ['https://console.example.com', 'http://[2001:db8::1]:8080'], allowed_hosts: ['127.0.0.1', 'door.example.com', '[2001:db8::1]:8443'],
    scopes: [{ when: {}, add: ['prompts:get:server:raw', 'resources:read:server:raw'] }] })
  token = gate.open(await gate.agent({ allow: ['raw/t', 'raw/ratio'] })).access_token
})

after(async () => {
  await gate?.stop()
  await raw?.stop()
})

// A whole request, right in everything but what `changes` puts instead: null takes a header out, a list sends it so many times.
function send(method, params, changes = {}, { path, port = gate.port } = {}) {
  const named = params.name ?? params.uri
  const all = { Host: '127.0.0.1', Authorization: `Bearer ${token}`, 'Content-Type': 'application/json', Accept: 'application/json, text/event-stream',
    'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': method, ...(named && { 'Mcp-Name': named }), ...changes }
  const fields = Object.entries(all).filter(([, v]) => v !== null).flatMap(([name, v]) => [v].flat().map((one) => [name, one]))
  return wire(port, { path, fields, body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params: { ...params, _meta: META } }) })
}
const ping = (changes) => send('server/discover', {}, changes)
const call = (args, changes) => send('tools/call', { name: 'raw__t', arguments: args }, changes)
const reached = () => raw.seen.filter((s) => ['tools/call', 'prompts/get', 'resources/read'].includes(s.message?.method)).length
const b64 = (bytes) => `=?base64?${Buffer.from(bytes).toString('base64')}?=`

async function refused(answer, header, what) {
  const { status, json: { error }, text } = await answer
  assert.deepEqual([status, error?.code, error?.data.code], [400, -32020, 'header_mismatch'], `${what}: ${text}`)
  assert.ok(error.message.includes(header), `${what}: ${error.message}`)
}
async function taken(answer, what) {
  const { status, json, text } = await answer
  assert.equal(status, 200, `${what}: ${text}`)
  return json.result ?? assert.fail(`${what}: ${text}`)
}

// ---- what repeats the body ----

const REQUESTS = [
  ['tools/call', { name: 'raw__t', arguments: {} }, (r) => r.content[0].text === '{}'],
  ['prompts/get', { name: 'raw__p' }, (r) => r.messages[0].content.text === 'p'],
  ['resources/read', { uri: 'raw://plain' }, (r) => r.contents[0].text === 'read'],
]
for (const [method, params, whole] of REQUESTS)
  test(`${method}: a request is answered when every header says what the body says, and refused when one does not`, async () => {
    assert.ok(whole(await taken(send(method, params), method)))
    const name = params.name ?? params.uri
    const before = reached()
    for (const [header, values] of [['MCP-Protocol-Version', [null, '', '2025-11-25', '2026-07-28, 2026-07-28', '2026-07-29']],
                                    ['Mcp-Method', [null, '', 'tools/list', method.toUpperCase(), `${method}, ${method}`, b64(method)]],
                                    ['Mcp-Name', [null, '', 'another', name.toUpperCase(), `${name}x`, `"${name}"`]]])
      for (const value of values) await refused(send(method, params, { [header]: value }), header, `${header}: ${value}`)
    assert.equal(reached(), before)
  })

test('without a prefix Mcp-Name is the name as the body has it', async () => {
  await taken(send('tools/call', { name: 't', arguments: {} }, {}, { path: '/mcp/raw' }), 'plain')
  await refused(send('tools/call', { name: 't', arguments: {} }, { 'Mcp-Name': 'raw__t' }, { path: '/mcp/raw' }), 'Mcp-Name', 'with the prefix')
})

// ---- Mcp-Param-* ----

const PARAMS = [
  // argument, header, its values that say the same, values that do not
  [{ text: 'us-west1' }, 'Text', ['us-west1', b64('us-west1')], [null, '', 'us-east1', 'US-WEST1', '"us-west1"', b64('us-east1')]],
  [{ text: '' }, 'Text', ['', b64('')], [null, 'x']],
  [{ text: '42' }, 'Text', ['42'], ['42.0', '042']],
  [{ text: 'true' }, 'Text', ['true'], ['True', '1']],
  [{ count: 42 }, 'Count', ['42', '42.0', '4.2e1', b64('42')], [null, '', '43', '+42', '042', '0x2a', '42abc', '42 42', '"42"', 'NaN', b64('43')]],
  [{ count: -7 }, 'Count', ['-7'], ['7', '- 7', '−7']],
  [{ count: 9007199254740993 }, 'Count', ['9007199254740992'], ['9007199254740993']], // the body holds ...992: JavaScript rounded it
  [{ dry: true }, 'Dry', ['true', b64('true')], [null, '', 'false', 'True', 'TRUE', '1', 'yes']],
  [{ dry: false }, 'Dry', ['false'], [null, 'true', '0']],
  [{ where: { zone: 'a' } }, 'Zone', ['a'], [null, 'b']],
  [{}, 'Text', [null], ['x', '']],
  [{}, 'Count', [null], ['0']],
  [{ where: {} }, 'Zone', [null], ['a']],
]
test('an argument that a tool wants in a header stands there, and says the same', async () => {
  const before = reached()
  let same = 0
  for (const [args, header, right, wrong] of PARAMS) {
    const name = `Mcp-Param-${header}`
    for (const value of right) {
      const result = await taken(call(args, { [name]: value }), `${JSON.stringify(args)}, ${name}: ${value}`)
      assert.deepEqual(JSON.parse(result.content[0].text), args)
      same++
    }
    for (const value of wrong) await refused(call(args, { [name]: value }), name, `${JSON.stringify(args)}, ${name}: ${value}`)
  }
  assert.equal(reached(), before + same)
})

test('null is no argument: its header must be absent, and then the schema has the word', async () => {
  await refused(call({ text: null }, { 'Mcp-Param-Text': 'null' }), 'Mcp-Param-Text', 'null')
  const result = await taken(call({ text: null }), 'null without a header')
  assert.equal(result._meta['dev.doorward/code'], 'schema_mismatch')
})

test('headers of arguments that the tool does not mirror are nobody\'s business', async () => {
  await taken(call({}, { 'Mcp-Param-Other': 'x', 'Mcp-Params': 'y' }), 'others')
})

test('a tool that mirrors a number with a fraction is not listed, as the revision says', async () => {
  const { tools } = await taken(send('tools/list', {}), 'the list')
  assert.deepEqual(tools.map((t) => t.name), ['raw__t'])
})

// ---- values in base64 ----

const FORMS = {
  'is no base64': '=?base64?!?=', 'lacks its padding': '=?base64?w7xtbGF1dA?=', 'has the alphabet of URLs': '=?base64?_-8=?=',
  'holds a space': '=?base64?w7xt bGF1dA==?=', 'is no UTF-8': b64([0xff, 0xfe]), 'is cut': '=?base64?w7xtbGF1dA==', 'is another value': b64('umlaut'),
  'is written in capitals': b64('ümlaut').replace('base64', 'BASE64'), 'is encoded twice': b64(b64('ümlaut')), 'is empty': '=?base64??=',
  'should be encoded, but is not': 'ümlaut', 'is encoded with percent signs': '%C3%BCmlaut',
}
for (const [what, form] of Object.entries(FORMS))
  test(`a value that ${what} is refused in Mcp-Name and in Mcp-Param-*`, async () => {
    await refused(call({ text: 'ümlaut' }, { 'Mcp-Param-Text': form }), 'Mcp-Param-Text', form)
    const uri = form === 'ümlaut' ? 'raw://ümlaut' : form
    await refused(send('resources/read', { uri: 'raw://ümlaut' }, { 'Mcp-Name': uri }), 'Mcp-Name', uri)
  })

test('a value that a header cannot carry comes encoded, and arrives as it was meant', async () => {
  for (const text of ['ümlaut', 'Hello, 世界', ' padded ', 'two\r\nlines', ODD, '\u0000', '😀'])
    assert.equal(JSON.parse((await taken(call({ text }, { 'Mcp-Param-Text': b64(text) }), text)).content[0].text).text, text)
  for (const uri of URIS)
    assert.equal((await taken(send('resources/read', { uri }, { 'Mcp-Name': b64(uri) }), uri)).contents[0].uri, uri)
})

test('a value that only looks encoded must be encoded; a padded one does not pass for a trimmed one', async () => {
  await refused(call({ text: ODD }, { 'Mcp-Param-Text': ODD }), 'Mcp-Param-Text', ODD)
  await refused(send('resources/read', { uri: ODD }, { 'Mcp-Name': ODD }), 'Mcp-Name', ODD)
  await refused(call({ text: ' padded ' }, { 'Mcp-Param-Text': ' padded ' }), 'Mcp-Param-Text', 'padded')
})

// ---- twice ----

const TWICE = ['Host', 'Content-Length', 'Authorization', 'Content-Type', 'Origin', 'MCP-Protocol-Version', 'Mcp-Method', 'Mcp-Name', 'Mcp-Param-Text',
               'Mcp-Session-Id', 'Last-Event-ID', 'Traceparent']
for (const header of TWICE)
  test(`${header} may come once: a second one, equal or not, and however it is written, makes no request`, async () => {
    const before = reached()
    const args = { text: 'x' }
    const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'raw__t', arguments: args, _meta: META } })
    const value = {
      Host: '127.0.0.1', 'Content-Length': Buffer.byteLength(body), Authorization: `Bearer ${token}`, 'Content-Type': 'application/json',
      Origin: 'https://console.example.com', 'MCP-Protocol-Version': '2026-07-28', 'Mcp-Method': 'tools/call', 'Mcp-Name': 'raw__t',
    }[header] ?? 'x'
    const other = header === 'Content-Length' ? value + 1 : 'y'
    for (const second of [value, other])
      for (const name of [header, header.toUpperCase(), header.toLowerCase()]) {
        const first = header === 'Content-Length' ? {} : { 'Mcp-Param-Text': 'x', [header]: value }
        const { status, head } = await call(args, header === name
          ? { 'Mcp-Param-Text': 'x', [header]: header === 'Content-Length' ? second : [value, second] } : { ...first, [name]: second })
        assert.equal(status, 400, `${name}: ${second}`)
        assert.match(head, /^connection: close$/im)
      }
    assert.equal(reached(), before)
  })

// ---- media types ----

test('Content-Type is application/json, with parameters or without, and nothing else', async () => {
  for (const type of ['application/json', 'application/json; charset=utf-8', 'application/json;charset=UTF-8', 'Application/JSON'])
    assert.equal((await ping({ 'Content-Type': type })).status, 200, type)
  for (const type of [null, '', 'text/plain', 'text/json', 'application/jsonp', 'application/json-rpc', 'application/x-www-form-urlencoded', 'multipart/form-data',
                      'application/*', '*/*', 'application/json, text/plain', 'text/plain; application/json']) {
    const { status, json } = await ping({ 'Content-Type': type })
    assert.deepEqual([status, json.error.data.code], [415, 'unsupported_media_type'], type)
  }
})

test('Accept lists JSON, by name or by range, and does not take it back with a weight of zero', async () => {
  for (const accept of [null, '*/*', 'application/*', 'application/json', 'APPLICATION/JSON', 'text/event-stream, application/json;q=0.1', 'text/html, */*;q=0.5',
                        '*/*;q=0, application/json', ['text/event-stream', 'application/json']])
    assert.equal((await ping({ Accept: accept })).status, 200, accept)
  for (const accept of ['', 'text/html', 'text/*', 'text/event-stream', 'application/xml', 'application/json;q=0', 'application/json; q=0.0, text/html',
                        '*/*, application/json;q=0', 'json']) {
    const { status, json } = await ping({ Accept: accept })
    assert.deepEqual([status, json.error.data.code], [406, 'not_acceptable'], accept)
  }
})

test('a stream is given to those only who take one', async () => {
  const listen = (accept) => send('subscriptions/listen', { notifications: { toolsListChanged: true } }, { Accept: accept })
  for (const accept of ['application/json', 'application/json, text/event-stream;q=0', 'application/json, text/html'])
    assert.equal((await listen(accept)).json.error.data.code, 'not_acceptable', accept)
})

// ---- where it comes from, and under which name ----

test('to agents: a Host or an Origin that is not named in the configuration is 403, before any credential is looked at', async () => {
  for (const changes of [{}, { Host: '127.0.0.1' }, { Host: 'DOOR.example.COM' }, { Host: '[2001:db8::1]:8443' }, { Host: '[2001:DB8::1]:8443' },
                         { Origin: 'https://console.example.com' }, { Origin: 'HTTPS://Console.Example.com' }, { Origin: 'http://[2001:db8::1]:8080' }])
    assert.equal((await ping(changes)).status, 200, JSON.stringify(changes))
  for (const changes of [{ Host: 'evil.example.com' }, { Host: 'door.example.com.evil.com' }, { Host: 'door.example.com:80' }, { Host: 'xdoor.example.com' },
                         { Host: '[2001:db8::1]' }, { Host: '[2001:db8::1]:8444' }, { Host: '[::1]' }, { Host: 'localhost' }, { Host: '127.0.0.1.nip.io' },
                         { Host: '2130706433' },
                         { Origin: 'null' }, { Origin: '' }, { Origin: 'https://evil.example.com' }, { Origin: 'http://console.example.com' },
                         { Origin: 'https://console.example.com:8443' }, { Origin: 'https://console.example.com/' },
                         { Origin: 'https://console.example.com.evil.com' }, { Origin: 'http://[2001:db8::1]' }, { Origin: 'https://door.example.com' }, { Origin: 'file://' }])
    for (const who of [{}, { Authorization: null }]) {
      const { status, text } = await ping({ ...changes, ...who })
      assert.equal(status, 403, JSON.stringify(changes))
      assert.match(text, /origin_refused/)
    }
})

test('to operators: only pages of their own listener, under its own name', async () => {
  const own = `127.0.0.1:${gate.adminPort}`
  const ask = async (fields) => (await wire(gate.adminPort, { method: 'GET', path: '/admin/v1/status', fields: Object.entries(
    { Host: own, Authorization: `Bearer ${gate.operatorToken()}`, ...fields }) })).status
  for (const fields of [{}, { Host: `localhost:${gate.adminPort}` }, { Host: `LOCALHOST:${gate.adminPort}` }, { Host: `[::1]:${gate.adminPort}` }, { Origin: `http://${own}` }])
    assert.equal(await ask(fields), 200, JSON.stringify(fields))
  for (const fields of [{ Host: 'evil.example.com' }, { Host: `evil.example.com:${gate.adminPort}` }, { Host: '127.0.0.1' }, { Host: `127.0.0.1:${gate.port}` },
                        { Host: '[::1]' }, { Host: `[::ffff:127.0.0.1]:${gate.adminPort}` }, { Origin: 'null' }, { Origin: '' }, { Origin: own },
                        { Origin: `http://${own}/` }, { Origin: `file://${own}` }, { Origin: `http://127.0.0.1:${gate.port}` },
                        { Origin: `http://localhost:${gate.adminPort}` }, { Origin: 'https://console.example.com' }])
    assert.equal(await ask(fields), 403, JSON.stringify(fields))
})
