// Notifications both ways: streams that clients of both eras hold open, and what servers of both eras say by themselves.
// areas: mcp, connect
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGate, until } from './lib/gate.mjs'
import { changing, startChanging } from './lib/servers.mjs'

let gate, modern, legacy, names = 0
const SERVERS = ['modern', 'legacy', 'pipe', 'oldpipe']
const READ = SERVERS.map((s) => `resources:read:server:${s}`)
const fresh = () => `grown_${++names}`

before(async () => {
  [modern, legacy] = await Promise.all([startChanging('modern'), startChanging('legacy')])
  gate = await startGate({
    workers: 2,
    servers: { modern: { url: modern.url }, legacy: { url: legacy.url }, pipe: changing('modern'), oldpipe: changing('legacy') },
    session: { max_tool_calls: 1000, rate: '100000/minute', max_streams: 3 },
    agents: { max_concurrent_sessions: 100 },
    scopes: [{ when: { agent_type: 'reader' }, add: READ }],
  })
})

after(async () => {
  await gate?.stop()
  await Promise.all([modern?.stop(), legacy?.stop()])
})

// An agent that may use what every server has and what it will have.
const allowed = (...more) => [...SERVERS.flatMap((s) => ['grow', 'touch', 'talk', 'tell'].map((t) => `${s}/${t}`)), ...more]
const tokenOf = async (allow, type = 'reader') => gate.token(await gate.agent({ type, allow }))

async function raw(token, { method = 'GET', id, path = '/mcp', headers = {} } = {}) {
  const abort = new AbortController()
  const res = await fetch(gate.url + path, {
    method, signal: abort.signal, headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream', ...(id ? { 'mcp-session-id': id } : {}), ...headers } })
  const stream = { res, status: res.status, text: '', ended: false, close: () => abort.abort() }
  if (res.headers.get('content-type')?.startsWith('text/event-stream')) {
    stream.over = (async () => {
      try {
        for await (const part of res.body) stream.text += Buffer.from(part)
        stream.ended = true
      } catch {}
    })()
    stream.messages = () => [...stream.text.matchAll(/^data: (.*)$/gm)].map((m) => JSON.parse(m[1]))
  } else stream.text = await res.text()
  return stream
}

async function initialize(token, path = '/mcp') {
  const body = { jsonrpc: '2.0', id: 1, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } } }
  const res = await fetch(gate.url + path, { method: 'POST', headers: gate.headers(token), body: JSON.stringify(body) })
  return { id: res.headers.get('mcp-session-id'), result: (await res.json()).result }
}

