// Somebody sets the machine's clock while calls wait for a person and while break-glass is open: nothing lasts longer for it.
// areas: approval, approve
import assert from 'node:assert/strict'
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, afterEach, before, test } from 'node:test'
import { BUILD, DESK, startGate, until } from './lib/gate.mjs'

const LOADED = join(BUILD, 'tests/torture/shift_clock.so')
const skip = existsSync(LOADED) ? false : 'skipped: built without tests/torture'
const DAY = 86400000
const asan = [process.env.ASAN_OPTIONS, 'verify_asan_link_order=0'].filter(Boolean).join(':')
let gate, fd, dir, agent, token

const ahead = (ms) => {
  const b = Buffer.alloc(8)
  b.writeBigInt64LE(BigInt(ms))
  writeSync(fd, b, 0, 8, 0)
}
before(async () => {
  if (skip) return
  dir = mkdtempSync(join(tmpdir(), 'doorward-clock-'))
  writeFileSync(join(dir, 'clock'), Buffer.alloc(8))
  fd = openSync(join(dir, 'clock'), 'r+')
  gate = await startGate({ servers: { desk: DESK }, tools: { 'desk/issue_refund': { risk: 'high', approvers: ['money'], escalate: { to: ['managers'], after: '1500ms' } } },
    approval: { time_limit: '3s', hold: '1s' } }, { through: ['env', `LD_PRELOAD=${LOADED}`, `DOORWARD_CLOCK=${join(dir, 'clock')}`, `ASAN_OPTIONS=${asan}`] })
  agent = await gate.agent({ allow: ['desk/issue_refund'] })
  token = gate.token(agent)
})
afterEach(() => skip || ahead(0))
after(async () => {
  if (skip) return
  await gate?.stop()
  closeSync(fd)
  rmSync(dir, { recursive: true })
})

const question = async (amount) => {
  await gate.call(token, 'desk__issue_refund', { orderId: 'ORD-A1B2C3D4', amount })
  return until('a question', async () => (await gate.operator('GET', '/approvals')).json.approvals.at(-1))
}
const state = async (id) => (await gate.operator('GET', `/approvals/${id}`)).json

test('set back by a day, a question escalates and ends when it would have', { skip }, async () => {
  const began = Date.now(), { id } = await question(1)
  ahead(-DAY)
  await until('it to be escalated', async () => (await state(id)).escalatedAt)
  const escalated = Date.now() - began
  await until('its end', async () => (await state(id)).state === 'expired')
  const ended = Date.now() - began
  assert.ok(escalated > 1000 && escalated < 3000, `${escalated} ms`)
  assert.ok(ended > 2500 && ended < 5000, `${ended} ms`)
})

const glass = async () => (await gate.operator('GET', '/break-glass')).json.breakGlass
const open = () => gate.operator('POST', '/break-glass', { reason: 'fire', minutes: 1 })

test('set back by a day, break-glass ends when it was to end, over a restart too', { skip }, async () => {
  const began = Date.now()
  assert.equal((await open()).status, 201)
  ahead(-DAY)
  gate.daemon.kill('SIGKILL')
  await gate.exited
  await gate.start()
  assert.ok(Date.parse((await glass()).endsAt) - began < 62000)
  await gate.operator('POST', '/break-glass/end', {})
  ahead(0)
  token = gate.token(agent) // sessions in which nothing waits ended with the process
})

test('set forward by a day, a question is over at once, which is a no', { skip }, async () => {
  const { id, digest } = await question(2)
  ahead(DAY)
  const late = await gate.operator('POST', `/approvals/${id}/approve`, { digest })
  assert.deepEqual([late.status, late.json.error], [409, 'conflict'])
  assert.match(late.json.message, /its time ran out/)
})

test('set forward by a day, break-glass is over, and stays so', { skip }, async () => {
  await open()
  ahead(DAY)
  assert.equal(await glass(), null)
  await gate.recorded('its end', (e) => e.event === 'BREAK_GLASS_ENDED' && e.actorType === 'SYSTEM')
  ahead(0)
  assert.equal(await glass(), null)
})
