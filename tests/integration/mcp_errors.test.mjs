// Every code of docs/errors.md, as whoever gets it sees it: an MCP client in both eras, a client of the other endpoints, an operator
// at a terminal. A code that is added to the table and has no scene here fails. Behind them what becomes of servers' own errors.
// areas: mcp, gate, oauth, admin, cli
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { Browser, signIn } from './lib/console.mjs'
import { freePort, startGate, TOP, until } from './lib/gate.mjs'
import { askToken, makeKey, newAgent, postToken, register } from './lib/oauth.mjs'
import { people } from './lib/people.mjs'
import { figures } from './lib/proc.mjs'
import { asking, json, modernBasics, startRaw } from './lib/servers.mjs'
import { TASKS } from './lib/tasks.mjs'
import { wire } from './lib/wire.mjs'

// Each row of the page: code, HTTP status, JSON-RPC code.
const ROWS = [...readFileSync(join(TOP, 'docs/errors.md'), 'utf8').matchAll(/^\| `(\w+)` \| (\d+) \| (-?\d+) \|/gm)]
  .map(([, code, http, rpc]) => ({ code, http: Number(http), rpc: Number(rpc) }))

const TOOLS = ['ok', 'denied', 'withheld', 'waits', 'hangs', 'garbage', 'dies', 'lies', 'bare', 'fails', 'limited']
const text = (words) => ({ content: [{ type: 'text', text: words }] })
const TYPED = { type: 'object', properties: { n: { type: 'number' } } }
const VERSION = 'io.modelcontextprotocol/protocolVersion'
const CAN = { meta: { 'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {}, url: {} } } } }
process.env.EYE_TOKEN = 'an-eye-that-may-look-and-nothing-else'

let gate, raw, agent, token, changed = false, error // what the tool `fails` and the resource answer

before(async () => {
  raw = await startRaw((m, req, res) => {
    const done = (result) => json(res, { id: m.id, result: { resultType: 'complete', ...result } })
    if (m.method === 'server/discover') return done({ supportedVersions: ['2026-07-28'], capabilities: { tools: {}, prompts: {}, resources: {} } })
    if (m.method === 'prompts/list') return done({ prompts: [{ name: 'p' }] })
    if (m.method === 'resources/list') return done({ resources: [{ uri: 'raw://r', name: 'r' }] })
    if (m.method === 'tools/list') return done({ ttlMs: 200, cacheScope: 'private', tools: TOOLS.map((name) => ({
      name, ...(name === 'withheld' && changed && { description: 'something else' }), ...(name !== 'bare' && { inputSchema: TYPED }),
      ...(name === 'lies' && { outputSchema: { type: 'object', required: ['n'] } }) })) })
    if (m.method === 'resources/read' || m.params?.name === 'fails') return json(res, { id: m.id, error })
    if (m.method !== 'tools/call') return json(res, modernBasics([], m))
    if (m.params.name === 'garbage') return res.writeHead(200, { 'content-type': 'application/json' }).end('{"jsonrpc"')
    if (m.params.name === 'dies') return res.destroy()
    if (m.params.name !== 'hangs' && m.params.name !== 'waits') done({ ...text('ok'), structuredContent: {} })
  })
  gate = await startGate({
    servers: { raw: { url: raw.url, timeout: '1s' }, slow: { url: raw.url, timeout: '60s' }, asking: asking('legacy') },
    session: { max_tool_calls: 1000, rate: '10000/minute', max_streams: 1, max_parked_calls: 1 },
    tools: { 'raw/limited': { rate: '1/hour' } },
    operators: [{ name: 'eye', role: 'viewer', token: '${EYE_TOKEN}' }],
    scopes: [{ when: {}, add: ['prompts:get:server:raw', 'resources:read:server:raw'] }],
  })
  agent = await newAgent(gate, 'erring', { maxConcurrentSessions: 20, deniedTools: ['raw/denied'], 
    allowedTools: ['asking/ask', 'slow/waits', ...TOOLS.map((t) => `raw/${t}`)] })
  token = gate.open(agent).access_token
})

after(async () => {
  await gate?.stop()
  await raw?.stop()
})

const post = async (body, { headers = {}, path = '/mcp', as = token, at = gate, method = 'POST' } = {}) => {
  const who = as === null ? {} : { authorization: `Bearer ${as}` }
  const res = await fetch(at.url + path, { method, body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json', accept: 'application/json, text/event-stream', ...who, ...headers } })
  return { status: res.status, headers: res.headers, json: await res.json() }
}
const legacy = (method, params, options) => post({ jsonrpc: '2.0', id: 1, method, params }, options)
const call = (tool, args = {}, options) => gate.call(token, `raw__${tool}`, args, options)
const wanting = () => gate.open(agent)

// A second gate, for what ends one. `use` gets it with a token of an agent of its own.
async function withGate(config, use) {
  const other = await startGate({ servers: { raw: { url: raw.url } }, ...config })
  try {
    return await use(other, other.open(await other.agent({ allow: ['raw/ok', 'raw/hangs'] })).access_token)
  } finally {
    await other.stop()
  }
}

function policyFile(text) {
  const file = join(gate.dir, `${Math.random().toString(36).slice(2)}.cedar`)
  writeFileSync(file, text)
  return { files: [{ file }] }
}

// ---- answers to MCP messages ----

const message = {
  over_bound: () => post(`{"jsonrpc":"2.0","id":1,"method":"ping","params":${'{"a":'.repeat(2000)}1${'}'.repeat(2000)}}`),
  malformed: () => post('{"jsonrpc":"2.0","id":1,'),
  invalid_request: () => post([{ jsonrpc: '2.0', id: 1, method: 'ping' }]),
  invalid_params: () => legacy('tools/call', { name: 7 }),
  method_not_found: () => gate.modern(token, 'no/such'),
  unknown_task: () => gate.modern(token, 'tasks/get', { taskId: 'apr_none' }, { headers: { 'mcp-name': 'apr_none' }, meta: TASKS }),
  missing_capability: () => gate.modern(token, 'tasks/get', { taskId: 'apr_none' }, { headers: { 'mcp-name': 'apr_none' } }),
  header_mismatch: () => call('ok', {}, { headers: { 'mcp-method': 'tools/list' } }),
  unsupported_protocol_version: () => gate.modern(token, 'tools/list', {}, { meta: { [VERSION]: '2031-01-01' }, headers: { 'mcp-protocol-version': '2031-01-01' } }),
  not_found: () => gate.modern(token, 'tools/list', {}, { path: '/mcp/nowhere' }),
  unsupported_media_type: () => legacy('ping', undefined, { headers: { 'content-type': 'text/plain' } }),
  not_acceptable: () => legacy('ping', undefined, { headers: { accept: 'text/html' } }),
  unauthenticated: () => legacy('ping', undefined, { as: null }),
  invalid_token: () => legacy('ping', undefined, { as: 'forged' }),
  session_ended: () => {
    const { sessionId, access_token: as } = wanting()
    gate.cli(['session', 'end', '-c', gate.file, sessionId])
    return legacy('ping', undefined, { as })
  },
  session_stopped: () => {
    const { sessionId, access_token: as } = wanting()
    gate.cli(['kill', 'session', '-c', gate.file, sessionId, '--reason', 'a test'])
    return legacy('ping', undefined, { as })
  },
  all_stopped: () => withGate({}, (at, as) => {
    at.cli(['kill', 'all', '-c', at.file, '--yes', '--reason', 'a test'])
    return legacy('ping', undefined, { at, as })
  }),
  insufficient_scope: () => call('nobody'),
  address_refused: () => withGate({ session: { allowed_cidrs: ['203.0.113.0/24'] } }, (at, as) => legacy('ping', undefined, { at, as })),
  tool_denied: () => call('denied'),
  tool_withheld: async () => {
    await call('withheld')
    changed = true
    gate.write({ servers: { ...gate.config.servers, raw: { ...gate.config.servers.raw, headers: { 'x-again': 'yes' } } } }) // another server: it is asked anew
    await gate.operator('POST', '/reload')
    return until('the change to be seen', async () => {
      const answer = await call('withheld')
      return answer.json.error?.data.code === 'tool_withheld' && answer
    })
  },
  policy_denied: () => withGate({ policy: policyFile('forbid (principal, action, resource);') }, (at, as) => at.call(as, 'raw__ok', {})),
  critical_risk: () => withGate({ tools: { 'raw/ok': { risk: 'critical' } } }, (at, as) => at.call(as, 'raw__ok', {})),
  policy_unready: async () => {
    const other = await startGate({ servers: { raw: { url: raw.url } }, policy: policyFile('permit (principal, action, resource) when { context.input.nothing == 1 };') }, { waitReady: false })
    try {
      await until('the fault to be found', () => /"event":"policy_fault"/.test(other.log))
      return await other.call(other.open(await other.agent({ allow: ['raw/ok'] })).access_token, 'raw__ok', {})
    } finally {
      await other.stop()
    }
  },
  unknown_tool: () => gate.call(token, 'nothing', {}),
  unknown_prompt: () => gate.modern(token, 'prompts/get', { name: 'raw__nothing' }),
  unknown_resource: () => gate.modern(token, 'resources/read', { uri: 'raw://nothing' }, { headers: { 'mcp-name': 'raw://nothing' } }),
  invalid_state: () => gate.modern(token, 'tools/call', { name: 'asking__ask', arguments: { what: ['form'] }, inputResponses: {}, requestState: 'made up' }, CAN),
  schema_unusable: () => call('bare'),
  rate_limited: async () => (await call('limited'), call('limited')),
  calls_exhausted: async () => {
    const { access_token: as } = gate.open(agent, '--max-calls', '1')
    await gate.call(as, 'raw__ok', {})
    return gate.call(as, 'raw__ok', {})
  },
  too_many_streams: async () => {
    const { access_token: as, sessionId } = wanting()
    const listen = () => gate.modern(as, 'subscriptions/listen', { notifications: {} })
    // The bound is each worker's: whichever of the many is answered with JSON has met it.
    const first = await Promise.race(Array.from({ length: 20 }, listen).map((p) => p.then((a) => a.json ? a : new Promise(() => {}))))
    gate.cli(['session', 'end', '-c', gate.file, sessionId])
    return first
  },
  too_many_parked_calls: async () => {
    const { access_token: as } = wanting()
    const ask = () => gate.call(as, 'asking__ask', { what: ['form'] }, CAN)
    assert.equal((await ask()).json.result.resultType, 'input_required')
    return ask()
  },
  event_not_kept: async () => {
    const { headers } = await legacy('initialize', { protocolVersion: '2025-11-25', capabilities: {} })
    const mine = gate.headers(token, { 'mcp-session-id': headers.get('mcp-session-id'), 'last-event-id': 'made-up-1' })
    const res = await fetch(`${gate.url}/mcp`, { headers: mine, signal: AbortSignal.timeout(5000) })
    return { status: res.status, json: await res.json() }
  },
  audit_unavailable: () => withGate({}, async (other, as) => {
    assert.equal(spawnSync('prlimit', ['--pid', String(other.daemon.pid), '--fsize=1:unlimited']).status, 0) // the disk is full
    return until('a refusal', async () => {
      const answer = await other.call(as, 'raw__ok', {})
      return answer.json.error && answer
    })
  }),
  upstream_unavailable: () => call('dies'),
  upstream_timeout: () => call('hangs'),
  upstream_garbage: () => call('garbage'),
  result_mismatch: () => call('lies'),
  cancelled: async () => {
    const { headers } = await legacy('initialize', { protocolVersion: '2025-11-25', capabilities: {} })
    const session = { headers: { 'mcp-session-id': headers.get('mcp-session-id') } }
    const answer = post({ jsonrpc: '2.0', id: 'slow', method: 'tools/call', params: { name: 'slow__waits', arguments: {} } }, session)
    await until('the call to arrive', () => raw.seen.some((s) => s.message?.params?.name === 'waits'))
    const told = await fetch(`${gate.url}/mcp`, { method: 'POST', headers: gate.headers(token, session.headers),
      body: JSON.stringify({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 'slow' } }) })
    assert.equal(told.status, 202)
    return answer
  },
}
// A legacy client that is asked something when the gate stops: its answer, a stream by then, ends with the reason.
message.stopping = () => withGate({ servers: { asking: asking('modern') }, limits: { stop_grace: '200ms' } }, async (other) => {
  const { access_token: as } = other.open(await other.agent({ allow: ['asking/ask'] }))
  const { headers } = await legacy('initialize', { protocolVersion: '2025-11-25', capabilities: { elicitation: {} } }, { at: other, as })
  const res = await fetch(`${other.url}/mcp`, { method: 'POST', headers: other.headers(as, { 'mcp-session-id': headers.get('mcp-session-id') }),
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'asking__ask', arguments: { what: ['form'] } } }) })
  other.daemon.kill('SIGTERM')
  const events = (await res.text()).match(/^data: .*$/gm)
  return { status: res.status, json: JSON.parse(events.at(-1).slice(6)) }
})
// What went wrong behind the gate, and what no tool, prompt or resource is, are errors of the protocol in an answer of their own.
const BEHIND = ['unknown_task', 'unknown_tool', 'unknown_prompt', 'unknown_resource', 'schema_unusable', 'upstream_unavailable', 'upstream_timeout', 'upstream_garbage',
                'cancelled', 'stopping']

