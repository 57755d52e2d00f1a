// The console's other pages, and what holds for all of them: narrow and wide, light and dark, for everybody.
// areas: console, admin
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, before, describe, test } from 'node:test'
import { ORDER, startHouse, until } from './lib/console.mjs'

const AXE = `${readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')}; 0`
let house, anna
before(async () => {
  house = await startHouse()
  anna = await house.person('anna')
})
after(() => house?.stop())

const ticket = (subject) => house.ask('create_ticket', { subject })

test('reviews: one is cleared, then all up to one, and nothing is left', async () => {
  for (const n of [1, 2, 3, 4]) await ticket(`<i>ticket</i> ${n}`)
  await until('four of them', async () => (await house.gate.operator('GET', '/reviews')).json.reviews.length === 4)
  await anna.at('/reviews')
  const rows = anna.page.locator('.review')
  await rows.nth(3).waitFor()
  assert.match(await rows.first().innerText(), /"subject": "<i>ticket<\/i> 4"/)
  await anna.keys('j', 'Tab', 'Tab')
  await anna.keys('Enter') // "I have looked at it" of the first
  await rows.nth(3).waitFor({ state: 'detached' })
  await rows.first().getByRole('button', { name: /all before it/ }).click()
  assert.equal((await house.gate.operator('GET', '/reviews')).json.reviews.length, 3) // not yet
  await rows.first().getByRole('button', { name: 'Clear them all' }).click()
  await anna.page.getByText('Nothing is left to look at.').waitFor()
  assert.deepEqual((await house.gate.operator('GET', '/reviews')).json.reviews, [])
})

test('activity: calls appear as they are made, filtered, paused, and opened in full', async () => {
  await anna.at('/activity')
  await anna.page.locator('.entry').first().waitFor()
  await house.gate.call(house.session.access_token, 'desk__lookup_order', { orderId: ORDER })
  const entries = anna.page.locator('.entry')
  await entries.filter({ hasText: 'TOOL_CALL' }).filter({ hasText: `{"orderId": "${ORDER}"}` }).first().waitFor()
  await house.gate.call(house.session.access_token, 'desk__lookup_order', { orderId: '1 OR 1=1' })
  await anna.page.getByLabel('Show').selectOption('refused')
  await entries.filter({ hasText: 'schema_mismatch' }).waitFor()
  assert.equal(await entries.filter({ hasText: 'TOOL_CALL' }).count(), 0)
  await anna.page.getByRole('button', { name: 'Pause' }).click()
  await house.gate.call(house.session.access_token, 'desk__lookup_order', { orderId: 'still' })
  await anna.page.getByRole('button', { name: /Go on: \d newer/ }).waitFor()
  assert.equal(await entries.filter({ hasText: 'still' }).count(), 0)
  await anna.page.getByRole('button', { name: /Go on/ }).click()
  await entries.filter({ hasText: 'still' }).click()
  await anna.page.getByText('"code": "schema_mismatch"').waitFor()
})

test('the account says how one decides', async () => {
  await anna.at('/account')
  await anna.page.getByRole('heading', { name: /How you decided/ }).waitFor()
  await anna.page.locator('.figures-row dd').first().waitFor()
})

test('a gateway that is gone: the page says that it is not live, and goes on by itself when it is back', async (t) => {
  const own = await startHouse()
  t.after(() => own.stop())
  const dora = await own.person('dora')
  await dora.at('/')
  await dora.page.getByText('Nothing waits.').waitFor()
  await dora.context.setOffline(true)
  own.gate.daemon.kill('SIGKILL')
  await own.gate.exited
  await dora.page.getByRole('alert').getByText('Not live').waitFor()
  await own.gate.start()
  await dora.context.setOffline(false)
  await dora.page.getByRole('heading', { name: 'Sign in to decide' }).waitFor() // a restart signs everybody out
  own.persons.at(-1).troubles.length = 0 // the browser's own words about connections
})

