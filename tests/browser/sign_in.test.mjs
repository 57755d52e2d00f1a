// Signing in to the console: a link once, and then a passkey.
// areas: console, passkey, people
import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { startHouse } from './lib/console.mjs'

let house
before(async () => (house = await startHouse()))
after(() => house?.stop())

test('a link opens the console once, leaves no trace in the address, and a passkey opens it from then on', async () => {
  const anna = await house.person('anna', { passkey: false }), { page } = anna
  assert.equal(await page.evaluate(() => location.href + JSON.stringify(history.state)), `${house.url}/accountnull`)
  await anna.enrol('blue key')
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByRole('heading', { name: 'Sign in to decide' }).waitFor()
  await anna.at('/reviews')
  await page.getByRole('button', { name: 'Sign in with your passkey' }).click()
  await page.getByRole('heading', { name: 'Reviews' }).waitFor() // where one wanted to go
  await anna.at('/account')
  await page.getByText('signed in with a passkey').waitFor()
  assert.match(await page.locator('.passkey').innerText(), /blue key\n.*last used/)
})

test('a link that was used is no good any more, and the page says so', async () => {
  const { page } = await house.window()
  await house.gate.operator('POST', '/people', { name: 'ben' })
  const link = await house.link('ben')
  await page.goto(link)
  await page.getByRole('heading', { name: 'ben' }).waitFor()
  const other = await house.window()
  await other.page.goto(link)
  await other.page.locator('.note.stop').waitFor()
  assert.match(await other.page.locator('.note.stop').innerText(), /link/)
  assert.ok(!(await other.page.evaluate(() => location.href)).includes('dwl_'))
})

test('at an address the page says that a passkey wants a name, and where to go', async () => {
  const { page } = await house.window()
  const there = page.waitForEvent('request', (r) => r.url().startsWith('http://127'))
  await page.goto(house.gate.admin)
  await there
  await page.getByRole('link', { name: `${house.url}/` }).waitFor()
  house.persons.at(-1).troubles.length = 0 // it was another address, as meant
})

test('who has no passkey can look and say no, and is told what is missing for a yes', async () => {
  const cora = await house.person('cora', { passkey: false })
  const asked = house.ask('search_faq', { query: 'without a passkey' })
  await cora.look(await house.question('without a passkey'))
  assert.ok(await cora.page.getByRole('button', { name: /Approve once/ }).isDisabled())
  await cora.page.getByText('Saying yes needs a passkey').first().waitFor()
  await cora.keys('a', 'Enter', 'd')
  await cora.page.keyboard.type('not like this')
  await cora.keys('Enter')
  assert.match(await asked, /not like this/)
})

test('a passkey is removed with a passkey, and not by a click alone', async () => {
  const dora = await house.person('dora'), { page } = dora
  await page.getByRole('button', { name: /Remove … laptop/ }).click()
  await page.getByRole('button', { name: 'Remove it, with your passkey' }).click()
  await page.locator('.passkey').waitFor({ state: 'detached' })
  assert.deepEqual(await page.locator('.passkey').count(), 0)
})
