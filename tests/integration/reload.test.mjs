// A new configuration: by signal and by API, all of it or nothing.
// areas: daemon, conf
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { afterEach, beforeEach, test } from 'node:test'
import { DESK, startGate, until } from './lib/gate.mjs'
import { ledger } from './lib/ledger.mjs'
import { newAgent, token } from './lib/oauth.mjs'

const FAQ = ['desk__search_faq', { query: 'return' }]
let gate, agent, book

beforeEach(async () => {
  book = ledger()
  gate = await startGate({ servers: { desk: DESK, book: book.server }, session: { max_tool_calls: 50 } })
  agent = await newAgent(gate, 'reloaded', { allowedTools: ['desk/search_faq', 'book/write', 'more/search_faq'], maxConcurrentSessions: 50 })
})
afterEach(async () => gate?.stop('SIGKILL'))

const reload = () => gate.operator('POST', '/reload')
const maxCalls = async () => (await gate.operator('POST', '/sessions', { agentId: agent.id })).json.maxToolCalls
const hangUp = () => gate.daemon.kill('SIGHUP')
const of = (event) => gate.audit().filter((e) => e.event === event)

test('SIGHUP puts the new file in force, for new sessions and open ones', async () => {
  const access = await token(gate, agent)
  gate.write({ session: { max_tool_calls: 7 }, tools: { 'desk/*': { rate: '1/hour' } } })
  hangUp()
  await until('the reload', () => of('CONFIG_RELOADED').length === 1)
  assert.equal(await maxCalls(), 7)
  assert.equal((await gate.call(access, ...FAQ)).status, 200)
  assert.equal((await gate.call(access, ...FAQ)).status, 429)
})

test('the API does the same, and the record names who asked', async () => {
  gate.write({ session: { max_tool_calls: 8 } })
  const { status, json } = await reload()
  assert.deepEqual([status, json], [200, { reloaded: true }])
  assert.equal(await maxCalls(), 8)
  assert.equal((await gate.recorded('the reload', (e) => e.event === 'CONFIG_RELOADED')).actor, 'operator')
})

test('a file with faults changes nothing, and all its faults are told', async () => {
  gate.write({ session: { max_tool_calls: 9, rate: 'fast' }, nonsense: 1, token: { lifetime: '99d' } })
  const { status, json } = await reload()
  assert.deepEqual([status, json.error], [400, 'bad_configuration'])
  assert.equal(json.faults.length, 3)
  for (const word of [/^.*doorward\.yaml:\d+:\d+: .*session\.rate/, /nonsense/, /token\.lifetime/])
    assert.ok(json.faults.some((f) => word.test(f)), `${word} in ${json.faults}`)
  hangUp()
  await until('the log to name them', () => gate.log.split('\n').filter((l) => l.includes('configuration_fault')).length === 3)
  assert.equal(await maxCalls(), 50)
  await until('both refusals on record', () => of('CONFIG_REFUSED').length === 2)
  assert.equal(of('CONFIG_RELOADED').length, 0)
  gate.write({ session: { max_tool_calls: 10 }, nonsense: undefined, token: undefined })
  assert.equal((await reload()).status, 200)
  assert.equal(await maxCalls(), 10)
})

test('a file that is no YAML, or is gone, changes nothing', async () => {
  for (const text of ['{', 'a: [', '\u0000', '']) {
    writeFileSync(gate.file, text)
    const { status } = await reload()
    if (text !== '') assert.equal(status, 400, JSON.stringify(text))
  }
  gate.write()
  assert.equal((await reload()).status, 200)
  assert.equal((await gate.call(await token(gate, agent), ...FAQ)).status, 200)
})

test('what cannot change while the gateway runs is refused by name', async () => {
  const before = { ...gate.config }
  for (const [change, key] of [[{ listen: '127.0.0.1:1' }, 'listen'], [{ data_dir: '/nowhere' }, 'data_dir'], [{ workers: 2 }, 'workers'],
                               [{ public_url: 'https://other.example' }, 'public_url'], [{ token: { alg: 'ES256' } }, 'token.alg'],
                               [{ limits: { body_bytes: '2MiB' } }, 'limits.body_bytes'], [{ admin: { listen: '127.0.0.1:2' } }, 'admin.listen']]) {
    gate.config = { ...before }
    gate.write(change)
    const { status, json } = await reload()
    assert.equal(status, 400, key)
    assert.ok(json.faults.some((f) => f.includes(`${key}: cannot change`)), `${key} in ${json.faults}`)
  }
  gate.config = before
  gate.write()
  assert.equal((await reload()).status, 200)
})

test('servers come and go, and a call in flight is not disturbed', async () => {
  const access = await token(gate, agent)
  const names = async () => (await gate.modern(access, 'tools/list')).json.result.tools.map((t) => t.name)
  const slow = gate.call(access, 'book__write', { line: 'in flight', ms: 700 })
  await until('the call to arrive', () => book.lines().includes('in flight'))
  gate.write({ servers: { ...gate.config.servers, more: DESK } })
  assert.equal((await reload()).status, 200)
  await until('the new server', async () => (await names()).includes('more__search_faq'))
  assert.equal((await slow).json.result.content[0].text, 'done')
  const { desk, book: kept } = gate.config.servers
  gate.write({ servers: { desk, book: kept } })
  assert.equal((await reload()).status, 200)
  await until('it to be gone', async () => !(await names()).includes('more__search_faq'))
  assert.notEqual((await gate.call(access, 'more__search_faq', FAQ[1])).json.error, undefined)
})

test('another time limit takes no server down', async () => {
  const access = await token(gate, agent)
  for (const call_timeout of ['50s', '40s', '1s']) {
    gate.write({ limits: { call_timeout } })
    assert.equal((await reload()).status, 200)
    assert.equal((await gate.call(access, ...FAQ)).status, 200)
  }
  const { json } = await gate.call(access, 'book__write', { line: 'slow', ms: 5000 })
  assert.equal(json.error.data.code, 'upstream_timeout')
})

test('twenty reloads under load, by signal and by API: not one call fails', async () => {
  gate.write({ session: { max_tool_calls: 1000000, rate: '1000000/minute' } })
  await reload()
  const access = await token(gate, agent)
  const answers = new Map()
  const count = (answer) => answers.set(answer, (answers.get(answer) ?? 0) + 1)
  let busy = true, done = 0
  const callers = Array.from({ length: 16 }, async () => { // each on a connection that is kept
    while (busy) {
      count(await gate.call(access, ...FAQ).then(({ status, json }) => `${status} ${json.result ? 'result' : 'error'}`, (e) => `${e.cause ?? e}`))
      done++
    }
  })
  for (let i = 1; i <= 20; i++) {
    gate.write({ session: { max_tool_calls: 100 + i, rate: '1000000/minute' }, tools: i % 3 ? {} : { 'desk/*': { rate: '1000000/minute' } } })
    if (i % 2) assert.equal((await reload()).status, 200)
    else hangUp()
    await until(`reload ${i}`, async () => (await maxCalls()) === 100 + i)
    const before = done
    await until('calls after it', () => done > before + 32)
  }
  busy = false
  await Promise.all(callers)
  assert.deepEqual([...answers.keys()], ['200 result'])
  await until('all reloads on record', () => of('CONFIG_RELOADED').length === 21)
  assert.equal(of('TOOL_CALL').length, done)
})
