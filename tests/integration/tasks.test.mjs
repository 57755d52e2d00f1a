// Calls that wait for a person while their client is not there: the extension io.modelcontextprotocol/tasks, with the extension's own client.
// areas: approval, approve, task
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { startGate, until } from './lib/gate.mjs'
import { ledger } from './lib/ledger.mjs'
import { people } from './lib/people.mjs'
import { blocks } from './lib/sse.mjs'
import { json, modernBasics, startAsking, startRaw } from './lib/servers.mjs'
import { TASKS, taskSession } from './lib/tasks.mjs'

const RISKS = { 'ledger/write': { risk: 'high' }, 'ledger/raw': { risk: 'low' }, '*/*': { risk: 'unset' } }
const text = (result) => result.content[0].text
const code = (r) => r.json.error?.data?.code

let gate, book, who, agent, token
const count = (line) => book.lines().filter((l) => l === line).length
const begin = (line, more = {}, as = token) => gate.call(as, 'ledger__write', { line, ...more }, { meta: TASKS })
const ask = (method, taskId, more = {}, as = token, meta = TASKS) =>
  gate.modern(as, `tasks/${method}`, { taskId, ...more }, { headers: { 'mcp-name': taskId }, meta })
const over = (taskId, as = token) => until('the end of the task', async () => {
  const { result } = (await ask('get', taskId, {}, as)).json
  return result.status !== 'working' && result
})
const start = async (more = {}) => {
  gate = await startGate({ workers: 2, servers: { ledger: book.server }, tools: RISKS, approval: { hold: '1s', time_limit: '30s' },
                           session: { max_tool_calls: 1000, rate: 'none' }, ...more })
  who = people(gate)
  agent = await gate.agent({ allow: ['ledger/write', 'ledger/raw'] })
  token = gate.token(agent)
}

before(async () => {
  book = ledger()
  await start()
})
after(() => gate?.stop())

describe("the extension's client", () => {
  test('is told that its call is a task, and gets the result once a person approved; nobody waits meanwhile', async () => {
    const { session, seen, close } = await taskSession(gate, token)
    const execution = await session.callTool('ledger__write', { line: 'approved' })
    assert.equal(execution.kind, 'task')
    const question = await who.question('approved')
    assert.equal(execution.handle.taskId, question.id)
    await who.approve(question)
    const { outcome } = await execution.settle()
    assert.equal(outcome.status, 'completed')
    assert.equal(text(outcome.result), 'done')
    assert.equal(count('approved'), 1)
    const [created] = seen
    assert.deepEqual([created.result.resultType, created.result.status], ['task', 'working'])
    assert.match(created.result.statusMessage, /a person has to approve this call, until 2/)
    const intent = await gate.recorded('the intent', (e) => e.event === 'TOOL_CALL' && e.parameters?.line === 'approved')
    assert.deepEqual(intent.chain.map((a) => a.role), ['agent', 'approver'])
    assert.match(outcome.result._meta['dev.doorward/receipt'].digest, /^[0-9a-f]{64}$/)
    assert.equal(outcome.result._meta['dev.doorward/receipt'].index, intent.seq - 1)
    await close()
  })

  test('hears why a person said no, as a result for its model', async () => {
    const { session, close } = await taskSession(gate, token)
    const execution = await session.callTool('ledger__write', { line: 'refused' })
    await who.deny(await who.question('refused'), 'ask the customer first')
    const { outcome } = await execution.settle()
    assert.ok(outcome.result.isError)
    assert.match(text(outcome.result), /^Refused before the call was made \(approval_denied\): .*ask the customer first/)
    assert.equal(count('refused'), 0)
    const denied = await gate.recorded('the refusal', (e) => e.event === 'TOOL_DENIED' && e.code === 'approval_denied')
    assert.deepEqual([denied.toolName, denied.digest.length, denied.policyDecision.stage], ['ledger/write', 64, 'approval'])
    await close()
  })

  test('cancels: nobody is asked any more, and nothing is made', async () => {
    const { session, close } = await taskSession(gate, token)
    const execution = await session.callTool('ledger__write', { line: 'withdrawn' })
    const question = await who.question('withdrawn')
    await execution.cancel()
    const { outcome } = await execution.settle()
    assert.equal(outcome.status, 'cancelled')
    assert.equal((await who.decide('approve', question)).status, 409)
    const entry = await gate.recorded('that it was withdrawn', (e) => e.event === 'APPROVAL_VOID')
    assert.match(entry.policyDecision.reason, /its agent withdrew the call/)
    assert.equal(count('withdrawn'), 0)
    await close()
  })

  test('goes, and another one of the session takes the task up: the call was made without either', async () => {
    const first = await taskSession(gate, token)
    const execution = await first.session.callTool('ledger__write', { line: 'taken up' })
    const reference = execution.serializeReference()
    await execution.detach()
    await first.client.close()
    await who.approve(await who.question('taken up'))
    await until('the call to be made', () => count('taken up') === 1)
    const second = await taskSession(gate, token)
    const { outcome } = await (await second.session.resumeTask(reference)).settle()
    assert.equal(text(outcome.result), 'done')
    assert.equal(count('taken up'), 1)
    await second.close()
  })

  test('gets the answer of a call that needs nobody at once', async () => {
    const { session, close } = await taskSession(gate, token)
    const execution = await session.callTool('ledger__raw', { note: 'low' })
    assert.equal(execution.kind, 'immediate')
    await close()
  })
})

