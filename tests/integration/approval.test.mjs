// Calls that a person decides about, with clients of both eras and without MCP: what each hears while it waits, and what is made of its call.
// areas: approval, approve
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { after, before, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DOORWARD, startGate, until } from './lib/gate.mjs'
import { ledger } from './lib/ledger.mjs'
import { people } from './lib/people.mjs'

const RISKS = { 'ledger/write': { risk: 'high' }, 'ledger/raw': { risk: 'medium' }, 'ledger/login': { risk: 'critical' }, '*/*': { risk: 'unset' } }
const text = (result) => result.content[0].text
const problem = async (res) => ({ status: res.status, after: res.headers.get('retry-after'), ...(await res.json()) })

let gate, book, who, token, agent
const count = (line) => book.lines().filter((l) => l === line).length
const rest = (line, query = '', { signal, as = token } = {}) => fetch(`${gate.url}/v1/tools/ledger__write/call${query}`, {
  method: 'POST', signal, headers: { authorization: `Bearer ${as}`, 'content-type': 'application/json' }, body: JSON.stringify({ arguments: { line } }) })

before(async () => {
  book = ledger()
  gate = await startGate({ workers: 3, servers: { ledger: book.server }, tools: RISKS, approval: { hold: '1s', time_limit: '30s' },
                           session: { max_tool_calls: 1000, rate: 'none' } })
  who = people(gate)
  agent = await gate.agent({ allow: ['ledger/write', 'ledger/raw', 'ledger/deep', 'ledger/login'] })
  token = gate.token(agent)
})
after(() => gate?.stop())

describe('a modern client with its defaults and no capabilities', () => {
  test('waits longer than one request is held, and its call is made once, with the approver on record', async () => {
    const client = await gate.modernClient(token)
    const call = client.callTool({ name: 'ledger__write', arguments: { line: 'modern' } })
    const question = await who.question('modern')
    await sleep(3200)
    assert.equal(count('modern'), 0)
    await who.approve(question)
    assert.equal(text(await call), 'done')
    assert.equal(count('modern'), 1)
    const intent = await gate.recorded('the intent', (e) => e.event === 'TOOL_CALL' && e.parameters?.line === 'modern')
    assert.deepEqual(intent.chain.map((a) => a.role), ['agent', 'approver'])
    await client.close()
  })

  test('hears why a person said no', async () => {
    const client = await gate.modernClient(token)
    const call = client.callTool({ name: 'ledger__write', arguments: { line: 'not this' } })
    await who.deny(await who.question('not this'), 'ask the customer first')
    const result = await call
    assert.ok(result.isError)
    assert.match(text(result), /ask the customer first/)
    assert.equal(count('not this'), 0)
    await client.close()
  })

  test('leaves, and the question stays: the same call waits on', async () => {
    const left = new AbortController()
    const client = await gate.modernClient(token)
    const call = client.callTool({ name: 'ledger__write', arguments: { line: 'left' } }, { signal: left.signal })
    const question = await who.question('left')
    left.abort()
    await assert.rejects(call)
    await who.approve(question)
    assert.equal(count('left'), 0)
    assert.equal(text(await client.callTool({ name: 'ledger__write', arguments: { line: 'left' } })), 'done')
    assert.equal(count('left'), 1)
    await client.close()
  })

  test('is told only to come back, with a state that is of this call and session alone', async () => {
    const leg = await gate.call(token, 'ledger__write', { line: 'state' })
    assert.equal(leg.json.result.resultType, 'input_required')
    assert.equal(leg.json.result.inputRequests, undefined)
    const { requestState } = leg.json.result
    const others = gate.token(agent)
    const again = (as, line, state) => gate.modern(as, 'tools/call', { name: 'ledger__write', arguments: { line }, requestState: state })
    const bad = [await again(token, 'other', requestState), await again(others, 'state', requestState),
                 await again(token, 'state', `${requestState.slice(0, -2)}${requestState.endsWith('AA') ? 'BB' : 'AA'}`), await again(token, 'state', requestState.slice(2))]
    assert.deepEqual(bad.map((r) => r.json.error?.data.code), Array(4).fill('invalid_state'))
    assert.equal((await again(token, 'state', requestState)).json.result.resultType, 'input_required')
    await who.deny(await who.question('state'), 'enough')
    assert.equal(count('state'), 0)
  })
})

