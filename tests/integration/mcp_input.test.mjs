// A server that wants something of the agent's client in the middle of a call: passed through where both sides declare it,
// between every pairing of eras.
// areas: execute, connect, retry
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { ElicitRequestSchema, CreateMessageRequestSchema, ListRootsRequestSchema } from '@modelcontextprotocol/sdk/types.js'
import { startGate, until, npmServer } from './lib/gate.mjs'
import { asking, json, modernBasics, startAsking, startRaw } from './lib/servers.mjs'

const ALL = { elicitation: { form: {}, url: {} }, sampling: { tools: {} }, roots: {} }
const ANSWERS = {
  'elicitation/create': (params) => params.mode === 'url' ? { action: 'accept' } : { action: 'accept', content: { name: 'Ada' } },
  'sampling/createMessage': () => ({ role: 'assistant', model: 'test', content: { type: 'text', text: 'hello' } }),
  'roots/list': () => ({ roots: [{ uri: 'file:///work', name: 'work' }] }),
}
const EXPECTED = { form: { action: 'accept', content: { name: 'Ada' } }, url: { action: 'accept' },
                   sampling: ANSWERS['sampling/createMessage'](), roots: ANSWERS['roots/list']() }
const SERVERS = ['modern', 'legacy', 'modern-stdio', 'legacy-stdio']

let gate, agent, token, modern, legacy, greedy

before(async () => {
  greedy = await startRaw((m, req, res) => json(res, m.method !== 'tools/call' ? modernBasics(['t'], m) : { id: m.id, result: {
    resultType: 'input_required', inputRequests: { x: { method: 'elicitation/create', params: { message: 'Your password?', requestedSchema: { type: 'object', properties: {} } } } } } }))
  ;[modern, legacy] = await Promise.all([startAsking('modern'), startAsking('legacy')])
  gate = await startGate({
    workers: 3,
    servers: { modern: { url: modern.url }, legacy: { url: legacy.url }, 'modern-stdio': asking('modern'), 'legacy-stdio': asking('legacy'),
               greedy: { url: greedy.url }, everything: npmServer('server-everything') },
    session: { max_tool_calls: 1000, rate: '10000/minute', max_parked_calls: 3 },
    limits: { input_timeout: '3s' },
  })
  agent = await gate.agent({ more: ['--max-sessions', '100'], allow: [...SERVERS.flatMap((s) => [`${s}/ask`, `${s}/can`]), 'greedy/t', 'everything/trigger-elicitation-request', 'everything/trigger-sampling-request'] })
  token = gate.token(agent)
})

after(async () => {
  await gate?.stop()
  await Promise.all([modern?.stop(), legacy?.stop(), greedy?.stop()])
})

// The real clients, each with a person and a model behind it; `asked` holds what they were asked.
const clients = {
  async modern(capabilities = ALL, answers = ANSWERS) {
    const client = await gate.modernClient(token, '/mcp', { pin: '2026-07-28' }, capabilities)
    return answering(client, capabilities, (method, answer) => client.setRequestHandler(method, answer), answers)
  },
  async legacy(capabilities = ALL, answers = ANSWERS) {
    const client = await gate.legacyClient(token, '/mcp', capabilities)
    const schemas = { 'elicitation/create': ElicitRequestSchema, 'sampling/createMessage': CreateMessageRequestSchema, 'roots/list': ListRootsRequestSchema }
    return answering(client, capabilities, (method, answer) => client.setRequestHandler(schemas[method], answer), answers)
  },
}

function answering(client, capabilities, handle, answers) {
  client.asked = []
  for (const method of Object.keys(ANSWERS))
    if (capabilities[method.split('/')[0]])
      handle(method, async (request) => {
        client.asked.push(request)
        return answers[method](request.params ?? {})
      })
  client.ask = async (server, args) => JSON.parse((await client.callTool({ name: `${server}__ask`, arguments: args })).content[0].text)
  return client
}

for (const [era, connect] of Object.entries(clients)) {
  for (const server of SERVERS) {
    test(`a ${era} client answers what ${server} asks: form, url, sampling, roots`, async () => {
      const client = await connect()
      for (const what of ['form', 'url', 'sampling', 'roots']) {
        const told = await client.ask(server, { what: [what] })
        delete told[what]?._meta
        assert.deepEqual(told, { [what]: EXPECTED[what] })
      }
      assert.deepEqual(client.asked.map((a) => a.method), ['elicitation/create', 'elicitation/create', 'sampling/createMessage', 'roots/list'])
      assert.equal(client.asked[0].params.message, 'Your name?')
      await client.close()
    })

    test(`a ${era} client is asked several things at once by ${server}, and again`, async () => {
      const client = await connect()
      const told = await client.ask(server, { what: ['form', 'roots'], rounds: 2 })
      assert.deepEqual(told.form, EXPECTED.form)
      assert.deepEqual(told.roots, EXPECTED.roots)
      assert.equal(client.asked.length, 4)
      await client.close()
    })
  }
}