describe('a task', () => {
  test('is not for clients that did not declare the extension: they wait as ever, and may not ask', async () => {
    const leg = await gate.call(token, 'ledger__write', { line: 'plain' })
    assert.equal(leg.json.result.resultType, 'input_required')
    const question = await who.question('plain')
    for (const method of ['get', 'update', 'cancel']) {
      const r = await ask(method, question.id, { inputResponses: {} }, token, {})
      assert.deepEqual([r.status, r.json.error.code], [400, -32021])
      assert.deepEqual(r.json.error.data.requiredCapabilities, { extensions: { 'io.modelcontextprotocol/tasks': {} } })
    }
    const listen = await gate.modern(token, 'subscriptions/listen', { notifications: { taskIds: [question.id] } })
    assert.equal(listen.json.error.code, -32021)
    await who.deny(question, 'no')
  })

  test('is declared in server/discover', async () => {
    const { result } = (await gate.modern(token, 'server/discover')).json
    assert.deepEqual(result.capabilities.extensions, { 'io.modelcontextprotocol/tasks': {} })
  })

  test('of another agent, of another session, and one that never was are the same: there is none', async () => {
    const { result } = (await begin('mine')).json
    const id = result.taskId
    const other = gate.token(await gate.agent({ allow: ['ledger/write'] }))
    const forged = id.slice(0, -1) + (id.endsWith('7') ? '8' : '7')
    const tries = [[id, other], [id, gate.token(agent)], [forged, token], ['', token], ['x'.repeat(5000), token], ['apr_\u0000', token]]
    for (const method of ['get', 'update', 'cancel'])
      for (const [task, as] of tries) {
        const name = `=?base64?${Buffer.from(task).toString('base64')}?=`
        const r = await gate.modern(as, `tasks/${method}`, { taskId: task, inputResponses: {} }, { headers: { 'mcp-name': name }, meta: TASKS })
        assert.deepEqual([r.status, r.json.error.code, r.json.error.message],
          [200, -32602, 'this session has no such task, or its end is kept no longer'], `${method} ${task.slice(0, 40)}`)
      }
    assert.equal((await ask('get', id)).json.result.status, 'working')
    await who.deny(await who.question('mine'), 'no')
  })

  test('is asked for with its id in the header, too', async () => {
    const { result } = (await begin('header')).json
    const r = await gate.modern(token, 'tasks/get', { taskId: result.taskId }, { headers: { 'mcp-name': 'apr_other' }, meta: TASKS })
    assert.equal(code(r), 'header_mismatch')
    const none = await gate.modern(token, 'tasks/get', { taskId: 7 }, { headers: { 'mcp-name': '7' }, meta: TASKS })
    assert.equal(code(none), 'invalid_params')
    await ask('cancel', result.taskId)
  })

  test('ends as the person left it: other arguments, judged again', async () => {
    const { taskId } = (await begin('before')).json.result
    await who.approve(await who.question('before'), { arguments: { line: 'after' } })
    assert.equal(text((await over(taskId)).result), 'done')
    assert.deepEqual([count('before'), count('after')], [0, 1])
  })

  test('is void with the end of its session, and nothing is made', async () => {
    const own = gate.token(agent)
    const { taskId } = (await begin('session over', {}, own)).json.result
    const { sid } = JSON.parse(Buffer.from(own.split('.')[1], 'base64url'))
    assert.equal((await gate.operator('POST', `/sessions/${sid}/kill`, { reason: 'test' })).status, 200)
    assert.equal((await ask('get', taskId, {}, own)).status, 401)
    assert.equal((await who.pending()).length, 0)
    assert.equal(count('session over'), 0)
  })

  test('of two calls that are the same is one: it runs once, and both have its answer', async () => {
    const [one, two] = await Promise.all([begin('twice', { ms: 300 }), begin('twice', { ms: 300 })])
    assert.equal(one.json.result.taskId, two.json.result.taskId)
    const leg = gate.call(token, 'ledger__write', { line: 'twice', ms: 300 }) // and one that waits the other way
    await sleep(200)
    await who.approve(await who.question('twice'))
    assert.equal(text((await over(one.json.result.taskId)).result), 'done')
    assert.equal(text((await leg).json.result), 'done')
    assert.equal(text((await begin('twice', { ms: 300 })).json.result), 'done') // what is over is answered at once
    assert.equal(count('twice'), 1)
  })

  test('of a call that another client waits for by coming back: it is made once, for both', async () => {
    const leg = await gate.call(token, 'ledger__write', { line: 'asked before' })
    assert.equal(leg.json.result.resultType, 'input_required') // its client is away, and will come back
    const question = await who.question('asked before'), { taskId } = (await begin('asked before')).json.result
    assert.equal(taskId, question.id)
    await who.approve(question)
    assert.equal(text((await over(taskId)).result), 'done')
    const { requestState } = leg.json.result
    const back = await gate.modern(token, 'tools/call', { name: 'ledger__write', arguments: { line: 'asked before' }, requestState })
    assert.equal(text(back.json.result), 'done')
    assert.equal(count('asked before'), 1)
  })

  test('that is cancelled while its call is with the server: the server is told, and it is not made again', async () => {
    const { taskId } = (await begin('in flight', { ms: 5000 })).json.result
    await who.approve(await who.question('in flight'))
    await until('the call to be made', () => count('in flight') === 1)
    assert.equal((await ask('get', taskId)).json.result.statusMessage, 'approved: the call is being made')
    assert.equal((await ask('cancel', taskId)).json.result.resultType, 'complete')
    const end = await over(taskId)
    assert.deepEqual([end.status, end.result, end.error], ['cancelled', undefined, undefined])
    await gate.recorded('its outcome', (e) => e.event === 'TOOL_RESULT' && e.code === 'cancelled')
    assert.equal(count('in flight'), 1)
    assert.equal((await ask('cancel', taskId)).json.result.resultType, 'complete') // no harm in saying it twice
  })

  test('is told on a stream of notifications, whole, whenever it is another way', async () => {
    const { taskId } = (await begin('streamed', { ms: 500 })).json.result
    const others = (await begin('of another session', {}, gate.token(agent))).json.result.taskId
    const left = new AbortController()
    const body = { jsonrpc: '2.0', id: 'tasks-1', method: 'subscriptions/listen', params: {
      notifications: { taskIds: [taskId, others, 'apr_none'] }, _meta: { 'io.modelcontextprotocol/protocolVersion': '2026-07-28', ...TASKS } } }
    const res = await fetch(`${gate.url}/mcp`, { method: 'POST', signal: left.signal, body: JSON.stringify(body),
      headers: gate.headers(token, { 'mcp-protocol-version': '2026-07-28', 'mcp-method': 'subscriptions/listen' }) })
    const told = []
    const reading = (async () => {
      for await (const block of blocks(res)) if (block.data) told.push(JSON.parse(block.data))
    })().catch(() => {})
    const statuses = () => told.slice(1).map((m) => m.params.statusMessage?.split(/[,:]/)[0] ?? m.params.status)
    await until('how it stands', () => told.length === 2)
    assert.deepEqual(told[0].params.notifications, { taskIds: [taskId] })
    await who.approve(await who.question('streamed'))
    await until('its end', () => told.at(-1).params.status === 'completed')
    assert.deepEqual(statuses(), ['a person has to approve this call', 'approved', 'completed'])
    for (const m of told) assert.equal(m.params._meta['io.modelcontextprotocol/subscriptionId'], 'tasks-1')
    const { resultType, _meta, ...asked } = (await ask('get', taskId)).json.result
    const { _meta: own, ...last } = told.at(-1).params
    assert.deepEqual([last, resultType], [asked, 'complete'])
    assert.equal(code(await gate.modern(token, 'subscriptions/listen', { notifications: { taskIds: 'all' } }, { meta: TASKS })), 'invalid_params')
    left.abort()
    await reading
    await who.deny(await who.question('of another session'), 'no')
  })

  test('is nothing that can be updated: what nobody asked for is passed over', async () => {
    const { taskId } = (await begin('update')).json.result
    assert.equal(code(await ask('update', taskId)), 'invalid_params')
    assert.deepEqual((await ask('update', taskId, { inputResponses: { name: { action: 'accept' } } })).json.result.resultType, 'complete')
    assert.equal((await ask('get', taskId)).json.result.status, 'working')
    await who.deny(await who.question('update'), 'no')
  })
})