async function listen(token, notifications, path = '/mcp', id = 'listen-1') {
  const abort = new AbortController()
  const body = { jsonrpc: '2.0', id, method: 'subscriptions/listen', params: { notifications, _meta: {
    'io.modelcontextprotocol/protocolVersion': '2026-07-28', 'io.modelcontextprotocol/clientCapabilities': {} } } }
  const res = await fetch(gate.url + path, { method: 'POST', signal: abort.signal, body: JSON.stringify(body),
    headers: gate.headers(token, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' }) })
  const stream = { status: res.status, text: '', ended: false, close: () => abort.abort() }
  stream.messages = () => [...stream.text.matchAll(/^data: (.*)$/gm)].map((m) => JSON.parse(m[1]))
  stream.over = (async () => {
    try {
      for await (const part of res.body) stream.text += Buffer.from(part)
      stream.ended = true
    } catch {}
  })()
  await until('something on the stream', () => stream.text)
  return stream
}

// ---- lists that change ----

async function heard(client, schema) {
  let times = 0
  client.setNotificationHandler(schema, () => { times++ })
  return () => times
}

async function legacyListener(token, path) {
  const { ToolListChangedNotificationSchema } = await import('@modelcontextprotocol/sdk/types.js')
  const client = await gate.legacyClient(token, path)
  const times = await heard(client, ToolListChangedNotificationSchema)
  await sleep(300) // the SDK opens its GET stream behind our back
  return { client, times }
}

async function modernListener(token, path) {
  const client = await gate.modernClient(token, path)
  const times = await heard(client, 'notifications/tools/list_changed')
  await client.listen({ toolsListChanged: true })
  return { client, times }
}

for (const [era, listener] of [['2025-11-25', legacyListener], ['2026-07-28', modernListener]])
  for (const server of SERVERS)
    test(`${era}: a tool that ${server} adds is told and then listed`, async () => {
      const name = fresh()
      const { client, times } = await listener(await tokenOf(allowed(`${server}/${name}`)))
      assert.equal(client.getServerCapabilities().tools.listChanged, true)
      await client.callTool({ name: `${server}__grow`, arguments: { name } })
      await until('the change to be told', () => times() > 0, 5000)
      assert.ok((await client.listTools()).tools.some((t) => t.name === `${server}__${name}`))
      await client.close()
    })

for (const [server, poke] of [['modern', (n) => modern.poke('grow', n)], ['legacy', (n) => legacy.poke('grow', n)]])
  test(`${server}: a change that no call made is noticed, too`, async () => {
    const name = fresh()
    const { client, times } = await modernListener(await tokenOf(allowed(`${server}/${name}`)), `/mcp/${server}`)
    await poke(name)
    await until('the change to be told', () => times() > 0, 5000)
    assert.ok((await client.listTools()).tools.some((t) => t.name === name))
    await client.close()
  })

test('a legacy server over stdio has a process for each kind of client: the one that changed is asked', async () => {
  const name = fresh()
  const token = await tokenOf(allowed(`oldpipe/${name}`))
  const plain = await gate.legacyClient(token, '/mcp/oldpipe')
  await plain.callTool({ name: 'talk', arguments: {} })
  const asked = await gate.legacyClient(token, '/mcp/oldpipe', { elicitation: {} })
  await asked.callTool({ name: 'talk', arguments: {} }) // in the newer process
  await plain.callTool({ name: 'grow', arguments: { name } })
  await until('the new tool to be listed', async () => (await plain.listTools()).tools.some((t) => t.name === name))
  await Promise.all([plain.close(), asked.close()])
})

test('a session that may not see the change hears nothing', async () => {
  const name = fresh()
  const token = await tokenOf(allowed(`modern/${name}`)), stranger = await tokenOf(allowed())
  const { id } = await initialize(stranger)
  const [sees, blind, other, old] = [await listen(token, { toolsListChanged: true }), await listen(stranger, { toolsListChanged: true }),
                                     await listen(token, { toolsListChanged: true }, '/mcp/legacy'), await raw(stranger, { id })]
  await modern.poke('grow', name)
  await until('the one that sees it to be told', () => sees.messages().length > 1, 5000)
  await sleep(300)
  assert.equal(blind.messages().length, 1) // the acknowledgement
  assert.equal(other.messages().length, 1)
  assert.deepEqual(old.messages(), [])
  for (const s of [sees, blind, other, old]) s.close()
})

// ---- the streams themselves ----

test('subscriptions/listen is acknowledged first, and each message names its subscription', async () => {
  const name = fresh()
  const stream = await listen(await tokenOf(allowed(`modern/${name}`)), { toolsListChanged: true, promptsListChanged: false }, '/mcp', 7)
  await modern.poke('grow', name)
  const [first, second] = await until('two messages', () => stream.messages().length === 2 && stream.messages(), 5000)
  assert.equal(first.method, 'notifications/subscriptions/acknowledged')
  assert.deepEqual(first.params.notifications, { toolsListChanged: true })
  assert.equal(second.method, 'notifications/tools/list_changed')
  for (const m of [first, second]) assert.equal(m.params._meta['io.modelcontextprotocol/subscriptionId'], 7)
  stream.close()
})

test('what was not asked for is not sent', async () => {
  const name = fresh()
  const token = await tokenOf(allowed(`modern/${name}`))
  const prompts = await listen(token, { promptsListChanged: true }), tools = await listen(token, { toolsListChanged: true })
  await modern.poke('grow', name)
  await until('tools to be told', () => tools.messages().length > 1, 5000)
  assert.deepEqual(prompts.messages().map((m) => m.method), ['notifications/subscriptions/acknowledged'])
  prompts.close()
  tools.close()
})

test('a filter that is none is refused', async () => {
  const token = await tokenOf(allowed())
  for (const params of [{}, { notifications: [] }, { notifications: { toolsListChanged: 'yes' } }]) {
    const { json } = await gate.modern(token, 'subscriptions/listen', params)
    assert.equal(json.error.code, -32602)
  }
})

test('a GET needs a protocol session of its own credential', async () => {
  const token = await tokenOf(allowed()), { id } = await initialize(token)
  assert.equal((await raw(token)).status, 405)
  assert.equal((await raw(await tokenOf(allowed()), { id })).status, 404)
  assert.equal((await raw(token, { id, headers: { accept: 'application/json' } })).status, 406)
  assert.equal((await raw(token, { id, headers: { 'mcp-protocol-version': '2026-07-28' } })).status, 405)
})

test('a second GET takes over: the first ends, the second is told', async () => {
  const name = fresh()
  const token = await tokenOf(allowed(`modern/${name}`)), { id } = await initialize(token)
  const first = await raw(token, { id }), second = await raw(token, { id })
  await until('the first to end', () => first.ended, 5000)
  await modern.poke('grow', name)
  await until('the second to be told', () => second.messages().length === 1, 5000)
  assert.deepEqual(first.messages(), [])
  second.close()
})

test('DELETE ends the protocol session and its stream; its id is unknown afterwards', async () => {
  const token = await tokenOf(allowed()), { id } = await initialize(token), other = await initialize(token)
  const stream = await raw(token, { id })
  assert.equal((await raw(token, { method: 'DELETE', id })).status, 204)
  await until('the stream to end', () => stream.ended, 5000)
  const ping = (id) => fetch(`${gate.url}/mcp`, { method: 'POST', headers: gate.headers(token, { 'mcp-session-id': id }),
                                                  body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' }) })
  assert.equal((await ping(id)).status, 404)
  assert.equal((await raw(token, { id })).status, 404)
  assert.equal((await raw(token, { method: 'DELETE', id })).status, 404)
  assert.equal((await ping(other.id)).status, 200)
})

test('the SDK\'s own goodbye is understood', async () => {
  const client = await gate.legacyClient(await tokenOf(allowed()))
  await client.transport.terminateSession()
  await client.close()
})

test('an ended session closes its streams, the modern one with a result', async () => {
  const session = gate.open(await gate.agent({ allow: allowed() }))
  const { id } = await initialize(session.access_token)
  const old = await raw(session.access_token, { id }), stream = await listen(session.access_token, { toolsListChanged: true })
  gate.cli(['session', 'end', session.sessionId, '-c', gate.file])
  await until('both to end', () => old.ended && stream.ended, 5000)
  const last = stream.messages().at(-1)
  assert.equal(last.id, 'listen-1')
  assert.equal(last.result.resultType, 'complete')
  assert.equal(last.result._meta['io.modelcontextprotocol/subscriptionId'], 'listen-1')
})

test('one session has so many streams and no more', async () => {
  const token = await tokenOf(allowed())
  const open = []
  let refused
  for (let i = 0; i < 7 && !refused; i++) { // the bound is each worker's, and there are two
    const { status, text, json } = await Promise.race([gate.modern(token, 'subscriptions/listen', { notifications: {} }), sleep(250, {})])
    if (status === 429) refused = json
    else open.push(text)
  }
  assert.equal(refused?.error.data.code, 'too_many_streams')
  assert.ok(open.length >= 3)
})

test('a gate that stops ends streams at once', async () => {
  const other = await startGate({ servers: { modern: { url: modern.url } } })
  const token = other.token(await other.agent({ allow: ['modern/grow'] }))
  const client = await other.modernClient(token)
  const subscription = await client.listen({ toolsListChanged: true })
  const begun = Date.now()
  await other.stop()
  assert.equal(await subscription.closed, 'graceful')
  assert.ok(Date.now() - begun < 5000)
})

// ---- resources that change ----

const poke = { modern: (uri) => modern.poke('touch', uri), legacy: (uri) => legacy.poke('touch', uri) }

for (const server of SERVERS) {
  const path = `/mcp/${server}`
  const touch = async (client, uri) => poke[server] ? poke[server](uri) : client.callTool({ name: 'touch', arguments: { uri } })
  // What is said before the server has heard of the subscription is said to nobody: it is said until somebody hears it.
  const touchUntil = (client, uri, what) => until(`an update of ${uri}`, async () => {
    await touch(client, uri)
    await sleep(100)
    return what()
  }, 8000)

  test(`2025-11-25: a resource of ${server} that was subscribed to is told, until it is not`, async () => {
    const { ResourceUpdatedNotificationSchema } = await import('@modelcontextprotocol/sdk/types.js')
    const client = await gate.legacyClient(await tokenOf(allowed()), path)
    assert.equal(client.getServerCapabilities().resources.subscribe, true)
    const uris = []
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, (n) => { uris.push(n.params.uri) })
    await sleep(300)
    await client.subscribeResource({ uri: 'change://one' })
    await touchUntil(client, 'change://one', () => uris.length)
    await touch(client, 'change://two')
    await client.unsubscribeResource({ uri: 'change://one' })
    await sleep(200)
    const before = uris.length
    await touch(client, 'change://one')
    await sleep(200)
    assert.equal(uris.length, before)
    assert.ok(uris.every((u) => u === 'change://one'))
    await client.close()
  })

  test(`2026-07-28: a resource of ${server} that a stream names is told on it`, async () => {
    const token = await tokenOf(allowed())
    const client = await gate.modernClient(token, path)
    const stream = await listen(token, { resourceSubscriptions: ['change://one'] }, path)
    assert.deepEqual(stream.messages()[0].params.notifications, { resourceSubscriptions: ['change://one'] })
    await touchUntil(client, 'change://one', () => stream.messages().length > 1)
    const told = stream.messages()[1]
    assert.equal(told.method, 'notifications/resources/updated')
    assert.equal(told.params.uri, 'change://one')
    assert.equal(told.params._meta['io.modelcontextprotocol/subscriptionId'], 'listen-1')
    stream.close()
    await client.close()
  })
}

test('what one client subscribed to is told to nobody else', async () => {
  const [mine, theirs] = await Promise.all(['change://one', 'change://two'].map(async (uri) =>
    await listen(await tokenOf(allowed()), { resourceSubscriptions: [uri] }, '/mcp/legacy')))
  const token = await tokenOf(allowed()), { id } = await initialize(token, '/mcp/legacy')
  const silent = await raw(token, { id, path: '/mcp/legacy' })
  await until('mine to be told', async () => {
    await legacy.poke('touch', 'change://one')
    await sleep(100)
    return mine.messages().length > 1
  }, 8000)
  assert.equal(theirs.messages().length, 1)
  assert.deepEqual(silent.messages(), [])
  for (const s of [mine, theirs, silent]) s.close()
})

test('of the resources that a stream names, those of no server are not acknowledged', async () => {
  const stream = await listen(await tokenOf(allowed()), { resourceSubscriptions: ['change://two', 'nowhere://x'] })
  assert.deepEqual(stream.messages()[0].params.notifications, { resourceSubscriptions: ['change://two'] })
  stream.close()
})

test('a subscription needs the scope of reading, and is on record either way', async () => {
  const agent = await gate.agent({ type: 'stranger', allow: ['modern/grow'] })
  const session = gate.open(agent), token = session.access_token
  const client = await gate.legacyClient(token, '/mcp/modern')
  assert.equal(client.getServerCapabilities().resources, undefined)
  await assert.rejects(client.subscribeResource({ uri: 'change://one' }), /resources:read:server:modern/)
  const stream = await listen(token, { resourceSubscriptions: ['change://one'] }, '/mcp/modern')
  assert.deepEqual(stream.messages()[0].params.notifications, {})
  const denied = await gate.recorded('the refusal', (e) => e.sessionId === session.sessionId && e.event === 'REQUEST_DENIED')
  assert.equal(denied.toolName, 'modern/change://one')
  stream.close()
  await client.close()
  const reader = gate.open(await gate.agent({ type: 'reader', allow: [] }))
  const other = await gate.legacyClient(reader.access_token, '/mcp/legacy')
  await other.subscribeResource({ uri: 'change://two' })
  await other.close()
  const allowedOne = await gate.recorded('the subscription', (e) => e.sessionId === reader.sessionId && e.event === 'RESOURCE_SUBSCRIBED')
  assert.equal(allowedOne.toolName, 'legacy/change://two')
})

// ---- logs ----

for (const server of SERVERS) {
  test(`2025-11-25: what ${server} writes to its log is told from the level on that was set`, async () => {
    const { LoggingMessageNotificationSchema } = await import('@modelcontextprotocol/sdk/types.js')
    const client = await gate.legacyClient(await tokenOf(allowed()), '/mcp')
    assert.ok(client.getServerCapabilities().logging)
    const lines = []
    client.setNotificationHandler(LoggingMessageNotificationSchema, (n) => { lines.push(n.params) })
    await sleep(300)
    await client.setLoggingLevel('info')
    await client.callTool({ name: `${server}__talk`, arguments: {} })
    await until('two lines', () => lines.length >= 2, 5000)
    assert.deepEqual(lines.map((l) => l.level), ['info', 'error'])
    assert.deepEqual(lines[0], { level: 'info', logger: 'talk', data: 'a line of level info' })
    await client.setLoggingLevel('error')
    await client.callTool({ name: `${server}__talk`, arguments: {} })
    await until('one more', () => lines.length >= 3, 5000)
    await sleep(100)
    assert.deepEqual(lines.map((l) => l.level), ['info', 'error', 'error'])
    await client.close()
  })

  test(`2026-07-28: ${server} writes to the stream of the call that asked for it`, async () => {
    const token = await tokenOf(allowed())
    const silent = await gate.call(token, `${server}__tell`, {})
    assert.equal(silent.json.result.content[0].text, 'told')
    const { text } = await gate.call(token, `${server}__tell`, {}, { meta: { 'io.modelcontextprotocol/logLevel': 'error' } })
    const messages = [...text.matchAll(/^data: (.*)$/gm)].map((m) => JSON.parse(m[1]))
    assert.deepEqual(messages.map((m) => m.params?.level ?? m.result.content[0].text), ['error', 'told'])
  })
}

test('a level that is none is refused, in both eras', async () => {
  const token = await tokenOf(allowed())
  const wrong = await gate.call(token, 'modern__talk', {}, { meta: { 'io.modelcontextprotocol/logLevel': 'loud' } })
  assert.equal(wrong.json.error.code, -32602)
  const client = await gate.legacyClient(token)
  await assert.rejects(client.request({ method: 'logging/setLevel', params: { level: 'loud' } }, (await import('zod')).z.any()), /params.level must be/)
  await client.close()
})