for (const [era, connect] of Object.entries(clients))
  test(`a ${era} client answers what server-everything asks`, async () => {
    const client = await connect()
    const sampled = await client.callTool({ name: 'everything__trigger-sampling-request', arguments: { prompt: 'Say hello', maxTokens: 10 } })
    assert.match(JSON.stringify(sampled.content), /hello/)
    assert.ok(client.asked.some((a) => a.method === 'sampling/createMessage'))
    await client.close()
  })

// ---- what a client did not declare ----

for (const [era, connect] of Object.entries(clients))
  test(`a server is told what the ${era} client declared, and nothing else`, async () => {
    for (const capabilities of [{}, { sampling: {} }, { elicitation: { form: {} }, roots: {} }, ALL]) {
      const client = await connect(capabilities)
      for (const server of SERVERS) {
        const told = JSON.parse((await client.callTool({ name: `${server}__can`, arguments: {} })).content[0].text)
        assert.deepEqual(told, capabilities)
      }
      await client.close()
    }
  })

test('what a modern server wants of a client that offered nothing is refused', async () => {
  const refused = await gate.call(token, 'greedy__t', {})
  assert.equal(refused.json.error.data.code, 'upstream_garbage')
  assert.match(refused.json.error.message, /wants input that nobody offered/)
  const offered = await gate.call(token, 'greedy__t', {}, CAN)
  assert.equal(offered.json.result.resultType, 'input_required')
})

// ---- what a modern client sends again ----

const CAN = { meta: { 'io.modelcontextprotocol/clientCapabilities': ALL } }
const FORM = { what: ['form'] }
const ANSWER = { form: EXPECTED.form, 'input-1': EXPECTED.form }

async function again(of, server, state, { args = FORM, ...more } = {}) {
  return gate.modern(of, 'tools/call', { name: `${server}__ask`, arguments: args, inputResponses: ANSWER, requestState: state }, { ...CAN, id: 2, ...more })
}
async function started(of, server, args = FORM) {
  const { json: { result } } = await gate.call(of, `${server}__ask`, args, CAN)
  assert.equal(result.resultType, 'input_required')
  return result
}
const refusedState = ({ status, json: { error } }) => assert.deepEqual([status, error.code, error.data.code], [400, -32602, 'invalid_state'])

for (const server of ['modern', 'legacy']) {
  test(`a requestState of ${server} is of one call of one session`, async () => {
    const { requestState } = await started(token, server)
    assert.doesNotMatch(requestState, /round/)
    const changed = requestState.slice(0, -1) + (requestState.endsWith('A') ? 'B' : 'A')
    for (const state of [changed, requestState + '-TAMPERED', 'round-1', '']) refusedState(await again(token, server, state))
    refusedState(await again(token, server, requestState, { args: { what: ['roots'] } }))
    refusedState(await again(gate.token(agent), server, requestState)) // another session of the same agent
    const denied = await gate.recorded('the refusal', (e) => e.event === 'TOOL_DENIED' && e.code === 'invalid_state')
    assert.equal(denied.policyDecision.stage, 'retry')
    const { json: { result } } = await again(token, server, requestState)
    assert.deepEqual(JSON.parse(result.content[0].text).form, EXPECTED.form)
  })
}

test('what was asked is on record beside the intent, and so is each leg', async () => {
  const { requestState } = await started(token, 'legacy')
  await again(token, 'legacy', requestState)
  const outcome = await gate.recorded('the outcome', (e) => e.event === 'TOOL_RESULT' && e.toolName === 'legacy/ask' && e.result === 'success')
  const all = gate.audit()
  const asked = all.findLast((e) => e.event === 'INPUT_ASKED')
  assert.equal(asked.parameters.method, 'elicitation/create')
  assert.equal(asked.parameters.params.message, 'Your name?')
  const first = all.findLast((e) => e.event === 'TOOL_RESULT' && e.code === 'input_required')
  assert.equal(first.intentSeq, asked.intentSeq)
  assert.ok(outcome.intentSeq > first.intentSeq)
})

test('the whole exchange takes one call of the session', async () => {
  for (const server of ['modern', 'legacy']) {
    const few = gate.open(await gate.agent({ allow: [`${server}/ask`] }), '--max-calls', '2').access_token
    const { requestState } = await started(few, server)
    assert.equal((await again(few, server, requestState)).json.result.resultType, 'complete')
    const second = await started(few, server)
    if (server === 'modern') // a state pays once: who sends it a second time pays with a call
      assert.equal((await again(few, server, requestState)).json.error.data.code, 'calls_exhausted')
    assert.equal((await again(few, server, second.requestState)).json.result.resultType, 'complete')
    assert.equal((await gate.call(few, `${server}__ask`, FORM, CAN)).json.error.data.code, 'calls_exhausted')
  }
})

