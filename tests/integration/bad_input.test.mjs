// Bad input at every door: each gets a stable code that has its entry in docs/errors.md, and words that say what is wrong, where, and
// what would be right. Nothing is lost: the next request is as good as ever, and the record verifies. Nothing is told: no answer and
// no line of the log holds a credential, a secret of the configuration or a path of the machine.
// Malformed HTTP is in http_malformed.test.mjs, what codes there are in mcp_errors.test.mjs.
// areas: mcp, oauth, admin, conf, cli
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { homedir, hostname } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { SignJWT } from 'jose'
import { DOORWARD, startGate, TOP, until } from './lib/gate.mjs'
import { assertion, BEARER, makeKey, newAgent, now } from './lib/oauth.mjs'
import { json, modernBasics, startRaw } from './lib/servers.mjs'
import { wire } from './lib/wire.mjs'

const CODES = new Set([...readFileSync(join(TOP, 'docs/errors.md'), 'utf8').matchAll(/^## `(\w+)`\n\n.+\n\n- When: .+\n- Do: .+$/gm)].map(([, code]) => code))
const SECRET = 'sk-upstream-d41d8cd98f00b204'
process.env.BAD_INPUT_SECRET = SECRET
const VERSION = 'io.modelcontextprotocol/protocolVersion', CAN = 'io.modelcontextprotocol/clientCapabilities'
const META = `"_meta":{"${VERSION}":"2026-07-28","${CAN}":{}}`

let gate, raw, agent, token, operator
const forbidden = new Set([SECRET]) // what no answer and no log may hold

before(async () => {
  raw = await startRaw((m, req, res) => json(res, m.method === 'tools/call'
    ? { id: m.id, result: { resultType: 'complete', content: [{ type: 'text', text: 'pong' }] } } : modernBasics(['ping'], m)))
  gate = await startGate({ servers: { raw: { url: raw.url, headers: { authorization: 'Bearer ${BAD_INPUT_SECRET}' } } }, limits: { body_bytes: 65536 },
                           session: { max_tool_calls: 10000, rate: '1000000/minute' }, agents: { max_concurrent_sessions: 1000 } })
  agent = await newAgent(gate, 'careless', { allowedTools: ['raw/ping'] })
  token = gate.open(agent).access_token
  operator = gate.operatorToken()
  forbidden.add(token).add(operator).add(gate.dir).add(join(TOP, 'src')).add(homedir() === '/' ? '/root' : homedir())
})

after(async () => {
  await gate?.stop()
  await raw?.stop()
})

function tellsNothing(text, what) {
  for (const word of forbidden) assert.ok(!text.includes(word), `${what} tells ${word}: ${text.slice(0, 500)}`)
}

// An answer of any face: its code, and its words.
const told = (j) => ({ code: j?.error?.data?.code ?? j?.result?._meta?.['dev.doorward/code'] ?? j?.error,
  words: j?.error?.message ?? j?.error_description ?? j?.message ?? j?.result?.content?.[0]?.text ?? '' })

function right(answer, { what, code, words }) {
  const got = told(answer.json)
  assert.equal(got.code, code, `${what}: ${answer.status} ${answer.text}`)
  assert.ok(CODES.has(got.code), `docs/errors.md says nothing about ${got.code}`)
  assert.match(got.words, words, what)
  assert.ok(answer.status >= 400 || answer.json.error || answer.json.result?.isError, `${what}: ${answer.status}`)
  tellsNothing(answer.text + answer.head, what)
}

const fields = (who, more = []) => [['Host', `127.0.0.1:${gate.port}`], ['Content-Type', 'application/json'],
  ['Accept', 'application/json, text/event-stream'], ...(who ? [['Authorization', `Bearer ${who}`]] : []), ...more]
const MODERN = (method, name) => [['MCP-Protocol-Version', '2026-07-28'], ['Mcp-Method', method], ...(name ? [['Mcp-Name', name]] : [])]
const mcp = (body, { as = token, more = [], path = '/mcp' } = {}) => wire(gate.port, { path, fields: fields(as, more), body })
const works = async () => assert.equal((await gate.call(token, 'raw__ping', {}, { headers: { connection: 'close' } })).json.result?.content[0].text, 'pong')

const nested = (n, open = '[', close = ']') => open.repeat(n) + '1' + close.repeat(n)
const bytes = (...parts) => Buffer.concat(parts.map((p) => (typeof p === 'string' ? Buffer.from(p) : Buffer.from(p))))

// ---- MCP: what is no message ----

const ping = (params) => `{"jsonrpc":"2.0","id":1,"method":"ping","params":${params}}`
const MESSAGES = {
  'nothing': ['', 'malformed', /line 1, column 1: the text ends too early/],
  'half a message': ['{"jsonrpc":"2.0","id":1,', 'malformed', /\d+/],
  'no JSON': ['hello', 'malformed', /1/],
  'a value behind the message': [`${ping('{}')} {}`, 'malformed', /something follows/],
  'a comma too many': ['{"jsonrpc":"2.0","id":1,"method":"ping",}', 'malformed', /\d/],
  'a comment': ['{"jsonrpc":"2.0",/* id */"id":1,"method":"ping"}', 'malformed', /\d/],
  'single quotes': ["{'jsonrpc':'2.0','id':1,'method':'ping'}", 'malformed', /\d/],
  'NaN': [ping('{"x":NaN}'), 'malformed', /\d/],
  'a number with a zero first': [ping('{"x":01}'), 'malformed', /\d/],
  'a number without an end': [ping('{"x":1.}'), 'malformed', /\d/],
  'a mark of byte order': [bytes([0xef, 0xbb, 0xbf], ping('{}')), 'malformed', /\d/],
  'UTF-16': [Buffer.from(ping('{}'), 'utf16le'), 'malformed', /\d/],
  'a byte that is no UTF-8': [bytes('{"jsonrpc":"2.0","id":1,"method":"', [0xff], '"}'), 'malformed', /UTF-8/],
  'an overlong form': [bytes('{"jsonrpc":"2.0","id":1,"method":"', [0xc0, 0xaf], '"}'), 'malformed', /UTF-8/],
  'a surrogate as bytes': [bytes('{"jsonrpc":"2.0","id":1,"method":"', [0xed, 0xa0, 0x80], '"}'), 'malformed', /UTF-8/],
  'half a character': [bytes('{"jsonrpc":"2.0","id":1,"method":"', [0xe2, 0x82], '"}'), 'malformed', /UTF-8/],
  'a lone surrogate': [ping('{"x":"\\ud800"}'), 'malformed', /surrogate/],
  'surrogates the wrong way round': [ping('{"x":"\\udc00\\ud800"}'), 'malformed', /surrogate/],
  'a NUL byte': [bytes('{"jsonrpc":"2.0","id":1,"method":"pi', [0], 'ng"}'), 'malformed', /control/],
  'a line break in a string': ['{"jsonrpc":"2.0","id":1,"method":"pi\nng"}', 'malformed', /control/],
  'an escape that there is not': [ping('{"x":"\\x41"}'), 'malformed', /escape/],
  'too deep lists': [ping(`{"x":${nested(2000)}}`), 'over_bound', /deep|depth|level/],
  'too deep objects': [ping(nested(2000, '{"a":', '}')), 'over_bound', /deep|depth|level/],
  'a body over the bound': [ping(`{"x":"${'x'.repeat(65536)}"}`), 'over_bound', /65536 bytes/],
  'a key twice': ['{"jsonrpc":"2.0","id":1,"method":"ping","method":"tools/list"}', 'malformed', /twice|duplicate/],
  'a key twice, once escaped': ['{"jsonrpc":"2.0","id":1,"method":"ping","m\\u0065thod":"tools/list"}', 'malformed', /twice|duplicate/],
  'a key twice far down': [ping('{"a":[{"b":{"c":1,"c":2}}]}'), 'malformed', /twice|duplicate/],
  'a list': ['[]', 'invalid_request', /one message|object/],
  'a string': ['"ping"', 'invalid_request', /object/],
  'null': ['null', 'invalid_request', /object/],
  'no jsonrpc': ['{"id":1,"method":"ping"}', 'invalid_request', /jsonrpc/],
  'another jsonrpc': ['{"jsonrpc":2.0,"id":1,"method":"ping"}', 'invalid_request', /jsonrpc/],
  'no method': ['{"jsonrpc":"2.0","id":1}', 'invalid_request', /method/],
  'a method that is a number': ['{"jsonrpc":"2.0","id":1,"method":7}', 'invalid_request', /method/],
  'an id that is null': ['{"jsonrpc":"2.0","id":null,"method":"ping"}', 'invalid_request', /id/],
  'an id that is an object': ['{"jsonrpc":"2.0","id":{},"method":"ping"}', 'invalid_request', /id/],
  'an id that is half a number': ['{"jsonrpc":"2.0","id":1.5,"method":"ping"}', 'invalid_request', /id/],
  'an id beyond all numbers': ['{"jsonrpc":"2.0","id":1e999,"method":"ping"}', 'invalid_request', /id/],
  'params that are a list': ['{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', 'invalid_params', /params/],
  'params that are a string': ['{"jsonrpc":"2.0","id":1,"method":"ping","params":"x"}', 'invalid_params', /params/],
  'a method that there is not': ['{"jsonrpc":"2.0","id":1,"method":"tools/nothing"}', 'method_not_found', /tools\/nothing/],
}

for (const era of ['legacy', 'modern'])
  test(`${era}: what is no message is refused for what it is, and the next one is answered`, async () => {
    for (const [what, [body, code, words]] of Object.entries(MESSAGES)) {
      const modern = MODERN('ping')
      if (era === 'modern' && !['malformed', 'over_bound'].includes(code)) continue // of these the headers speak first
      right(await mcp(body, { more: era === 'modern' ? modern : [] }), { what: `${era}, ${what}`, code, words })
      await works()
    }
  })

// ---- MCP: calls of tools ----

const call = (params) => [`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`]
const CALLS = {
  'no name': ['{"arguments":{}}', 'invalid_params', /name/],
  'a name that is a number': ['{"name":7}', 'invalid_params', /name/],
  'arguments that are a string': ['{"name":"raw__ping","arguments":"x"}', 'invalid_params', /arguments/],
  'arguments that are a list': ['{"name":"raw__ping","arguments":[]}', 'invalid_params', /arguments/],
  'an unknown tool': ['{"name":"raw__nothing","arguments":{}}', 'insufficient_scope', /raw\/nothing|raw__nothing|tool/],
  'a tool of no server': ['{"name":"nothing","arguments":{}}', 'unknown_tool', /nothing/],
  'a name with a path in it': ['{"name":"../../etc/passwd","arguments":{}}', 'unknown_tool', /passwd/],
  'a name with NUL in it': ['{"name":"raw__ping\\u0000","arguments":{}}', 'insufficient_scope', /not on this session's whitelist/],
  'a name that steers a terminal': ['{"name":"\\u001b[2J\\u202enothing","arguments":{}}', 'unknown_tool', /\?\[2J\?nothing/],
  'an argument twice': ['{"name":"raw__ping","arguments":{"a":1,"\\u0061":2}}', 'malformed', /twice|duplicate/],
}

test('legacy: a call that is none is refused for what it is, and never made', async () => {
  for (const [what, [params, code, words]] of Object.entries(CALLS)) {
    const calls = () => raw.seen.filter((s) => s.message?.method === 'tools/call').length
    const before = calls()
    right(await mcp(call(params)[0]), { what, code, words })
    assert.equal(calls(), before, what)
    await works()
  }
})

test('modern: the same, with headers that say the same', async () => {
  const with_meta = (params) => `${params.slice(0, -1)}${params === '{}' ? '' : ','}${META}}`
  for (const what of ['arguments that are a string', 'arguments that are a list', 'a tool of no server', 'an argument twice', 'a name with a path in it']) {
    const [params, code, words] = CALLS[what]
    right(await mcp(call(with_meta(params))[0], { more: MODERN('tools/call', /"name":"([^"]*)"/.exec(params)[1]) }), { what, code, words })
    await works()
  }
})

test('numbers beyond what machines count in reach the server exactly, or are refused', async () => {
  const exact = '12345678901234567891', long = '123456789012345678901234567891'
  const { status } = await mcp(call(`{"name":"raw__ping","arguments":{"n":${exact},"m":${long}}}`)[0])
  assert.equal(status, 200)
  assert.match(raw.seen.at(-1).text, new RegExp(`"m":1\\.${long.slice(1)}e\\+29,"n":${exact}[,}]`)) // RFC 8785's way of writing
  for (const n of ['1e400', '-1e999999999', `1${'0'.repeat(20000)}`]) {
    const answer = await mcp(call(`{"name":"raw__ping","arguments":{"n":${n}}}`)[0])
    if (answer.json.result) assert.match(raw.seen.at(-1).text, /"n":-?1e\+\d+/)
    else assert.ok(CODES.has(told(answer.json).code), answer.text.slice(0, 300))
    await works()
  }
})

// ---- credentials ----

const part = (value) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')
async function tokens() {
  const claims = JSON.parse(Buffer.from(token.split('.')[1], 'base64url')), header = JSON.parse(Buffer.from(token.split('.')[0], 'base64url'))
  const stranger = (await makeKey()).privateKey
  const sign = (c, h = {}) => new SignJWT({ ...claims, ...c }).setProtectedHeader({ ...header, ...h }).sign(stranger)
  const other = await startGate({ servers: {} })
  const foreign = other.open(await newAgent(other, 'careless')).access_token
  await other.stop()
  return {
    'no token at all': 'hello', 'three empty parts': '..', 'a token with a byte changed': `${token.slice(0, -6)}AAAAAA`,
    'a token cut short': token.slice(0, 100), 'a token over the bound': `${token}${'x'.repeat(9000)}`,
    'signed by a stranger': await sign({}), 'signed by a stranger, with a key in its header': await sign({}, { jwk: (await makeKey()).jwk }),
    'unsigned': `${part({ alg: 'none', typ: 'at+jwt' })}.${token.split('.')[1]}.`, 'expired': await sign({ exp: now() - 10 }),
    'of another gate': foreign, 'an assertion': await assertion(gate, agent), 'an operator\'s': operator,
    'a header twice in its header': `${part('{"alg":"EdDSA","alg":"none","typ":"at+jwt"}')}.${token.split('.')[1]}.x`,
    'a payload that is no JSON': `${token.split('.')[0]}.${part('hello')}.${token.split('.')[2]}`,
    'a payload too deep': `${token.split('.')[0]}.${part(nested(2000))}.${token.split('.')[2]}`,
  }
}

test('forged, expired and foreign tokens open nothing, in both eras, and no answer and no log repeats them', async () => {
  for (const [what, bad] of Object.entries(await tokens())) {
    if (bad.length > 20) forbidden.add(bad)
    for (const more of [[], MODERN('ping')])
      right(await mcp(ping('{}'), { as: bad, more }), { what, code: 'invalid_token', words: /token/ })
    await works()
  }
  tellsNothing(gate.log, 'the log')
})

test('what proves no agent gets no token, and is on record', async () => {
  const post = (fieldsOf, type = 'application/x-www-form-urlencoded') => wire(gate.port, { path: '/oauth/token', body: fieldsOf,
    fields: [['Host', `127.0.0.1:${gate.port}`], ['Content-Type', type]] })
  const form = (more) => new URLSearchParams({ grant_type: 'client_credentials', client_assertion_type: BEARER, ...more }).toString()
  const stranger = { ...await makeKey(), id: agent.id }
  const good = await assertion(gate, agent)
  const ROWS = {
    'JSON instead of a form': ['{}', 'invalid_request', /Content-Type|form/, 'application/json'],
    'nothing': ['', 'invalid_request', /grant_type/],
    'an escape that is none': ['grant_type=%zz', 'invalid_request', /%|escape/],
    'an escape that is cut': ['grant_type=client_credentials&scope=%4', 'invalid_request', /%|escape/],
    'bytes that are no UTF-8': ['grant_type=client_credentials&scope=%ff', 'invalid_request', /UTF-8/],
    'NUL': ['grant_type=client_credentials&scope=%00', 'invalid_request', /%.*other than 00/],
    'a field twice': ['grant_type=client_credentials&grant_type=client_credentials', 'invalid_request', /grant_type came twice/],
    'another grant': ['grant_type=password&username=u&password=p', 'unsupported_grant_type', /client_credentials/],
    'no assertion': [form({}), 'invalid_client', /assertion/],
    'an assertion that is none': [form({ client_assertion: 'hello' }), 'invalid_client', /./],
    'an assertion of a stranger': [form({ client_assertion: await assertion(gate, stranger) }), 'invalid_client', /./],
    'an assertion of yesterday': [form({ client_assertion: await assertion(gate, agent, { iat: now() - 86400, exp: now() - 86300 }) }), 'invalid_client', /expired/],
    'an assertion for somebody else': [form({ client_assertion: await assertion(gate, agent, { aud: 'https://other.example' }) }), 'invalid_client', /aud/],
    'an access token as assertion': [form({ client_assertion: token }), 'invalid_client', /./],
    'a scope of somebody else': [form({ client_assertion: good, scope: 'tool:raw/other:execute' }), 'invalid_scope', /scope/],
    'a form over the bound': [`scope=${'x'.repeat(70000)}`, 'over_bound', /65536 bytes/],
  }
  for (const [what, [body, code, words, type]] of Object.entries(ROWS)) {
    right(await post(body, type), { what, code, words })
    await works()
  }
  forbidden.add(good)
  await gate.recorded('the failed attempt', (e) => e.event === 'AUTH_FAILED' && e.code === 'invalid_client' && /aud/.test(e.policyDecision.reason))
  tellsNothing(gate.log, 'the log')
})

// ---- the operators' API ----

test('what an operator sends is read strictly, and each refusal says which member is wrong', async () => {
  const send = (path, body, { as = operator, method = 'POST' } = {}) => wire(gate.adminPort, { method, path: `/admin/v1${path}`, body,
    fields: [['Host', `127.0.0.1:${gate.adminPort}`], ['Content-Type', 'application/json'], ...(as ? [['Authorization', `Bearer ${as}`]] : [])] })
  const { jwk } = await makeKey()
  const anAgent = (more) => JSON.stringify({ agentId: 'new', agentType: 't', version: '1', owner: 'o', deploymentEnv: 'staging', publicKey: jwk, ...more })
  const ROWS = {
    'no JSON': ['/agents', '{', 'malformed', /\d/],
    'a list': ['/agents', '[]', 'invalid_request', /object/],
    'too deep': ['/agents', nested(2000), 'over_bound', /deep|depth|level/],
    'a key twice': ['/agents', '{"agentId":"a","agentId":"b"}', 'malformed', /twice|duplicate/],
    'bytes that are no UTF-8': ['/agents', bytes('{"agentId":"', [0xff], '"}'), 'malformed', /UTF-8/],
    'a member that there is not': ['/agents', anAgent({ agnetId: 'x' }), 'invalid_params', /agnetId/],
    'an id that is a number': ['/agents', anAgent({ agentId: 7 }), 'invalid_params', /agentId/],
    'an id with a slash': ['/agents', anAgent({ agentId: '../x' }), 'invalid_params', /agentId/],
    'an id without end': ['/agents', anAgent({ agentId: 'x'.repeat(5000) }), 'invalid_params', /agentId/],
    'a key that is none': ['/agents', anAgent({ publicKey: { kty: 'OKP' } }), 'invalid_params', /publicKey|key/],
    'a private key': ['/agents', anAgent({ publicKey: (await makeKey()).privateJwk }), 'invalid_params', /private/],
    'sessions beyond counting': ['/agents', anAgent({ maxConcurrentSessions: 1e30 }), 'invalid_params', /maxConcurrentSessions/],
    'a tool pattern that is none': ['/agents', anAgent({ allowedTools: ['a b'] }), 'invalid_params', /allowedTools/],
    'a session of nobody': ['/sessions', '{"agentId":"nobody"}', 'not_found', /nobody/],
    'a lifetime that is none': ['/sessions', '{"agentId":"careless","lifetime":"soon"}', 'invalid_params', /lifetime/],
    'calls below nothing': ['/sessions', '{"agentId":"careless","maxCalls":-1}', 'invalid_params', /maxCalls/],
    'a path that there is not': ['/nothing', '{}', 'not_found', /./],
    'an agent that there is not': ['/agents/nobody/disable', '{}', 'not_found', /nobody/],
  }
  for (const [what, [path, body, code, words]] of Object.entries(ROWS)) {
    right(await send(path, body), { what, code, words })
    assert.equal((await send('/agents', '', { method: 'GET' })).status, 200, what)
  }
  for (const as of [null, 'hello', token, `${operator}x`, operator.slice(0, -1)])
    right(await send('/agents', anAgent({}), { as }), { what: `as ${as?.slice(0, 8)}`, code: as ? 'invalid_token' : 'unauthenticated', words: /operator/ })
  await gate.recorded('the attempt', (e) => e.event === 'AUTH_FAILED' && e.actorType !== 'AI_AGENT')
  assert.deepEqual((await gate.operator('GET', '/agents')).json.agents.map((a) => a.agentId), ['careless'])
})

// ---- the configuration ----

const check = (text) => {
  writeFileSync(join(gate.dir, 'bad.yaml'), text)
  return spawnSync(DOORWARD, ['config', 'check', '-c', 'bad.yaml'], { encoding: 'utf8', cwd: gate.dir, timeout: 20000 })
}
const CONFIGURATIONS = {
  'no YAML': ['listen: [', /bad\.yaml:\d+:\d+: /],
  'a tab': ['servers:\n\tx: {}', /bad\.yaml:2:1: /],
  'a key that there is not': ['lisen: 127.0.0.1:1', /bad\.yaml:1:1: there is no key "lisen" here: did you mean "listen"\?/],
  'a key twice': ['listen: 127.0.0.1:1\nlisten: 127.0.0.1:2', /bad\.yaml:2:\d+: .*twice|duplicate/],
  'a list where a value stands': ['listen: [1]', /bad\.yaml:1:\d+: listen: .*must be/],
  'a word where a number stands': ['workers: many', /bad\.yaml:1:\d+: workers: "many" is wrong: must be/],
  'a number beyond counting': ['workers: 99999999999999999999', /bad\.yaml:1:\d+: workers: .*must be/],
  'a duration that is none': ['limits: { call_timeout: soon }', /bad\.yaml:1:\d+: limits\.call_timeout: .*must be/],
  'a size that is none': ['limits: { body_bytes: 1XB }', /bad\.yaml:1:\d+: limits\.body_bytes: .*must be/],
  'bytes that are no UTF-8': [Buffer.from([0x6c, 0x3a, 0x20, 0xff]), /bad\.yaml:1:1: .*UTF-8/],
  'a NUL byte': ['listen: "a\0b"', /bad\.yaml:1:1: .*NUL/],
  'an alias': ['a: &a [1]\nb: *a', /bad\.yaml:1:\d+: .*anchors/],
  'two documents': ['listen: 127.0.0.1:1\n---\nlisten: 127.0.0.1:2', /bad\.yaml:2:\d+: .*one document|second document/],
  'a secret in the file itself': ['operators: [{ name: o, role: admin, token: secret-in-clear }]', /bad\.yaml:1:\d+: operators\[0\]\.token: .*file:PATH/],
  'a variable that is not set': ['servers: { a: { url: "http://x/", headers: { x: "${NO_SUCH_VARIABLE}" } } }', /bad\.yaml:1:\d+: .*NO_SUCH_VARIABLE/],
  'a file over the bound': [`# ${'x'.repeat(1100000)}\n`, /bad\.yaml:1:1: .*1 MiB/],
  'too deep': [`servers: ${nested(2000)}`, /bad\.yaml:\d*:?\d*:? ?.*(deep|depth|nest|must be|wrong)/],
}

test('a configuration with a fault names the file, the place, what is wrong and what would be right, and not the value of a secret', () => {
  for (const [what, [text, words]] of Object.entries(CONFIGURATIONS)) {
    const r = check(text)
    assert.equal(r.status, 1, `${what}: ${r.status} ${r.signal} ${r.stderr}`)
    assert.match(r.stdout + r.stderr, words, what)
    assert.ok(!(r.stdout + r.stderr).includes('secret-in-clear'), what)
  }
})

test('a reload with a fault is bad_configuration, the old one stays in force, and it is on record', async () => {
  const good = readFileSync(gate.file)
  writeFileSync(gate.file, 'workers: many\nlisten: [1]\n')
  const { status, json: answer } = await gate.operator('POST', '/reload')
  writeFileSync(gate.file, good)
  assert.deepEqual([status, answer.error], [400, 'bad_configuration'])
  assert.match(JSON.stringify(answer), /workers: \\"many\\" is wrong/)
  assert.match(JSON.stringify(answer), /listen/)
  assert.ok(CODES.has('bad_configuration'))
  await gate.recorded('the refusal', (e) => e.event === 'CONFIG_REFUSED')
  await works()
})

// ---- the command line ----

const COMMANDS = {
  'a command that there is not': [['nonsense'], 2, /nonsense/],
  'half a command': [['agent'], 2, /agent/],
  'an option that there is not': [['status', '--nonsense'], 2, /nonsense/],
  'an option without its value': [['status', '-c'], 2, /-c/],
  'a number that is none': [['audit', 'tail', '-n', 'many'], 2, /-n|many|number/],
  'a number beyond counting': [['audit', 'tail', '-n', '99999999999999999999999'], 2, /-n|number/],
  'a word too many': [['status', 'now'], 2, /now|argument/],
  'bytes that are no UTF-8': [['agent', 'show', Buffer.from([0xff, 0xfe]).toString('latin1')], 1, /./],
  'an error code that there is not': [['errors', 'nonsense'], 1, /nonsense/],
  'a key file that is none': [['token', '--url', 'http://127.0.0.1:1', '--agent', 'a', '--key', 'bad.yaml'], 5, /nobody answers at/],
  'an address that is none': [['token', '--url', 'nonsense', '--agent', 'a', '--key', 'bad.yaml'], 5, /nonsense.*is --url right/],
  'arguments that are no JSON': [['call', 'raw/ping', '{', '--agent', 'a', '--key', 'bad.yaml'], 2, /line 1, column 2/],
}

test('what is typed wrongly is answered at once, with what would be right and an exit code that says which kind', () => {
  writeFileSync(join(gate.dir, 'bad.yaml'), 'this is no key')
  for (const [what, [args, code, words]] of Object.entries(COMMANDS)) {
    const r = spawnSync(DOORWARD, [...args, ...(['status', 'agent'].includes(args[0]) && args.length > 1 && !args.includes('-c') ? ['-c', gate.file] : [])],
      { encoding: 'utf8', cwd: gate.dir, timeout: 20000 })
    assert.equal(r.status, code, `${what}: exit ${r.status} ${r.stdout}${r.stderr}`)
    assert.match(r.stderr, words, what)
    assert.ok(r.stderr.length < 2000, what)
    for (const word of [token, operator, SECRET]) assert.ok(!(r.stdout + r.stderr).includes(word), what)
  }
})

// ---- what is left of all that ----

test('the record verifies, and neither it nor the log holds a credential or a secret', async () => {
  await works()
  const audit = join(gate.dir, 'data/audit')
  assert.equal(gate.cli(['audit', 'verify', '--dir', audit]).status, 0)
  const entries = gate.cli(['audit', 'tail', '--dir', audit, '-n', '100000', '--json']).stdout
  for (const [where, text] of [['the record', entries], ['the log', gate.log]])
    for (const word of forbidden) if (word.length > 20 && !word.startsWith('/')) assert.ok(!text.includes(word), `${where} holds ${word.slice(0, 60)}`)
  assert.equal(gate.daemon.exitCode, null)
})
