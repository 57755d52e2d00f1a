// Deciding in the console: with the keyboard, against somebody else, against the clock, and about other arguments.
// areas: console, approval
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { ORDER, startHouse, until } from './lib/console.mjs'

let house, anna, ben
before(async () => {
  house = await startHouse()
  anna = await house.person('anna')
  ben = await house.person('ben')
})
after(() => house?.stop())

const refund = (amount) => house.ask('issue_refund', { orderId: ORDER, amount })

test('with the keyboard alone: found, read, approved with a passkey, and the call runs', async () => {
  await anna.at('/')
  await anna.page.getByText('Nothing waits.').waitFor()
  const asked = refund(10.5)
  await anna.page.locator('.row').waitFor() // by itself
  await anna.keys('j', 'Enter')
  await anna.page.getByRole('heading', { name: /wants to call desk\/issue_refund for usr_4711/ }).waitFor()
  await anna.part('reasoning').waitFor()
  const { id } = await house.question('10.5')
  await anna.keys('a')
  await anna.page.getByRole('heading', { name: 'Approve this call, once' }).waitFor()
  assert.equal((await house.gate.operator('GET', `/approvals/${id}`)).json.state, 'pending') // no key decides alone
  const shown = await anna.part('effect').locator('.value.hash').textContent()
  const sent = anna.page.waitForRequest((r) => r.url().endsWith(`${id}/approve`))
  await anna.keys('Enter')
  assert.match(await asked, /"refunded":10\.5/)
  assert.deepEqual((await sent).postDataJSON(), { digest: shown })
  await until('the verdict', async () => /Approved by you.*the call was made/s.test(await anna.verdict()))
  const yes = await house.recorded('APPROVAL_GRANTED', { id })
  assert.deepEqual([yes.actor, yes.details.channel], ['anna', 'console'])
  assert.ok(yes.details.passkey)
})

test('a no asks for a second key, and its reason is what the agent is told', async () => {
  const asked = refund(11.5)
  const question = await house.question('11.5')
  await anna.look(question)
  await anna.keys('d', 'Escape', 'd')
  await anna.page.keyboard.type('ask the customer for a picture, first')
  assert.equal((await house.gate.operator('GET', `/approvals/${question.id}`)).json.state, 'pending')
  await anna.keys('Enter')
  assert.match(await asked, /ask the customer for a picture, first/)
  await until('the verdict', async () => /Denied by you.*ask the customer/s.test(await anna.verdict()))
})

test('two people at once: one decides, and the other one is told who was first, at once and without a click', async () => {
  const asked = refund(12.5)
  const question = await house.question('12.5')
  await Promise.all([anna.look(question), ben.look(question)])
  await ben.keys('a') // about to say yes
  await anna.keys('d', 'Enter')
  await ben.page.locator('.verdict').waitFor()
  await until('who and when', async () => /Denied by anna\s+anna said no at \d\d:\d\d:\d\d UTC, over console/.test(await ben.verdict()))
  assert.equal(await ben.page.locator('.decide').count(), 0)
  assert.match(await asked, /denied/)
})

test('a gateway that says nothing any more: the time goes on, and what is over is over', async (t) => {
  const own = await startHouse({ approval: { time_limit: '4s' } })
  t.after(() => (own.gate.daemon.kill('SIGCONT'), own.stop()))
  const dora = await own.person('dora')
  const asked = own.ask('issue_refund', { orderId: ORDER, amount: 14.5 })
  await dora.look(await own.question('14.5'))
  await dora.page.locator('.decide').waitFor()
  own.gate.daemon.kill('SIGSTOP')
  await dora.page.locator('.verdict').waitFor()
  assert.match(await dora.verdict(), /Time is over.*Nobody decided in time/s)
  assert.equal(await dora.page.locator('.decide').count(), 0)
  own.gate.daemon.kill('SIGCONT')
  await asked
})

test('what somebody gives as a reason is shown as it is, with what is invisible written out', async () => {
  const asked = refund(14.75)
  const question = await house.question('14.75')
  await anna.look(question)
  await house.who.deny(question, 'no \u202ereally <b>no</b>')
  await until('the reason', async () => /“no \\u\{202e\}really <b>no<\/b>”/.test(await anna.verdict()))
  await asked
})