// ---- calls that are put aside ----

const aborted = async () => (await legacy.seen()).filter((s) => s === 'aborted').length

test('a call that was put aside is taken up once', async () => {
  const { requestState } = await started(token, 'legacy')
  assert.equal((await again(token, 'legacy', requestState)).json.result.resultType, 'complete')
  const late = await again(token, 'legacy', requestState)
  assert.equal(late.json.error.data.code, 'invalid_state')
  assert.match(late.json.error.message, /waits no more/)
})

test('what is not answered is asked again', async () => {
  const result = await started(token, 'legacy', { what: ['form', 'roots'] })
  const first = await again(token, 'legacy', result.requestState, { args: { what: ['form', 'roots'] } })
  assert.equal(first.json.result.resultType, 'input_required')
  const [[name, request]] = Object.entries(first.json.result.inputRequests)
  assert.equal(request.method, 'roots/list')
  const last = await gate.modern(token, 'tools/call', { name: 'legacy__ask', arguments: { what: ['form', 'roots'] },
    inputResponses: { [name]: EXPECTED.roots }, requestState: first.json.result.requestState }, CAN)
  assert.deepEqual(JSON.parse(last.json.result.content[0].text).roots, EXPECTED.roots)
})

test('a session has a bounded number of calls put aside; they end with it', async () => {
  const session = gate.open(agent)
  for (let i = 0; i < 3; i++) await started(session.access_token, 'legacy')
  const fourth = await gate.call(session.access_token, 'legacy__ask', FORM, CAN)
  assert.deepEqual([fourth.status, fourth.json.error.data.code], [429, 'too_many_parked_calls'])
  const before = await aborted()
  gate.cli(['session', 'end', session.sessionId, '-c', gate.file])
  await until('the server to be told', async () => (await aborted()) >= before + 3)
  const entry = await gate.recorded('the outcome', (e) => e.event === 'TOOL_RESULT' && e.sessionId === session.sessionId && e.code === 'cancelled')
  assert.equal(entry.result, 'unknown')
})

test('a call that nobody takes up is cancelled, on record, and its state is no good any more', async () => {
  const before = await aborted()
  const own = gate.open(agent)
  const { requestState } = await started(own.access_token, 'legacy')
  await until('the server to be told', async () => (await aborted()) > before)
  const entry = await gate.recorded('the outcome', (e) => e.event === 'TOOL_RESULT' && e.sessionId === own.sessionId && e.code !== 'input_required')
  assert.deepEqual([entry.code, entry.result], ['cancelled', 'unknown'])
  refusedState(await again(own.access_token, 'legacy', requestState))
})

// ---- legacy clients, by hand ----

async function legacySession(of, capabilities = ALL) {
  const post = (body, headers = {}, signal) => fetch(`${gate.url}/mcp`, { method: 'POST', headers: gate.headers(of, headers), signal, body: JSON.stringify({ jsonrpc: '2.0', ...body }) })
  const opened = await post({ id: 0, method: 'initialize', params: { protocolVersion: '2025-11-25', capabilities, clientInfo: { name: 'hand', version: '1' } } })
  const id = opened.headers.get('mcp-session-id')
  return (body, more = {}, signal) => post(body, { 'mcp-session-id': id, 'mcp-protocol-version': '2025-11-25', ...more }, signal)
}
// The messages of a stream, one by one.
async function* messages(res) {
  let text = ''
  for await (const part of res.body) {
    text += Buffer.from(part)
    for (let at; (at = text.indexOf('\n\n')) >= 0; text = text.slice(at + 2)) {
      const data = text.slice(0, at).split('\n').find((l) => l.startsWith('data: '))
      if (data?.length > 6) yield JSON.parse(data.slice(6))
    }
  }
}
const call = (server, args = FORM) => ({ id: 1, method: 'tools/call', params: { name: `${server}__ask`, arguments: args } })
const next = async (stream) => (await stream.next()).value

