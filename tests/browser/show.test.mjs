// What an approver sees: in order, in full, as it is, and as text.
// areas: console, approval
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startHouse } from './lib/console.mjs'

const NASTY = 'pay \u202eevil\u202c \u0007 <img src=x onerror="document.title=1"> <script>alert(1)</script>  end '
let house, anna, asked
before(async () => {
  house = await startHouse({ tools: { 'desk/create_ticket': { risk: 'high' } } })
  anna = await house.person('anna')
  await house.gate.call(house.session.access_token, 'desk__lookup_order', { orderId: 'ORD-A1B2C3D4' })
  asked = house.ask('create_ticket', { subject: NASTY, priority: 'high' }, { meta: { 'dev.doorward/reasoning': 'The <b>customer</b> said \u202eso' } })
  await anna.look(await house.question('evil'))
})
after(async () => {
  await house.who.deny(await house.question('evil'), 'no')
  await asked
  await house.stop()
})

test('time, who, tool, effect, why, last calls, earlier decisions, and the agent\'s own words last', async () => {
  const parts = await anna.page.locator('[data-part]').evaluateAll((all) => all.map((e) => e.dataset.part))
  assert.deepEqual(parts, ['time', 'who', 'tool', 'effect', 'why', 'calls', 'earlier', 'reasoning'])
  assert.match(await anna.part('who').innerText(), /support-eu-1.*support-team.*usr_4711/s)
  assert.match(await anna.part('calls').innerText(), /desk\/lookup_order/)
})

test('in two seconds: who wants what, how long is left, why it is held', async () => {
  const head = anna.page.locator('.request-head')
  assert.match(await head.innerText(), /customer-support wants to call desk\/create_ticket for usr_4711.*high risk.*Held because .*[45]:\d\d/s)
  const first = await head.getByRole('timer').getAttribute('aria-label')
  await anna.page.waitForFunction((was) => document.querySelector('.request-head [role=timer]').getAttribute('aria-label') !== was, first)
  const box = await head.boundingBox()
  assert.ok(box.y + box.height < 400)
})

test('what is invisible or turns the line is written out, spaces stay, and markup is text', async () => {
  const value = await anna.part('effect').locator('.value', { hasText: 'evil' }).textContent()
  assert.equal(value, '"pay \\u{202e}evil\\u{202c} \\x07 <img src=x onerror="document.title=1"> <script>alert(1)</script>  end "')
  const page = await anna.page.content()
  assert.ok(!/[\u202a-\u202e\u0007]/.test(page))
  assert.equal(await anna.page.locator('img, main script').count(), 0)
  assert.match(await anna.page.title(), /Waiting/)
})

test('the agent\'s own words are folded up and marked, and stay text when they are opened', async () => {
  const words = anna.part('reasoning')
  assert.match(await words.locator('summary').innerText(), /not checked/)
  assert.equal(await words.locator('.value').isVisible(), false)
  await anna.keys('r')
  await words.locator('.value').first().waitFor()
  assert.equal(await words.locator('.value').first().textContent(), 'The <b>customer</b> said \\u{202e}so')
  assert.equal(await words.locator('.value b').count(), 0)
})

test('in the editor what is invisible is written as JSON writes it', async () => {
  await anna.keys('e')
  const text = await anna.page.getByRole('textbox', { name: /Arguments as JSON/ }).inputValue()
  assert.match(text, /\\u202eevil\\u202c \\u0007/)
  assert.ok(!/[\u202a-\u202e\u0007]/.test(text))
  assert.equal(JSON.parse(text).subject, NASTY)
  await anna.keys('Escape')
})