test('asking at the pace that was given counts against no rate; asking all the time, or for what is not there, does', async () => {
  const own = gate
  await start({ session: { max_tool_calls: 100, rate: '3/minute' } })
  try {
    const { taskId, pollIntervalMs } = (await begin('paced')).json.result
    for (let i = 0; i < 4; i++) {
      await sleep(pollIntervalMs)
      assert.equal((await ask('get', taskId)).status, 200)
    }
    const hasty = []
    for (let i = 0; i < 6; i++) hasty.push((await ask('get', taskId)).status)
    assert.equal(hasty.at(-1), 429)
  } finally {
    await gate.stop()
    gate = own
    who = people(gate)
  }
})

test('a server that wants something in the middle of an approved call: its client is asked through the task', async () => {
  const own = gate
  const servers = await Promise.all([startAsking('modern'), startAsking('legacy')])
  await start({ servers: { asks: { url: servers[0].url }, old: { url: servers[1].url } }, tools: { '*/*': { risk: 'high' } },
                limits: { input_timeout: '3s' } })
  try {
    agent = await gate.agent({ allow: ['asks/ask', 'old/ask'] })
    token = gate.token(agent)
    await until('both servers', async () => (await gate.modern(token, 'tools/list')).json.result.tools.length === 2)
    const capabilities = { elicitation: { form: {} } }
    const asked = []
    const onInputRequest = async ({ kind, params }, { inputId }) => {
      asked.push(inputId)
      assert.deepEqual([kind, params.message], ['elicitation', 'Your name?'])
      return { action: 'accept', content: { name: `Ada ${asked.length}` } }
    }
    const { session, seen, close } = await taskSession(gate, token, { capabilities, onInputRequest })
    for (const [server, rounds, last] of [['asks', 2, 'Ada 2'], ['old', 2, 'Ada 4']]) {
      const execution = await session.callTool(`${server}__ask`, { what: ['form'], rounds })
      await who.approve((await until('the question', async () => (await who.pending())[0])))
      const { outcome } = await execution.settle()
      assert.match(text(outcome.result), new RegExp(last))
    }
    assert.equal(asked.length, 4)
    assert.equal(new Set(asked.slice(0, 2)).size, 2) // no name is used twice
    const { result } = seen.find((s) => s.result?.status === 'input_required')
    assert.deepEqual(Object.keys(Object.values(result.inputRequests)[0]), ['method', 'params'])
    await gate.recorded('that it was asked', (e) => e.event === 'INPUT_ASKED')
    await close()
    // who does not answer in time, and whose answer comes to nothing that is asked
    const meta = { 'io.modelcontextprotocol/clientCapabilities': { ...capabilities, extensions: { 'io.modelcontextprotocol/tasks': {} } } }
    for (const server of ['asks', 'old']) {
      const { taskId } = (await gate.call(token, `${server}__ask`, { what: ['form'] }, { meta })).json.result
      await who.approve((await until('the question', async () => (await who.pending())[0])))
      await until('it to ask', async () => (await ask('get', taskId)).json.result.status === 'input_required')
      await ask('update', taskId, { inputResponses: { 'ask-9': { action: 'accept' }, 'ask-1': 7 } })
      assert.equal((await ask('get', taskId)).json.result.status, 'input_required')
      const end = await until('its end', async () => {
        const { result: r } = (await ask('get', taskId)).json
        return ['completed', 'failed'].includes(r.status) && r
      })
      if (server === 'asks') assert.match(end.error.message, /did not answer what the server wanted in time/)
      else assert.match(text(end.result), /did not answer/)
    }
    // and one that is cancelled meanwhile
    const { taskId } = (await gate.call(token, 'asks__ask', { what: ['form'], rounds: 3 }, { meta })).json.result
    await who.approve((await until('the question', async () => (await who.pending())[0])))
    await until('it to ask', async () => (await ask('get', taskId)).json.result.status === 'input_required')
    await ask('cancel', taskId)
    await until('its end', async () => (await ask('get', taskId)).json.result.status === 'cancelled')
  } finally {
    await gate.stop()
    await Promise.all(servers.map((s) => s.stop()))
    gate = own
    who = people(gate)
  }
})

