// A legacy client that loses its connection comes back for the rest of its stream: a call's, and its session's own.
// areas: mcp
import assert from 'node:assert/strict'
import { connect, createServer } from 'node:net'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ElicitRequestSchema, ToolListChangedNotificationSchema } from '@modelcontextprotocol/sdk/types.js'
import { startGate, until } from './lib/gate.mjs'
import { json, modernBasics, startAsking, startChanging, startRaw } from './lib/servers.mjs'

let gate, narrow, proxy, server, changing, asking, token, agent
const held = new Map() // a call's argument -> what its server can still do

// A server whose calls do what the test says, when it says so.
function hold(message, req, res) {
  if (message.method !== 'tools/call') return json(res, modernBasics(['held'], message))
  const say = (m) => res.write(`data: ${JSON.stringify({ jsonrpc: '2.0', ...m })}\n\n`)
  const progressToken = message.params._meta?.progressToken
  res.writeHead(200, { 'content-type': 'text/event-stream' })
  res.flushHeaders()
  held.set(message.params.arguments.name, {
    step: (progress, words = `step ${progress}`) => say({ method: 'notifications/progress', params: { progressToken, progress, message: words } }),
    finish: (text) => {
      say({ id: message.id, result: { resultType: 'complete', content: [{ type: 'text', text }] } })
      res.end()
    },
  })
}

// Between a client and the gate: `cut` breaks every connection, as a network does.
async function startProxy() {
  const open = new Set()
  const listener = createServer((near) => {
    const far = connect(self.target, '127.0.0.1')
    for (const [one, other] of [[near, far], [far, near]]) {
      open.add(one)
      one.on('error', () => {})
      one.on('close', () => { open.delete(one); other.destroy() })
      one.pipe(other)
    }
  })
  await new Promise((done) => listener.listen(0, '127.0.0.1', done))
  const self = { port: listener.address().port, cut: () => { for (const s of open) s.destroy() }, close: () => { listener.close(); self.cut() } }
  return self
}

before(async () => {
  [server, proxy, changing, asking] = await Promise.all([startRaw(hold), startProxy(), startChanging('modern'), startAsking('legacy')])
  gate = await startGate({
    workers: 2, servers: { raw: { url: server.url }, changing: { url: changing.url }, asking: { url: asking.url } },
    session: { max_tool_calls: 1000, rate: '100000/minute' }, agents: { max_concurrent_sessions: 100 } })
  proxy.target = gate.port
  gate.write({ allowed_hosts: [gate, proxy].map(({ port }) => `127.0.0.1:${port}`) })
  gate.daemon.kill('SIGHUP')
  await until('the proxy to be let through', async () => (await fetch(`http://127.0.0.1:${proxy.port}/mcp`)).status !== 403)
  agent = await gate.agent({ allow: ['raw/held', 'asking/ask', 'changing/grow', 'changing/grown_1'] })
  token = gate.token(agent)
})

after(async () => {
  proxy?.close()
  await Promise.all([gate?.stop(), narrow?.stop(), server?.stop(), changing?.stop(), asking?.stop()])
})

// ---- the SDK's client, which comes back by itself ----

let names = 0
async function throughProxy(t, capabilities = {}) {
  const client = await gate.legacyClient.call({ url: `http://127.0.0.1:${proxy.port}` }, token, '/mcp', capabilities)
  t.after(() => client.close())
  return client
}

function sdkCall(client) {
  const name = `call-${++names}`, steps = []
  const result = client.callTool({ name: 'raw__held', arguments: { name } }, undefined, { onprogress: (p) => steps.push(p.progress) })
  return { name, steps, result, at: () => until('the call to reach its server', () => held.get(name)) }
}

test('a call is answered across a cut connection, and each step is told once', async (t) => {
  const client = await throughProxy(t)
  const call = sdkCall(client), at = await call.at()
  at.step(1)
  await until('the first step', () => call.steps.length === 1)
  proxy.cut()
  at.step(2)
  await until('the client to be back', () => call.steps.length === 2)
  at.step(3)
  at.finish('all of it')
  assert.equal((await call.result).content[0].text, 'all of it')
  assert.deepEqual(call.steps, [1, 2, 3])
})