// ---- answers of HTTP alone ----

// A call that waits for a person, as a program without MCP sees it (to one of MCP these are results).
const asked = (config, use, tool = 'ok') => withGate({ tools: { 'raw/*': { risk: 'high' } }, ...config }, async (at, as) => {
  const ask = async (query = '') => {
    const res = await fetch(`${at.url}/v1/tools/raw__${tool}/call${query}`, { method: 'POST', headers: at.headers(as), body: '{}' })
    const json = await res.json()
    return { status: res.status, json: { ...json, error: json.code } }
  }
  return use(ask, people(at), at)
})

const http = {
  approval_pending: () => asked({}, (ask) => ask()),
  approval_denied: () => asked({}, async (ask, who) => {
    const first = ask('?wait=10')
    await who.deny(await who.question('raw/ok'), 'no')
    return first
  }),
  approval_expired: () => asked({ approval: { time_limit: '1s' } }, (ask) => ask('?wait=10')),
  approval_void: () => asked({}, async (ask, who, at) => {
    const first = ask('?wait=10')
    await who.question('raw/ok')
    at.write({ policy: policyFile('permit (principal, action, resource);') })
    await at.operator('POST', '/reload')
    return first
  }),
  approval_used: () => asked({ limits: { call_timeout: '300ms' } }, async (ask, who) => {
    const first = ask('?wait=10')
    await who.approve(await who.question('raw/hangs'))
    assert.equal((await first).json.error, 'upstream_timeout')
    return ask()
  }, 'hangs'),
  too_many_approvals: () => asked({ limits: { pending_approvals: 0 } }, (ask) => ask()),
  signed_out: () => new Browser(gate).ask('GET', '/console/v1/me', undefined, { cookie: '__Host-doorward=of-nobody' }),
  link_refused: () => new Browser(gate).ask('POST', '/console/v1/link', { link: 'dwl_none' }),
  page_refused: async () => (await inConsole('page')).ask('POST', '/console/v1/sign-out', {}, { csrf: 'another' }),
  passkey_needed: async () => (await inConsole('needed')).ask('POST', '/admin/v1/approvals/apr_0/approve', { digest: '' }),
  passkey_refused: async () => (await inConsole('refused')).signIn(undefined, { origin: 'https://evil.example.com' }),
  origin_refused: () => legacy('ping', undefined, { headers: { origin: 'https://evil.example.com' } }),
  method_not_allowed: () => post({}, { method: 'PUT' }),
  server_error: async () => { // a problem of the REST face; MCP passes it on as it is: below
    error = { code: -32000, message: 'out of stock' }
    const res = await fetch(`${gate.url}/v1/tools/raw__fails/call`, { method: 'POST', headers: gate.headers(token), body: '{}' })
    return { status: res.status, json: { error: (await res.json()).code } }
  },
  out_of_memory: () => withGate({ limits: { body_bytes: '64MiB' } }, async (at, as) => {
    if (figures(at.daemon.pid).sanitized) return null // a sanitizer ends the process instead
    const { size } = figures(at.daemon.pid)
    assert.equal(spawnSync('prlimit', ['--pid', String(at.daemon.pid), `--as=${(size + 16) * 1024 * 1024}:unlimited`]).status, 0)
    const answer = await post(JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping', params: { x: 'x'.repeat(40 << 20) } }), { at, as })
    assert.equal((await legacy('ping', undefined, { at, as })).status, 200) // the others go on
    return answer
  }),
  invalid_client: async () => askToken(gate, { ...await makeKey(), id: 'erring' }),
  unsupported_grant_type: () => postToken(gate, { grant_type: 'password' }),
  agent_stopped: async () => {
    const one = await newAgent(gate, 'stopped', { allowedTools: ['raw/ok'] })
    gate.cli(['kill', 'agent', '-c', gate.file, one.id, '--reason', 'a test'])
    return askToken(gate, one)
  },
  invalid_scope: () => askToken(gate, agent, { scope: 'tool:raw/nothing:execute' }),
  too_many_sessions: async () => {
    const one = await newAgent(gate, 'single', { maxConcurrentSessions: 1 })
    await askToken(gate, one)
    return askToken(gate, one)
  },
  already_exists: () => register(gate, 'erring', agent.jwk),
  conflict: async () => {
    await newAgent(gate, 'disabled')
    await gate.operator('POST', '/agents/disabled/disable', {})
    return gate.operator('POST', '/sessions', { agentId: 'disabled' })
  },
  forbidden: () => gate.operator('POST', '/reload', undefined, { token: process.env.EYE_TOKEN }),
  bad_configuration: async () => {
    writeFileSync(gate.file, 'listen: 7')
    const answer = await gate.operator('POST', '/reload')
    gate.write()
    return answer
  },
}

// Somebody who is signed in to the console, with a passkey.
function inConsole(name) {
  gate.cli(['people', 'add', name])
  return signIn(gate, name)
}

// ---- words at a terminal ----

const terminal = {
  corrupt_record: () => withGate({}, async (other, as) => {
    await other.call(as, 'raw__ok', {})
    await other.recorded('the outcome', (e) => e.event === 'TOOL_RESULT')
    const audit = join(other.dir, 'data/audit'), file = join(audit, readdirSync(audit).find((f) => f.endsWith('.seg')))
    const bytes = readFileSync(file)
    bytes[bytes.indexOf('raw/ok')] ^= 1
    writeFileSync(file, bytes)
    return [other.cli(['audit', 'verify', '--dir', audit, '--json'], { ok: false }), /"error":"corrupt_record"/]
  }),
  store_unavailable: async () => {
    const other = await startGate({ servers: {} })
    other.daemon.kill('SIGTERM')
    await other.exited
    writeFileSync(join(other.dir, 'data/doorward.db'), 'no database at all'.repeat(1000))
    await other.start(false)
    const { code } = await other.exited
    rmSync(other.dir, { recursive: true })
    return [{ status: code, stdout: '', stderr: other.log }, /"code":"store_unavailable".*not a database/]
  },
  unreachable: async () => [gate.cli(['token', '--url', `http://127.0.0.1:${await freePort()}`, '--agent', 'erring', '--key', key()], { ok: false }), /nobody answers at/],
  io_error: () => [gate.cli(['token', '--url', gate.url, '--agent', 'erring', '--key', join(gate.dir, 'no-file')], { ok: false }), /no-file: No such file/],
  usage: () => [gate.cli(['audit', 'nonsense'], { ok: false }), /there is no command nonsense/],
}
function key() {
  writeFileSync(join(gate.dir, 'key.jwk'), JSON.stringify(agent.privateJwk), { mode: 0o600 })
  return join(gate.dir, 'key.jwk')
}

// ---- answered in a way of its own, or by nothing that a test could make happen ----

const apart = { approval_needed: 'what policies say to those who ask before a call: authzen.test.mjs',
                 schema_mismatch: 'a result with isError, so that the model reads it: below', internal: 'a defect of ours' }

for (const { code, http: status, rpc } of ROWS)
  test(`${code} is answered with ${rpc}${rpc === status ? '' : ` and ${status}`}`, async (t) => {
    const ways = [message, http, terminal, apart].filter((way) => way[code])
    assert.equal(ways.length, 1, `docs/errors.md names ${code}, and there is no scene for it here`)
    if (message[code]) {
      const answer = await message[code]()
      assert.deepEqual([answer.json.error?.code, answer.json.error?.data.code], [rpc, code], JSON.stringify(answer.json))
      assert.equal(answer.status, BEHIND.includes(code) ? 200 : status)
      assert.equal(answer.json.jsonrpc, '2.0')
      assert.ok(answer.json.error.message.length > 5)
    } else if (http[code]) {
      const answer = await http[code]()
      if (!answer) return t.skip('not under a sanitizer')
      assert.deepEqual([answer.status, answer.json.error], [status, code], JSON.stringify(answer.json))
    } else if (terminal[code]) {
      const [r, words] = await terminal[code]()
      assert.notEqual(r.status, 0)
      assert.match(r.stderr + r.stdout, words)
    }
  })

test('no scene is for a code that the page does not name', () => {
  assert.ok(ROWS.length > 50)
  const names = ROWS.map((row) => row.code)
  assert.deepEqual(Object.keys({ ...message, ...http, ...terminal, ...apart }).filter((code) => !names.includes(code)), [])
})

test('arguments that do not fit are told to the model as a result', async () => {
  const { status, json: { result } } = await call('ok', { n: 'seven' })
  assert.deepEqual([status, result.isError, result._meta['dev.doorward/code']], [200, true, 'schema_mismatch'])
})

test('an unknown method is -32601 in both eras: with 404 to a modern client, with 200 to a legacy one', async () => {
  for (const [answer, status] of [[await gate.modern(token, 'no/such'), 404], [await legacy('no/such'), 200]])
    assert.deepEqual([answer.status, answer.json.error.code], [status, -32601])
})

// ---- what servers answer ----

const SAME = [-32700, -32600, -32601, -32602, -32603, -32000, -32001, -31999, 7, -1, 2147483647]
const data = { requiredCapabilities: { sampling: {} } }
const said = async (of, options) => {
  const modern = await gate.call(token, 'raw__fails', {}, options)
  return of === 'modern' ? modern : legacy('tools/call', { name: 'raw__fails', arguments: {} })
}
const url = async () => {
  const { headers } = await legacy('initialize', { protocolVersion: '2025-11-25', capabilities: { elicitation: { url: {} } } })
  return { headers: { 'mcp-session-id': headers.get('mcp-session-id') } }
}
const failing = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'raw__fails', arguments: {} } }

