// What an approver makes of a call's arguments: the difference on record and shown, without what is secret or sealed.
// areas: approval, approve, audit
import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { startGate } from './lib/gate.mjs'
import { ledger } from './lib/ledger.mjs'
import { people } from './lib/people.mjs'

let gate, book, who, token
before(async () => {
  book = ledger()
  gate = await startGate({ servers: { ledger: book.server }, tools: { '*/*': { risk: 'high' }, 'ledger/raw': { people: 2 } }, audit: { seal: ['email'] },
                           session: { max_tool_calls: 1000, rate: 'none' } })
  who = people(gate)
  token = gate.token(await gate.agent({ allow: ['ledger/write', 'ledger/raw'] }))
})
after(() => gate?.stop())

const call = (tool, args) => gate.call(token, `ledger__${tool}`, args).then((r) => r.json.result)
const edited = (what, hit) => gate.recorded(what, (e) => e.event === 'APPROVAL_EDITED' && hit(e))
const show = (id) => gate.cli(['approvals', 'show', id, '--admin', gate.admin], { ok: false }).stdout

test('the members that were changed are on record, by their place, with what was there and what is', async () => {
  const asked = { list: [{ a: 1 }, { a: 2 }], note: 'pay', 'order/id': 'A', same: true, gone: 1 }
  const made = call('raw', asked)
  const question = await who.question('pay')
  await who.decide('approve', question, { arguments: { list: [{ a: 1 }, { a: 3 }], note: 'pay less', 'order/id': 'B', same: true, fresh: 'x'.repeat(600) } })
  const e = await edited('the edit', (x) => x.details.approval === question.id)
  assert.deepEqual(e.details.changes, [{ before: 1, path: '/gone' }, { after: 3, before: 2, path: '/list/1/a' }, { after: 'pay less', before: 'pay', path: '/note' },
    { after: 'B', before: 'A', path: '/order~1id' }, { afterBytes: 602, path: '/fresh' }])
  assert.deepEqual(e.parameters.before, asked)
  assert.equal(e.details.digestBefore, question.digest)
  assert.match(show(question.id), /Decided .*approve by operator[^\n]*\n +\/gone +1 → \(taken away\)\n +\/list\/1\/a +2 → 3\n +\/note +"pay" → "pay less"/)
  const shown = (await gate.operator('GET', `/approvals/${question.id}`)).json
  assert.deepEqual(shown.decisions[0].changes, e.details.changes)
  await who.deny({ id: question.id, digest: shown.digest }, 'neither')
  assert.ok((await made).isError)
  const over = (await gate.operator('GET', `/approvals/${question.id}`)).json // of what is over the places stay, and not what stood there
  assert.deepEqual(over.decisions[0].changes.map((c) => Object.keys(c)), Array(5).fill(['path']))
})

test('what is secret is masked there, and what is sealed is sealed', async () => {
  const made = call('raw', { note: 'zq1', customer: { email: 'zq-before@example.com' }, password: 'zq-old-secret' })
  const question = await who.question('zq1')
  await who.decide('approve', question, { arguments: { note: 'zq1', customer: { email: 'zq-after@example.com' }, password: 'zq-new-secret' } })
  const e = await edited('the edit', (x) => x.details.approval === question.id)
  assert.deepEqual(e.details.changes, [{ after: '[sealed]', before: '[sealed]', path: '/customer/email' }, { after: '[masked]', before: '[masked]', path: '/password' }])
  assert.deepEqual(e.sealed.map((s) => s.path), ['/parameters/after/customer/email', '/parameters/before/customer/email'])
  assert.notEqual(e.digest, question.digest) // which would give small values away
  assert.equal(e.details.digestBefore, undefined)
  const revealed = (await gate.operator('POST', '/audit/reveal', { seq: e.seq })).json
  assert.deepEqual(revealed.values.map((v) => v.value), ['zq-after@example.com', 'zq-before@example.com'])
  await who.deny({ id: question.id }, 'neither')
  await made
  const folder = join(gate.dir, 'data', 'audit')
  for (const file of readdirSync(folder, { recursive: true, withFileTypes: true }).filter((f) => f.isFile()))
    assert.doesNotMatch(readFileSync(join(file.parentPath ?? file.path, file.name), 'latin1'), /zq-(before|after|old|new)/, file.name)
})

test('of very many changes the first ones are told, and how many there are besides', async () => {
  const many = (v) => Object.fromEntries(Array.from({ length: 80 }, (_, i) => [`m${i}`, v]))
  const made = call('raw', { note: 'many', ...many(1) })
  const question = await who.question('"many"')
  await who.decide('approve', question, { arguments: { note: 'many', ...many(2) } })
  const e = await edited('the edit', (x) => x.details.approval === question.id)
  assert.deepEqual([e.details.changes.length, e.details.changesMore], [50, 30])
  await who.deny({ id: question.id }, 'neither')
  await made
})