describe('a legacy client', () => {
  test('that asked for progress hears that it waits, and gets its answer', async () => {
    const client = await gate.legacyClient(token)
    const steps = []
    const call = client.callTool({ name: 'ledger__write', arguments: { line: 'legacy' } }, undefined, { onprogress: (p) => steps.push(p) })
    const question = await who.question('legacy')
    await sleep(1500) // longer than a request of others is held
    await who.approve(question)
    assert.equal(text(await call), 'done')
    assert.match(steps[0].message, new RegExp(`waits for a person .*${question.id}`))
    assert.equal(count('legacy'), 1)
    await client.close()
  })

  test('without is told at once, and the same call waits, and is made', async () => {
    const client = await gate.legacyClient(token)
    const args = { name: 'ledger__write', arguments: { line: 'told' } }
    const first = await client.callTool(args)
    assert.ok(first.isError)
    const question = await who.question('told')
    assert.match(text(first), new RegExp(`^pending ${question.id}: .*[Rr]epeat the same call`))
    const second = await client.callTool(args)
    assert.match(text(second), new RegExp(`^pending ${question.id}`)) // held for a second
    const third = client.callTool(args)
    await sleep(200)
    await who.approve(question)
    assert.equal(text(await third), 'done')
    assert.equal(count('told'), 1)
    await client.close()
  })
})

describe('a program without MCP', () => {
  test('is told at once, where to look and to repeat the call, which waits', async () => {
    const first = await problem(await rest('rest'))
    const question = await who.question('"rest"')
    assert.deepEqual([first.status, first.code, first.approval, first.after], [409, 'approval_pending', question.id, '1'])
    const second = rest('rest')
    await sleep(200)
    await who.approve(question)
    const answer = await (await second).json()
    assert.equal(text(answer), 'done')
    const third = await (await rest('rest')).json()
    assert.deepEqual(third, answer) // with the receipt of the call that was made
    assert.equal(count('rest'), 1)
  })

  test('may wait with its first request, for as long as it says', async () => {
    const first = rest('patient', '?wait=5')
    await who.approve(await who.question('patient'))
    assert.equal(text(await (await first).json()), 'done')
    const begun = Date.now()
    assert.equal((await rest('impatient', '?wait=1')).status, 409)
    assert.ok(Date.now() - begun >= 900)
    await who.deny(await who.question('impatient'), 'no')
    const no = await problem(await rest('impatient'))
    assert.deepEqual([no.status, no.code], [403, 'approval_denied'])
  })

  test('that says it wrongly is told what would be right', async () => {
    const wrong = await problem(await rest('wrong', '?wait=long'))
    assert.deepEqual([wrong.status, wrong.code], [400, 'invalid_params'])
  })
})

describe('the command line', () => {
  test('waits with its call, and says for what; a no is exit 3', async () => {
    const doorward = (line) => new Promise((done) => execFile(DOORWARD,
      ['call', '--url', gate.url, '--token', token, 'ledger/write', JSON.stringify({ line })], (e, stdout, stderr) => done([e?.code ?? 0, stdout + stderr])))
    const call = doorward('typed')
    const question = await who.question('typed')
    await sleep(1500)
    await who.approve(question)
    const [status, words] = await call
    assert.equal(status, 0)
    assert.match(words, new RegExp(`waits for a person to approve the call \\(${question.id}\\)`))
    const refused = doorward('refused')
    await who.deny(await who.question('refused'), 'not from a terminal')
    const [no, why] = await refused
    assert.equal(no, 3)
    assert.match(why, /approval_denied.*not from a terminal/)
    assert.deepEqual([count('typed'), count('refused')], [1, 0])
  })
})