describe('a restart of the gateway', () => {
  test('in the middle of the wait: the task is there, and its call is made once though its client never asks', async () => {
    const own = gate
    await start()
    try {
      const { session, client } = await taskSession(gate, token)
      const execution = await session.callTool('ledger__write', { line: 'survives' })
      const question = await who.question('survives')
      const { taskId } = execution.handle
      await execution.detach()
      await client.close()
      gate.daemon.kill('SIGKILL')
      await gate.exited
      await gate.start()
      assert.equal((await ask('get', taskId)).json.result.status, 'working')
      await who.approve(question)
      await until('the call to be made', () => count('survives') === 1)
      const again = await taskSession(gate, token)
      const reference = { endpointId: 'gate', generation: 'v2', taskId, originalOperation: 'tools/call' }
      const { outcome } = await (await again.session.resumeTask(reference)).settle()
      assert.equal(text(outcome.result), 'done')
      assert.equal(count('survives'), 1)
      await again.close()
      // and one that nobody asked for since the start
      const silent = (await begin('silent')).json.result.taskId
      const asked = await who.question('silent')
      gate.daemon.kill('SIGTERM')
      await gate.exited
      await gate.start()
      await who.approve(asked)
      await until('the call to be made', () => count('silent') === 1)
      assert.equal(text((await over(silent)).result), 'done')
    } finally {
      await gate.stop()
      gate = own
      who = people(gate)
    }
  })

  test('that ends in order lets a call that nobody waits for come to its end', async () => {
    const own = gate
    await start()
    try {
      await begin('in order', { ms: 1500 })
      await who.approve(await who.question('in order'))
      await until('the call to be made', () => count('in order') === 1)
      gate.daemon.kill('SIGTERM')
      assert.deepEqual(await gate.exited, { code: 0, signal: null })
      await gate.start()
      const outcome = await gate.recorded('its outcome', (e) => e.event === 'TOOL_RESULT' && e.toolName === 'ledger/write')
      assert.equal(outcome.result, 'success')
    } finally {
      await gate.stop()
      gate = own
      who = people(gate)
    }
  })

  test('while its call was with the server: nobody knows what came of it, and it is not made again', async () => {
    const own = gate
    await start()
    try {
      const { taskId } = (await begin('cut', { ms: 20000 })).json.result
      const other = (await begin('keeps the session')).json.result.taskId
      await who.approve(await who.question('"cut"'))
      await until('the call to be made', () => count('cut') === 1)
      gate.daemon.kill('SIGKILL')
      await gate.exited
      await gate.start()
      const end = await over(taskId)
      assert.equal(end.result._meta['dev.doorward/code'], 'approval_used')
      assert.equal((await ask('get', other)).json.result.status, 'working')
      assert.equal(count('cut'), 1)
    } finally {
      await gate.stop()
      gate = own
      who = people(gate)
    }
  })
})