test('a call that is over before its client is back is answered all the same', async (t) => {
  const client = await throughProxy(t)
  const calls = [sdkCall(client), sdkCall(client)]
  for (const call of calls) (await call.at()).step(1)
  await until('both to be streams', () => calls.every((c) => c.steps.length === 1))
  proxy.cut()
  for (const call of calls) {
    held.get(call.name).step(2)
    held.get(call.name).finish(call.name)
  }
  for (const call of calls) {
    assert.equal((await call.result).content[0].text, call.name)
    assert.deepEqual(call.steps, [1, 2])
  }
})

test('a connection that is cut again and again loses nothing', async (t) => {
  const client = await throughProxy(t)
  const call = sdkCall(client), at = await call.at()
  for (let step = 1; step <= 3; step++) {
    at.step(step)
    await until(`step ${step}`, () => call.steps.length === step)
    proxy.cut()
  }
  at.finish('done')
  assert.equal((await call.result).content[0].text, 'done')
  assert.deepEqual(call.steps, [1, 2, 3])
})

test('what a session was told while its client was away, it is told when it is back', async (t) => {
  const client = await throughProxy(t)
  let told = 0
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => { told++ })
  await sleep(300) // the SDK opens its GET stream behind our back
  proxy.cut()
  await changing.poke('grow', 'grown_1')
  await until('the tool to be there', async () => (await gate.modern(token, 'tools/list')).text.includes('changing__grown_1'))
  await until('the change to be told', () => told === 1)
  assert.ok((await client.listTools()).tools.some((x) => x.name === 'changing__grown_1'))
})

test('a question that was put while the client was away is answered when it is back', async (t) => {
  const client = await throughProxy(t, { elicitation: { form: {} } })
  client.setRequestHandler(ElicitRequestSchema, async () => {
    await sleep(50)
    return { action: 'accept', content: { name: 'Ada' } }
  })
  let steps = 0
  const result = client.callTool({ name: 'asking__ask', arguments: { what: ['form'], rounds: 3, progress: true } }, undefined,
    { onprogress: () => { if (!steps++) proxy.cut() } })
  assert.deepEqual(JSON.parse((await result).content[0].text).form, { action: 'accept', content: { name: 'Ada' } })
})

// ---- by hand ----

async function session(of = token, at = gate) {
  const body = { jsonrpc: '2.0', id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 't', version: '1' } } }
  const res = await fetch(`${at.url}/mcp`, { method: 'POST', headers: at.headers(of), body: JSON.stringify(body) })
  return { of, at, id: res.headers.get('mcp-session-id') }
}

async function request({ of, at, id }, { method = 'GET', last, body, version = '2025-11-25', accept = 'application/json, text/event-stream' }) {
  const abort = new AbortController()
  const res = await fetch(`${at.url}/mcp`, { method, signal: abort.signal, body: body && JSON.stringify({ jsonrpc: '2.0', ...body }),
    headers: at.headers(of, { accept, 'mcp-session-id': id, 'mcp-protocol-version': version, ...(last ? { 'last-event-id': last } : {}) }) })
  const stream = { status: res.status, type: res.headers.get('content-type'), text: '', ended: false, close: () => abort.abort() }
  stream.over = (async () => {
    try {
      for await (const part of res.body ?? []) stream.text += Buffer.from(part)
      stream.ended = true
    } catch {}
  })()
  const field = (block, name) => block.match(new RegExp(`^${name}: ?(.*)$`, 'm'))?.[1]
  stream.events = () => stream.text.split('\n\n').slice(0, -1).filter((b) => field(b, 'id')).map((b) => (
    { id: field(b, 'id'), message: field(b, 'data') ? JSON.parse(field(b, 'data')) : undefined }))
  stream.told = () => stream.events().filter((e) => e.message).map(({ message: m }) => m.params?.progress ?? m.result?.content[0].text ?? m.error)
  return stream
}