describe('the same call', () => {
  test('by many at one time is one question, one call, and the answer of all', async () => {
    const clients = await Promise.all(Array.from({ length: 4 }, () => gate.modernClient(token)))
    const calls = [...clients.map((c) => c.callTool({ name: 'ledger__write', arguments: { line: 'many', ms: 300 } })),
                   ...Array.from({ length: 4 }, () => gate.call(token, 'ledger__write', { ms: 300, line: 'many' }).then((r) => r.json.result))]
    const question = await who.question('many')
    await sleep(100)
    assert.equal((await who.pending()).length, 1)
    await who.approve(question)
    const results = await Promise.all(calls)
    assert.deepEqual(results.map(text), Array(8).fill('done'))
    assert.equal(count('many'), 1)
    await Promise.all(clients.map((c) => c.close()))
  })

  test('while it runs waits for its answer, and afterwards has it at once; on record as what it is', async () => {
    const first = gate.call(token, 'ledger__write', { line: 'slow', ms: 800 })
    await who.approve(await who.question('slow'))
    await until('the call to be made', () => count('slow') === 1)
    const second = gate.call(token, 'ledger__write', { line: 'slow', ms: 800 })
    assert.equal(text((await first).json.result), 'done')
    assert.equal(text((await second).json.result), 'done')
    assert.equal(text((await gate.call(token, 'ledger__write', { line: 'slow', ms: 800 })).json.result), 'done')
    assert.equal(count('slow'), 1)
    const shared = await gate.recorded('that it was shared', (e) => e.event === 'APPROVAL_SHARED')
    assert.match(shared.details.approval, /^apr_/)
  })

  test('by another session is another question', async () => {
    const other = gate.token(agent)
    const calls = [gate.call(token, 'ledger__write', { line: 'two sessions' }), gate.call(other, 'ledger__write', { line: 'two sessions' })]
    await until('two questions', async () => (await who.pending()).length === 2)
    for (const q of await who.pending()) await who.deny(q, 'no')
    assert.ok((await Promise.all(calls)).every((r) => r.json.result.isError))
  })

  test('whose client leaves while it is being made is not made again', async () => {
    const left = new AbortController()
    const first = gate.call(token, 'ledger__write', { line: 'cut off', ms: 2000 }, { signal: left.signal })
    await who.approve(await who.question('cut off'))
    await until('the call to be made', () => count('cut off') === 1)
    left.abort()
    await assert.rejects(first)
    await gate.recorded('its outcome', (e) => e.event === 'TOOL_RESULT' && e.result === 'unknown')
    const again = await gate.call(token, 'ledger__write', { line: 'cut off', ms: 2000 })
    assert.match(text(again.json.result), /approval_used.*not known/s)
    assert.equal(count('cut off'), 1)
  })
})

describe('what people say', () => {
  test('in time, or it is a no', async () => {
    const own = await startGate({ servers: { ledger: book.server }, tools: RISKS, approval: { hold: '1s', time_limit: '1500ms' } })
    const client = await own.modernClient(own.token(await own.agent({ allow: ['ledger/write'] })))
    const result = await client.callTool({ name: 'ledger__write', arguments: { line: 'late' } })
    assert.match(text(result), /approval_expired/)
    assert.equal(count('late'), 0)
    await client.close()
    await own.stop()
  })

  test('to other arguments: those are made, after the schema and the policies saw them', async () => {
    const first = gate.call(token, 'ledger__write', { line: 'before' })
    await who.approve(await who.question('before'), { arguments: { line: 'after' } })
    assert.equal(text((await first).json.result), 'done')
    assert.deepEqual([count('before'), count('after')], [0, 1])
    const intent = await gate.recorded('the intent', (e) => e.event === 'TOOL_CALL' && e.parameters?.line === 'after')
    const edited = await gate.recorded('the difference', (e) => e.event === 'APPROVAL_EDITED')
    assert.equal(edited.digest, intent.digest)
  })

  test('to arguments that do not fit the tool: the call is not made, and the agent learns why', async () => {
    const first = gate.call(token, 'ledger__write', { line: 'misfit' })
    await who.approve(await who.question('misfit'), { arguments: { line: 7 } })
    const { result } = (await first).json
    assert.ok(result.isError)
    assert.match(text(result), /line/)
    assert.equal(count('misfit'), 0)
  })

  test('does not count for critical risk: nobody is asked', async () => {
    const r = await gate.call(token, 'ledger__login', { user: 'a', password: 'long enough to be one' })
    assert.equal(r.json.error.data.code, 'critical_risk')
    assert.equal((await who.pending()).length, 0)
  })

  test('is asked of a tool of which nobody said a risk', async () => {
    const first = gate.call(token, 'ledger__deep', { customer: { age: 33 } })
    await who.deny(await who.question('33'), 'nobody has looked at this tool')
    assert.match(text((await first).json.result), /nobody has looked/)
  })

  test('medium risk goes through, and waits to be looked at', async () => {
    const r = await gate.call(token, 'ledger__raw', { note: 'medium' })
    assert.equal(r.json.result.isError, undefined)
    const review = await gate.recorded('a review', (e) => e.event === 'REVIEW_QUEUED')
    assert.deepEqual([review.toolName, review.parameters, review.result], ['ledger/raw', { note: 'medium' }, 'success'])
  })
})