test('two people in the same moment: the gateway takes one, and the other one sees the refusal or the verdict', async () => {
  const asked = refund(12.75)
  const question = await house.question('12.75')
  await Promise.all([anna.look(question), ben.look(question)])
  await Promise.all([anna.keys('a'), ben.keys('a')])
  await Promise.all([anna.keys('Enter'), ben.keys('Enter')])
  assert.match(await asked, /"refunded":12\.75/)
  const [a, b] = await Promise.all([anna, ben].map((p) => until('a verdict', async () => (await p.verdict()).match(/Approved by (\w+)/)?.[1])))
  assert.deepEqual([a, b].filter((x) => x === 'you').length, 1)
  const yes = await house.recorded('APPROVAL_GRANTED', question)
  assert.equal(yes.actor, a === 'you' ? 'anna' : 'ben')
})

test('time runs out while one looks: the page says so, and its buttons are gone', async (t) => {
  const own = await startHouse({ approval: { time_limit: '5s' } })
  t.after(() => own.stop())
  const dora = await own.person('dora')
  const asked = own.ask('issue_refund', { orderId: ORDER, amount: 13.5 })
  await dora.look(await own.question('13.5'))
  await dora.keys('a')
  await dora.page.getByRole('timer').first().waitFor()
  await dora.page.locator('.verdict').waitFor()
  assert.match(await dora.verdict(), /Time is over.*Nobody decided in time/s)
  assert.equal(await dora.page.locator('.decide').count(), 0)
  assert.match(await asked, /approval_expired/)
})

test('edited arguments: the difference is shown, numbers keep their digits, and the server gets those', async () => {
  const asked = refund(9007.25)
  const question = await house.question('9007.25')
  await anna.look(question)
  await anna.keys('e')
  const area = anna.page.getByRole('textbox', { name: /Arguments as JSON/ })
  assert.match(await area.inputValue(), /"amount": 9007\.25/)
  await area.fill('{ "orderId": "ORD-A1B2C3D4", "amount": }')
  await anna.page.getByText('line 1, column 40: a value should stand here').waitFor()
  await area.fill('{ "orderId": "ORD-A1B2C3D4", "amount": 90.0719925474099312345 }')
  assert.deepEqual(await anna.page.locator('.difference tbody tr').allInnerTexts(), ['amount\t9007.25\t90.0719925474099312345'])
  await anna.keys('Control+Enter')
  assert.match(await asked, /"refunded":90\.071992547/)
  const edit = await house.recorded('APPROVAL_EDITED', question)
  assert.deepEqual([edit.actor, edit.details.digestBefore], ['anna', question.digest])
  assert.match(house.gate.cli(['audit', 'tail', '--dir', join(house.gate.dir, 'data/audit'), '--json']).stdout, /"amount":90\.0719925474099312345[,}]/)
})

test('edited arguments that do not fit the tool are judged again, and not sent', async () => {
  const asked = refund(15.5)
  await anna.look(await house.question('15.5'))
  await anna.keys('e')
  await anna.page.getByRole('textbox', { name: /Arguments as JSON/ }).fill('{"orderId": "ORD-A1B2C3D4", "amount": -1}')
  await anna.keys('Control+Enter')
  assert.match(await asked, /amount/)
  await until('what came of it', async () => /Approved by you.*the call was not made: judged again it was refused/s.test(await anna.verdict()))
})

test('a no may stop the session as well', async () => {
  const session = house.open()
  const asked = house.ask('issue_refund', { orderId: ORDER, amount: 16.5 }, { session }).catch(String)
  await anna.look(await house.question('16.5'))
  await anna.keys('d', 'Tab', 'Space')
  await anna.page.getByRole('button', { name: 'Deny and stop the session' }).click()
  await asked
  await until('the session to be stopped', async () => (await house.gate.operator('GET', `/sessions/${session.sessionId}`)).json.state === 'stopped')
})

test('the same call for some minutes: the next one of this session is not asked about', async (t) => {
  const own = await startHouse({ approval: { result_time: '0s' } }) // else it would get the result of the first one
  t.after(() => own.stop())
  const dora = await own.person('dora'), call = () => own.ask('search_faq', { query: 'opening hours' })
  const made = () => own.gate.audit().filter((e) => e.event === 'TOOL_CALL').length
  const first = call()
  await dora.look(await own.question('opening hours'))
  await dora.keys('m')
  await dora.page.keyboard.type('5')
  await dora.keys('Enter')
  assert.match(await first, /answers/)
  const yes = await own.gate.recorded('the yes', (e) => e.event === 'APPROVAL_GRANTED' && e.details.shapeMs)
  assert.deepEqual([yes.details.shapeMs, made()], [5 * 60000, 1])
  await until('the next one to be made', async () => /answers/.test(await call()) && made() === 2)
  assert.equal((await own.gate.operator('GET', '/approvals')).json.pending, 0)
})