async function begin(s, { progressToken = 'p', ...more } = {}) {
  const name = `call-${++names}`
  const body = { id: 1, method: 'tools/call', params: { name: 'raw__held', arguments: { name }, _meta: { progressToken } } }
  const stream = request(s, { method: 'POST', body, ...more })
  return { stream, at: await until('the call to reach its server', () => held.get(name)) }
}

async function wholeCall(s, more) {
  const { stream, at } = await begin(s, more)
  for (const step of [1, 2]) at.step(step)
  at.finish('done')
  const whole = await stream
  await whole.over
  return whole
}

const refused = async (s, last) => {
  const answer = await request(s, { last })
  await answer.over
  return [answer.status, answer]
}

test('a stream begins with an id, no data, and the time to come back; every id is another', async () => {
  const whole = await wholeCall(await session())
  assert.match(whole.text, /^id: \S+\nretry: 1000\ndata: ?\n\n/)
  const ids = whole.events().map((e) => e.id)
  assert.equal(new Set(ids).size, 4)
  assert.deepEqual(whole.told(), [1, 2, 'done'])
})

test('a client of an earlier revision is sent no event without data, and can come back', async () => {
  const s = await session(), whole = await wholeCall(s, { version: '2025-06-18' })
  assert.match(whole.text, /^retry: 1000\n\nid: /)
  const rest = await request(s, { last: whole.events()[0].id, version: '2025-06-18' })
  await rest.over
  assert.deepEqual(rest.told(), [2, 'done'])
})

test('whatever event it had last, a client gets what came after it, in order, and then the end', async () => {
  const s = await session(), whole = await wholeCall(s)
  for (const [i, event] of whole.events().slice(0, -1).entries()) {
    const rest = await request(s, { last: event.id })
    await rest.over
    assert.equal(rest.ended, true)
    assert.deepEqual(rest.told(), [1, 2, 'done'].slice(i))
    const again = await request(s, { last: rest.events()[0].id }) // lost before it told anything
    await again.over
    assert.deepEqual(again.told(), rest.told())
  }
  assert.equal((await refused(s, whole.events().at(-1).id))[0], 204) // it has everything
})

test('a stream is its own client\'s: another session\'s event is no event', async () => {
  const own = await session(), { id } = (await wholeCall(own)).events()[0]
  for (const stranger of [await session(), await session(gate.token(agent))]) {
    const [status, { text }] = await refused(stranger, id)
    assert.equal(status, 400)
    assert.equal(JSON.parse(text).error.data.code, 'event_not_kept')
  }
  for (const made of ['x', '1', `${id}9`, id.replace(/^./, (c) => (c === '0' ? '1' : '0')), id.replace(/-.*/, '-99'), id.replace(/-.*/, '')])
    assert.equal((await refused(own, made))[0], 400, made)
  assert.equal((await refused({ ...await session(gate.token(agent)), id: own.id }, id))[0], 404)
})

test('streams of one session are told apart', async () => {
  const s = await session(), [one, other] = [await begin(s), await begin(s)]
  one.at.step(1)
  other.at.step(11)
  const [first, second] = await Promise.all([one.stream, other.stream])
  await until('a step of each', () => first.told().length && second.told().length)
  first.close()
  second.close()
  one.at.step(2)
  other.at.step(12)
  const back = await request(s, { last: first.events().at(-1).id })
  one.at.finish('one')
  other.at.finish('other')
  await back.over
  assert.deepEqual(back.told(), [2, 'one'])
})

test('the newest connection shows the stream, at whichever worker; the one before ends', async () => {
  const s = await session(), { stream, at } = await begin(s)
  at.step(1)
  let shown = await stream
  await until('the first step', () => shown.told().length === 1)
  for (let step = 2; step <= 8; step++) { // each on a connection of its own: some at the other worker
    const next = await request(s, { last: shown.events().at(-1).id })
    if (step > 2) await until('the one before to end', () => shown.ended)
    at.step(step)
    await until(`step ${step}`, () => next.told().length === 1)
    assert.deepEqual(next.told(), [step])
    shown = next
  }
  at.finish('done')
  await shown.over
  assert.deepEqual(shown.told(), [8, 'done'])
})