test("a server's own error arrives with its code, its words and its data, in both eras", async () => {
  for (const code of SAME)
    for (const era of ['modern', 'legacy']) {
      error = { code, message: `the server says ${code}`, data: { more: code } }
      const answer = await said(era)
      assert.deepEqual([answer.status, answer.json.error], [200, error], `${era} ${code}`)
    }
})

test('codes that speak of the hop between gate and server never reach a client as its own', async () => {
  for (const code of [-32020, -32022, -32043, -32099])
    for (const era of ['modern', 'legacy']) {
      error = { code, message: 'between us' }
      assert.equal((await said(era)).json.error.code, -32603, `${era} ${code}`)
    }
  for (error of [{ message: 'no code' }, { code: 'seven', message: 'a word' }, { code: 1.5, message: 'half' }])
    assert.equal((await said('modern')).json.error?.code, -32603, JSON.stringify(error))
})

test('-32021: that the client lacks a capability is told to a modern one with 400, and to no legacy one', async () => {
  error = { code: -32021, message: 'this needs sampling', data }
  const modern = await said('modern')
  assert.deepEqual([modern.status, modern.json.error], [400, error])
  assert.equal((await said('legacy')).json.error.code, -32603)
})

test('-32042: that a URL must be opened first is told to a legacy client that can, and to nobody else', async () => {
  error = { code: -32042, message: 'open it first', data: { elicitations: [{ mode: 'url', elicitationId: 'e', url: 'https://example.com', message: 'm' }] } }
  assert.deepEqual((await post(failing, await url())).json.error, error)
  assert.equal((await said('legacy')).json.error.code, -32603)
  assert.equal((await said('modern', CAN)).json.error.code, -32603)
})