test('a client that waits by coming back: only its first request counts against the rate, and its state outlives the gateway', async () => {
  const own = gate
  await start({ session: { max_tool_calls: 100, rate: '3/minute' }, approval: { hold: '1s', time_limit: '60s' } })
  try {
    const leg = (requestState, line = 'legs') => gate.modern(token, 'tools/call', { name: 'ledger__write', arguments: { line }, requestState })
    let r = await leg()
    const first = r.json.result.requestState
    for (let i = 0; i < 5; i++) {
      r = await leg(r.json.result.requestState)
      assert.equal(r.json.result?.resultType, 'input_required', r.text)
    }
    const last = r.json.result.requestState
    gate.daemon.kill('SIGKILL')
    await gate.exited
    await gate.start()
    r = await leg(last)
    assert.equal(r.json.result?.resultType, 'input_required', r.text)
    assert.equal(code(await leg(last, 'another call')), 'invalid_state')
    const again = []
    for (let i = 0; i < 4; i++) again.push((await leg(first)).status) // a pass is good once
    assert.equal(again.at(-1), 429)
    await who.approve(await who.question('legs'))
    r = await leg(r.json.result.requestState)
    assert.equal(text(r.json.result), 'done')
    assert.equal(count('legs'), 1)
  } finally {
    await gate.stop()
    gate = own
    who = people(gate)
  }
})