test('where two people are needed, each sees who has said yes, and the second yes is what counts', async () => {
  const asked = house.ask('check_shipping', { orderId: ORDER })
  const question = await house.question('check_shipping')
  await Promise.all([anna.look(question), ben.look(question)])
  await anna.keys('a', 'Enter')
  await ben.page.getByText('1 of 2 people said yes: anna').first().waitFor()
  await anna.page.getByText('Another person has to say yes as well').waitFor()
  assert.ok(await anna.page.getByRole('button', { name: /Approve once/ }).isDisabled())
  await ben.keys('a', 'Enter')
  assert.match(await asked, /carrier|status/)
})

test('arguments that somebody changed while one looks: the page says who, and closes what was about to be sent', async () => {
  const asked = house.ask('check_shipping', { orderId: 'ORD-00000001' })
  const question = await house.question('ORD-00000001')
  await Promise.all([anna.look(question), ben.look(question)])
  await ben.keys('a')
  await anna.keys('e')
  await anna.page.getByRole('textbox', { name: /Arguments as JSON/ }).fill(`{"orderId": "${ORDER}"}`)
  await anna.keys('Control+Enter')
  await ben.page.getByText('anna changed the arguments while you looked').waitFor()
  assert.equal(await ben.page.locator('.panel').count(), 0)
  assert.match(await ben.part('effect').innerText(), new RegExp(ORDER))
  await ben.keys('d', 'Enter')
  assert.match(await asked, /denied/)
})

test('while break-glass is open one person alone may say yes to what needs two, if they say so', async () => {
  const opened = await house.gate.operator('POST', '/break-glass', { reason: 'the office burns', minutes: 5 })
  assert.equal(opened.status, 201, JSON.stringify(opened.json))
  const asked = house.ask('check_shipping', { orderId: ORDER }, { session: house.open() })
  const question = await house.question('check_shipping')
  await anna.look(question)
  assert.match(await anna.part('why').innerText(), /the office burns/)
  await anna.keys('a')
  await anna.page.getByLabel(/By break-glass/).check()
  await anna.page.getByRole('button', { name: 'Approve with your passkey' }).click()
  assert.match(await asked, /carrier|status/)
  await until('the verdict', async () => /by break-glass/.test(await anna.verdict()))
  await house.gate.operator('POST', '/break-glass/end', {})
})

test('what nobody decided in time for its first group is shown as escalated, with who may decide as well', async (t) => {
  const own = await startHouse({ tools: { 'desk/issue_refund': { risk: 'high', approvers: ['money'], escalate: { to: ['payments'], after: '2s' } } } })
  t.after(() => own.stop())
  const dora = await own.person('dora')
  const asked = own.ask('issue_refund', { orderId: ORDER, amount: 17.5 })
  await dora.at('/')
  const row = dora.page.locator('.row')
  await row.getByText('for money', { exact: true }).waitFor()
  await row.getByText('for money, payments').waitFor()
  await row.getByText('escalated').waitFor()
  await dora.keys('j', 'Enter')
  await dora.part('reasoning').waitFor()
  await dora.keys('a', 'Enter')
  assert.match(await asked, /"refunded":17\.5/)
})

test('many wait: the hundred most urgent are shown, and that there are more', async (t) => {
  const own = await startHouse()
  t.after(() => own.stop())
  const dora = await own.person('dora'), calls = []
  for (let i = 0; i < 130; i++) calls.push(own.gate.call(own.session.access_token, 'desk__search_faq', { query: `question ${i}` }).catch(() => {}))
  await until('all of them', async () => (await own.gate.operator('GET', '/status')).json.approvals.pending === 130)
  await dora.at('/')
  await dora.page.getByRole('heading', { name: '130 calls wait for a person' }).waitFor()
  assert.equal(await dora.page.locator('.row').count(), 100)
  await dora.page.getByRole('button', { name: 'Show more: 30 are less urgent' }).click()
  assert.equal(await dora.page.locator('.row').count(), 130)
  await dora.page.close()
  own.gate.daemon.kill('SIGKILL')
  await Promise.all(calls)
})