test('a call that takes long becomes a stream without being asked to; a quick one, and one for JSON, do not', async () => {
  const s = await session(), quick = await begin(s, { progressToken: undefined })
  quick.at.finish('quick')
  assert.match((await quick.stream).type, /json/)
  const slow = await begin(s, { progressToken: undefined }), json = await begin(s, { progressToken: undefined, accept: 'application/json' })
  const stream = await slow.stream // its head comes before its answer
  assert.match(stream.type, /event-stream/)
  await until('its beginning', () => stream.events().length === 1)
  stream.close()
  for (const { at } of [slow, json]) at.finish('slow')
  assert.match((await json.stream).type, /json/)
  const back = await request(s, { last: stream.events()[0].id })
  await back.over
  assert.deepEqual(back.told(), ['slow'])
})

test('a session that is over keeps nothing', async () => {
  const s = await session(), { id } = (await wholeCall(s)).events()[0]
  assert.equal((await request(s, { method: 'DELETE' })).status, 204)
  assert.equal((await refused(s, id))[0], 404)
})

// ---- bounds ----

async function startNarrow() {
  const own = await startGate({ workers: 2, servers: { raw: { url: server.url } }, session: { replay_bytes: '4KiB', max_streams: 1 }, limits: { replay_time: '700ms' } })
  return { at: own, of: own.token(await own.agent({ allow: ['raw/held'] })) }
}

test('what is not kept is said: messages, answers, streams that nobody came back for', async (t) => {
  const { at: own, of } = await startNarrow()
  narrow = own
  const s = await session(of, own)

  await t.test('messages that had to go are counted', async () => {
    const { stream, at } = await begin(s)
    at.step(1)
    const lost = await stream
    await until('the first step', () => lost.told().length === 1)
    lost.close()
    for (let step = 2; step <= 20; step++) at.step(step, 'x'.repeat(500))
    at.finish('done')
    await own.recorded('the end of the call', (e) => e.event === 'TOOL_RESULT')
    const back = await request(s, { last: lost.events().at(-1).id })
    await back.over
    const [, missed] = back.text.match(/^: (\d+) messages before this are not kept any more$/m)
    assert.equal(back.told().at(-1), 'done')
    assert.equal(back.told()[0], 2 + Number(missed))
    assert.ok(back.told().length < 20)
    assert.match(own.log, /replay_dropped/)
  })

  await t.test('an answer that is too large is an error that says so', async () => {
    const { stream, at } = await begin(s)
    at.step(1)
    at.finish('x'.repeat(10000))
    const whole = await stream
    await whole.over
    assert.equal(whole.told().at(-1).length, 10000) // who was there got it
    const back = await request(s, { last: whole.events()[0].id })
    await back.over
    assert.match(back.told().at(-1).message, /session.replay_bytes/)
  })

  await t.test('after limits.replay_time the stream is gone, and the call went on', async () => {
    const { stream, at } = await begin(s)
    at.step(1)
    const lost = await stream
    await until('the first step', () => lost.told().length === 1)
    const outcomes = () => own.audit().filter((e) => e.event === 'TOOL_RESULT')
    const before = outcomes().length
    lost.close()
    await until('the stream to be forgotten', async () => (await sleep(1500), (await refused(s, lost.events()[0].id))[0] === 400))
    at.finish('heard by nobody')
    await until('its outcome', () => outcomes().length === before + 1)
    assert.equal(outcomes().at(-1).result, 'success')
  })

  await t.test('a client that is away gives its place to one that is here', async () => {
    for (let i = 0; i < 6; i++) { // more than session.max_streams at each worker
      const stream = await request(await session(of, own), {})
      assert.equal(stream.status, 200)
      await until('its beginning', () => stream.events().length === 1)
      stream.close()
      await sleep(50) // the gate hears of it
    }
  })
})