test('an answer of many megabytes is told whole, as often as it is asked for', async () => {
  const own = gate
  const words = 'ä"\\\n'.repeat(2 ** 20)
  const server = await startRaw((m, req, res) => {
    if (m.method !== 'tools/call') return json(res, modernBasics(['large'], m))
    json(res, { id: m.id, result: { resultType: 'complete', content: [{ type: 'text', text: words }] } })
  })
  await start({ servers: { big: { url: server.url } }, tools: { '*/*': { risk: 'high' } } })
  try {
    token = gate.token(await gate.agent({ allow: ['big/large'] }))
    const { taskId } = (await gate.call(token, 'big__large', {}, { meta: TASKS })).json.result
    await who.approve((await until('the question', async () => (await who.pending())[0])))
    for (let i = 0; i < 2; i++) assert.ok(text((await over(taskId)).result) === words)
    // the same call is told of the task that has it: what others are given is smaller
    assert.equal((await gate.call(token, 'big__large', {}, { meta: TASKS })).json.result.taskId, taskId)
    assert.equal((await gate.call(token, 'big__large', {})).json.result._meta['dev.doorward/code'], 'approval_used')
  } finally {
    await gate.stop()
    await server.stop()
    gate = own
    who = people(gate)
  }
})

test('what policies change of a call is changed again when it is made, and is what the person saw', async () => {
  const own = gate
  await start({ tools: { '*/*': { risk: 'low' } }, policy: { files: [] } })
  try {
    writeFileSync(join(gate.dir, 'p.cedar'), '@approve("one") @set("input.ms = 7") permit (principal, action, resource);')
    gate.write({ policy: { files: [{ file: 'p.cedar' }] } })
    gate.daemon.kill('SIGHUP')
    await until('the policies', async () => (await begin('probe')).json.result.resultType === 'task')
    await who.deny(await who.question('probe'), 'no')
    const { taskId } = (await begin('set', { ms: 1 })).json.result
    await who.approve(await who.question('"set"'))
    assert.equal(text((await over(taskId)).result), 'done')
    const intent = await gate.recorded('the intent', (e) => e.event === 'TOOL_CALL' && e.parameters?.line === 'set')
    assert.deepEqual(intent.parameters, { line: 'set', ms: 7 })
    assert.deepEqual(intent.details.judged, { line: 'set', ms: 1 })
    const late = (await begin('other policies')).json.result.taskId
    await who.question('other policies')
    writeFileSync(join(gate.dir, 'p.cedar'), 'permit (principal, action, resource);')
    gate.daemon.kill('SIGHUP')
    assert.match(text((await over(late)).result), /\(approval_void\): the question is void: other policies are in force/)
    assert.equal(count('other policies'), 0)
  } finally {
    await gate.stop()
    gate = own
    who = people(gate)
  }
})

test('what nobody decides about in time is over, and its end is kept for as long as the configuration says', async () => {
  const own = gate
  await start({ approval: { time_limit: '1500ms', result_time: '3s' } })
  try {
    const { taskId, ttlMs } = (await begin('late')).json.result
    assert.ok(ttlMs > 4000)
    const end = await over(taskId)
    assert.equal(end.status, 'completed')
    assert.match(text(end.result), /\(approval_expired\): nobody decided about this call in time/)
    assert.equal(count('late'), 0)
    await until('it to be forgotten', async () => code(await ask('get', taskId)) === 'unknown_task')
  } finally {
    await gate.stop()
    gate = own
    who = people(gate)
  }
})