for (const server of ['legacy', 'modern']) {
  test(`an answer to ${server} is taken from the session that was asked, once`, async () => {
    const post = await legacySession(token)
    const stream = messages(await post(call(server)))
    const question = await next(stream)
    assert.equal(question.method, 'elicitation/create')
    const answer = { id: question.id, result: EXPECTED.form }
    assert.equal((await (await legacySession(token))(answer)).status, 400) // another client of the same agent's session
    assert.equal((await (await legacySession(gate.token(agent)))(answer)).status, 400)
    assert.equal((await post({ id: 'ask-0-0000000000000000', result: {} })).status, 400)
    assert.equal((await post({ id: 7, result: {} })).status, 400)
    assert.equal((await post(answer)).status, 202)
    const result = await next(stream)
    assert.deepEqual(JSON.parse(result.result.content[0].text).form, EXPECTED.form)
    assert.equal((await post(answer)).status, 400)
  })

  test(`a client that cancels in the middle of a call to ${server} ends it`, async () => {
    const post = await legacySession(token)
    const before = await aborted()
    const stream = messages(await post(call(server)))
    const question = await next(stream)
    await post({ method: 'notifications/cancelled', params: { requestId: 1 } })
    let last
    for await (const m of stream) last = m
    assert.equal(last.error.data.code, 'cancelled')
    if (server === 'legacy') await until('the server to be told', async () => (await aborted()) > before)
    assert.equal((await post({ id: question.id, result: EXPECTED.form })).status, 400)
  })

  test(`a client that does not answer ${server} is told that nobody waits any more`, async () => {
    const post = await legacySession(token)
    const all = []
    for await (const m of messages(await post(call(server)))) all.push(m)
    assert.equal(all[1].method, 'notifications/cancelled')
    assert.equal(all[1].params.requestId, all[0].id)
    if (server === 'legacy') assert.match(all[2].result.content[0].text, /did not answer/)
    else assert.match(all[2].error.message, /in time/)
  })

  test(`a client's error reaches ${server}'s call`, async () => {
    const post = await legacySession(token)
    const stream = messages(await post(call(server)))
    const question = await next(stream)
    await post({ id: question.id, error: { code: -1, message: 'the person is out' } })
    const last = await next(stream)
    if (server === 'legacy') assert.match(last.result.content[0].text, /the person is out/)
    else assert.match(last.error.message, /refused/)
  })
}

for (const [server, alone] of [['legacy', false], ['legacy', true], ['legacy-stdio', false]])
  test(`a question that ${server} takes back${alone ? ' on its session\'s stream' : ''} is withdrawn from the client`, async () => {
    const post = await legacySession(token)
    const all = []
    for await (const m of messages(await post(call(server, { ...FORM, patience: 200, alone })))) all.push(m)
    assert.deepEqual(all.map((m) => m.method), ['elicitation/create', 'notifications/cancelled', undefined])
    assert.equal(all[1].params.requestId, all[0].id)
    assert.match(all[2].result.content[0].text, /timed out/)
    const modern = await started(token, server, { ...FORM, patience: 200, alone })
    await sleep(300)
    const late = await again(token, server, modern.requestState, { args: { ...FORM, patience: 200, alone } })
    assert.match(late.json.result.content[0].text, /timed out/)
  })

test('a client that takes no stream offers nothing', async () => {
  const post = await legacySession(token)
  const res = await post(call('legacy'), { accept: 'application/json' })
  assert.match((await res.json()).result.content[0].text, /declared no such capability/)
})

test('a question on the session\'s own stream belongs to the call', async () => {
  const client = await clients.legacy()
  assert.deepEqual((await client.ask('legacy', { what: ['form'], alone: true })).form, EXPECTED.form)
  await client.close()
})

test('progress is told before and after the question', async () => {
  const client = await clients.legacy()
  const steps = []
  await client.callTool({ name: 'legacy__ask', arguments: { what: ['form'], progress: true } }, undefined, { onprogress: (p) => steps.push(p.progress) })
  assert.deepEqual(steps, [1, 2])
  await client.close()
})

test('a gateway that stops ends what waits, and says so on record', async () => {
  const own = await startGate({ workers: 2, servers: { legacy: { url: legacy.url } }, limits: { stop_grace: '200ms' } })
  const its = own.token(await own.agent({ allow: ['legacy/ask'] }))
  assert.equal((await own.call(its, 'legacy__ask', FORM, CAN)).json.result.resultType, 'input_required')
  const client = await own.legacyClient(its, '/mcp', ALL)
  client.setRequestHandler(ElicitRequestSchema, () => new Promise(() => {}))
  const waiting = client.callTool({ name: 'legacy__ask', arguments: FORM }).catch((e) => e)
  await own.recorded('both questions', () => own.audit().filter((e) => e.event === 'INPUT_ASKED').length === 2)
  const before = await aborted()
  own.daemon.kill('SIGTERM')
  assert.deepEqual(await own.exited, { code: 0, signal: null })
  assert.match((await waiting).message, /stops|closed|terminated|fetch/i)
  const codes = own.audit().filter((e) => e.event === 'TOOL_RESULT').map((e) => e.code).sort()
  assert.deepEqual(codes, ['cancelled', 'cancelled', 'input_required'])
  await until('the server to be told', async () => (await aborted()) >= before + 2)
  await own.stop()
})