test('-32002 and -32602: that a resource is not there is said in the code of the client\'s era', async () => {
  for (const code of [-32002, -32602]) {
    error = { code, message: 'no such resource', data: { uri: 'raw://r' } }
    const modern = await gate.modern(token, 'resources/read', { uri: 'raw://r' }, { headers: { 'mcp-name': 'raw://r' } })
    assert.deepEqual([modern.status, modern.json.error.code, modern.json.error.data.uri], [200, -32602, 'raw://r'])
    assert.deepEqual((await legacy('resources/read', { uri: 'raw://r' })).json.error.code, -32002)
  }
})

test('a refusal carries the id of its request, and none when that could not be read', async () => {
  for (const id of ['abc', 7, -1, 0, ''])
    assert.equal((await post({ jsonrpc: '2.0', id, method: 'no/such' })).json.id, id)
  for (const body of ['{"id":7', '[]', '{"jsonrpc":"2.0","id":{},"method":"ping"}', '{"jsonrpc":"2.0","id":1.5,"method":"ping"}'])
    assert.ok(!('id' in (await post(body)).json), body)
})

test('one message in each POST: a batch of any kind makes no call', async () => {
  const before = raw.seen.length
  const one = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'raw__ok', arguments: {} } }
  for (const batch of [[], [one], [one, one], [{ jsonrpc: '2.0', method: 'notifications/initialized' }]])
    for (const headers of [{}, { 'mcp-protocol-version': '2025-03-26' }, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'tools/call', 'mcp-name': 'raw__ok' }]) {
      const answer = await post(batch, { headers })
      assert.deepEqual([answer.status, answer.json.error.code], [400, -32600])
    }
  assert.equal(raw.seen.slice(before).filter((s) => s.message?.method === 'tools/call').length, 0)
})

test('other verbs than POST: 405 with what is taken; GET and DELETE are for those who have a protocol session', async () => {
  const ask = async (method, more = []) => wire(gate.port, { method, fields: [['Host', `127.0.0.1:${gate.port}`], ['Authorization', `Bearer ${token}`], ...more] })
  for (const method of ['GET', 'DELETE', 'PUT', 'PATCH', 'OPTIONS', 'HEAD']) {
    const { status, head } = await ask(method)
    assert.equal(status, 405, method)
    assert.match(head, /^Allow: POST$/m)
  }
  for (const method of ['GET', 'DELETE']) {
    assert.equal((await ask(method, [['Mcp-Session-Id', 'made-up'], ['Accept', 'text/event-stream']])).status, 404)
    assert.equal((await ask(method, [['Mcp-Session-Id', 'made-up'], ['MCP-Protocol-Version', '2026-07-28']])).status, 405)
  }
})
