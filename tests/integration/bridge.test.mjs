// doorward bridge: a client that only starts programs is connected, and stays connected.
// areas: cli, mcp
import assert from 'node:assert/strict'
import { execFile, spawn, spawnSync } from 'node:child_process'
import { chmodSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { ElicitRequestSchema, LoggingMessageNotificationSchema, ResourceUpdatedNotificationSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { DESK, DOORWARD, freePort, startGate, TOP, until } from './lib/gate.mjs'
import { changing, json, startAsking, startRaw, startServer } from './lib/servers.mjs'

const ELICITS = { elicitation: { form: {} } }
const REGION = { name: 'there', description: 'Where', inputSchema: { type: 'object', properties: { region: { type: 'string', 'x-mcp-header': 'Region' } } } }
const TOOLS = ['desk/search_faq', 'modern/echo', 'modern/slow', 'legacy/slow', 'asking/ask', 'region/there', 'growing/grow']
let gate, agent, modern, legacy, region, asker
const running = new Set()
const gates = new Set(), clients = new Set() // ended with the file, also when a test fails: nothing keeps it from ending

async function startOwn(config) {
  const started = await startGate(config)
  gates.add(started)
  return started
}

before(async () => {
  ;[modern, legacy, asker] = await Promise.all([startServer('modern_server.mjs'), startServer('legacy_server.mjs'), startAsking('legacy')])
  region = await startRaw((m, req, res) => json(res, { jsonrpc: '2.0', id: m.id, result: { resultType: 'complete', ...({
    'server/discover': { supportedVersions: ['2026-07-28'], capabilities: { tools: {} }, serverInfo: { name: 'region', version: '1' }, ttlMs: 0, cacheScope: 'private' },
    'tools/list': { tools: [REGION], ttlMs: 0, cacheScope: 'private' },
    'tools/call': { content: [{ type: 'text', text: String(req.headers['mcp-param-region']) }] } })[m.method] } }))
  gate = await startOwn(CONFIG())
  agent = await gate.agent({ allow: TOOLS, more: ['--max-sessions', '50'] })
})
after(async () => {
  for (const child of running) child.kill('SIGKILL')
  await Promise.all([...clients].map((c) => c.close().catch(() => {})))
  await Promise.all([...gates].map((g) => g.stop()))
  await Promise.all([modern, legacy, region, asker].map((s) => s?.stop()))
})

const CONFIG = () => ({
  workers: 2, audit: { queue: '64MiB' }, session: { max_tool_calls: 1000, rate: '10000/minute' },
  servers: { desk: DESK, modern: { url: modern.url }, legacy: { url: legacy.url }, region: { url: region.url }, asking: { url: asker.url },
             growing: changing('modern') },
})

const args = (g, a, more = []) => ['bridge', '--url', g.url, '--agent', a.id, '--key', a.key, ...more]
const sessions = (g, a) => g.json(['session', 'list']).sessions.filter((s) => s.agentId === a.id)
const noSession = (g, a) => until('the session to be given back', () => sessions(g, a).length === 0, 5000)

// What the bridge says on stderr is kept in client.said.
async function connected(Client, Transport, options, { g = gate, a = agent, more, setUp } = {}) {
  const transport = new Transport({ command: DOORWARD, args: args(g, a, more), env: {}, stderr: 'pipe' })
  const client = new Client({ name: 'bridged', version: '1.0.0' }, options)
  client.said = ''
  clients.add(client)
  transport.stderr.on('data', (d) => (client.said += d))
  client.onerror = (e) => (client.trouble = e)
  setUp?.(client)
  await client.connect(transport)
  return client
}
const eras = {
  modern: async (capabilities = {}, more = {}) => {
    const [{ Client }, { StdioClientTransport }] = [await import('@modelcontextprotocol/client'), await import('@modelcontextprotocol/client/stdio')]
    return connected(Client, StdioClientTransport, { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } }, more)
  },
  legacy: async (capabilities = {}, more = {}) => {
    const [{ Client }, { StdioClientTransport }] = [await import('@modelcontextprotocol/sdk/client/index.js'), await import('@modelcontextprotocol/sdk/client/stdio.js')]
    return connected(Client, StdioClientTransport, { capabilities }, more)
  },
}
const call = (era, client, name, argumentsOf, options) => era === 'modern'
  ? client.callTool({ name, arguments: argumentsOf }, options) : client.callTool({ name, arguments: argumentsOf }, undefined, options)
const echo = async (era, client, text) => assert.equal((await call(era, client, 'modern__echo', { text })).content[0].text, text)

for (const era of Object.keys(eras)) {
  test(`${era}: lists and calls, many at once, each answer to its own request; the session is given back at the end`, async () => {
    const client = await eras[era]()
    assert.deepEqual((await client.listTools()).tools.map((t) => t.name).sort(), TOOLS.map((t) => t.replace('/', '__')).sort())
    const texts = Array.from({ length: 40 }, (_, i) => `text ${i} with "quotes", a\nline break and é\u2028`)
    await Promise.all(texts.map((text) => echo(era, client, text)))
    assert.equal(sessions(gate, agent).length, 1)
    await client.close()
    await noSession(gate, agent)
    assert.equal(client.said, '')
  })

  test(`${era}: one server alone, under its tools' own names`, async () => {
    const client = await eras[era]({}, { more: ['--server', 'desk'] })
    assert.deepEqual((await client.listTools()).tools.map((t) => t.name), ['search_faq'])
    await client.close()
  })

  test(`${era}: progress comes step by step, before the answer`, async () => {
    const client = await eras[era]()
    const steps = []
    const result = await call(era, client, 'modern__slow', { steps: 3, ms: 40 }, { onprogress: (p) => steps.push([p.progress, Date.now()]) })
    assert.equal(result.content[0].text, 'done')
    assert.deepEqual(steps.map(([n]) => n).slice(0, 2), [1, 2]) // the old SDK drops one that it reads together with the answer
    assert.ok(steps[1][1] - steps[0][1] >= 20) // as they happened, not all at the end
    await client.close()
  })

  test(`${era}: a call that is cancelled ends at its server; others go on`, async () => {
    const [server, name] = era === 'modern' ? [modern, 'modern__slow'] : [legacy, 'legacy__slow']
    const aborted = async () => (await server.seen()).filter((s) => s === 'aborted').length
    const client = await eras[era](), n = await aborted(), abort = new AbortController()
    let step
    const started = new Promise((done) => (step = done))
    const cut = call(era, client, name, { steps: 200, ms: 50 }, { signal: abort.signal, onprogress: step })
    const other = call(era, client, 'modern__slow', { steps: 6, ms: 50 }, {})
    await started
    abort.abort('changed my mind')
    await assert.rejects(cut)
    await until('its server to be told', async () => await aborted() > n)
    assert.equal((await other).content[0].text, 'done')
    await client.close()
  })

  test(`${era}: a question in the middle of a call reaches the person, and the answer the server`, async () => {
    const asked = []
    const client = await eras[era](ELICITS, { setUp: (c) => c.setRequestHandler(era === 'modern' ? 'elicitation/create' : ElicitRequestSchema, (r) => {
      asked.push(r.params.message)
      return { action: 'accept', content: { name: 'Ada' } }
    }) })
    const told = JSON.parse((await call(era, client, 'asking__ask', { what: ['form'], rounds: 2 })).content[0].text)
    assert.deepEqual(told.form.content, { name: 'Ada' })
    assert.equal(asked.length, 2)
    await client.close()
  })

  test(`${era}: a list that changes is told`, async () => {
    const name = `grown_${era}`
    const a = await gate.agent({ allow: [...TOOLS, `growing/${name}`] })
    let times = 0
    const client = await eras[era]({}, { a, setUp: (c) => c.setNotificationHandler(era === 'modern' ? 'notifications/tools/list_changed' : ToolListChangedNotificationSchema, () => { times++ }) })
    if (era === 'modern') await client.listen({ toolsListChanged: true })
    else await sleep(300) // the bridge opens its GET stream behind our back
    await client.callTool({ name: 'growing__grow', arguments: { name } })
    await until('the change to be told', () => times > 0, 5000)
    assert.ok((await client.listTools()).tools.some((t) => t.name === `growing__${name}`))
    await client.close()
  })
}

test("modern: arguments that a tool wants in headers are mirrored into them once the tools were listed", async () => {
  const client = await raw(gate, agent)
  client.send('tools/list', {}, 1)
  await client.answer(1)
  client.send('tools/call', { name: 'region__there', arguments: { region: 'Zürich' } }, 2)
  assert.equal((await client.answer(2)).result.content[0].text, `=?base64?${Buffer.from('Zürich').toString('base64')}?=`)
  client.end()
  assert.equal((await client.exited).code, 0)
})

test("Inspector's command line lists and calls through the bridge", async () => {
  const bin = join(TOP, 'tests/node_modules/@modelcontextprotocol/inspector/clients/launcher/build/index.js')
  const config = join(gate.dir, 'inspector.json')
  writeFileSync(config, JSON.stringify({ mcpServers: { doorward: { command: DOORWARD, args: args(gate, agent) } } }))
  const inspector = async (...more) => JSON.parse((await promisify(execFile)(process.execPath,
    [bin, '--cli', '--config', config, '--server', 'doorward', ...more], { env: { ...process.env, HOME: gate.dir } })).stdout)
  assert.equal((await inspector('--method', 'tools/list')).tools.length, TOOLS.length)
  const answer = await inspector('--method', 'tools/call', '--tool-name', 'modern__echo', '--tool-arg', 'text=hello')
  assert.equal(answer.content[0].text, 'hello')
  await noSession(gate, agent)
})

// ---- credentials ----

for (const era of Object.keys(eras))
  test(`${era}: sessions of two seconds come and go, the client notices nothing`, async () => {
    const g = await startOwn({ ...CONFIG(), token: { lifetime: '2s' } })
    try {
      const a = await g.agent({ allow: TOOLS })
      let changes = 0, asked = 0
      const client = await eras[era](ELICITS, { g, a, setUp: (c) => {
        c.setNotificationHandler(era === 'modern' ? 'notifications/tools/list_changed' : ToolListChangedNotificationSchema, () => { changes++ })
        c.setRequestHandler(era === 'modern' ? 'elicitation/create' : ElicitRequestSchema, () => {
          asked++
          return { action: 'accept', content: { name: 'Ada' } }
        })
      } })
      if (era === 'modern') await client.listen({ toolsListChanged: true })
      const first = sessions(g, a)[0].sessionId, end = Date.now() + 5000
      for (let i = 0; Date.now() < end; i++) {
        await Promise.all([echo(era, client, `call ${i}`), echo(era, client, `and ${i}`)])
        const open = sessions(g, a)
        assert.ok(open.length <= 2, JSON.stringify(open)) // the old one is given back
        await sleep(20)
      }
      assert.notEqual(sessions(g, a)[0].sessionId, first)
      assert.ok(changes >= 2, 'it is told to look at the lists again')
      const told = await call(era, client, 'asking__ask', { what: ['form'] }) // in a session of its own making
      assert.match(told.content[0].text, /Ada/)
      assert.equal(asked, 1)
      await client.close()
      await noSession(g, a)
      assert.equal(client.said, '')
      assert.equal(client.trouble, undefined)
    } finally {
      await g.stop()
    }
  })

for (const era of Object.keys(eras))
  test(`${era}: an answer to a question of a session that was renewed meanwhile reaches the one that asked`, async () => {
    const g = await startOwn({ ...CONFIG(), token: { lifetime: '8s' } })
    const a = await g.agent({ allow: TOOLS })
    const client = await eras[era](ELICITS, { g, a, setUp: (c) => c.setRequestHandler(era === 'modern' ? 'elicitation/create' : ElicitRequestSchema, async () => {
      await until('the next session', () => sessions(g, a).length === 2)
      return { action: 'accept', content: { name: 'Ada' } }
    }) })
    if (era === 'modern') await client.listen({ toolsListChanged: true }) // what is to be kept awake
    assert.match((await call(era, client, 'asking__ask', { what: ['form'] })).content[0].text, /Ada/)
    await until('the old session to be given back', () => sessions(g, a).length === 1)
    await client.close()
    await g.stop()
  })

test('what a legacy client subscribed to, and the level of its log, hold in the next session', async () => {
  const g = await startOwn({ ...CONFIG(), scopes: [{ when: { agent_type: 'reader' }, add: ['resources:read:server:growing'] }] })
  const a = await g.agent({ type: 'reader', allow: ['growing/touch', 'growing/talk', 'growing/grow'] })
  const updated = [], lines = []
  const client = await eras.legacy({}, { g, a, setUp: (c) => {
    c.setNotificationHandler(ResourceUpdatedNotificationSchema, (n) => { updated.push(n.params.uri) })
    c.setNotificationHandler(LoggingMessageNotificationSchema, (n) => { lines.push(n.params.level) })
  } })
  const [{ uri }] = (await client.listResources()).resources
  await client.subscribeResource({ uri })
  await client.setLoggingLevel('error')
  for (const s of sessions(g, a)) g.cli(['session', 'end', s.sessionId, '-c', g.file])
  await call('legacy', client, 'growing__talk', {})
  await until('the line of the log', () => lines.length)
  assert.deepEqual(lines, ['error'])
  await until('an update', async () => (await call('legacy', client, 'growing__touch', { uri }), await sleep(50), updated.length))
  assert.equal(updated[0], uri)
  await client.close()
  await g.stop()
})

test('an agent that may have one session only is renewed, too', async () => {
  const g = await startOwn({ ...CONFIG(), token: { lifetime: '2s' } })
  const a = await g.agent({ allow: TOOLS, more: ['--max-sessions', '1'] })
  const client = await eras.legacy({}, { g, a })
  for (const end = Date.now() + 4500; Date.now() < end; await sleep(50)) await echo('legacy', client, 'still here')
  await client.close()
  await g.stop()
})

for (const era of Object.keys(eras))
  test(`${era}: a session that an operator ends is replaced with the next call`, async () => {
    const client = await eras[era]()
    await echo(era, client, 'before')
    for (const s of sessions(gate, agent)) gate.cli(['session', 'end', s.sessionId, '-c', gate.file])
    await echo(era, client, 'after')
    await client.close()
    await noSession(gate, agent)
  })

for (const era of Object.keys(eras))
  test(`${era}: a gate that stops and comes back: calls fail with its address meanwhile, then go on`, async () => {
    const g = await startOwn(CONFIG())
    const a = await g.agent({ allow: TOOLS })
    let changes = 0
    const client = await eras[era]({}, { g, a, setUp: (c) =>
      c.setNotificationHandler(era === 'modern' ? 'notifications/tools/list_changed' : ToolListChangedNotificationSchema, () => { changes++ }) })
    if (era === 'modern') await client.listen({ toolsListChanged: true })
    await echo(era, client, 'before')
    g.daemon.kill('SIGTERM')
    await g.exited
    for (let i = 0; i < 2; i++)
      await assert.rejects(echo(era, client, 'meanwhile'), (e) => e.message.includes(`nobody answers at ${g.url}`) && e.data.code === 'unreachable')
    await g.start()
    await echo(era, client, 'after')
    await until('the lists to be looked at again', () => changes > 0, 10000) // by itself, when the stream is open again
    assert.match(client.said, new RegExp(`^doorward: bridge: nobody answers at ${g.url}/mcp .*\n(.*\n)*doorward: bridge: ${g.url}/mcp answers again\n$`))
    await client.close()
    await noSession(g, a)
    await g.stop()
  })

test('a key that is missing, open to others, or public only is told at once', () => {
  const open = join(gate.dir, 'open.jwk'), half = join(gate.dir, 'half.jwk')
  writeFileSync(open, JSON.stringify(gate.privateJwk(agent)))
  chmodSync(open, 0o644)
  const { d, ...publicOnly } = gate.privateJwk(agent)
  writeFileSync(half, JSON.stringify(publicOnly), { mode: 0o600 })
  for (const [key, says] of [['gone.jwk', /gone\.jwk: No such file/], [open, /open\.jwk.*(chmod|others|mode)/], [half, /half\.jwk holds a public key only/]]) {
    const r = gate.cli(['bridge', '--url', gate.url, '--agent', agent.id, '--key', key], { ok: false, input: '' })
    assert.equal(r.status, 1)
    assert.match(r.stderr, says)
    assert.equal(r.stdout, '')
  }
})

test('an agent that the gate does not know: each request is told why, and so is stderr; it goes on', async () => {
  const client = await raw(gate, { id: 'stranger', key: agent.key })
  for (const id of [1, 2]) {
    client.send('tools/list', {}, id)
    assert.equal((await client.answer(id)).error.data.code, 'invalid_client')
  }
  assert.match(client.said(), /^doorward: bridge: .*\n {2}The client assertion proves no registered/)
  client.end()
  assert.equal((await client.exited).code, 0)
})

// ---- the pipe ----

// A client that writes and reads lines itself.
async function raw(g, a, more) {
  const child = spawn(DOORWARD, args(g, a, more))
  running.add(child)
  let out = '', said = ''
  child.stdout.on('data', (d) => (out += d))
  child.stderr.on('data', (d) => (said += d))
  const lines = () => out.split('\n').filter(Boolean).map((l) => JSON.parse(l)) // all of it is JSON
  const exited = new Promise((done) => child.on('exit', (code, signal) => {
    running.delete(child)
    done({ code, signal })
  }))
  return {
    child, lines, exited, said: () => said, end: () => child.stdin.end(), write: (text) => child.stdin.write(text),
    answer: (id) => until(`the answer to ${id}`, () => lines().find((m) => m.id === id && !m.method), 10000),
    send: (method, params, id) => child.stdin.write(JSON.stringify({ jsonrpc: '2.0', id, method, params: { ...params, _meta: {
      'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} } } }) + '\n'),
  }
}

test('what is no message is answered with an error, and what follows is served', async () => {
  const client = await raw(gate, agent)
  client.write('{"jsonrpc":"2.0"\n[]\n\r\n{"jsonrpc":"2.0","id":5,"method":7}\n')
  client.write(`{"jsonrpc":"2.0","id":6,"method":"ping","params":{"x":"${'x'.repeat(17 << 20)}"}}\n`)
  client.send('tools/list', {}, 'a "quoted" id')
  assert.equal((await client.answer('a "quoted" id')).result.tools.length, TOOLS.length)
  const errors = client.lines().filter((m) => m.error).map((m) => [m.id, m.error.code, m.error.data.code])
  assert.deepEqual(errors, [[null, -32700, 'malformed'], [null, -32600, 'invalid_request'], [5, -32600, 'invalid_request'], [null, 413, 'over_bound']])
  client.end()
  await client.exited
})

test('a name that would break out of its header does not', async () => {
  const client = await raw(gate, agent)
  client.send('tools/call', { name: 'a\r\nX-Evil: 1', arguments: {} }, 1)
  client.send('tools/list\r\nX-Evil: 1', {}, 2)
  assert.equal((await client.answer(1)).error.code, -32602) // carried as base64: there is no such tool
  assert.equal((await client.answer(2)).error.code, -32600)
  client.end()
  await client.exited
})

test('requests that were piped in are answered before it ends', () => {
  const r = spawnSync(DOORWARD, args(gate, agent), { encoding: 'utf8', input: '{"jsonrpc":"2.0","id":1,"method":"initialize","params":' +
    '{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"sh","version":"1"}}}' })
  assert.equal(r.stdout, '') // a line without its end is none
  const whole = spawnSync(DOORWARD, args(gate, agent), { encoding: 'utf8', input: '{"jsonrpc":"2.0","id":1,"method":"initialize","params":' +
    '{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"sh","version":"1"}}}\n' })
  assert.equal(JSON.parse(whole.stdout).result.serverInfo.name, 'doorward')
  assert.equal(whole.status, 0)
})

test('SIGTERM in the middle of calls: the session is given back, and it exits 0', async () => {
  const client = await raw(gate, agent)
  client.send('tools/call', { name: 'modern__slow', arguments: { steps: 100, ms: 50 } }, 1)
  await until('the call to be under way', () => sessions(gate, agent)[0]?.calls?.used ?? sessions(gate, agent).length)
  await sleep(200)
  client.child.kill('SIGTERM')
  assert.deepEqual(await client.exited, { code: 0, signal: null })
  await noSession(gate, agent)
})

test('a gate that hangs does not keep it from ending', async () => {
  const port = await freePort()
  const deaf = createServer(() => {}).listen(port, '127.0.0.1')
  const client = await raw({ url: `http://127.0.0.1:${port}` }, agent)
  client.send('tools/list', {}, 1)
  await sleep(200)
  const began = Date.now()
  client.end()
  assert.equal((await client.exited).code, 0)
  assert.ok(Date.now() - began < 6000)
  deaf.closeAllConnections()
  deaf.close()
})

test('a client that does not read for a while loses nothing', async () => {
  const client = await raw(gate, agent)
  client.child.stdout.pause()
  const text = 'x'.repeat(500000), n = 40
  for (let id = 1; id <= n; id++) client.send('tools/call', { name: 'modern__echo', arguments: { text } }, id)
  await sleep(1000)
  client.child.stdout.resume()
  for (let id = 1; id <= n; id++) {
    const { result, error } = await client.answer(id)
    assert.deepEqual(error, undefined)
    assert.equal(result.content[0].text, text)
  }
  client.end()
  await client.exited
})