test('ten tabs are open: those that nobody sees take no connection, but one, which goes on counting', async (t) => {
  const seen = (page, state) => page.evaluate((is) => {
    Object.defineProperty(document, 'visibilityState', { configurable: true, get: () => is })
    document.dispatchEvent(new Event('visibilitychange'))
  }, state)
  const tabs = []
  t.after(() => Promise.all(tabs.map((tab) => tab.close())))
  for (let n = 0; n < 10; n++) {
    if (n) await seen(tabs.at(-1), 'hidden')
    tabs.push(await anna.context.newPage())
    await tabs.at(-1).goto(house.url)
    await tabs.at(-1).getByText('Nothing waits.').waitFor()
  }
  const asked = house.ask('search_faq', { query: 'counted' }), question = await house.question('counted'), last = tabs.at(-1)
  const counts = async () => (await Promise.all(tabs.map((tab) => tab.title()))).filter((title) => title.startsWith('(1)')).length
  await until('it to be counted', async () => (await counts()) === 2)
  await seen(last, 'hidden')
  await seen(tabs[4], 'visible')
  await tabs[4].getByText('search_faq').first().waitFor()
  await house.who.deny(question, 'enough')
  await tabs[4].getByText('Nothing waits.').waitFor()
  await asked
})

test('? shows the keys, and no key works behind it', async () => {
  await anna.at('/')
  await anna.page.getByText('Nothing waits.').waitFor()
  await anna.keys('?')
  await anna.page.getByRole('dialog', { name: 'Keyboard' }).waitFor()
  await anna.keys('v', 'Escape')
  await anna.page.getByRole('dialog').waitFor({ state: 'detached' })
  assert.equal(new URL(anna.page.url()).pathname, '/')
})

describe('every page', () => {
  let asked, question
  before(async () => {
    asked = house.ask('issue_refund', { orderId: ORDER, amount: 77.5 })
    question = await house.question('77.5')
    await ticket('a look, please')
    await until('a review', async () => (await house.gate.operator('GET', '/reviews')).json.reviews.length)
  })
  after(async () => {
    await house.who.deny(question, 'no')
    await asked
  })
  const places = () => ({ inbox: ['/', '.row'], request: [`/approvals/${question.id}`, '.decide'], reviews: ['/reviews', '.review'],
                          activity: ['/activity', '.entry'], account: ['/account', '.figures-row'] })
  const there = async ([path, part]) => {
    await anna.at(path)
    await anna.page.locator(part).first().waitFor()
  }

  for (const scheme of ['light', 'dark'])
    test(`is fit for everybody, ${scheme}: axe finds nothing serious`, async () => {
      await anna.page.emulateMedia({ colorScheme: scheme })
      const found = []
      const judge = async (name, page = anna.page) => {
        await page.evaluate(AXE)
        const { violations } = await page.evaluate(() => window.axe.run(document))
        for (const v of violations.filter((v) => ['serious', 'critical'].includes(v.impact)))
          found.push(`${name}: ${v.id}: ${v.nodes.map((n) => n.html.slice(0, 120)).join(' | ')}`)
      }
      for (const [name, place] of Object.entries(places())) {
        await there(place)
        await judge(name)
      }
      await there(places().request)
      for (const key of ['a', 'm', 'e', 'd']) {
        await anna.keys(key)
        await anna.page.locator('.panel').waitFor()
        await judge(`panel ${key}`)
        await anna.keys('Escape')
        await anna.page.locator('.panel').waitFor({ state: 'detached' })
      }
      await anna.keys('?')
      await judge('help')
      await anna.keys('Escape')
      const stranger = await house.window({ scheme })
      await stranger.page.goto(house.url)
      await stranger.page.getByRole('button').waitFor()
      await judge('signing in', stranger.page)
      assert.deepEqual(found, [])
    })

  test('is as wide as a small phone, 320 px, and does not scroll sideways', async () => {
    await anna.page.setViewportSize({ width: 320, height: 640 })
    for (const [name, place] of Object.entries(places())) {
      await there(place)
      assert.equal(await anna.page.evaluate(() => document.documentElement.scrollWidth), 320, name)
    }
    await there(places().request)
    for (const key of ['a', 'm', 'e', 'd']) {
      await anna.keys(key)
      await anna.page.locator('.panel').waitFor()
      assert.equal(await anna.page.evaluate(() => document.documentElement.scrollWidth), 320, `panel ${key}`)
      await anna.keys('Escape')
      await anna.page.locator('.panel').waitFor({ state: 'detached' })
    }
    await anna.page.setViewportSize({ width: 1280, height: 800 })
  })

  test('is dark in the dark, and light in the light', async () => {
    await there(places().inbox)
    const ground = () => anna.page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor)
    await anna.page.emulateMedia({ colorScheme: 'dark' })
    const dark = await ground()
    await anna.page.emulateMedia({ colorScheme: 'light' })
    assert.deepEqual([dark, await ground()], ['rgb(20, 23, 26)', 'rgb(245, 245, 241)'])
  })
})
